"""Where the masks of photos come from at test, with `--input`: a segmenter, or files.

Only `--add_mask` and a generator that was trained with `--mask_input` ask for them. With `--dataroot` they are the
files of its `maskA` and `maskB`, by the photos' stems, as in training.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from deeplab.second_look import Look
from deeplab.second_opinion import Detector, with_detected
from deeplab.segmenter import Segmenter, resize_photo, resize_probability
from deeplab.segmenters import CHOICES, create_segmenter, is_segmenter, of_best_segmenter
from util.errors import UserError, in_words, say
from util.images import find_by_stem, read_mask, upper_byte
from util.segmenter_options import INPUT_SIZE

# From a photo's file and its pixels, [H,W,3] uint8 or uint16, to its mask: float32 [H,W] in [0,1], 1 = subject.
MaskSource = Callable[[Path, np.ndarray], np.ndarray]

DOUBTFUL = 0.1  # share of the subject on which the masks of a photo and of its mirror image may disagree


def mask_source(
    masks: str,
    input_size: int = INPUT_SIZE,
    onnx_mean: Sequence[float] | None = None,
    onnx_std: Sequence[float] | None = None,
    finder: Look | None = None,
) -> MaskSource:
    """What `--masks` means: `auto`, the name of a segmenter, or a folder of masks by the photos' stems.

    `auto` is the segmenter rvm, and whom `finder` sees besides where a detector sees somebody; where rvm's weights
    can't be had, selfie alone, which a line says. The other arguments are those of `create_segmenter`.

    Raises:
        UserError: no such folder; a segmenter whose weights can't be had.
    """
    if masks == "auto":
        return of_best_segmenter(lambda name: masks_by(create_segmenter(name), _others(name, finder)))
    if not is_segmenter(masks):
        return masks_of_folder(Path(masks))
    return masks_by(create_segmenter(masks, input_size=input_size, onnx_mean=onnx_mean, onnx_std=onnx_std))


def _others(name: str, finder: Look | None) -> tuple[Look, Detector] | None:
    """Who is asked for people besides `name`; nobody where the detector can't be had, which a line says."""
    if finder is None or name == "selfie":
        return None
    try:
        from deeplab.detector import PeopleDetector

        return finder, PeopleDetector()
    except (UserError, ImportError) as error:
        say(f"--masks auto: {in_words(error)}. Nobody is asked whom {name} passes over")
        return None


def masks_by(segmenter: Segmenter, others: tuple[Look, Detector] | None = None) -> MaskSource:
    """Masks made by `segmenter`, with whom `others` see besides; a line names the photos whose mirror image it sees
    differently."""

    def make(path: Path, pixels: np.ndarray) -> np.ndarray:
        pixels = upper_byte(pixels)
        height, width = pixels.shape[:2]
        # Both looks and their comparison at the size at which the segmenter sees the photo.
        small = resize_photo(Image.fromarray(pixels), segmenter.input_size.of(width, height))
        mask = segmenter(small[None])[0]
        mirrored = segmenter(np.ascontiguousarray(small[None, :, ::-1]))[0, :, ::-1]
        share = disagreement(mask, mirrored)
        if share > DOUBTFUL:
            tqdm.write(
                f"look at this one: {path} (photo and mirror image disagree on {share:.0%} of the subject)"
            )
        if others:
            mask = with_detected(small, mask, *others)
        return resize_probability(mask, (width, height))

    return make


def disagreement(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the subject, all that either mask `[H,W] in [0,1]` has for it, that only one of them has."""
    a, b = first >= 0.5, second >= 0.5
    either = (a | b).sum()
    return float((a ^ b).sum() / either) if either else 0.0


def masks_of_folder(folder: Path) -> MaskSource:
    """Masks read from `folder`, scaled to their photos."""
    if not folder.is_dir():
        raise UserError(f"--masks {folder}: no such folder; give one with masks, auto, or one of {CHOICES}")
    files = find_by_stem(folder)

    def read(path: Path, pixels: np.ndarray) -> np.ndarray:
        if path.stem not in files:
            raise UserError(f"--masks {folder}: no mask for {path.name}; or use --masks auto")
        size = (pixels.shape[1], pixels.shape[0])
        mask = read_mask(files[path.stem]).resize(size, Image.Resampling.BILINEAR)
        return np.asarray(mask, dtype=np.float32) / 255

    return read
