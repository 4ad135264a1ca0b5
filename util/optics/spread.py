"""Every pixel's light spread over its pupil: convolution, with kernels that may differ over the photo."""

import math
from typing import NamedTuple

import cv2
import torch
import torch.nn.functional as F

from util.optics.blur import convolve
from util.optics.copies import is_plain
from util.optics.pupil import Aperture, pupil_kernel

# With cat's eyes the kernel differs over the photo: it is constant in tiles, so many along the longer side.
TILES = 12


class Field(NamedTuple):
    """Where a part lies in a picture of `height` and `width`."""

    top: int
    left: int
    height: int
    width: int


def spread(
    x: torch.Tensor,
    radius: float,
    aperture: Aperture,
    field: Field | None = None,
    into: torch.Tensor | None = None,
) -> torch.Tensor:
    """`[1,C,H,W]` with every pixel spread over the pupil of `radius` pixels (sign: see `pupil_kernel`).

    What leaves the photo is lost, and zeros lie beyond its border.

    Args:
        field: where `x` lies; default: it is all.
        into: memory that the result may be put into.
    """
    if abs(radius) <= 0.5:
        return x
    if not aperture.cat_eye:
        return _convolve(x, pupil_kernel(radius, aperture), into)
    height, width = x.shape[-2:]
    field = field or Field(0, 0, height, width)
    side = max(1, math.ceil(max(field.height, field.width) / TILES))
    reach = math.ceil(abs(radius) - 0.5)
    out = x.new_zeros(*x.shape[:2], height + 2 * reach, width + 2 * reach)
    corner = math.hypot(field.height, field.width) / 2
    for top in range(0, height, side):
        for left in range(0, width, side):
            tile = x[..., top : top + side, left : left + side]
            h, w = tile.shape[-2:]
            across = (field.left + left + w / 2 - field.width / 2) / corner
            down = (field.top + top + h / 2 - field.height / 2) / corner
            kernel = pupil_kernel(radius, aperture, (across, down))
            padded = F.pad(tile, (reach, reach, reach, reach))
            out[..., top : top + h + 2 * reach, left : left + w + 2 * reach] += _convolve(padded, kernel)
    return out[..., reach : reach + height, reach : reach + width]


def _convolve(x: torch.Tensor, kernel: torch.Tensor, into: torch.Tensor | None = None) -> torch.Tensor:
    """OpenCV on a CPU without gradients, which is several times faster; Fourier transforms elsewhere."""
    if not is_plain(x):
        return convolve(x, kernel[None].to(x))
    # filter2D correlates; a convolution has its kernel turned by 180 degrees.
    turned = kernel.flip(0, 1).numpy()
    out = torch.empty_like(x, memory_format=torch.contiguous_format) if into is None else into
    for plane, target in zip(x.detach().flatten(0, 1), out.flatten(0, 1), strict=True):
        cv2.filter2D(plane.numpy(), -1, turned, target.numpy(), borderType=cv2.BORDER_CONSTANT)
    return out
