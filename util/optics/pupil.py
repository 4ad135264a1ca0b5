"""Pupils: the shape of the opening that light comes through, and so of the disc that a point out of focus becomes."""

import math
from functools import lru_cache

import torch

from util.optics.aperture import Aperture, Profile
from util.optics.discs import OVERSAMPLE

# Bubble: the rim is this many times brighter than the middle, as spherical aberration that is overcorrected makes it.
RIM = 3.0
# Gaussian: standard deviation in radii; an apodisation filter lets so much through at the rim as it leaves there.
SIGMA = 0.5


@lru_cache(maxsize=512)
def pupil_kernel(radius: float, aperture: Aperture, field: tuple[float, float] = (0.0, 0.0)) -> torch.Tensor:
    """What a point becomes that is `radius` pixels out of focus: `[2n+1,2n+1]`, sum 1, n = ceil(|radius| - 0.5).

    Each entry is the share of its pixel that the opening covers, counted on `OVERSAMPLE`^2 points. |radius| of at most
    0.5 gives the single entry 1. In front of the focus (`radius` above 0) rays have not crossed yet: the shape is
    turned by 180 degrees.

    Args:
        field: where in the photo (x, y), its middle at (0, 0) and its corners at distance 1; for `cat_eye`.
    """
    size_of = abs(radius)
    n = max(0, math.ceil(size_of - 0.5))
    if n == 0:
        return torch.ones(1, 1)
    size = 2 * n + 1
    points = ((torch.arange(size * OVERSAMPLE) + 0.5) / OVERSAMPLE - size / 2) / size_of
    y, x = torch.meshgrid(points, points, indexing="ij")
    if radius > 0:
        x, y = -x, -y
    distance = torch.hypot(x, y)
    light = (distance <= _outline(x, y, aperture)).float() * _brightness(distance, aperture.profile)
    if aperture.cat_eye:
        shift = aperture.cat_eye
        light = light * (torch.hypot(x + shift * field[0], y + shift * field[1]) <= 1)
    shares = light.view(size, OVERSAMPLE, size, OVERSAMPLE).mean(dim=(1, 3))
    return shares / shares.sum()


def _outline(x: torch.Tensor, y: torch.Tensor, aperture: Aperture) -> torch.Tensor | float:
    """Distance of the opening's edge from its middle in the direction of (x, y), in radii."""
    if not aperture.blades:
        return 1.0
    sector = 2 * math.pi / aperture.blades
    # Image rows grow downwards. The first corner points up.
    angle = torch.atan2(-y, x) - math.pi / 2 - math.radians(aperture.rotation)
    from_middle = torch.remainder(angle, sector) - sector / 2
    straight = math.cos(sector / 2) / torch.cos(from_middle)
    return torch.lerp(straight, torch.ones_like(straight), aperture.curvature)


def _brightness(distance: torch.Tensor, profile: Profile) -> torch.Tensor | float:
    if profile == "bubble":
        return 1 + (RIM - 1) * distance.clamp(max=1) ** 6
    if profile == "gaussian":
        return torch.exp(-0.5 * (distance / SIGMA) ** 2)
    return 1.0
