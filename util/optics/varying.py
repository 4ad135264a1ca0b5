"""Blur whose radius differs from place to place: a stack of discs, mixed by each pixel's radius."""

from collections.abc import Sequence

import torch

from util.optics.blur import disc_blur


def varying_blur(
    light: torch.Tensor, background: torch.Tensor, radius: torch.Tensor, radii: Sequence[float]
) -> torch.Tensor:
    """`disc_blur` with a radius for each pixel, which mixes those of the two nearest `radii`.

    The blurred copies are constants to the gradient, which reaches `radius` through the mixture.

    Args:
        light: `[B,3,H,W]`, linear light in [0,1].
        background: `[B,1,H,W] in [0,1]`, the pixels whose light is spread; see `disc_blur`.
        radius: `[B,1,H,W]`, pixels; beyond the last of `radii` that one counts.
        radii: ascending; what is nearer to 0 than the first counts as sharp by so much.

    Returns:
        `[B,3,H,W]`; where the radius is 0, `light` itself, exactly.
    """
    mixed, below = torch.zeros_like(light), 0.0
    copies = [light]
    with torch.no_grad():
        copies += [disc_blur(light, background, r) for r in radii]
    knots = [0.0, *radii]
    for index, copy in enumerate(copies):
        # The hat of this knot: 1 at its radius, 0 at its neighbours'.
        below = knots[index - 1] if index else -1.0
        rising = ((radius - below) / (knots[index] - below)).clamp(0, 1)
        falling = 0.0
        if index + 1 < len(knots):
            falling = ((radius - knots[index]) / (knots[index + 1] - knots[index])).clamp(0, 1)
        mixed = mixed + (rising - falling) * copy
    return mixed
