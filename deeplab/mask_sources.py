"""Where the masks of photos come from at test, with `--input`: a segmenter, or files.

With `--dataroot` they are the files of its `maskA` and `maskB`, by the photos' stems, as in training.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from deeplab.segmenters import create_segmenter
from util.errors import UserError
from util.images import find_by_stem, read_mask

# From a photo's file and its pixels, [H,W,3] uint8 or uint16, to its mask: float32 [H,W] in [0,1], 1 = subject.
MaskSource = Callable[[Path, np.ndarray], np.ndarray]


def mask_source(masks: str) -> MaskSource:
    """What `--masks` means: `auto` is the selfie segmenter, anything else a folder of masks by the photos' stems.

    Raises:
        UserError: no such folder.
    """
    return masks_by_segmenter() if masks == "auto" else masks_of_folder(Path(masks))


def masks_by_segmenter() -> MaskSource:
    """Masks made by the selfie segmenter."""
    segmenter = create_segmenter("selfie")

    def make(path: Path, pixels: np.ndarray) -> np.ndarray:
        pixels = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
        return segmenter(pixels[None])[0]

    return make


def masks_of_folder(folder: Path) -> MaskSource:
    """Masks read from `folder`, scaled to their photos."""
    if not folder.is_dir():
        raise UserError(f"--masks {folder}: no such folder; give one with masks, or auto")
    files = find_by_stem(folder)

    def read(path: Path, pixels: np.ndarray) -> np.ndarray:
        if path.stem not in files:
            raise UserError(f"--masks {folder}: no mask for {path.name}; or use --masks auto")
        size = (pixels.shape[1], pixels.shape[0])
        mask = read_mask(files[path.stem]).resize(size, Image.Resampling.BILINEAR)
        return np.asarray(mask, dtype=np.float32) / 255

    return read
