"""Measures result folders against the photos and masks they were made from, several photos at once."""

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
from util.measure.keeping import Agreement, at_side, figures_of_keeping
from util.measure.metrics import Regions, background_gradient, figures_of_output, psnr, ssim
from util.parallel import bounded_map

OUTPUT_LABELS = ("fake_B", "fake")  # as test.py names outputs, in the order they are looked for

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Photo:
    """A photo to compare methods on: its file, its mask, each method's output, perhaps the true result, perhaps two
    independent mattes of the subject."""

    stem: str
    source: Path
    mask: Path
    outputs: dict[str, Path] = field(default_factory=dict)
    truth: Path | None = None
    mattes: tuple[Path, Path] | None = None


def find_sources(photos: Path, masks: Path) -> list[Photo]:
    """The photos of a folder with their masks (by stem), sorted by stem.

    Raises:
        UserError: a folder is missing or empty, or a photo has no mask.
    """
    for folder in (photos, masks):
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder; evaluation needs the input photos and their masks")
    sources, mask_files = find_by_stem(photos), find_by_stem(masks)
    missing = sorted(set(sources) - set(mask_files))
    if missing:
        raise UserError(
            f"{masks}: no mask for {len(missing)} photos ({', '.join(missing[:5])}...); "
            f"make them with: python deeplab/inference.py --dataroot {photos.parent}"
        )
    if not sources:
        raise UserError(f"{photos}: no photos in it")
    return [Photo(stem, path, mask_files[stem]) for stem, path in sorted(sources.items())]


def find_mattes(photos: list[Photo], first: Path, second: Path) -> list[Photo]:
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


def measure_photo(photo: Photo) -> dict[str, dict[str, float]]:
    """Figures of each method on a photo (see `util.measure.metrics`); with a truth also `psnr` and `ssim` to it, with
    two mattes those of `util.measure.keeping`.

    The input, the mask and the truth are scaled to an output's size if it was made at another one.
    """
    prepared: dict[tuple[int, int], tuple[np.ndarray, Regions]] = {}
    figures = {}
    for method, path in photo.outputs.items():
        picture = read_image(path)
        if picture.size not in prepared:
            prepared[picture.size] = read_source(photo, picture.size)
        output = as_array(picture)
        figures[method] = figures_of_output(output, *prepared[picture.size])
        if photo.truth:
            reference = as_array(read_image(photo.truth), picture.size)
            figures[method] |= {"psnr": psnr(output, reference), "ssim": ssim(output, reference)}
    if photo.mattes:
        regions = Agreement.of_mattes(*(at_side(_matte(path)) for path in photo.mattes))
        source = at_side(as_array(read_image(photo.source)))
        for method, path in photo.outputs.items():
            output = at_side(as_array(read_image(path)))
            figures[method] |= figures_of_keeping(output, source, regions)
    return figures


def _matte(path: Path) -> np.ndarray:
    """Float32 `[H,W]` in [0,1]."""
    return np.asarray(read_mask(path), dtype=np.float32) / 255


def measure_background(photo: Photo) -> float:
    """Mean background gradient of the photo itself."""
    source, regions = read_source(photo)
    return background_gradient(source, regions.background)


def read_source(photo: Photo, size: tuple[int, int] | None = None) -> tuple[np.ndarray, Regions]:
    """The photo as float32 `[H,W,3]` in [0,1] and its mask's regions, both scaled to `size` if given."""
    source = as_array(read_image(photo.source), size)
    height, width, _ = source.shape
    mask = read_mask(photo.mask).resize((width, height), Image.Resampling.BILINEAR)
    return source, Regions.of_mask(np.asarray(mask) / 255)


def as_array(image: Image.Image, size: tuple[int, int] | None = None) -> np.ndarray:
    """Float32 `[H,W,3]` in [0,1], scaled to `size` (width, height) if it has another."""
    if size and image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32) / 255


def in_parallel(pool: Executor | None, work: Callable[[T], R], items: Sequence[T], title: str) -> list[R]:
    """Results of `work` on `items` in their order, by the processes of `pool`, with a progress bar."""
    return list(tqdm(bounded_map(pool, work, items), title, len(items), leave=False))
