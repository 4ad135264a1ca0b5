"""How a photo was taken, by its EXIF, as far as it decides how far out of focus things were."""

import math
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from PIL import ExifTags

from util.errors import PhotoError
from util.images.opening import opened

Base = ExifTags.Base

# Millimetres from corner to corner of 24 x 36 mm, by which CIPA DCG-001 compares focal lengths.
FULL_FRAME = math.hypot(24, 36)
# EXIF 2.32, tag 0x9206: this numerator stands for infinity.
INFINITE = 0xFFFFFFFF
# EXIF 2.32, tag 0xA210, and the two that some cameras add: millimetres of a unit of resolution.
UNITS = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}


class Shot(NamedTuple):
    """Lens and subject of a photo.

    Attributes:
        focal: length in millimetres of the lens that sees as much on 24 x 36 mm.
        f_number: focal length through aperture.
        distance: of the subject in metres; None: not told, or infinite.
    """

    focal: float
    f_number: float
    distance: float | None


def shot_of(path: str | os.PathLike) -> Shot:
    """What the EXIF of a photo tells of its lens.

    Raises:
        PhotoError: it lacks the focal length, the size of the sensor, or the f-number.
        ImageError: the photo can't be opened.
    """
    with opened(path) as image:
        try:
            told = image.getexif().get_ifd(ExifTags.IFD.Exif)
        except Exception:
            # Pillow raises half a dozen kinds for blocks that are broken.
            told = {}
    focal, f_number = _equivalent_focal(told), _positive(told.get(Base.FNumber))
    missing = [name for name, value in (("focal length", focal), ("f-number", f_number)) if value is None]
    if focal is None or f_number is None:
        if focal is None and _positive(told.get(Base.FocalLength)):
            missing[0] = "35 mm equivalent of the focal length"
        raise PhotoError(
            f"{path}: its EXIF has no {' and no '.join(missing)} for --lens auto; name a lens, or leave --lens out"
        )
    distance = _positive(told.get(Base.SubjectDistance))
    is_real = distance is not None and focal / 1000 < distance < INFINITE
    return Shot(focal, f_number, distance if is_real else None)


def _equivalent_focal(told: Mapping[int, Any]) -> float | None:
    """As the camera says it; else the lens's own, by a sensor whose pixels' number and density are told."""
    equivalent = _positive(told.get(Base.FocalLengthIn35mmFilm))
    own = _positive(told.get(Base.FocalLength))
    unit = UNITS.get(told.get(Base.FocalPlaneResolutionUnit, 2))
    sides = [
        (_positive(told.get(pixels)), _positive(told.get(density)))
        for pixels, density in (
            (Base.ExifImageWidth, Base.FocalPlaneXResolution),
            (Base.ExifImageHeight, Base.FocalPlaneYResolution),
        )
    ]
    lengths = [pixels / density for pixels, density in sides if pixels and density]
    if equivalent or not own or not unit or len(lengths) < 2:
        return equivalent
    return own * FULL_FRAME / (unit * math.hypot(*lengths))


def _positive(value: Any) -> float | None:
    """A number above 0, else None: EXIF says 0, or 0/0, for what is not known."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if 0 < number < math.inf else None
