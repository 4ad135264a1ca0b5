"""Alpha in a band by the matting Laplacian, from a small copy of the photo to the whole."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from util.matting.laplacian import Band, band_system
from util.resize import resized
from util.strips import cores

# How much a pixel in the band holds on to the mask; a window's wish counts 1.
HOLD = 0.02
TOLERANCE = 1e-3  # of the equations, relative
STEPS = (200, 60)  # of conjugate gradients: on the smallest copy, and on each that starts from a smaller one
SMALLEST = 128  # shorter side of the smallest copy


def solve_alpha(
    photo: np.ndarray, mask: np.ndarray, foreground: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Alpha float32 `[H,W]` in [0,1]: 1 in `foreground`, 0 in `background`, between them as colours mix.

    Args:
        photo: float32 `[H,W,3]` in [0,1].
        mask: float32 `[H,W]`, which decides where colours tell nothing.
        foreground, background: bool `[H,W]`.
    """
    start, steps = mask, STEPS[0]
    height, width = mask.shape
    if min(height, width) >= 2 * SMALLEST:
        half = (width // 2, height // 2)
        parts = [resized(x.astype(np.float32), half) for x in (photo, mask, foreground, background)]
        small = solve_alpha(parts[0], parts[1], parts[2] > 0.99, parts[3] > 0.99)
        start, steps = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), STEPS[1]
    alpha = foreground.astype(np.float32)
    unknown = ~(foreground | background)
    if not unknown.any():
        return alpha
    band = band_system(photo, unknown)
    known = np.where(unknown, start, alpha).ravel()[band.places]
    found = descended(band, known, mask.ravel()[band.places], steps)
    alpha[unknown] = np.clip(found[band.unknown], 0, 1)
    return alpha


def descended(band: Band, start: np.ndarray, mask: np.ndarray, steps: int) -> np.ndarray:
    """Alpha `[N]` of the pixels of `band` that fulfils their equations, by conjugate gradients with Jacobi's scaling.

    Args:
        start: float32 `[N]`, what is known, and a guess of the rest.
        mask: float32 `[N]`, see `HOLD`.
        steps: at most.
    """
    hold = np.where(band.unknown, np.float32(HOLD), np.float32(0))
    scaling = band.unknown / (band.diagonal + hold)
    with ThreadPoolExecutor(cores()) as pool:
        asked = hold * mask - band.times(np.where(band.unknown, 0, start), pool)
        limit = TOLERANCE * np.linalg.norm(asked)
        alpha = start.copy()
        rest = hold * (mask - alpha) - band.times(alpha, pool)
        direction, before = np.zeros_like(alpha), np.inf
        for _ in range(steps):
            if np.linalg.norm(rest) <= limit:
                break
            scaled = scaling * rest
            now = rest @ scaled
            direction *= now / before
            direction += scaled
            change = band.times(direction, pool)
            change += hold * direction
            length = now / (direction @ change)
            alpha += length * direction
            rest -= length * change
            before = now
    return alpha
