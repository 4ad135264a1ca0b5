"""Mixture weights of a lens: carried to the size of a photo, and shared out."""

import torch
import torch.nn.functional as F

from util.guided_filter import apply_coefficients, guided_coefficients

# Window (pixels of the network's own scale) and smoothness of the guided filter; photos in [-1,1].
GUIDE_RADIUS = 4
GUIDE_EPS = 4e-3

# Rows of a large photo that are filtered at a time.
STRIP = 256


def coefficients(weights: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Of the guided filter that carries `weights` `[B,K+1,h,w]` to the photo `x` `[B,3,H,W]`: `[B,K+1,4,h,w]`."""
    small = F.interpolate(x, weights.shape[-2:], mode="area")
    return guided_coefficients(small, weights, GUIDE_RADIUS, GUIDE_EPS)


def carried(weights: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """`weights` `[B,K+1,h,w]` in [0,1] at the size of the photo `x` `[B,3,H,W] in [-1,1]`, with its edges."""
    found = coefficients(weights, x)
    # In strips: at the photo's size the coefficients would take more memory than all the rest.
    height = x.shape[-2]
    strips = [
        apply_coefficients(found, x[..., top : top + STRIP, :], top, height).clamp(0, 1)
        for top in range(0, height, STRIP)
    ]
    return torch.cat(strips, dim=-2)


def shared(in_focus: torch.Tensor, blurred: torch.Tensor) -> torch.Tensor:
    """Weights `[B,K+1,H,W]` of sum 1: `in_focus` `[B,1,H,W]`, the rest shared as in `blurred` `[B,K,H,W]`."""
    rest = (1 - in_focus) / blurred.sum(1, keepdim=True).clamp(min=1e-6)
    return torch.cat([in_focus, blurred * rest], dim=1)
