"""Discs: what a point out of focus becomes behind a round opening; `util.optics.pupil` has openings of other shapes."""

import math

import torch

OVERSAMPLE = 8  # points per pixel and axis by which its share is counted


def disc_kernels(radii: torch.Tensor, largest: float) -> torch.Tensor:
    """Circles of confusion of a round aperture: discs with anti-aliased edges, each of sum 1.

    Each entry is the share of its pixel that the disc covers, counted on `OVERSAMPLE`^2 points. A radius of at most 0.5
    gives the single entry 1.

    Args:
        radii: `[B]`, pixels, none above `largest`, which decides the size and is known without a look at the tensor.

    Returns:
        `[B,2n+1,2n+1]` with n = ceil(largest - 0.5).
    """
    n = max(0, math.ceil(largest - 0.5))
    size = 2 * n + 1
    points = (torch.arange(size * OVERSAMPLE, device=radii.device) + 0.5) / OVERSAMPLE - size / 2
    squares = points.square()[:, None] + points.square()
    inside = (squares <= radii.clamp(min=0.5).square()[:, None, None]).float()
    shares = inside.view(-1, size, OVERSAMPLE, size, OVERSAMPLE).mean(dim=(2, 4))
    return shares / shares.sum(dim=(1, 2), keepdim=True)


def disc_kernel(radius: float) -> torch.Tensor:
    """One disc of `disc_kernels`, `[2n+1,2n+1]` with n = ceil(radius - 0.5)."""
    return disc_kernels(torch.tensor([radius], dtype=torch.float32), radius)[0]
