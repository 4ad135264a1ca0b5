"""The lens that a photo's EXIF describes, as one for 24 x 36 mm, which the lenses by name are for."""

from pathlib import Path

from util.images.shot import shot_of
from util.optics.presets import DEFAULT_RADIUS, WAIST_UP, Lens


def lens_of_photo(path: Path) -> Lens:
    """The lens for 24 x 36 mm that sees as much as the photo's own, at its f-number.

    The subject stands where the EXIF says, else where a person fills the frame from the waist up.

    Raises:
        PhotoError: no focal length or f-number in it.
    """
    shot = shot_of(path)
    return Lens(shot.focal, shot.f_number, shot.distance or WAIST_UP * shot.focal)


def aperture_of_photo(path: Path) -> float:
    """By how much `lens_of_photo` blurs more than a lens of `DEFAULT_RADIUS`; raises as that does."""
    return lens_of_photo(path).radius() / DEFAULT_RADIUS
