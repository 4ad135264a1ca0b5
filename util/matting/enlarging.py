"""Alpha of a small copy carried to a large photo by the fast guided filter of `util.guided_filter`.

Most of alpha is 0 or 1, and stays so: the rest is fitted in parts of the copy, and looked up pixel by pixel.
"""

import cv2
import numpy as np

from util.matting.levels import as_shares
from util.resize import enlarged_at
from util.strips import over_threads

RADIUS, EPS = 2, 1e-6
ROWS = 32  # of the copy at a time
AROUND = np.ones((2 * RADIUS + 1,) * 2, np.uint8)


def enlarged_alpha(photo: np.ndarray, small: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """`alpha` float32 `[h,w]` in [0,1] at the size of `photo` `[H,W,3]`, with its edges; nowhere beyond what is near.

    Args:
        photo: of any kind that `as_shares` knows.
        small: float32 `[h,w,3]` in [0,1], the photo as alpha was solved on it.
        alpha: of that copy.
    """
    height, width = photo.shape[:2]
    low, high = cv2.erode(alpha, AROUND), cv2.dilate(alpha, AROUND)
    coefficients = fitted(small, alpha, low < high)
    rows, columns = (
        _nearest(full, length) for full, length in zip((height, width), alpha.shape, strict=True)
    )
    result = np.empty((height, width), np.float32)

    def fill(top: int, bottom: int) -> None:
        least, most = (bound[rows[top:bottom]].take(columns, axis=1) for bound in (low, high))
        vague = np.flatnonzero(least < most)
        colors = as_shares(photo[top:bottom].reshape(-1, 3)[vague])
        parts = enlarged_at(coefficients, vague + top * width, height, width)
        values = np.einsum("nc,nc->n", parts[:, :3], colors) + parts[:, 3]
        flat = least.reshape(-1)
        flat[vague] = np.clip(values, flat[vague], most.reshape(-1)[vague])
        result[top:bottom] = least

    over_threads(fill, height)
    return result


def fitted(guide: np.ndarray, target: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The averaged a and b of equation 19 of He et al. 2013, `[h,w,4]`, around the pixels that are `wanted`.

    Args:
        guide: float32 `[h,w,3]` in [0,1].
        target: float32 `[h,w]` in [0,1].
        wanted: bool `[h,w]`; further from them than a pixel there may be 0.
    """
    height = len(target)
    result = np.zeros((*target.shape, 4), np.float32)
    wanted = cv2.dilate(np.uint8(wanted), np.ones((3, 3), np.uint8))
    # Windows of windows reach twice as far.
    reach = 2 * RADIUS

    def fill(top: int, bottom: int) -> None:
        columns = np.flatnonzero(wanted[top:bottom].any(axis=0))
        if not len(columns):
            return
        first, last = max(0, top - reach), min(height, bottom + reach)
        for part in np.split(columns, np.flatnonzero(np.diff(columns) > 2 * reach) + 1):
            left, right = max(0, part[0] - reach), part[-1] + 1 + reach
            found = _coefficients(guide[first:last, left:right], target[first:last, left:right])
            # Of other parts, and near the borders of this one, it is not right.
            inner = slice(part[0] - left, part[-1] + 1 - left)
            result[top:bottom, part[0] : part[-1] + 1] = found[top - first : bottom - first, inner]

    over_threads(fill, height, ROWS)
    return result


def _coefficients(guide: np.ndarray, target: np.ndarray) -> np.ndarray:
    """As `fitted`, of a part of the picture that is a picture of its own: `[h,w,4]`.

    What `util.guided_filter.guided_coefficients` gives, by OpenCV's sums: of parts this small they take a third to a
    seventh of its time, and workers that make mattes do without PyTorch.
    """
    colors = np.ascontiguousarray(guide.transpose(2, 0, 1), np.float64)
    share = 1 / _sums(np.ones_like(target))
    middle, level = _sums(colors) * share, _sums(target) * share
    shared = _sums(colors * target) * share - middle * level
    variances = [
        _sums(colors * color) * share - middle * mean for color, mean in zip(colors, middle, strict=True)
    ]
    for number, row in enumerate(variances):
        row[number] += EPS
    # Cramer's rule.
    normals = [np.cross(variances[k - 2], variances[k - 1], axis=0) for k in range(3)]
    determinant = (variances[0] * normals[0]).sum(0)
    a = [(shared * normal).sum(0) / determinant for normal in normals]
    b = level - sum(slope * mean for slope, mean in zip(a, middle, strict=True))
    return np.moveaxis(_sums(np.stack([*a, b])) * share, 0, -1)


def _sums(x: np.ndarray) -> np.ndarray:
    """Sums over windows, cut at the border, of `x` `[...,h,w]`, float64."""
    planes = x.reshape(-1, *x.shape[-2:])
    found = [
        cv2.boxFilter(plane, cv2.CV_64F, AROUND.shape, normalize=False, borderType=cv2.BORDER_CONSTANT)
        for plane in planes
    ]
    return np.stack(found).reshape(x.shape)


def _nearest(full: int, length: int) -> np.ndarray:
    """For each of `full` pixels in a row, the one of `length` in its place, as in `cv2.resize`."""
    return np.arange(full) * length // full
