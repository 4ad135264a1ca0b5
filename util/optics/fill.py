"""Push-pull: continues what is known into what is not (Gortler et al. 1996, The Lumigraph, section 3.6)."""

import torch
import torch.nn.functional as F

# Shorter side, in pixels, of the copy on which large photos are continued.
SIDE = 512


def push_pull(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`values` where `weight` is 1; elsewhere they fade into weighted means of ever larger surroundings.

    The photo is halved until one pixel is left, each time as the weighted mean of what is known (pull); on the way
    back, what a pixel lacks in weight comes from the smaller copy (push).

    Args:
        values: `[B,C,H,W]`; what has no weight may be anything finite.
        weight: `[B,1,H,W] in [0,1]`. Without any weight in a photo the result is 0.

    Returns:
        `[B,C,H,W]`.
    """
    height, width = values.shape[-2:]
    if height == 1 and width == 1:
        return values * (weight > 0)
    padded = F.pad(torch.cat([values * weight, weight], dim=1), (0, width % 2, 0, height % 2))
    halved = F.avg_pool2d(padded, 2)
    share = halved[:, -1:]
    means = halved[:, :-1] / share.clamp(min=1e-8)
    # One known pixel of four is as good as four: what is copied further must not thin out.
    smaller = push_pull(means, (4 * share).clamp(max=1))
    larger = F.interpolate(smaller, padded.shape[-2:], mode="bilinear", align_corners=False)
    return torch.lerp(larger[..., :height, :width], values, weight)


def continued(values: torch.Tensor, known: torch.Tensor, rim: float) -> torch.Tensor:
    """`values` `[B,C,H,W]` as they go on where they are not `known` `[B,1,H,W] in [0,1]`, away from its edges.

    Large photos are done on a small copy: what is made up is smooth.

    Args:
        rim: this share of the shorter side, next to what is not known, is not trusted either.
    """
    size = values.shape[-2:]
    scale = min(1.0, SIDE / min(size))
    small = [max(1, round(side * scale)) for side in size]
    parts = torch.cat([values * known, known], dim=1)
    if scale < 1:
        parts = F.interpolate(parts, small, mode="area")
    share = parts[:, -1:]
    filled = push_pull(parts[:, :-1] / share.clamp(min=1e-6), _eroded(share, round(min(small) * rim)))
    return F.interpolate(filled, size, mode="bilinear", align_corners=False) if scale < 1 else filled


def _eroded(region: torch.Tensor, reach: int) -> torch.Tensor:
    """The smallest value of `region` within a square that reaches so many pixels to each side, but at least one."""
    reach = max(1, reach)
    rows = F.max_pool2d(-region, (1, 2 * reach + 1), stride=1, padding=(0, reach))
    return -F.max_pool2d(rows, (2 * reach + 1, 1), stride=1, padding=(reach, 0))
