"""Blur whose radius differs from place to place: a stack of discs, mixed by each pixel's radius."""

import math
from collections.abc import Sequence

import torch

from util.optics.blur import disc_blur

# Radii as near to each other as the eye needs.
KNOTS = tuple(0.75 * 1.4**step for step in range(16))


def knots(largest: float) -> list[float]:
    """Radii in pixels, ascending, of the copies that a blur of up to `largest`, which differs by place, is mixed of."""
    return [knot for knot in KNOTS if knot < largest] + [max(largest, KNOTS[0])]


def varying_blur(
    light: torch.Tensor,
    background: torch.Tensor,
    radius: torch.Tensor,
    radii: Sequence[float] | None = None,
) -> torch.Tensor:
    """`disc_blur` with a radius for each pixel, which mixes those of the two nearest `radii`.

    The blurred copies are constants to the gradient, which reaches `radius` through the mixture.

    Args:
        light: `[B,3,H,W]`, linear light in [0,1].
        background: `[B,1,H,W] in [0,1]`, the pixels whose light is spread; see `disc_blur`.
        radius: `[B,1,H,W]`, pixels; beyond the last of `radii` that one counts.
        radii: ascending; what is nearer to 0 than the first counts as sharp by so much; default: the `knots`.

    Returns:
        `[B,3,H,W]`; where the radius is 0, `light` itself, exactly.
    """
    # From one radius to the next, what is beyond it goes over into the larger disc; one copy at a time.
    least, largest = (float(bound) for bound in radius.detach().aminmax())
    radii = knots(largest) if radii is None else radii
    mixed, inner = light, 0.0
    for outer, beyond in zip(radii, [*radii[1:], math.inf], strict=True):
        if inner >= largest:
            break
        # A copy that every pixel leaves behind for the next one need not be made.
        if least < beyond:
            with torch.no_grad():
                copy = disc_blur(light, background, outer)
            mixed = torch.lerp(mixed, copy, ((radius - inner) / (outer - inner)).clamp(0, 1).expand_as(copy))
        inner = outer
    return mixed
