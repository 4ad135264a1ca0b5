"""Files of blur maps: how blurred each place of a photo is, and how sure that is.

A 16-bit PNG with three channels, in the order of RGB: radius, certainty, nothing. Maps are smaller than their photo.
"""

import os
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from util.errors import UserError
from util.files import write_bytes

# Steps of a pixel in which radii are written, of which 16 bits hold 64 pixels.
STEPS = 1024


class BlurMap(NamedTuple):
    """Radius of the circle of confusion, in pixels where the photo's shorter side is 256, float32 `[h,w]`, and how sure
    that is, `[h,w] in [0,1]`: exp(-e), with e the error to be expected of log2(1 + radius)."""

    radius: np.ndarray
    certainty: np.ndarray

    @property
    def level(self) -> np.ndarray:
        """log2(1 + radius), `[h,w]`."""
        return np.log2(1 + self.radius)


def write_blur_map(blur: BlurMap, path: str | os.PathLike) -> None:
    """Write `blur` as a 16-bit PNG.

    Raises:
        UserError: the disk is full or the folder can't be written to.
    """
    values = np.zeros((*blur.radius.shape, 3), np.float64)
    # OpenCV's order is that of BGR.
    values[..., 2] = blur.radius * STEPS
    values[..., 1] = blur.certainty * 65535
    write_bytes(path, cv2.imencode(".png", (values + 0.5).clip(0, 65535).astype(np.uint16))[1].tobytes())


def read_blur_map(path: str | os.PathLike) -> BlurMap:
    """Read what `write_blur_map` wrote.

    Raises:
        UserError: no such file, or another kind of picture.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such blur map; make it with scripts/measure_blur.py")
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        raise UserError(f"{path}: not a blur map (a 16-bit PNG of scripts/measure_blur.py); make it again")
    return BlurMap(
        values[..., 2].astype(np.float32) / STEPS, values[..., 1].astype(np.float32) / np.float32(65535)
    )
