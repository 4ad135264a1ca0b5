"""From a mask of any source to alpha and the subject's colours, at the photo's size and in bounded memory."""

from typing import NamedTuple

import numpy as np

from util.matting.band import connected, sure_parts, without_islands
from util.matting.colors import subject_colors
from util.matting.enlarging import enlarged_alpha
from util.matting.levels import as_shares
from util.matting.solve import solve_alpha
from util.resize import resized

# Longer side at which the band is solved; larger photos get their edges by a guided filter from there.
SIDE = 1600
# Alpha between these becomes 0 to 1: what colours tell has a haze where they are alike.
LOW, HIGH = 0.1, 0.95


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
    return alpha if is_whole else enlarged_alpha(photo, small, alpha)


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
