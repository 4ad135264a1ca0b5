"""Differentiable augmentation of what the discriminator sees (Zhao et al. 2020, "Differentiable Augmentation")."""

from collections.abc import Sequence

import torch


def random_color(x: torch.Tensor) -> torch.Tensor:
    """Brightness, then saturation, then contrast, each at random per image; `[B,C,H,W]`.

    Brightness adds a number in [-0.5,0.5] (half of what the range [-1,1] is to 0), saturation scales each pixel's
    distance to its mean over channels by [0,2], contrast the distance to the image's mean by [0.5,1.5].
    """
    brightness, saturation, contrast = torch.rand(3, len(x), 1, 1, 1, device=x.device, dtype=x.dtype)
    x = x + (brightness - 0.5)
    gray = x.mean(dim=1, keepdim=True)
    x = gray + (x - gray) * (2 * saturation)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * (0.5 + contrast)


def random_translation(x: torch.Tensor, ratio: float = 0.125) -> torch.Tensor:
    """Move each image by whole pixels, up to `ratio` of its sides; zeros come in. `[B,C,H,W]`."""
    for axis in (2, 3):
        size = x.shape[axis]
        most = int(size * ratio + 0.5)
        shift = torch.randint(-most, most + 1, (len(x), 1, 1, 1), device=x.device)
        position = torch.arange(size, device=x.device).view([-1 if a == axis else 1 for a in range(4)])
        source = position - shift
        inside = (source >= 0) & (source < size)
        x = x.gather(axis, source.clamp(0, size - 1).expand_as(x)) * inside
    return x


def random_cutout(x: torch.Tensor, ratio: float = 0.5) -> torch.Tensor:
    """Put zeros into a rectangle of `ratio` of each image's sides, around any pixel of it. `[B,C,H,W]`."""
    hole = torch.ones((len(x), 1, 1, 1), dtype=torch.bool, device=x.device)
    for axis in (2, 3):
        size = x.shape[axis]
        side = int(size * ratio + 0.5)
        start = torch.randint(0, size + 1 - side % 2, (len(x), 1, 1, 1), device=x.device) - side // 2
        position = torch.arange(size, device=x.device).view([-1 if a == axis else 1 for a in range(4)])
        hole = hole & (position >= start) & (position < start + side)
    return x * ~hole


BY_NAME = {"color": random_color, "translation": random_translation, "cutout": random_cutout}


def augment(x: torch.Tensor, policy: Sequence[str]) -> torch.Tensor:
    """`x` `[B,C,H,W]` after the augmentations named in `policy`, in that order; gradients pass through all."""
    for name in policy:
        x = BY_NAME[name](x)
    return x
