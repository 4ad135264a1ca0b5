"""Lenses by name, and the options with which a command line describes a camera."""

from argparse import ArgumentParser
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from util.errors import UserError
from util.optics.aperture import PROFILES, Aperture
from util.ranges import Range, count, finite, seed, share

if TYPE_CHECKING:
    from util.optics.camera import Camera

# Shorter side, in millimetres, of the sensor that the presets are for, and the side at which radii are given in pixels.
SENSOR = 24.0
REFERENCE_SIDE = 256


@dataclass(frozen=True)
class Lens:
    """A lens and where its subject stands.

    Attributes:
        focal: length in millimetres; f_number: focal length through aperture; distance: of the subject in metres.
        blades, curvature, cat_eye: see `Aperture`.
    """

    focal: float
    f_number: float
    distance: float
    blades: int = 0
    curvature: float = 0.0
    cat_eye: float = 0.0

    def radius(self) -> float:
        """Radius of blur at infinity, in pixels where the photo's shorter side is 256.

        The thin lens: a point at infinity becomes a disc of diameter f^2 / (N (s - f)) on a sensor focused at s.
        """
        diameter = self.focal**2 / (self.f_number * (1000 * self.distance - self.focal))
        return diameter / 2 / SENSOR * REFERENCE_SIDE


# Metres for each millimetre of focal length: there a person fills the frame from the waist up.
WAIST_UP = 0.04
LENSES = {
    "35mm_f1.8": Lens(35, 1.8, 1.4, blades=7, curvature=0.8, cat_eye=0.5),
    "50mm_f1.8": Lens(50, 1.8, 2.0, blades=7, curvature=0.7, cat_eye=0.5),
    "50mm_f1.2": Lens(50, 1.2, 2.0, blades=9, curvature=1.0, cat_eye=0.8),
    "85mm_f1.8": Lens(85, 1.8, 3.4, blades=7, curvature=0.8, cat_eye=0.5),
    "85mm_f1.4": Lens(85, 1.4, 3.4, blades=9, curvature=1.0, cat_eye=0.7),
    "135mm_f2": Lens(135, 2.0, 5.4, blades=9, curvature=0.9, cat_eye=0.4),
}

# For `--lens`: what each photo's EXIF says.
BY_EXIF = "auto"

# Radius, in pixels where the shorter side is 256, of what is farthest behind a lens whose `--aperture` is 1.
RADIUS_OF_APERTURE = 4.0

DEFAULT_RADIUS = 5.0
# What a clipped light is taken for, in units of white: enough to open discs, too little to make paper walls glow.
DEFAULT_HIGHLIGHTS = 8.0
in_whites = Range(float, "must be a finite number of at least 1, which leaves lights as they are", least=1)


def add_camera_options(
    parser: ArgumentParser,
    title: str = "camera",
    sets: str = "radius and shape",
    auto: str = "radius by the focal length, f-number and distance",
) -> None:
    """The camera's options; `camera_of_options` reads them.

    Args:
        sets: which settings of a lens by name are used.
        auto: what is taken from the EXIF of each photo; empty where there is no photo.
    """
    add = parser.add_argument_group(title).add_argument
    add(
        "--lens",
        choices=(*LENSES, BY_EXIF) if auto else tuple(LENSES),
        help=f"a lens by name: sets the {sets} of discs, where not given otherwise"
        + (f"; {BY_EXIF}: {auto} in the photo's EXIF" if auto else ""),
    )
    add("--blades", type=count, help="of the iris, 3 or more; 0 = round; default: the lens's, else 0")
    add("--blade_rotation", type=finite, default=0.0, help="degrees counter-clockwise")
    add("--blade_curvature", type=share, help="0 = straight, 1 = round; default: the lens's, else 0")
    add(
        "--cat_eye",
        type=share,
        help="how far discs are cut towards the corners, 0 to 1; default: the lens's, else 0",
    )
    add(
        "--bokeh",
        choices=PROFILES,
        default="disc",
        help="brightness over the disc: even, bright or faint at the rim",
    )
    add(
        "--highlights",
        type=in_whites,
        default=DEFAULT_HIGHLIGHTS,
        help="how many times brighter than white clipped lights were; 1 = not at all",
    )
    add(
        "--grain",
        type=share,
        default=1.0,
        help="share of the photo's noise that blurred parts get back, 0 to 1",
    )
    add("--grain_seed", type=seed, default=0, help="another seed gives other grain")


class CameraOptions(Protocol):
    """What `add_camera_options` declares, as parsed."""

    lens: str | None
    blades: int | None
    blade_rotation: float
    blade_curvature: float | None
    cat_eye: float | None
    bokeh: Any
    highlights: float
    grain: float
    grain_seed: int


def camera_of_options(opt: CameraOptions, linear: bool = True) -> "Camera":
    """The camera that options state.

    Raises:
        UserError: a value that can't be.
    """
    from util.optics.camera import Camera

    return Camera(aperture_of_options(opt), opt.highlights, linear, opt.grain, opt.grain_seed)


def aperture_of_options(opt: CameraOptions) -> Aperture:
    """The opening of that camera: what is stated, else the lens's.

    Raises:
        UserError: a value that can't be.
    """
    # A round opening, as EXIF says nothing of blades.
    lens = LENSES.get(opt.lens or "", Lens(50, 1.8, 2))
    try:
        return Aperture(
            blades=lens.blades if opt.blades is None else opt.blades,
            rotation=opt.blade_rotation,
            curvature=lens.curvature if opt.blade_curvature is None else opt.blade_curvature,
            cat_eye=lens.cat_eye if opt.cat_eye is None else opt.cat_eye,
            profile=opt.bokeh,
        )
    except ValueError as error:
        raise UserError(f"--{error}") from None


def radius_of_options(opt: CameraOptions) -> float | None:
    """Largest radius of blur in pixels where the photo's shorter side is 256: the lens's, else a good one.

    None: that of each photo's own (util/optics/photo_lens.py).
    """
    if opt.lens == BY_EXIF:
        return None
    return LENSES[opt.lens].radius() if opt.lens else DEFAULT_RADIUS
