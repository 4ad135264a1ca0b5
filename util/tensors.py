"""Between Pillow's images and the tensors that networks see."""

import numpy as np
import torch
from PIL import Image


def image_to_tensor(image: Image.Image) -> torch.Tensor:
    """8-bit RGB or grayscale image -> float32 `[C,H,W] in [-1,1]`, C 3 or 1."""
    array = np.asarray(image, dtype=np.float32)
    array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(array)).div_(127.5).sub_(1)


def mask_to_tensor(mask: Image.Image) -> torch.Tensor:
    """8-bit grayscale mask -> float32 `[1,H,W] in [0,1]`."""
    return torch.from_numpy(np.asarray(mask, dtype=np.float32)[None] / 255)


def tensor_to_image(x: torch.Tensor) -> Image.Image:
    """`[C,H,W] in [-1,1]`, C 3 or 1 -> 8-bit RGB or grayscale image; values outside are clipped.

    The inverse of `image_to_tensor` without loss.
    """
    array = x.detach().float().add(1).mul(127.5).round().clamp(0, 255).byte().cpu().numpy()
    return Image.fromarray(array[0] if array.shape[0] == 1 else array.transpose(1, 2, 0))
