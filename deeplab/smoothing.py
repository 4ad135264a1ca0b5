"""Conventional background blurs behind a mask: the baselines that the networks are compared with.

Each takes a photo uint8 [H,W,3] RGB and a mask float [H,W] in [0,1] (1 = subject), blurs, and pastes the
subject back: `mask*image + (1-mask)*blurred`. The result is uint8 [H,W,3].
"""

from typing import Literal, get_args

import cv2
import numpy as np

from util.optics.light import disc_kernel, linear_to_srgb, srgb_to_linear

Smoothing = Literal["mean", "gaussian", "disc"]
SMOOTHINGS: tuple[Smoothing, ...] = get_args(Smoothing)

# Below this share of background under the disc its colour is rounding noise; the mask hides it anyway.
_MIN_BACKGROUND = 1e-4


def _paste(image: np.ndarray, mask: np.ndarray, blurred: np.ndarray) -> np.ndarray:
    """`mask*image + (1-mask)*blurred`, rounded; `blurred` is float [H,W,3] in [0,255]."""
    mask = mask.astype(np.float32)[..., None]
    return np.clip(mask * image + (1 - mask) * blurred + 0.5, 0, 255).astype(np.uint8)


def mean_blur(image: np.ndarray, mask: np.ndarray, size: int = 5) -> np.ndarray:
    """Mean over `size` x `size` pixels (odd), subject pasted back; its colours bleed into the background."""
    return _paste(image, mask, cv2.blur(image.astype(np.float32), (size, size)))


def gaussian_blur(image: np.ndarray, mask: np.ndarray, size: int = 9) -> np.ndarray:
    """Gaussian cut at `size` x `size` pixels (odd), subject pasted back; its colours bleed.

    The sigma is the one OpenCV derives from the size, `0.3*((size-1)/2 - 1) + 0.8`.
    """
    return _paste(image, mask, cv2.GaussianBlur(image.astype(np.float32), (size, size), 0))


def disc_blur(image: np.ndarray, mask: np.ndarray, radius: float) -> np.ndarray:
    """What a lens does: a disc of `radius` pixels in linear light L, over the background alone.

    `K*(L*(1-m)) / K*(1-m)`: pixels of the subject have no weight, so none of their colour bleeds.
    """
    weight = 1 - mask.astype(np.float32)
    light = srgb_to_linear(np.arange(256) / 255)[image]
    kernel = disc_kernel(radius)
    share = cv2.filter2D(weight, -1, kernel)[..., None]
    blurred = cv2.filter2D(light * weight[..., None], -1, kernel)
    blurred = np.where(share > _MIN_BACKGROUND, blurred / np.maximum(share, _MIN_BACKGROUND), light)
    return _paste(image, mask, 255 * linear_to_srgb(np.clip(blurred, 0, 1)))


def smooth(image: np.ndarray, mask: np.ndarray, kind: Smoothing, radius: float | None = None) -> np.ndarray:
    """Blur by name. `radius` is in pixels, a box or window being `2*radius + 1` wide.

    Default: the sizes of the published comparison, mean 5x5 and Gaussian 9x9, and a disc of radius 4.
    """
    if kind == "disc":
        return disc_blur(image, mask, 4 if radius is None else radius)
    blur = mean_blur if kind == "mean" else gaussian_blur
    return blur(image, mask) if radius is None else blur(image, mask, 2 * round(radius) + 1)
