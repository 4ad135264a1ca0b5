"""At what size a lens looks at a background, and the radii of which a blur that differs by place is mixed."""

from collections.abc import Sequence

from util.optics.presets import REFERENCE_SIDE

# As fine as the eye needs.
KNOTS = tuple(0.75 * 1.4**step for step in range(16))


def reference_size(size: Sequence[int]) -> tuple[int, int]:
    """Height and width of a photo of `size` where its shorter side has `REFERENCE_SIDE` pixels, or fewer."""
    scale = min(1.0, REFERENCE_SIDE / min(size))
    height, width = (max(1, round(side * scale)) for side in size)
    return height, width


def knots(largest: float) -> list[float]:
    """Radii in pixels, ascending, of the copies that a blur of up to `largest`, which differs by place, is mixed of."""
    return [knot for knot in KNOTS if knot < largest] + [max(largest, KNOTS[0])]
