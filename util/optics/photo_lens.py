"""The lens that a photo's EXIF describes, as one for 24 x 36 mm, which the lenses by name are for."""

from pathlib import Path

from util.images.shot import shot_of
from util.optics.presets import RADIUS_OF_APERTURE, WAIST_UP, Lens


def lens_of_photo(path: Path) -> Lens:
    """The lens for 24 x 36 mm that sees as much as the photo's own, at its f-number.

    The subject stands where the EXIF says, else where a person fills the frame from the waist up.

    Raises:
        PhotoError: no focal length or f-number in it.
    """
    shot = shot_of(path)
    return Lens(shot.focal, shot.f_number, shot.distance or WAIST_UP * shot.focal)


def aperture_of_photo(path: Path) -> float:
    """The aperture of `lens_of_photo`, whose blur of what is farthest is its own; raises as that does."""
    return lens_of_photo(path).radius() / RADIUS_OF_APERTURE
