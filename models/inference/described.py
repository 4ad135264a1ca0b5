"""What renders a lens's results elsewhere than here must know besides the network's weights."""

from typing import Any

from models.inference.generator import Generator
from models.lens.generator import GUIDE_EPS, GUIDE_RADIUS, REFERENCE_SIDE, LensGenerator
from util.errors import UserError
from util.optics.blur import MAX_RADIUS

# A picture in a graphics card has four channels: in focus, and so many radii.
MOST_RADII = 3


def described(generator: Generator) -> dict[str, Any]:
    """Settings and constants of a lens generator, as JSON can hold them; its `net.graph()` is the network.

    Raises:
        UserError: a generator that paints, or one with more radii than the studio renders.
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
    return {
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
