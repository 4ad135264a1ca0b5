"""The curves and kernels of this folder for NumPy code: float32 arrays in, float32 arrays out."""

import cv2
import numpy as np

from util.optics import apertures


def srgb_to_linear(x: np.ndarray) -> np.ndarray:
    """Linear light of sRGB values, both in [0,1] (IEC 61966-2-1), as `util.optics.light` has it."""
    x = np.asarray(x, dtype=np.float32)
    curved = _power((np.maximum(x, 0.04045) + 0.055) / 1.055, 2.4)
    return np.where(x <= 0.04045, x / np.float32(12.92), curved)


def linear_to_srgb(x: np.ndarray) -> np.ndarray:
    """sRGB values of linear light, both in [0,1]; the inverse of `srgb_to_linear`."""
    x = np.asarray(x, dtype=np.float32)
    curved = _power(np.maximum(x, 0.0031308), 1 / 2.4)
    curved *= 1.055
    curved -= 0.055
    return np.where(x <= 0.0031308, x * np.float32(12.92), curved)


def _power(x: np.ndarray, exponent: float) -> np.ndarray:
    """By OpenCV: it is the fastest, and needs no threads of PyTorch, which would fight with those of the caller."""
    return cv2.pow(np.ascontiguousarray(x).reshape(-1, 1), exponent).reshape(x.shape)


def disc_kernel(radius: float) -> np.ndarray:
    """`util.optics.apertures.disc_kernel` as float32 `[2n+1,2n+1]`."""
    return apertures.disc_kernel(radius).numpy()
