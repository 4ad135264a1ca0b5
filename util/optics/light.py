"""What cameras do to light on its way to a file: the sRGB curve, and brightness as video standards weigh it."""

import torch

# The sRGB curve (IEC 61966-2-1): up to the knee, told on both sides of it, a line; beyond, a power of shifted values.
SRGB_KNEE, LINEAR_KNEE = 0.04045, 0.0031308
SLOPE, SHIFT, EXPONENT = 12.92, 0.055, 2.4

# Luma of ITU-R BT.601.
LUMA = (0.299, 0.587, 0.114)


def srgb_to_linear(x: torch.Tensor) -> torch.Tensor:
    """Linear light of sRGB values, both in [0,1] (IEC 61966-2-1)."""
    curved = ((x.clamp(min=SRGB_KNEE) + SHIFT) / (1 + SHIFT)) ** EXPONENT
    return torch.where(x <= SRGB_KNEE, x / SLOPE, curved)


def linear_to_srgb(x: torch.Tensor) -> torch.Tensor:
    """sRGB values of linear light, both in [0,1]; the inverse of `srgb_to_linear`."""
    curved = (1 + SHIFT) * x.clamp(min=LINEAR_KNEE) ** (1 / EXPONENT) - SHIFT
    return torch.where(x <= LINEAR_KNEE, x * SLOPE, curved)


def luma(x: torch.Tensor) -> torch.Tensor:
    """Luma of sRGB values: `[B,3,H,W]` -> `[B,1,H,W]`; one channel stays as it is."""
    if x.shape[1] == 1:
        return x
    return (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
