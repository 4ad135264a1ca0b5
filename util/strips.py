"""Large pictures as NumPy planes, some rows at a time: what is worked on stays in the processor's cache.

Planes are float32 `[C,rows,W]`, so that every operation runs over memory in order.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

# Rows of a strip: a plane of a large photo takes about a megabyte.
ROWS = 64


def spans(height: int, rows: int = ROWS) -> list[tuple[int, int]]:
    """First row and end of the strips of a picture."""
    return [(top, min(top + rows, height)) for top in range(0, height, rows)]


def over_threads(function: Callable[[int, int], None], height: int, rows: int = ROWS) -> None:
    """Call `function(top, bottom)` for each strip, on all cores: NumPy and OpenCV let other threads run."""
    with ThreadPoolExecutor(cores()) as pool:
        for done in [pool.submit(function, *span) for span in spans(height, rows)]:
            done.result()


def cores() -> int:
    """Cores that this process may use; `OMP_NUM_THREADS` bounds them here as in PyTorch."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    bound = os.environ.get("OMP_NUM_THREADS", "")
    return min(allowed, int(bound)) if bound.isdecimal() and int(bound) else allowed


def enlarged_rows(small: np.ndarray, top: int, bottom: int, size: tuple[int, int]) -> np.ndarray:
    """Rows `top` to `bottom` of `small` `[C,h,w]` enlarged bilinearly to `size` (height, width): `[C,rows,width]`.

    Pixel centres lie as in `torch.nn.functional.interpolate` with `align_corners=False`.
    """
    channels, small_height, small_width = small.shape
    height, width = size
    places = np.clip((np.arange(top, bottom) + 0.5) * (small_height / height) - 0.5, 0, small_height - 1)
    above = places.astype(int)
    first, last = above[0], min(above[-1] + 1, small_height - 1)
    wide = np.ascontiguousarray(small[:, first : last + 1]).reshape(-1, small_width)
    wide = cv2.resize(wide, (width, len(wide)), interpolation=cv2.INTER_LINEAR)
    wide = wide.reshape(channels, -1, width)
    out = np.empty((channels, bottom - top, width), np.float32)
    # All rows between the same two rows of `small` at once.
    starts = np.flatnonzero(np.diff(above, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(above)], strict=True):
        upper = above[start] - first
        lower = min(upper + 1, wide.shape[1] - 1)
        share = (places[start:end] - above[start]).astype(np.float32)[:, None]
        step = wide[:, lower] - wide[:, upper]
        part = out[:, start:end]
        np.multiply(step[:, None], share, out=part)
        part += wide[:, upper, None]
    return out


def shrunk(planes: np.ndarray, factor: int) -> np.ndarray:
    """`planes` `[C,h,w]`, sides multiples of `factor`, each pixel the mean of `factor` times `factor`."""
    height, width = planes.shape[1] // factor, planes.shape[2] // factor
    return np.stack([cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in planes])


def padded(planes: np.ndarray, multiple: int) -> np.ndarray:
    """`planes` `[C,h,w]` with zeros at the right and below, up to sides that are multiples of `multiple`."""
    below, right = -planes.shape[1] % multiple, -planes.shape[2] % multiple
    return np.pad(planes, ((0, 0), (0, below), (0, right))) if below or right else planes
