"""What renders a lens's results elsewhere than here must know besides the network's weights."""

from typing import Any

from models.inference.generator import Generator
from util.errors import UserError

# A picture in a graphics card has four channels: in focus, and so many radii.
MOST_RADII = 3


def described(generator: Generator) -> dict[str, Any]:
    """Settings and constants of a lens generator, as JSON can hold them; its `net.graph()` is the network.

    Raises:
        UserError: a generator that paints, or one with more radii than the studio renders.
    """
    facts = generator.net.described()
    if not facts:
        raise UserError(
            f"{generator.file}: paints pixels; the studio shows generators of --output_mode lens, whose blur can be "
            "changed while one looks at it"
        )
    if len(facts["radii"]) > MOST_RADII:
        raise UserError(
            f"{generator.file}: has {len(facts['radii'])} radii; the studio takes up to {MOST_RADII}"
        )
    return facts
