"""From a mask of any source to alpha and the subject's colours, at the photo's size and in bounded memory."""

from typing import NamedTuple

import cv2
import numpy as np
import torch

from util.guided_filter import apply_coefficients, guided_coefficients
from util.matting.band import connected, sure_parts, without_islands
from util.matting.colors import subject_colors
from util.matting.levels import as_shares
from util.matting.solve import solve_alpha
from util.resize import resized

# Longer side at which the band is solved; larger photos get their edges by a guided filter from there.
SIDE = 1600
# Alpha between these becomes 0 to 1: what colours tell has a haze where they are alike.
LOW, HIGH = 0.1, 0.95
GUIDE_RADIUS, GUIDE_EPS = 2, 1e-6
STRIP = 256  # rows of a large photo that are filtered at a time


class Matte(NamedTuple):
    """`alpha` float32 `[H,W]` in [0,1], and `foreground` `[H,W,3]` of the photo's kind: the subject's colours.

    A photo is `alpha * foreground + (1 - alpha) * background`. Where alpha is 1, `foreground` is the photo, exactly.
    """

    alpha: np.ndarray
    foreground: np.ndarray


def matte(photo: np.ndarray, mask: np.ndarray) -> Matte:
    """Alpha and colours of the subject that `mask` tells.

    Args:
        photo: `[H,W,3]` uint8 or uint16, or floating-point in [0,1].
        mask: `[H,W]` in [0,1] or of another size, 1 = subject, sharp or soft, of a segmenter, a file or a network.
    """
    alpha = alpha_of(photo, mask)
    return Matte(alpha, subject_colors(photo, alpha))


def alpha_of(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Alpha float32 `[H,W]` in [0,1]: the mask, but around its edge as the photo's colours mix, and without islands.

    Arguments as of `matte`.
    """
    height, width = photo.shape[:2]
    small_height, small_width = solved_size(height, width)
    is_whole = (small_height, small_width) == (height, width)
    small = as_shares(photo if is_whole else resized(photo, (small_width, small_height)))
    mask = mask.astype(np.float32, copy=False)
    if mask.shape != small.shape[:2]:
        mask = np.clip(resized(mask, (small_width, small_height)), 0, 1)
    alpha = _solved(small, without_islands(mask))
    return alpha if is_whole else _enlarged(photo, small, alpha)


def solved_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of the copy of a photo on which its alpha is solved."""
    scale = min(1.0, SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _solved(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    foreground, background = sure_parts(mask)
    if not foreground.any():
        # Nobody is surely there: the mask is all that is known.
        return mask
    alpha = solve_alpha(photo, mask, foreground, background)
    return connected(np.clip((alpha - LOW) / (HIGH - LOW), 0, 1), foreground)


def _enlarged(photo: np.ndarray, small: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """`alpha` `[h,w]` at the photo's size, with its edges; what is 0 or 1 all around stays so, exactly."""
    height, width = photo.shape[:2]
    guide, target = (torch.from_numpy(x)[None] for x in (small.transpose(2, 0, 1), alpha[None]))
    coefficients = guided_coefficients(guide, target, GUIDE_RADIUS, GUIDE_EPS)
    around = np.ones((2 * GUIDE_RADIUS + 1,) * 2, np.uint8)
    low, high = (cv2.erode(alpha, around), cv2.dilate(alpha, around))
    result = np.empty((height, width), np.float32)
    for top in range(0, height, STRIP):
        strip = torch.from_numpy(as_shares(photo[top : top + STRIP]).transpose(2, 0, 1))[None]
        result[top : top + STRIP] = apply_coefficients(coefficients, strip, top, height)[0, 0].numpy()
    low, high = (cv2.resize(x, (width, height), interpolation=cv2.INTER_NEAREST) for x in (low, high))
    return np.clip(result, low, high)
