"""People whom a segmenter passes over: they come back as another sees them, where a detector sees somebody.

What finds people by itself in a few hundred pixels takes tables and bicycles besides, but its outlines are good. A
detector knows people in a crowd from tables, but no outlines. Together they are right more often than either.
"""

from collections.abc import Callable

import cv2
import numpy as np

from deeplab.second_look import Look, depth, largest_in
from deeplab.segmenter import resize_probability
from util.resize import resized

# From a photo uint8 `[H,W,3]` to boxes around its people, `[N,4]`: left, top, right, bottom as shares of its sides.
Detector = Callable[[np.ndarray], np.ndarray]

IN_MASK = 0.3  # of a mask from which a pixel is in it
FOUND = 0.5
WIDER = 0.05  # of a box's sides, by which it is made wider on each: hands and hair
MOSTLY = 0.5  # share of somebody that boxes have to hold, so that the rest comes too: arms reach out
# Somebody who is not in a mask, or the part that is not, is thicker than twice this share of the longer side. Thinner
# ones are pieces of hills and windows beside people.
THICK = 1 / 60
# Those who belong together are about as tall. How tall a box is at least, as a share of the tallest: others are
# strangers far behind.
TALL = 0.4
EDGE = 2  # pixels, at the size of what is seen, of somebody's soft edge
# Gaps in somebody, and between people, up to twice this share of the longer side: they close as seen.
GAP = 1 / 60


def with_detected(photo: np.ndarray, mask: np.ndarray, look: Look, detect: Detector) -> np.ndarray:
    """`mask` float32 `[H,W]` of `photo` uint8 `[H,W,3]`, and whom `look` sees besides where `detect` sees somebody.

    `look` gives a map in [0,1] of any size, at which they are compared.
    """
    seen = look(photo).astype(np.float32)
    known = resized(mask, seen.shape[::-1])
    boxes = inside(detect(photo), seen.shape)
    new = cv2.dilate(np.uint8(_somebody(seen, known, boxes)), _disc(EDGE)) > 0
    bodies = np.uint8(np.where(new, np.maximum(known, seen), known) > IN_MASK)
    closed = cv2.morphologyEx(bodies, cv2.MORPH_CLOSE, _disc(round(GAP * max(seen.shape)))) > 0
    more = np.where(new | (closed & boxes), seen, 0)
    return np.maximum(mask, resize_probability(more, mask.shape[::-1]))


def inside(boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Bool of that shape: what those of `boxes` `[N,4]` hold that are not far smaller than the tallest."""
    held = np.zeros(shape, bool)
    heights = boxes[:, 3] - boxes[:, 1]
    for left, top, right, bottom in boxes[heights >= TALL * heights.max(initial=0)]:
        across, down = WIDER * (right - left), WIDER * (bottom - top)
        rows, columns = (
            slice(max(0, int((low - more) * side)), int(np.ceil((high + more) * side)))
            for low, high, more, side in zip((top, left), (bottom, right), (down, across), shape, strict=True)
        )
        held[rows, columns] = True
    return held


def _somebody(seen: np.ndarray, mask: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Bool `[h,w]`: what is `seen`, not in `mask`, and thick enough in or from `boxes` to be somebody."""
    beyond = (seen > FOUND) & (mask <= IN_MASK)
    parts, sizes = _parts(beyond)
    held = np.bincount(parts[boxes], minlength=len(sizes))
    in_or_from = beyond & (boxes | (held > MOSTLY * sizes)[parts])
    parts, sizes = _parts(in_or_from)
    thickness = largest_in(parts, depth(in_or_from), len(sizes))
    return in_or_from & (thickness >= THICK * max(seen.shape))[parts]


def _parts(region: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of connected parts of a bool `region`, 0 outside it, and their sizes in pixels."""
    count, parts = cv2.connectedComponents(np.uint8(region), connectivity=4)
    return parts, np.bincount(parts.ravel(), minlength=count)


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
