"""Arrays at another size."""

import cv2
import numpy as np


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """`image` `[H,W]` or `[H,W,C]` at `size` (width, height): areas averaged where it shrinks, cubic where it grows.

    Cubic interpolation may leave the range of the values by a little.
    """
    method = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=method)


def enlarged_at(small: np.ndarray, pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """`small` `[h,w,C]` enlarged bilinearly to `height` and `width`, at the N flat indices `pixels` alone: `[N,C]`.

    Pixel centres lie as in `cv2.resize`.
    """
    places = []
    for place, length, full in zip(np.divmod(pixels, width), small.shape[:2], (height, width), strict=True):
        place = np.clip((place + 0.5) * (length / full) - 0.5, 0, length - 1)
        first = place.astype(np.int64)
        places.append((first, np.minimum(first + 1, length - 1), (place - first).astype(np.float32)[:, None]))
    (top, bottom, down), (left, right, across) = places
    upper = small[top, left] * (1 - across) + small[top, right] * across
    lower = small[bottom, left] * (1 - across) + small[bottom, right] * across
    return upper * (1 - down) + lower * down
