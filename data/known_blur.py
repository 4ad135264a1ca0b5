"""Sharp photos behind a known blur: what a network learns from that is to tell how blurred a place is.

No labels and no pairs: the photo is any sharp one, the blur is drawn at random and so known everywhere. Levels are
log2(1 + radius), the scale on which a change of blur looks alike at every radius.
"""

import math

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from util.optics.levels import radius_of_level
from util.optics.light import linear_to_srgb, srgb_to_linear
from util.optics.varying import varying_blur

# Radii of the discs, in pixels, between which the blur is mixed.
RADII = (0.7, 1.0, 1.5, 2.2, 3.2, 4.5, 6.5, 9.0, 12.0)
TOP_LEVEL = math.log2(1 + RADII[-1])


def draw_levels(height: int, width: int, rng: np.random.Generator) -> torch.Tensor:
    """Levels of a blur `[1,H,W]`, from 0 to `TOP_LEVEL`: even, a plane, ground that gets soft, or hills.

    Two of five have an edge behind which another kind begins.
    """
    levels = _one_kind(height, width, rng)
    if rng.random() < 0.4:
        levels = torch.where(_part(height, width, rng), _one_kind(height, width, rng), levels)
    return levels.clamp(0, TOP_LEVEL)


def _one_kind(height: int, width: int, rng: np.random.Generator) -> torch.Tensor:
    down, across = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    base = 0.0 if rng.random() < 0.25 else float(rng.uniform(0, TOP_LEVEL))
    kind = rng.random()
    levels = torch.full((height, width), base)
    if kind < 0.35:
        pass
    elif kind < 0.55:
        slopes = rng.uniform(-2, 2, 2)
        levels = levels + float(slopes[0]) * down + float(slopes[1]) * across
    elif kind < 0.75:
        # Ground: sharp up to a row, then softer the farther, which is the higher in the picture.
        levels = ((float(rng.uniform(-0.8, 0.8)) - down) * float(rng.uniform(0.5, 4))).clamp(min=0)
        levels = levels * (1 if rng.random() < 0.8 else 0.5) + float(rng.choice([0.0, 0.0, base]))
    else:
        coarse = torch.from_numpy(rng.normal(0, 1.2, (1, 1, *rng.integers(2, 6, 2)))).float()
        levels = levels + F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0, 0]
    return levels[None]


def _part(height: int, width: int, rng: np.random.Generator) -> torch.Tensor:
    """One side of a line or the inside of an ellipse, boolean `[1,H,W]`."""
    down, across = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    y, x, angle = rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6), rng.uniform(0, math.pi)
    u = (across - x) * math.cos(angle) + (down - y) * math.sin(angle)
    v = (down - y) * math.cos(angle) - (across - x) * math.sin(angle)
    if rng.random() < 0.5:
        return (u > 0)[None]
    a, b = rng.uniform(0.2, 0.9, 2)
    return ((u / a).square() + (v / b).square() < 1)[None]


def blur_by_levels(
    photo: torch.Tensor, levels: torch.Tensor, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """The photo as a lens would show it that blurs each place as `levels` say, in linear light.

    Args:
        photo: `[3,H,W] in [-1,1]`.
        levels: `[1,H,W]`, of what is not subject.
        mask: `[1,H,W] in [0,1]`, 1 = subject, which stays sharp and whose light does not spread.
    """
    light = srgb_to_linear((photo[None] + 1) / 2)
    background = torch.ones_like(light[:, :1]) if mask is None else 1 - mask[None]
    blurred = varying_blur(light, background, radius_of_level(levels)[None], RADII)
    mixed = blurred if mask is None else mask[None] * light + background * blurred
    return linear_to_srgb(mixed.clamp(0, 1))[0] * 2 - 1


def degrade(photo: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """`photo` `[3,H,W] in [-1,1]` as cameras and websites pass it on: exposed, sharpened, noisy, compressed."""
    x = (photo + 1) / 2 * float(rng.uniform(0.6, 1.25)) + float(rng.uniform(-0.06, 0.06))
    if rng.random() < 0.3:
        amount = float(rng.uniform(0.1, 0.5))
        x = x + amount * (x - F.avg_pool2d(x[None], 3, 1, 1, count_include_pad=False)[0])
    noise = torch.from_numpy(rng.normal(0, 1, x.shape)).float()
    x = (x + float(rng.choice([0, 0.004, 0.01, 0.02])) * noise).clamp(0, 1)
    if rng.random() < 0.6:
        pixels = (255 * x.permute(1, 2, 0).numpy() + 0.5).astype(np.uint8)
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 96))]
        pixels = np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR))
        x = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    return x * 2 - 1


def with_known_blur(
    photo: torch.Tensor, mask: torch.Tensor | None, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """A sharp photo `[3,H,W] in [-1,1]` behind a blur drawn from `rng`, and the levels `[1,H,W]` of that.

    With a mask `[1,H,W] in [0,1]` the subject stays sharp in two of three, which is how lenses are used.
    """
    levels = draw_levels(photo.shape[-2], photo.shape[-1], rng)
    if mask is None or rng.random() > 0.65:
        return degrade(blur_by_levels(photo, levels), rng), levels
    return degrade(blur_by_levels(photo, levels, mask), rng), levels * (mask < 0.5)
