"""Who is in focus and how far out of it all else is, of photos whose blur a lens generator has decided."""

import torch

from util.optics.focus import INSIDE, plan_blur
from util.optics.focus_options import Focus

# With depth, what is farthest out of focus gets this quantile of the decided radii: the largest may be a few pixels'.
FARTHEST = 0.95
# A quantile needs no more than about so many pixels.
SAMPLE = 100_000


def refocused(
    in_focus: torch.Tensor, radius: torch.Tensor, depth: torch.Tensor | None, focus: Focus
) -> tuple[torch.Tensor, torch.Tensor]:
    """Alpha and signed radii for `util.optics.camera.render`, both `[B,1,H,W]`; see `plan_blur`.

    With depth the radii are those of a thin lens, as wide as the generator's blur; without, the generator's own radii
    tell distances: what it blurs more lies farther away.

    Args:
        in_focus: `[B,1,H,W] in [0,1]`, the subject as the generator sees it.
        radius: `[B,1,H,W]` of what is not subject, as it has decided, pixels, not negative.
        depth: `[B,1,H,W]`, inverse, near is large; None: not known.

    Raises:
        PhotoError: a point outside the photo.
    """
    plans = []
    for index in range(len(radius)):
        alpha, decided = (maps[index, 0].float().cpu() for maps in (in_focus, radius))
        behind = alpha <= INSIDE
        if depth is None:
            largest = float((decided * behind).max())
            distance = 1 - decided * behind / max(largest, 1e-6)
        else:
            largest = _farthest(decided[behind] if behind.any() else decided.flatten())
            distance = depth[index, 0].float().cpu()
        plans.append(plan_blur(alpha.numpy(), distance.numpy(), largest, focus))
    alpha, signed = (
        torch.stack([torch.from_numpy(part) for part in parts])[:, None] for parts in zip(*plans, strict=True)
    )
    return alpha.to(in_focus.device), signed.to(radius.device)


def _farthest(radius: torch.Tensor) -> float:
    """The radius of what is farthest out of focus, of `[N]`."""
    return float(radius[:: max(1, len(radius) // SAMPLE)].quantile(FARTHEST))
