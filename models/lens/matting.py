"""Mattes of the photos that a lens looks at: `util.matting` for tensors."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F

from util.matting import alpha_of, colors_behind, softness, solved_size, subject_colors


def told_prior(in_focus: torch.Tensor, size: Sequence[int], mask: torch.Tensor | None) -> torch.Tensor:
    """What mattes of photos of `size` (height, width) start from, `[B,1,h,w] in [0,1]`, as large as they are solved.

    It is what the network decided or, where it was told a mask, that with the mask's detail, which is finer than what
    it sees. People are many pixels wider to it than they are: a mask is believed as far as its own edges are sharp.

    Args:
        in_focus: `[B,1,h,w] in [0,1]` at the network's own scale.
        mask: `[B,1,H,W] in [0,1]`; None: it was told none.
    """
    height, width = solved_size(*size)

    def enlarged(small: torch.Tensor) -> torch.Tensor:
        return F.interpolate(small, (height, width), mode="bilinear", align_corners=False)

    if mask is None:
        return enlarged(in_focus)
    coarse = F.interpolate(mask, in_focus.shape[-2:], mode="area")
    fine = F.interpolate(mask, (height, width), mode="area")
    step = height / in_focus.shape[-2]
    reaches = [round(softness(part.cpu().numpy()) / step) for part in fine[:, 0].float()]
    widest = [_grown(part, reach) for part, reach in zip(coarse, reaches, strict=True)]
    decided = in_focus.minimum(torch.stack(widest))
    return (enlarged(decided) + fine - enlarged(coarse)).clamp(0, 1)


def _grown(mask: torch.Tensor, reach: int) -> torch.Tensor:
    """The largest value of `mask` `[1,h,w]` within `reach` pixels of each, across and down."""
    # One after the other: a mask that is soft all over is grown by hundreds of pixels.
    across = F.max_pool2d(mask, (1, 2 * reach + 1), 1, (0, reach))
    return F.max_pool2d(across, (2 * reach + 1, 1), 1, (reach, 0))


def alphas(x: torch.Tensor, prior: torch.Tensor) -> torch.Tensor:
    """Alpha `[B,1,H,W] in [0,1]` of photos `[B,3,H,W] in [-1,1]`; see `told_prior`."""
    return _each(lambda photo, mask: alpha_of(photo, mask[..., 0])[..., None], x, prior)


def of_subject(x: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """The subject's colours in mixed pixels of photos `x` `[B,3,H,W] in [-1,1]`; `x` itself elsewhere, exactly."""
    colors = 2 * _each(lambda photo, mask: subject_colors(photo, mask[..., 0]), x, alpha) - 1
    return torch.where((alpha > 0) & (alpha < 1), colors, x)


def behind_subject(x: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """The background's colours in mixed pixels of photos `x` `[B,3,H,W] in [-1,1]`; `x` itself elsewhere, exactly."""
    colors = 2 * _each(lambda photo, mask: colors_behind(photo, mask[..., 0]), x, alpha) - 1
    return torch.where((alpha > 0) & (alpha < 1), colors, x)


def _each(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], x: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """`function` of each photo `[H,W,3] in [0,1]` with its mask `[H,W,1]`, as a tensor on the device of `x`."""
    found = []
    for photo, of_photo in zip((x.float() + 1) / 2, mask.float(), strict=True):
        arrays = (np.ascontiguousarray(part.permute(1, 2, 0).cpu().numpy()) for part in (photo, of_photo))
        found.append(torch.from_numpy(function(*arrays)).permute(2, 0, 1))
    return torch.stack(found).to(x.device)
