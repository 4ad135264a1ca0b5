"""Arrays at another size."""

import cv2
import numpy as np


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """`image` `[H,W]` or `[H,W,C]` at `size` (width, height): areas averaged where it shrinks, cubic where it grows.

    Cubic interpolation may leave the range of the values by a little.
    """
    method = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=method)
