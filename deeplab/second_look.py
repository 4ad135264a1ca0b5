"""People whom a segmenter passes over: it looks again, with those it has found painted gray.

A matting network that sees somebody bright in front takes those beside and behind, faces that fill a third of the photo
too, for a picture on a wall. Without the first ones it sees the others.
"""

from collections.abc import Callable

import cv2
import numpy as np

# From a photo uint8 `[H,W,3]` to its mask, float32 `[H,W]` in [0,1].
Look = Callable[[np.ndarray], np.ndarray]

GRAY = 127
HIDDEN = 0.3  # of a mask from which a pixel is painted over
FOUND = 0.5
# A gray silhouette looks like somebody too, a little wider, and without the gap between the legs. Somebody new is more
# than that: lies beyond a rim with this share of the photo's pixels at least, and reaches this far away from it. The
# rim and the reach are shares of the longer side.
RIM = 1 / 100
REACH = 1 / 30
LEAST = 1 / 500
# Those who belong together are about as large. Others are strangers far behind, or none: how wide somebody new is at
# least, as a share of the widest who is known.
WIDTH = 0.3
LOOKS = 2  # at most: some stand behind those behind


def with_passed_over(photo: np.ndarray, mask: np.ndarray, look: Look) -> np.ndarray:
    """`mask` float32 `[H,W]` of `photo` uint8 `[H,W,3]`, and whom `look` sees besides when these are painted over.

    Those count whom the mean of two looks shows, at the photo and its mirror image.
    """
    for _ in range(LOOKS if (mask > HIDDEN).any() else 0):
        hidden = photo.copy()
        hidden[mask > HIDDEN] = GRAY
        again = look(hidden)
        if not _somebody_new(mask, again).any():
            break
        again = (again + look(np.ascontiguousarray(hidden[:, ::-1]))[:, ::-1]) / 2
        new = _somebody_new(mask, again)
        if not new.any():
            break
        mask = np.where(new, np.maximum(mask, again), mask)
    return mask


def _somebody_new(mask: np.ndarray, again: np.ndarray) -> np.ndarray:
    """Bool `[H,W]`, where the mask `again` shows somebody who is not in `mask`, soft edges included."""
    side = max(mask.shape)
    away = depth(mask <= HIDDEN)
    beyond = (again > FOUND) & (away > RIM * side)
    count, parts = cv2.connectedComponents(np.uint8(beyond), connectivity=8)
    sizes = np.bincount(parts.ravel(), minlength=count)
    are_new = (sizes >= LEAST * mask.size) & (largest_in(parts, away, count) >= REACH * side)
    are_new &= largest_in(parts, depth(beyond), count) >= WIDTH * depth(mask > FOUND).max()
    are_new[0] = False
    around = np.ones((2 * round(2 * RIM * side) + 1,) * 2, np.uint8)
    return cv2.dilate(np.uint8(are_new[parts]), around) > 0


def depth(region: np.ndarray) -> np.ndarray:
    """Distance in pixels of each pixel of a bool `region` from what is not in it; where that is nothing, far."""
    return cv2.distanceTransform(np.uint8(region), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def largest_in(parts: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """The largest of `values` `[H,W]`, not negative, in each of `count` parts: `parts` `[H,W]` are their numbers."""
    largest = np.zeros(count, np.float32)
    np.maximum.at(largest, parts, values)
    return largest
