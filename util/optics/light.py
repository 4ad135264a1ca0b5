"""What a lens does to light: the sRGB transfer curve and the disc that a point out of focus becomes."""

import numpy as np


def srgb_to_linear(x: np.ndarray) -> np.ndarray:
    """Linear light of sRGB values, both in [0,1] (IEC 61966-2-1)."""
    x = np.asarray(x, dtype=np.float32)
    return np.where(x <= 0.04045, x / 12.92, ((np.maximum(x, 0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(x: np.ndarray) -> np.ndarray:
    """sRGB values of linear light, both in [0,1]; the inverse of `srgb_to_linear`."""
    x = np.asarray(x, dtype=np.float32)
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * np.maximum(x, 0.0031308) ** (1 / 2.4) - 0.055)


def disc_kernel(radius: float, oversample: int = 8) -> np.ndarray:
    """Circle of confusion of a round aperture: a disc of `radius` pixels with anti-aliased edge, sum 1.

    Returns float32 `[2n+1, 2n+1]` with n = ceil(radius - 0.5); each entry is the share of its pixel that the
    disc covers, counted on `oversample`^2 points. A radius of at most 0.5 gives the single entry 1.
    """
    n = max(0, int(np.ceil(radius - 0.5)))
    if n == 0:
        return np.ones((1, 1), dtype=np.float32)
    size = 2 * n + 1
    points = (np.arange(size * oversample) + 0.5) / oversample - size / 2
    inside = points[:, None] ** 2 + points[None, :] ** 2 <= radius**2
    kernel = inside.reshape(size, oversample, size, oversample).mean(axis=(1, 3))
    return (kernel / kernel.sum()).astype(np.float32)
