"""What of a lens generator runs elsewhere than here: the network that looks, apart from the rendering."""

from typing import Any

import torch
from torch import nn

from models.inference.generator import Generator
from models.lens.generator import GUIDE_EPS, GUIDE_RADIUS, LOGIT_BOUND, REFERENCE_SIDE, LensGenerator
from models.nets.any_size import any_size
from util.errors import UserError
from util.optics.blur import MAX_RADIUS

# A picture in a graphics card has four channels: in focus, and so many radii.
MOST_RADII = 3


class Looking(nn.Module):
    """`LensGenerator.decide` up to the weights at the network's own scale, mirror image included."""

    def __init__(self, lens: LensGenerator):
        super().__init__()
        self.net = any_size(lens.net)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """What the network sees `[B,3(+1),h,w] in [-1,1]` -> weights `[B,K+1,h,w]`, not negative and of sum 1."""
        plain, mirrored = self.net(torch.cat([seen, seen.flip(-1)])).unflatten(0, (2, -1)).unbind()
        return (LOGIT_BOUND * (plain + mirrored.flip(-1)) / 2).softmax(dim=1)


def looking(generator: Generator) -> tuple[Looking, dict[str, Any]]:
    """The network of a lens generator, and all that a renderer must know besides its weights.

    Raises:
        UserError: a generator that paints, or one that can't be rendered elsewhere.
    """
    lens = generator.net
    if not isinstance(lens, LensGenerator):
        raise UserError(
            f"{generator.file}: paints pixels; the studio shows generators of --output_mode lens, whose blur can be "
            "changed while one looks at it"
        )
    settings = lens.settings
    if len(settings.radii) > MOST_RADII:
        raise UserError(
            f"{generator.file}: has {len(settings.radii)} radii; the studio takes up to {MOST_RADII}"
        )
    return Looking(lens).eval(), {
        "channels": lens.net.input_nc,
        "divisor": lens.net.divisor,
        "radii": settings.radii,
        "weights_size": settings.weights_size,
        "focus_range": settings.focus_range,
        "linear_light": settings.linear_light,
        "soft_range": settings.soft_range,
        "reference_side": REFERENCE_SIDE,
        "guide_radius": GUIDE_RADIUS,
        "guide_eps": GUIDE_EPS,
        "largest_radius": MAX_RADIUS,
    }
