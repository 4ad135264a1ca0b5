"""Openings of lenses as they are described; `util.optics.pupil` draws them. Needs no PyTorch, for options."""

from dataclasses import dataclass
from typing import Literal, get_args

Profile = Literal["disc", "bubble", "gaussian"]
PROFILES: tuple[Profile, ...] = get_args(Profile)


@dataclass(frozen=True)
class Aperture:
    """The shape of a pupil.

    Attributes:
        blades: of the iris; 0 is a round opening, else a polygon of 3 or more whose corners lie on the circle.
        rotation: of the blades, degrees counter-clockwise.
        curvature: of the blades: 0 straight, 1 a circle.
        cat_eye: how far the barrel cuts into the pupil at the photo's corners, in [0,1]: 0 not at all; at 1 a second
            disc of the same size, one radius off, is all that is left open.
        profile: `disc`: even; `bubble`: brighter at the rim; `gaussian`: fading towards the rim.
    """

    blades: int = 0
    rotation: float = 0.0
    curvature: float = 0.0
    cat_eye: float = 0.0
    profile: Profile = "disc"

    def __post_init__(self) -> None:
        if self.blades < 0 or self.blades in (1, 2):
            raise ValueError(f"blades {self.blades}: must be 0 (round) or at least 3")
        for name in ("curvature", "cat_eye"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} {getattr(self, name)}: must be in [0,1]")
        if self.profile not in PROFILES:
            raise ValueError(f"profile {self.profile}: must be one of {' '.join(PROFILES)}")
