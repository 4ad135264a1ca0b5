"""From the tensors that networks make back to pictures; `data.transforms` leads the other way."""

import numpy as np
import torch
from PIL import Image


def tensor_to_pixels(x: torch.Tensor, dtype: type[np.unsignedinteger] | np.dtype = np.uint8) -> np.ndarray:
    """`[C,H,W] in [-1,1]`, C 3 or 1 -> `[H,W,C]` of `dtype`, uint8 or uint16; values outside are clipped.

    The inverse of `data.transforms.image_to_tensor`, without loss.
    """
    limit = np.iinfo(dtype).max
    values = x.detach().double().add(1).mul(limit / 2).round().clamp(0, limit)
    return values.permute(1, 2, 0).cpu().numpy().astype(dtype)


def tensor_to_image(x: torch.Tensor) -> Image.Image:
    """`[C,H,W] in [-1,1]`, C 3 or 1 -> 8-bit RGB or grayscale image; values outside are clipped."""
    pixels = tensor_to_pixels(x)
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def at_least_float32(x: torch.Tensor) -> torch.Tensor:
    """`x` out of 16 bits, where losses and images lose precision; float32 and float64 stay as they are."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
