"""The lens that a photo's EXIF describes, as one for 24 x 36 mm, which the lenses by name are for."""

from pathlib import Path

from util.images.shot import shot_of
from util.optics.presets import WAIST_UP, Lens

# Radius, in pixels where the shorter side is 256, that the radius network which comes with the code tells of far
# backgrounds: the largest 95% quantile in one of fourteen photos. So wide is the lens whose blur it has learned.
TOLD_RADIUS = 3.4


def lens_of_photo(path: Path) -> Lens:
    """The lens for 24 x 36 mm that sees as much as the photo's own, at its f-number.

    The subject stands where the EXIF says, else where a person fills the frame from the waist up.

    Raises:
        PhotoError: no focal length or f-number in it.
    """
    shot = shot_of(path)
    return Lens(shot.focal, shot.f_number, shot.distance or WAIST_UP * shot.focal)


def aperture_of_photo(path: Path) -> float:
    """By how much `lens_of_photo` blurs more than a lens of `TOLD_RADIUS`; raises as that does."""
    return lens_of_photo(path).radius() / TOLD_RADIUS
