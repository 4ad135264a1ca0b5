"""How much of its blur a background still needs: real lenses leave a wall as it is and dissolve a hedge."""

import math
from collections.abc import Sequence

import torch

from models.lens.settings import LensSettings
from util.optics.presets import REFERENCE_SIDE
from util.optics.sharpness import gradient_magnitude, grown


def reference_size(size: Sequence[int]) -> tuple[int, int]:
    """Height and width of a photo of `size` where its shorter side has `REFERENCE_SIDE` pixels, or fewer."""
    scale = min(1.0, REFERENCE_SIDE / min(size))
    height, width = (max(1, round(side * scale)) for side in size)
    return height, width


def share_of_blur(gray: torch.Tensor, in_focus: torch.Tensor, settings: LensSettings) -> torch.Tensor:
    """By how much radii are multiplied, `[B] in [0,1]`, of photos at their `reference_size`.

    The mean gradient, as `util.measure.metrics` defines it, is placed in `soft_range`, on the scale of its logarithm. A
    photo without background needs all. A gradient behind a lens falls with the radius, so a wider aperture has a lower
    range.

    Args:
        gray: luma `[B,1,h,w] in [0,1]`.
        in_focus: `[B,1,h,w] in [0,1]`.
    """
    low, high = (bound / max(settings.aperture, 1.0) for bound in settings.soft_range)
    if high <= 0:
        return gray.new_ones(len(gray))
    with torch.autocast(gray.device.type, enabled=False):
        gradient = gradient_magnitude(gray)
    background = 1 - grown(in_focus)
    mean = (gradient * background).sum((1, 2, 3)) / background.sum((1, 2, 3)).clamp(min=1e-6)
    place = (mean.clamp(min=1e-6) / low).log() / math.log(high / low)
    return torch.where(background.sum((1, 2, 3)) > 0, place.clamp(0, 1), 1.0)
