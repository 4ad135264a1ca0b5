"""People whom a segmenter passes over and two others see: they come back.

One other alone is not enough: what finds people by itself in a few hundred pixels takes tables and bicycles besides,
and what knows one person nearby takes walls. On things that are not people they seldom agree. Nor do they on all of
somebody in a crowd: whom both see in the main comes back as the first one sees them.
"""

import cv2
import numpy as np

from deeplab.second_look import Look
from deeplab.segmenter import resize_probability
from util.resize import resized

# How sure the second one has to be: below the first number it contradicts, from the second on it agrees.
AGREES = (0.1, 0.3)
IN_MASK = 0.3  # of a mask from which a pixel is in it
FOUND = 0.5
MOSTLY = 0.5  # share of somebody new that both have to see
# Both see people wider than they are, by less than this share of the longer side. Somebody new is wider than twice
# that; what is left of all when it is made thinner by it fills gaps between people.
WIDER = 1 / 60


def with_agreed(photo: np.ndarray, mask: np.ndarray, first: Look, second: Look) -> np.ndarray:
    """`mask` float32 `[H,W]` of `photo` uint8 `[H,W,3]`, and whom `first` and `second` both see besides.

    They give maps in [0,1], the first of any size, at which they are compared.
    """
    seen = first(photo)
    size = seen.shape[::-1]
    low, high = AGREES
    sure = (resized(second(photo), size) - low) / (high - low)
    agreed = np.minimum(seen, np.clip(sure, 0, 1)).astype(np.float32)
    new = _new(resized(mask, size), seen, agreed)
    return np.maximum(mask, resize_probability(new, mask.shape[::-1]))


def _new(mask: np.ndarray, seen: np.ndarray, agreed: np.ndarray) -> np.ndarray:
    """Of what is `seen` `[h,w]`, which both are `agreed` on in part, what is to be added to `mask` `[h,w]`."""
    radius = round(WIDER * max(mask.shape))
    disc = _disc(radius)
    beyond = cv2.morphologyEx(np.uint8((seen > FOUND) & (mask <= IN_MASK)), cv2.MORPH_OPEN, disc)
    count, parts = cv2.connectedComponents(beyond, connectivity=8)
    sizes = np.bincount(parts.ravel(), minlength=count)
    shared = np.bincount(parts[agreed > FOUND], minlength=count)
    somebody = shared > MOSTLY * sizes
    somebody[0] = False
    # With the soft edge, which was not counted.
    whole = cv2.dilate(np.uint8(somebody[parts]), _disc(radius // 2)) > 0
    return np.where(whole, seen, cv2.erode(agreed, disc))


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
