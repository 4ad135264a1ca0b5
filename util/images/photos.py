"""Photos as RGB pixels, whatever their files hold."""

import os
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageCms

from util.errors import say
from util.images.exif import upright
from util.images.listing import DEEP_EXTENSIONS
from util.images.opening import ImageError, has_deep_header, is_deep, load_upright, opened
from util.member import Member
from util.present import present

_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.createProfile("LAB")


class Metadata(NamedTuple):
    """What belongs to a photo besides its pixels: ICC profile of its colours, and EXIF without orientation."""

    icc_profile: bytes | None = None
    exif: bytes | None = None


def read_image(path: str | os.PathLike) -> Image.Image:
    """Read a photo as 8-bit RGB whatever its file holds.

    EXIF orientation is applied; 16-bit values are scaled, not cut; CMYK goes through its own ICC profile;
    transparent parts are laid on white; of an animation the first frame counts. `info['icc_profile']` stays
    with RGB photos, whose numbers are not converted, and `info['exif']`, without the orientation, with all.
    `info['dropped']` lists the parts of EXIF that could not be kept.

    Raises:
        ImageError: missing, empty, not an image, truncated, or too many megapixels.
    """
    with opened(path) as image:
        return to_rgb(load_upright(image))


def upright_rgb(image: Image.Image) -> Image.Image:
    """An opened photo of any mode as `read_image` gives it: a copy in 8-bit RGB, its EXIF orientation applied."""
    image.load()
    return to_rgb(upright(image))


def read_pixels(path: str | os.PathLike, channels: int = 3) -> np.ndarray:
    """Read a photo as `[H,W,channels]`, 3 (RGB) or 1 (luma): uint8, or uint16 for files of 16 bits.

    Else as `read_image`; 16-bit photos with transparent parts come as uint8.

    Raises:
        ImageError: as `read_image`.
    """
    with opened(path) as opened_image:
        deep = has_deep_header(opened_image)
        image = load_upright(opened_image)
        if image.mode.startswith("I"):
            pixels = np.asarray(image).clip(0, 65535).astype(np.uint16)[..., None]
        elif image.mode == "RGB" and deep:
            pixels = _deep_colour(path)
        else:
            pixels = np.asarray(to_rgb(image))
    return to_gray(pixels) if channels == 1 else np.broadcast_to(pixels, (*pixels.shape[:2], channels))


def _deep_colour(path: str | os.PathLike) -> np.ndarray:
    """All 16 bits of RGB, of which Pillow keeps the upper 8. OpenCV's imread fails on TIFFs that lie on their side."""
    file = path if isinstance(path, Member) else Path(path)
    content = np.frombuffer(file.read_bytes(), np.uint8)
    decoded = cv2.imdecode(content, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    if decoded is None:
        raise ImageError(f"{path}: can't be decoded with its 16 bits; save it again as PNG")
    return decoded[..., ::-1]


def read_photo(path: str | os.PathLike) -> tuple[np.ndarray, Metadata]:
    """Read a photo as `[H,W,3]` RGB, uint8 or, for PNG and TIFF of 16 bits, uint16, with its metadata.

    Else as `read_image`; prints a line if EXIF could not be kept.

    Raises:
        ImageError: as `read_image`.
    """
    image = read_image(path)
    if "dropped" in image.info:
        say(f"{path}: {image.info['dropped']}")
    metadata = Metadata(image.info.get("icc_profile"), image.info.get("exif"))
    if Path(path).suffix.lower() in DEEP_EXTENSIONS and is_deep(path):
        return read_pixels(path), metadata
    return np.asarray(image), metadata


def to_gray(pixels: np.ndarray) -> np.ndarray:
    """Luma `[H,W,1]` of `pixels` `[H,W,3]` (ITU-R BT.601, as Pillow's `L`), or `[H,W,1]` as they are."""
    if pixels.shape[2] == 1:
        return pixels
    # Shares of 65536.
    weights = np.array([19595, 38470, 7471], dtype=np.uint32)
    return ((pixels.astype(np.uint32) @ weights + 32768) >> 16).astype(pixels.dtype)[..., None]


def upper_byte(pixels: np.ndarray) -> np.ndarray:
    """`pixels` uint8 as they are, uint16 by their upper byte."""
    return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)


def to_8_bit(image: Image.Image) -> Image.Image:
    """Scale 16-bit grayscale ([0,65535]) and floating-point images ([0,1]) to 8 bits; others pass."""
    if image.mode.startswith("I"):
        array = np.asarray(image).astype(np.float64) / 257
    elif image.mode == "F":
        array = np.asarray(image).astype(np.float64) * 255
    else:
        return image
    return Image.fromarray(np.clip(np.nan_to_num(array) + 0.5, 0, 255).astype(np.uint8))


def has_alpha(image: Image.Image) -> bool:
    """True if `image` has an alpha channel or a transparent palette entry or colour."""
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def to_rgb(image: Image.Image) -> Image.Image:
    """A decoded, upright image of any mode as `read_image` gives it."""
    info, image = image.info, to_8_bit(image)
    profile = info.get("icc_profile")
    if has_alpha(image):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image).convert("RGB")
    elif image.mode == "CMYK":
        image, profile = _cmyk_to_srgb(image, profile), None
    elif image.mode == "LAB":
        image, profile = present(ImageCms.profileToProfile(image, _LAB, _SRGB, outputMode="RGB")), None
    elif image.mode != "RGB":
        profile = profile if image.mode == "P" else None
        image = image.convert("RGB")
    kept = {"icc_profile": profile, "exif": info.get("exif"), "dropped": info.get("dropped")}
    image.info = {name: value for name, value in kept.items() if value}
    return image


def _cmyk_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(BytesIO(profile)), _SRGB, outputMode="RGB"
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            # A broken profile: Pillow's plain formula is still better than no photo.
            pass
    return image.convert("RGB")
