"""How much detail a background has: gradients of luma, measured where the subject's outline does not count."""

import torch
import torch.nn.functional as F

# Pixels around a subject whose gradient is its outline and hair, and not the background's.
OUTLINE = 8

# Sobel's kernels divided by 8: units per pixel.
_ACROSS = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([-1.0, 0.0, 1.0])) / 8
SOBEL = torch.stack([_ACROSS, _ACROSS.T])[:, None]


def gradient_magnitude(x: torch.Tensor) -> torch.Tensor:
    """Length of the gradient of `x` `[B,1,H,W]`, units per pixel; beyond the border the picture is mirrored."""
    # What is one pixel wide has no second one to mirror.
    mode = "reflect" if min(x.shape[-2:]) > 1 else "replicate"
    across, down = F.conv2d(F.pad(x, (1, 1, 1, 1), mode=mode), SOBEL.to(x)).split(1, dim=1)
    return torch.hypot(across, down)


def grown(mask: torch.Tensor, pixels: int = OUTLINE) -> torch.Tensor:
    """The largest value of `mask` `[B,C,H,W]` within a square of `pixels` to each side."""
    width = 2 * pixels + 1
    # Rows, then columns: eight times less work than the square at once, and the same.
    rows = F.max_pool2d(mask, (1, width), stride=1, padding=(0, pixels))
    return F.max_pool2d(rows, (width, 1), stride=1, padding=(pixels, 0))
