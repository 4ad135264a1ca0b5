"""What models show besides photos: masks, levels of blur, and the windows of the published figures."""

from typing import Literal

import torch
import torch.nn.functional as F

from models.base_model import Visuals
from models.losses.masking import cutout

# The level that is shown as white: that of a radius of 15 pixels.
SHOWN_LEVEL = 4.0


def mask_visuals(**masks: torch.Tensor | None) -> Visuals:
    """Masks `[B,1,H,W] in [0,1]` as images in [-1,1]; those that are None are left out."""
    return {name: 2 * mask - 1 for name, mask in masks.items() if mask is not None}


def level_visuals(photo: torch.Tensor, **levels: torch.Tensor) -> Visuals:
    """Levels `[B,1,h,w]` as images in [-1,1] of the size of `photo`, black where sharp."""
    side = photo.shape[-2:]
    return {
        name: F.interpolate(x.detach(), side).clamp(0, SHOWN_LEVEL) / SHOWN_LEVEL * 2 - 1
        for name, x in levels.items()
    }


def subject_visuals(
    domain: Literal["A", "B"], own: torch.Tensor, real: torch.Tensor, m: torch.Tensor | None, pasted: bool
) -> Visuals:
    """What the generator itself makes of the subject, and what the overlay hides, with the published names and order.

    `fake_B_noMask`, the generator's own output, where the overlay is `pasted` over it; and where there are masks
    `mask_A`, `mask_real_A` and `mask_fake_B`: the mask, and the subject cut out of the photo and of `own`.

    Args:
        domain: of `real`; with B the names are `fake_A_noMask`, `mask_B`, `mask_real_B`, `mask_fake_A`.
        own, real: the result and the photo, `[B,C,H,W] in [-1,1]`.
        m: `[B,1,H,W] in [0,1]`, 1 = subject; None where no masks are read.
        pasted: whether the model's output has the overlay.
    """
    other = "B" if domain == "A" else "A"
    visuals = {f"fake_{other}_noMask": own} if pasted else {}
    if m is None:
        return visuals
    visuals |= mask_visuals(**{f"mask_{domain}": m})
    return visuals | {f"mask_real_{domain}": cutout(real, m), f"mask_fake_{other}": cutout(own, m)}


def subject_labels(domain: Literal["A", "B"]) -> tuple[str, ...]:
    """All names that `subject_visuals` may give."""
    other = "B" if domain == "A" else "A"
    return (f"fake_{other}_noMask", f"mask_{domain}", f"mask_real_{domain}", f"mask_fake_{other}")
