"""Photos brought to the size that training wants."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from util.errors import UserError
from util.images import read_image, write_image

_SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True)
class Fit:
    """How photos are cut and scaled: a centred square of `size` pixels, or with `keep_aspect` the shorter side."""

    size: int
    keep_aspect: bool


def fit_photo(photo: Image.Image, fit: Fit) -> Image.Image:
    """RGB photo -> RGB photo in sRGB at its new size, by a Lanczos filter."""
    if fit.keep_aspect:
        scale = fit.size / min(photo.size)
        width, height = (max(fit.size, round(side * scale)) for side in photo.size)
        fitted = photo.resize((width, height), Image.Resampling.LANCZOS)
    else:
        fitted = ImageOps.fit(photo, (fit.size, fit.size), Image.Resampling.LANCZOS)
    return _to_srgb(fitted, photo.info.get("icc_profile"))


def _to_srgb(photo: Image.Image, profile: bytes | None) -> Image.Image:
    """Numbers in sRGB, whatever space they were in: phones write Display P3, and networks see only numbers."""
    photo.info = {}
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            ImageCms.profileToProfile(photo, source, _SRGB, inPlace=True)
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile says nothing
        photo.info = {}
    return photo


def write_fitted(task: tuple[Path, Path], fit: Fit) -> str | None:
    """Write the photo at the first path, fitted, to the second. A worker's function: returns an error or None."""
    source, target = task
    try:
        write_image(fit_photo(read_image(source), fit), target)
    except UserError as error:
        return str(error)
    return None
