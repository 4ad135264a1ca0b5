"""Measures result folders against the photos and masks they were made from, several photos at once."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image
from tqdm import tqdm

from util.errors import UserError
from util.images import find_by_stem, read_image, read_mask
from util.measure.against_truth import figures_against_truth
from util.measure.keeping import Agreement, at_side, figures_of_keeping
from util.measure.lab import read_truth
from util.measure.matting import figures_of_alpha
from util.measure.metrics import Regions, background_gradient, figures_of_output, psnr, ssim
from util.measure.radius import Ladder
from util.parallel import bounded_map
from util.present import present

OUTPUT_LABELS = ("fake_B", "fake")  # as test.py names outputs, in the order they are looked for
PAIR = ("_allinfocus", "_near")  # endings of the two photos of a pair

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class ComparedPhoto:
    """A photo to compare methods on.

    Attributes:
        mask: of its subject; None where figures of the whole are all that counts.
        outputs: each method's result.
        truth: the true result.
        mattes: two independent opinions on the subject.
        lens: the lens of the lab that made the truth.
        alphas: in-focus weights, of the methods that tell them.
    """

    stem: str
    source: Path
    mask: Path | None
    outputs: dict[str, Path] = field(default_factory=dict)
    truth: Path | None = None
    mattes: tuple[Path, Path] | None = None
    lens: str | None = None
    alphas: dict[str, Path] = field(default_factory=dict)


def find_sources(photos: Path, masks: Path) -> list[ComparedPhoto]:
    """The photos of a folder with their masks (by stem), sorted by stem.

    Raises:
        UserError: a folder is missing or empty, or a photo has no mask.
    """
    for folder in (photos, masks):
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder; photos and their masks are needed")
    sources, mask_files = find_by_stem(photos), find_by_stem(masks)
    missing = sorted(set(sources) - set(mask_files))
    if missing:
        raise UserError(
            f"{masks}: no mask for {len(missing)} photos ({', '.join(missing[:5])}...); "
            f"make them with: python deeplab/inference.py --dataroot {shlex.quote(str(photos.parent))}"
        )
    if not sources:
        raise UserError(f"{photos}: no photos in it")
    return [ComparedPhoto(stem, path, mask_files[stem]) for stem, path in sorted(sources.items())]


def find_pairs(folder: Path) -> list[ComparedPhoto]:
    """The photos `<name>_allinfocus` of a folder, each with `<name>_near`, the same through a lens, as its truth.

    Raises:
        UserError: there is no such folder, or no pair in it.
    """
    if not folder.is_dir():
        raise UserError(f"--pairs {folder}: no such folder")
    files = find_by_stem(folder)
    sharp = {stem.removesuffix(PAIR[0]): path for stem, path in files.items() if stem.endswith(PAIR[0])}
    photos = [
        ComparedPhoto(path.stem, path, None, truth=files[name + PAIR[1]])
        for name, path in sorted(sharp.items())
        if name + PAIR[1] in files
    ]
    if not photos:
        raise UserError(
            f"--pairs {folder}: no photo there is named NAME{PAIR[0]}, with another NAME{PAIR[1]}"
        )
    return photos


def find_mattes(photos: list[ComparedPhoto], first: Path, second: Path) -> list[ComparedPhoto]:
    """The photos, those with a matte (by stem) in both folders with the two of them."""
    if not (first.is_dir() and second.is_dir()):
        return photos
    one, other = find_by_stem(first), find_by_stem(second)
    return [
        replace(photo, mattes=(one[photo.stem], other[photo.stem]))
        if photo.stem in one and photo.stem in other
        else photo
        for photo in photos
    ]


def find_outputs(folder: Path, label: str = "") -> dict[str, Path]:
    """Stem of the input -> output, in a folder of test.py (`images/<stem>_fake_B.png`) or of plain pictures.

    Args:
        folder: of results; the published code's folders look the same.
        label: which pictures to take, as `fake_B_noMask`; default: the output.

    Raises:
        UserError: the folder is missing or holds no pictures, or none of that label.
    """
    inner = folder / "images" if (folder / "images").is_dir() else folder
    if not inner.is_dir():
        raise UserError(f"{folder}: no such folder of results")
    files = find_by_stem(inner)
    for wanted in [label] if label else OUTPUT_LABELS:
        ending = f"_{wanted}"
        named = {stem.removesuffix(ending): path for stem, path in files.items() if stem.endswith(ending)}
        if named:
            return named
    if not files:
        raise UserError(f"{folder}: no pictures in it")
    if label:
        raise UserError(f"{folder}: no picture of the label {label}, which would be named PHOTO_{label}.png")
    return files


def measure_visuals(images: Mapping[str, Image.Image]) -> dict[str, float]:
    """Figures of the output among the pictures of one photo, by label; none without `mask_A` (or `mask_B`)."""
    for domain, other in (("A", "B"), ("B", "A")):
        labels = (f"fake_{other}", f"real_{domain}", f"mask_{domain}")
        if all(label in images for label in labels):
            output, source, mask = (images[label] for label in labels)
            regions = Regions.of_mask(np.asarray(mask.convert("L")) / 255)
            return figures_of_output(
                as_array(output.convert("RGB")), as_array(source.convert("RGB")), regions
            )
    return {}


def measure_photo(photo: ComparedPhoto) -> dict[str, dict[str, float]]:
    """Figures of each method on a photo, as far as what belongs to the photo tells them.

    With a mask those of `util.measure.metrics` and `blur_radius` (`util.measure.radius`); with a truth `psnr` and
    `ssim` to it; on a scene of the lab those of `util.measure.against_truth` and `util.measure.matting`; with two
    mattes those of `util.measure.keeping`. What has another size than an output is scaled to the output's.
    """
    figures: dict[str, dict[str, float]] = {method: {} for method in photo.outputs}
    parts = [
        (_against_source, photo.mask),
        (_against_true_photo, photo.truth and not photo.lens),
        (_against_scene, photo.lens),
        (_where_mattes_agree, photo.mattes),
    ]
    for measure, applies in parts:
        if applies:
            for method, found in measure(photo).items():
                figures[method] |= found
    return figures


def _against_source(photo: ComparedPhoto) -> dict[str, dict[str, float]]:
    prepared: dict[tuple[int, int], tuple[np.ndarray, Regions]] = {}
    figures = {}
    source, regions = read_source(photo)
    ladder = Ladder.of_photo(source, regions.background)
    for method, path in photo.outputs.items():
        picture = read_image(path)
        if picture.size not in prepared:
            prepared[picture.size] = read_source(photo, picture.size)
        output = as_array(picture)
        figures[method] = figures_of_output(output, *prepared[picture.size])
        figures[method]["blur_radius"] = ladder.radius_of(output)
    return figures


def _against_true_photo(photo: ComparedPhoto) -> dict[str, dict[str, float]]:
    figures = {}
    for method, path in photo.outputs.items():
        output = as_array(read_image(path))
        reference = as_array(read_image(present(photo.truth)), output.shape[1::-1])
        figures[method] = {"psnr": psnr(output, reference), "ssim": ssim(output, reference)}
    return figures


def _against_scene(photo: ComparedPhoto) -> dict[str, dict[str, float]]:
    truth = read_truth(photo.source.parents[1], photo.stem, present(photo.lens))
    size = truth.photo.shape[1::-1]
    source = as_array(read_image(photo.source), size)
    figures = {}
    for method, path in photo.outputs.items():
        output = as_array(read_image(path), size)
        figures[method] = figures_against_truth(output, source, truth)
        if method in photo.alphas:
            alpha = read_mask(photo.alphas[method]).resize(size, Image.Resampling.BILINEAR)
            figures[method] |= figures_of_alpha(np.asarray(alpha, np.float32) / 255, truth.alpha, truth.hair)
    return figures


def _where_mattes_agree(photo: ComparedPhoto) -> dict[str, dict[str, float]]:
    regions = Agreement.of_mattes(*(at_side(_matte(path)) for path in present(photo.mattes)))
    source = at_side(as_array(read_image(photo.source)))
    return {
        method: figures_of_keeping(at_side(as_array(read_image(path))), source, regions)
        for method, path in photo.outputs.items()
    }


def _matte(path: Path) -> np.ndarray:
    """Float32 `[H,W]` in [0,1]."""
    return np.asarray(read_mask(path), dtype=np.float32) / 255


def measure_background(photo: ComparedPhoto) -> float:
    """Mean background gradient of the photo itself."""
    source, regions = read_source(photo)
    return background_gradient(source, regions.background)


def read_source(photo: ComparedPhoto, size: tuple[int, int] | None = None) -> tuple[np.ndarray, Regions]:
    """The photo as float32 `[H,W,3]` in [0,1] and its mask's regions, both scaled to `size` if given."""
    source = as_array(read_image(photo.source), size)
    height, width, _ = source.shape
    mask = read_mask(present(photo.mask)).resize((width, height), Image.Resampling.BILINEAR)
    return source, Regions.of_mask(np.asarray(mask) / 255)


def as_array(image: Image.Image, size: tuple[int, int] | None = None) -> np.ndarray:
    """Float32 `[H,W,3]` in [0,1], scaled to `size` (width, height) if it has another."""
    if size and image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32) / 255


def in_parallel(pool: Executor | None, work: Callable[[T], R], items: Sequence[T], title: str) -> list[R]:
    """Results of `work` on `items` in their order, by the processes of `pool`, with a progress bar."""
    return list(tqdm(bounded_map(pool, work, items), title, len(items), leave=False))
