"""Conventional background blurs behind a mask: the baselines that the networks are compared with.

Each takes a photo uint8 [H,W,3] RGB and a mask float [H,W] in [0,1] (1 = subject), blurs, and pastes the
subject back: `mask*image + (1-mask)*blurred`. The result is uint8 [H,W,3].
"""

import math
from typing import Literal, get_args

import cv2
import numpy as np

Smoothing = Literal["mean", "gaussian", "disc"]
SMOOTHINGS: tuple[Smoothing, ...] = get_args(Smoothing)


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
    """What a lens does: a disc of `radius` pixels in linear light, over the background alone.

    `util.optics.blur.disc_blur` of the photo, which is mirrored beyond its border as by the other blurs here.
    """
    # Here and not above: it is long to import, and most programs that name these blurs make none.
    import torch

    from util.optics import blur
    from util.optics.light import linear_to_srgb, srgb_to_linear

    weight = 1 - mask.astype(np.float32)
    margin = math.ceil(radius)
    sides = (margin, margin, margin, margin)
    padded, weight = (cv2.copyMakeBorder(x, *sides, cv2.BORDER_REFLECT_101) for x in (image, weight))
    light = srgb_to_linear(torch.from_numpy(padded).permute(2, 0, 1)[None] / 255)
    blurred = linear_to_srgb(blur.disc_blur(light, torch.from_numpy(weight)[None, None], radius))
    height, width = image.shape[:2]
    inner = blurred[0, :, margin : margin + height, margin : margin + width]
    return _paste(image, mask, 255 * inner.permute(1, 2, 0).numpy())


def smooth(image: np.ndarray, mask: np.ndarray, kind: Smoothing, radius: float | None = None) -> np.ndarray:
    """Blur by name. `radius` is in pixels, a box or window being `2*radius + 1` wide.

    Default: the sizes of the published comparison, mean 5x5 and Gaussian 9x9, and a disc of radius 4.
    """
    if kind == "disc":
        return disc_blur(image, mask, 4 if radius is None else radius)
    blur = mean_blur if kind == "mean" else gaussian_blur
    return blur(image, mask) if radius is None else blur(image, mask, 2 * round(radius) + 1)
