"""The curves and kernels of this folder for NumPy code: float32 arrays in, float32 arrays out."""

import cv2
import numpy as np

from util.optics import discs
from util.optics.light import EXPONENT, LINEAR_KNEE, LUMA, SHIFT, SLOPE, SRGB_KNEE

# The curve is written again and not `util.optics.light` with tensors around it: OpenCV's power takes two thirds of the
# time of PyTorch's, and no threads of PyTorch, which would fight with those of the caller.


def srgb_to_linear(x: np.ndarray) -> np.ndarray:
    """Linear light of sRGB values, both in [0,1], as `util.optics.light` has it."""
    x = np.asarray(x, dtype=np.float32)
    curved = _power((np.maximum(x, SRGB_KNEE) + SHIFT) / (1 + SHIFT), EXPONENT)
    return np.where(x <= SRGB_KNEE, x / np.float32(SLOPE), curved)


def linear_to_srgb(x: np.ndarray) -> np.ndarray:
    """sRGB values of linear light, both in [0,1]; the inverse of `srgb_to_linear`."""
    x = np.asarray(x, dtype=np.float32)
    curved = _power(np.maximum(x, LINEAR_KNEE), 1 / EXPONENT)
    curved *= 1 + SHIFT
    curved -= SHIFT
    return np.where(x <= LINEAR_KNEE, x * np.float32(SLOPE), curved)


def luma(image: np.ndarray) -> np.ndarray:
    """Luma `[H,W]` of sRGB values `[H,W,3]`, as `util.optics.light` has it."""
    return image @ np.array(LUMA, dtype=image.dtype)


def _power(x: np.ndarray, exponent: float) -> np.ndarray:
    return cv2.pow(np.ascontiguousarray(x).reshape(-1, 1), exponent).reshape(x.shape)


def disc_kernel(radius: float) -> np.ndarray:
    """`util.optics.discs.disc_kernel` as float32 `[2n+1,2n+1]`."""
    return discs.disc_kernel(radius).numpy()
