"""Low frequencies of images."""

import torch
import torch.nn.functional as F


def block_means(x: torch.Tensor, side: int = 16) -> torch.Tensor:
    """Means over blocks of `side` pixels: `[B,C,H,W]` -> `[B,C,H/side,W/side]`; a lens blur hardly changes them."""
    return F.avg_pool2d(x, min(side, *x.shape[-2:]))
