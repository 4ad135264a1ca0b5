"""Smaller and larger copies of pictures `[B,C,H,W]`, and functions of single pixels, a few rows at a time.

On a CPU without gradients OpenCV makes the copies, which takes a fraction of PyTorch's time; elsewhere PyTorch does. Of
12 megapixels a plane takes 48 MB: what is made of it on the way should not take as much again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import torch
import torch.nn.functional as F

from util.strips import enlarged_rows, spans


def is_plain(*pictures: torch.Tensor) -> bool:
    """Whether NumPy and OpenCV may do the work: on a CPU, in float32, and no gradient is wanted."""
    return not any(
        x.device.type != "cpu" or x.dtype != torch.float32 or (x.requires_grad and torch.is_grad_enabled())
        for x in pictures
    )


@dataclass(frozen=True)
class Enlarged:
    """`small` `[B,C,h,w]` as it is when made larger to `size` (height, width) bilinearly, and cut to `cut` of it.

    No more of it is made than is asked for.
    """

    small: torch.Tensor
    size: Sequence[int]
    cut: Sequence[int] | None = None

    def whole(self) -> torch.Tensor:
        """All of it, `[B,C,H,W]`."""
        height, width = self.cut or self.size
        return enlarged(self.small, self.size)[..., :height, :width]

    def rows(self, top: int, bottom: int) -> torch.Tensor:
        """Rows `top` to `bottom`."""
        width = (self.cut or self.size)[1]
        if tuple(self.size) == self.small.shape[-2:]:
            return self.small[..., top:bottom, :width]
        planes = self.small.detach().flatten(0, 1).numpy()
        rows = torch.from_numpy(enlarged_rows(planes, top, bottom, (self.size[0], self.size[1])))
        return rows.unflatten(0, self.small.shape[:2])[..., :width]


def by_rows(
    function: Callable[..., torch.Tensor],
    *pictures: "torch.Tensor | Enlarged",
    into: torch.Tensor | None = None,
    shrink: int = 1,
) -> torch.Tensor:
    """`function(*pictures)`, of a function to which each pixel is all that it looks at.

    A few rows at a time, so that what it makes on the way stays in the processor's cache.

    Args:
        into: memory for the result, which may be that of a picture; it is not used where a gradient is wanted.
        shrink: the function looks at so many pixels in each direction, and gives one: 1 or 2.
    """
    if not is_plain(*(x.small if isinstance(x, Enlarged) else x for x in pictures)):
        return function(*(x.whole() if isinstance(x, Enlarged) else x for x in pictures))
    height = next(x.shape[-2] for x in pictures if isinstance(x, torch.Tensor))
    for top, bottom in spans(height):
        part = function(
            *(x.rows(top, bottom) if isinstance(x, Enlarged) else x[..., top:bottom, :] for x in pictures)
        )
        if into is None:
            into = part.new_empty(*part.shape[:2], -(-height // shrink), part.shape[-1])
        into[..., top // shrink : top // shrink + part.shape[-2], :] = part
    assert into is not None
    return into


def halved(x: torch.Tensor) -> torch.Tensor:
    """Half the size, rounded up, each pixel the mean of those it covers."""
    if not is_plain(x):
        return F.avg_pool2d(x, 2, ceil_mode=True)
    height, width = x.shape[-2:]
    if height % 2 or width % 2:
        x = F.pad(x, (0, width % 2, 0, height % 2), mode="replicate")
    return _resized(x, (-(-height // 2), -(-width // 2)), cv2.INTER_AREA)


def shrunk(x: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Made smaller to `size` (height, width), each pixel the mean of those it covers."""
    return _resized(x, size, cv2.INTER_AREA) if is_plain(x) else F.interpolate(x, size, mode="area")


def enlarged(x: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Made larger to `size` (height, width), bilinearly."""
    if not is_plain(x):
        return F.interpolate(x, size, mode="bilinear", align_corners=False)
    return _resized(x, size, cv2.INTER_LINEAR)


def _resized(x: torch.Tensor, size: Sequence[int], interpolation: int) -> torch.Tensor:
    out = x.new_empty(*x.shape[:2], *size)
    for plane, target in zip(x.detach().flatten(0, 1), out.flatten(0, 1), strict=True):
        cv2.resize(plane.numpy(), size[::-1], target.numpy(), interpolation=interpolation)
    return out
