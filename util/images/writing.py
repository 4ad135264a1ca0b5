"""Images to disk, whole or not at all."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from util.errors import UserError, say
from util.files import atomic_path
from util.images.listing import DEEP_EXTENSIONS, IMAGE_EXTENSIONS, JPEG_EXTENSIONS, READ_ONLY
from util.images.photos import Metadata

WRITABLE_EXTENSIONS = IMAGE_EXTENSIONS - READ_ONLY


def write_image(image: Image.Image, path: str | os.PathLike, **options: Any) -> None:
    """Save `image` at `path` atomically, in the format of its suffix; JPEG and WebP at quality 95 by default.

    `exif` and `icc_profile` that the format can't hold are left out, with a line that says so.

    Raises:
        UserError: an unknown suffix, a full disk, a folder that can't be written.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITABLE_EXTENSIONS:
        raise UserError(
            f"{path}: can't write images of this kind; use one of {' '.join(sorted(WRITABLE_EXTENSIONS))}"
        )
    if path.suffix.lower() in JPEG_EXTENSIONS | {".webp"}:
        options = {"quality": 95, **options}
    if path.suffix.lower() in JPEG_EXTENSIONS:
        options = {"subsampling": 0, **options}
    with atomic_path(path) as temporary:
        _save(image, temporary, path, options)


def _save(image: Image.Image, temporary: Path, path: Path, options: dict[str, Any]) -> None:
    """Save at `temporary`, without the metadata that the format of `path` refuses."""
    for name, title in (("exif", "EXIF"), ("icc_profile", "colour profile")):
        if name not in options:
            continue
        try:
            image.save(temporary, **options)
        except OSError as error:
            if error.errno:
                # Of the disk.
                raise
        except Exception as error:
            # Too long, or types that don't fit: Pillow raises half a dozen kinds.
            say(f"{path}: its {title} can't be written ({error}); left out")
        else:
            return
        options = {key: value for key, value in options.items() if key != name}
    image.save(temporary, **options)


def write_pixels(pixels: np.ndarray, path: str | os.PathLike, metadata: Metadata | None = None) -> None:
    """Save `pixels` `[H,W,3]` (RGB) or `[H,W,1]`, uint8 or uint16, at `path` atomically, with their depth.

    The ICC profile of `metadata` describes RGB and is left out of grayscale files, EXIF out of 16-bit TIFFs.

    Raises:
        UserError: as `write_image`; 16 bits for a format other than PNG and TIFF.
    """
    path = Path(path)
    profile, exif = metadata or Metadata()
    gray = pixels.shape[2] == 1
    profile = None if gray else profile
    if pixels.dtype == np.uint8:
        kept = {name: value for name, value in (("icc_profile", profile), ("exif", exif)) if value}
        write_image(Image.fromarray(pixels[..., 0] if gray else pixels), path, **kept)
        return
    if path.suffix.lower() not in DEEP_EXTENSIONS:
        raise UserError(f"{path}: 16 bits can be kept in .png and .tif only")
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".png":
            _write_deep_png(pixels, temporary, profile, exif)
        else:
            # Here and not above: a tenth of a second, which hardly anybody needs.
            import tifffile

            colour = "minisblack" if gray else "rgb"
            squeezed = pixels[..., 0] if gray else pixels
            tifffile.imwrite(temporary, squeezed, photometric=colour, compression="zlib", iccprofile=profile)


def _write_deep_png(pixels: np.ndarray, path: Path, profile: bytes | None, exif: bytes | None) -> None:
    """Write uint16 `pixels`: Pillow has no 16-bit colour. EXIF goes in without the marker that JPEG puts before it."""
    kinds = {
        cv2.IMAGE_METADATA_ICCP: profile,
        cv2.IMAGE_METADATA_EXIF: (exif or b"").removeprefix(b"Exif\0\0"),
    }
    given = {kind: np.frombuffer(value, np.uint8) for kind, value in kinds.items() if value}
    cv2.imwriteWithMetadata(os.fspath(path), pixels[..., ::-1], list(given), list(given.values()))
