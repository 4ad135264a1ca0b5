"""Guided filter (He et al. 2013) and its fast form (He and Sun 2015, arXiv 1505.00996), differentiable.

Within every window the result is a linear function of the guide, `q = a . I + b`, that fits the target best. So
the result has the target's values and the guide's edges. The fast form fits `a` and `b` on small copies, and only
the last line sees the full-size guide: that also carries a small result over to a large photo.
"""

import torch
import torch.nn.functional as F


def box_mean(x: torch.Tensor, radius: int) -> torch.Tensor:
    """Mean over windows of `2*radius + 1` pixels each way, cut at the border; `[B,C,H,W]` -> the same shape."""
    width = 2 * radius + 1
    x = F.avg_pool2d(x, (width, 1), stride=1, padding=(radius, 0), count_include_pad=False)
    return F.avg_pool2d(x, (1, width), stride=1, padding=(0, radius), count_include_pad=False)


def guided_coefficients(guide: torch.Tensor, target: torch.Tensor, radius: int, eps: float) -> torch.Tensor:
    """The averaged `a` and `b` of equation 8 (19 for a colour guide) of He et al. 2013.

    Args:
        guide: `[B,G,H,W]`, G 1 or 3.
        target: `[B,C,H,W]`.
        radius: of the windows, in pixels.
        eps: variance of the guide below which a window counts as flat, in squared units of the guide.

    Returns:
        `[B,C,G+1,H,W]`: G coefficients of the guide, then the constant.
    """
    guide_mean, target_mean = box_mean(guide, radius), box_mean(target, radius)
    products = guide.unsqueeze(1) * target.unsqueeze(2)  # [B,C,G,H,W]
    covariance = _unflatten_mean(products, radius) - guide_mean.unsqueeze(1) * target_mean.unsqueeze(2)
    squares = guide.unsqueeze(1) * guide.unsqueeze(2)  # [B,G,G,H,W]
    variance = _unflatten_mean(squares, radius) - guide_mean.unsqueeze(1) * guide_mean.unsqueeze(2)
    if guide.shape[1] == 1:
        a = covariance / (variance + eps)
    else:
        matrix = variance.movedim((1, 2), (-2, -1)) + eps * torch.eye(guide.shape[1], device=guide.device)
        a = torch.linalg.solve(matrix, covariance.movedim((2, 1), (-2, -1))).movedim((-2, -1), (2, 1))
    b = target_mean - (a * guide_mean.unsqueeze(1)).sum(2)
    return _unflatten_mean(torch.cat([a, b.unsqueeze(2)], dim=2), radius)


def _unflatten_mean(x: torch.Tensor, radius: int) -> torch.Tensor:
    return box_mean(x.flatten(1, 2), radius).unflatten(1, x.shape[1:3])


def apply_coefficients(
    coefficients: torch.Tensor, guide: torch.Tensor, top: int = 0, full_height: int | None = None
) -> torch.Tensor:
    """`a . I + b` at the guide's size, with the coefficients enlarged bilinearly where they are smaller.

    Args:
        coefficients: `[B,C,G+1,h,w]` of `guided_coefficients`.
        guide: `[B,G,H,W]`, the whole guide or some rows of it.
        top: where those rows begin in the whole guide, of `full_height` rows. A photo can so be done in strips.

    Returns:
        `[B,C,H,W]`.
    """
    rows, width = guide.shape[-2:]
    full_height = full_height or rows
    small = coefficients.flatten(1, 2)
    if (full_height, width) != small.shape[-2:]:
        small = _bilinear_rows(small, top, rows, full_height)
        small = F.interpolate(small, size=(rows, width), mode="bilinear", align_corners=False)
    a, b = small.unflatten(1, coefficients.shape[1:3]).split([guide.shape[1], 1], dim=2)
    return (a * guide.unsqueeze(1)).sum(2) + b.squeeze(2)


def _bilinear_rows(x: torch.Tensor, top: int, rows: int, full_height: int) -> torch.Tensor:
    """Rows `top` to `top + rows` of `x` `[B,C,h,w]` enlarged to `full_height`; pixel centres as in `interpolate`."""
    height = x.shape[-2]
    places = (torch.arange(top, top + rows, device=x.device) + 0.5) * (height / full_height) - 0.5
    places = places.clamp(0, height - 1)
    above = places.floor().long()
    below = (above + 1).clamp(max=height - 1)
    return torch.lerp(x[..., above, :], x[..., below, :], (places - above).to(x.dtype)[:, None])


def guided_filter(
    guide: torch.Tensor, target: torch.Tensor, radius: int, eps: float, subsample: int = 1
) -> torch.Tensor:
    """Smooth `target` `[B,C,H,W]` so that its edges become those of `guide` `[B,G,H,W]`, G 1 or 3.

    Args:
        radius: of the windows, in pixels of the full size.
        eps: see `guided_coefficients`; images in [-1,1] have four times the variance of those in [0,1].
        subsample: 1 is the exact filter; s fits the coefficients on copies 1/s as large, s^2 times faster.
    """
    if subsample == 1:
        return apply_coefficients(guided_coefficients(guide, target, radius, eps), guide)
    size = [max(1, round(side / subsample)) for side in guide.shape[-2:]]
    small_guide, small_target = (F.interpolate(x, size=size, mode="area") for x in (guide, target))
    small_radius = max(1, round(radius / subsample))
    return apply_coefficients(guided_coefficients(small_guide, small_target, small_radius, eps), guide)
