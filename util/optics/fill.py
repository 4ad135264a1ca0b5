"""Push-pull: continues what is known into what is not (Gortler et al. 1996, The Lumigraph, section 3.6)."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F

from util.optics.copies import Enlarged, by_rows, halved, shrunk

# Shorter side, in pixels, of the copy on which large photos are continued.
SIDE = 512


def push_pull(values: torch.Tensor, weight: torch.Tensor, into: torch.Tensor | None = None) -> torch.Tensor:
    """`values` where `weight` is 1; elsewhere they fade into weighted means of ever larger surroundings.

    The photo is halved until one pixel is left, each time as the weighted mean of what is known (pull); on the way
    back, what a pixel lacks in weight comes from the smaller copy (push).

    Args:
        values: `[B,C,H,W]`; what has no weight may be anything finite.
        weight: `[B,1,H,W] in [0,1]`. Without any weight in a photo the result is 0.
        into: see `by_rows`.

    Returns:
        `[B,C,H,W]`.
    """
    height, width = values.shape[-2:]
    if height == 1 and width == 1:
        return values * (weight > 0)
    parts = by_rows(lambda weight, values: halved(_weighted(weight, values)), weight, values, shrink=2)
    share = parts[:, -1:]
    means = by_rows(lambda parts: parts[:, :-1] / parts[:, -1:].clamp(min=1e-8), parts, into=parts[:, :-1])
    # One known pixel of four is as good as four: what is copied further must not thin out.
    smaller = push_pull(means, (4 * share).clamp(max=1), into=means)
    larger = Enlarged(smaller, [2 * side for side in smaller.shape[-2:]], (height, width))
    return by_rows(torch.lerp, larger, values, weight, into=into)


def _weighted(weight: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
    return torch.cat([*(part * weight for part in values), weight], dim=1)


def continued(
    values: Sequence[torch.Tensor],
    known: torch.Tensor,
    rim: float,
    finish: Callable[[torch.Tensor], torch.Tensor] = lambda filled: filled,
) -> Enlarged:
    """All channels of `values` as they go on where they are not `known`, away from its edges.

    Large photos are done on a small copy: what is made up is smooth.

    Args:
        values: pictures `[B,C,H,W]`.
        known: `[B,1,H,W] in [0,1]`.
        rim: this share of the shorter side, next to what is not known, is not trusted either.
        finish: what becomes of what is made up, pixel by pixel, before it is as large as the photo.
    """
    size = known.shape[-2:]
    scale = min(1.0, SIDE / min(size))
    small = [max(1, round(side * scale)) for side in size]
    if scale > 0.5:
        parts = by_rows(_weighted, known, *values)
    else:
        parts = by_rows(lambda *x: halved(_weighted(*x)), known, *values, shrink=2)
    if scale < 1:
        parts = shrunk(parts, small)
    share = parts[:, -1:]
    filled = push_pull(parts[:, :-1] / share.clamp(min=1e-6), _eroded(share, round(min(small) * rim)))
    return Enlarged(finish(filled), size)


def _eroded(region: torch.Tensor, reach: int) -> torch.Tensor:
    """The smallest value of `region` within a square that reaches so many pixels to each side, but at least one."""
    reach = max(1, reach)
    rows = F.max_pool2d(-region, (1, 2 * reach + 1), stride=1, padding=(0, reach))
    return -F.max_pool2d(rows, (2 * reach + 1, 1), stride=1, padding=(reach, 0))
