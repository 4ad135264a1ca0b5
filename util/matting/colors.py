"""What mixed pixels are mixed of: blur fusion (Forte 2021, Approximate Fast Foreground Colour Estimation)."""

import cv2
import numpy as np

from util.matting.levels import as_shares, like
from util.resize import enlarged_at, resized
from util.strips import over_threads

# Longer side of the copy on which colours are carried into the band: they are smooth.
SIDE = 1024
# Widths of the two passes, as shares of the longer side: the first reaches over the band, the second is local.
PASSES = (1 / 12, 1 / 160)
# Alpha from which a pixel shows too little of what lies behind to tell its colour.
OPAQUE = 0.98
PIXELS = 65536  # at a time


def subject_colors(photo: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """F of `I = alpha F + (1 - alpha) B`, `[H,W,3]` of the photo's kind: the photo but for mixed pixels.

    Args:
        photo: I, `[H,W,3]` uint8 or uint16, or floating-point in [0,1].
        alpha: float32 `[H,W]` in [0,1].
    """
    colors = photo.copy()
    mixed = _mixed(alpha)
    colors.reshape(-1, 3)[mixed] = like(photo, _found(photo, alpha, mixed)[0])
    return colors


def colors_behind(photo: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """B of the same equation, which leaves it true as far as colours lie in [0,1]; arguments as of `subject_colors`."""
    colors = photo.copy()
    mixed = _mixed(alpha)
    front, seen = _found(photo, alpha, mixed)
    a = alpha.reshape(-1)[mixed, None]
    behind = (seen - a * front) / np.maximum(1 - a, 1 - OPAQUE)
    colors.reshape(-1, 3)[mixed] = like(photo, np.clip(behind, 0, 1))
    return colors


def _mixed(alpha: np.ndarray) -> np.ndarray:
    return np.flatnonzero((alpha > 0) & (alpha < 1))


def _found(photo: np.ndarray, alpha: np.ndarray, mixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The subject's colours and the photo's at the flat indices `mixed`, float32 `[N,3]` in [0,1]."""
    height, width = alpha.shape
    scale = min(1.0, SIDE / max(height, width))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    small_photo = as_shares(photo if scale == 1 else resized(photo, small))
    small_alpha = alpha if scale == 1 else resized(alpha, small)
    front = back = small_photo
    for share in PASSES:
        front, back = _fused(small_photo, small_alpha, front, back, max(1, round(max(small) * share)))
    seen, a = as_shares(photo.reshape(-1, 3)[mixed]), alpha.reshape(-1)[mixed, None]
    both = np.concatenate([front, back], axis=2)
    found = np.empty((len(mixed), 3), np.float32)

    def fill(start: int, end: int) -> None:
        f, b = np.split(enlarged_at(both, mixed[start:end], height, width), 2, axis=1)
        share = a[start:end]
        found[start:end] = np.clip(f + share * (seen[start:end] - share * f - (1 - share) * b), 0, 1)

    over_threads(fill, len(mixed), PIXELS)
    return found, seen


def _fused(
    photo: np.ndarray, alpha: np.ndarray, front: np.ndarray, back: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Equations 4 to 7: means of both colours around each pixel, and what the photo asks to change of the subject's."""
    a = alpha[..., None]
    size = (2 * width + 1,) * 2
    share = cv2.blur(alpha, size)[..., None]
    front = cv2.blur(front * a, size) / (share + 1e-5)
    back = cv2.blur(back * (1 - a), size) / (1 - share + 1e-5)
    return np.clip(front + a * (photo - a * front - (1 - a) * back), 0, 1), np.clip(back, 0, 1)
