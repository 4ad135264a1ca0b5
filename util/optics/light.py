"""What cameras do to light on its way to a file: the sRGB curve, and brightness as video standards weigh it."""

import torch

# Luma of ITU-R BT.601.
LUMA = (0.299, 0.587, 0.114)


def srgb_to_linear(x: torch.Tensor) -> torch.Tensor:
    """Linear light of sRGB values, both in [0,1] (IEC 61966-2-1)."""
    return torch.where(x <= 0.04045, x / 12.92, ((x.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(x: torch.Tensor) -> torch.Tensor:
    """sRGB values of linear light, both in [0,1]; the inverse of `srgb_to_linear`."""
    return torch.where(x <= 0.0031308, x * 12.92, 1.055 * x.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)


def luma(x: torch.Tensor) -> torch.Tensor:
    """Luma of sRGB values: `[B,3,H,W]` -> `[B,1,H,W]`; one channel stays as it is."""
    if x.shape[1] == 1:
        return x
    return (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
