"""Photos and masks from disk and back, the same for every program. No torch in here: workers stay light."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import tifffile
from PIL import ExifTags, Image, ImageCms, ImageFile, ImageOps, TiffImagePlugin, UnidentifiedImageError

from util.errors import UserError
from util.files import atomic_path

DEEP_EXTENSIONS = frozenset({".png", ".tif", ".tiff"})  # formats that keep 16 bits
IMAGE_EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".tif", ".tiff", ".webp"})

# Pillow refuses above twice its MAX_IMAGE_PIXELS; phones make up to 200 megapixels today.
Image.MAX_IMAGE_PIXELS = 110_000_000

# Where Pillow looks for an orientation.
_HOLD_ORIENTATION = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")

_SRGB = ImageCms.createProfile("sRGB")


class ImageError(UserError):
    """An image file that can't be used; the message names it and says why."""


class TooLargeError(ImageError):
    """More pixels than any camera makes: a decompression bomb. To fetch the file again doesn't help."""


def is_image(path: str | os.PathLike) -> bool:
    """True for a name that ends like an image and does not start with a dot (unfinished or hidden files)."""
    name = os.path.basename(path)  # noqa: PTH119 - folders of 100,000 files: much faster than pathlib
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGE_EXTENSIONS  # noqa: PTH122


def list_images(folder: str | os.PathLike) -> list[Path]:
    """All images below `folder`, sorted by path; links are followed, hidden files and folders are not listed.

    Raises:
        UserError: `folder` is not a folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    found: list[str] = []
    for root, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [f"{root}{os.sep}{name}" for name in names if is_image(name)]
    return [Path(path) for path in sorted(found)]


@contextmanager
def _opened(path: str | os.PathLike) -> Iterator[ImageFile.ImageFile]:
    """Open `path`, header only; what goes wrong in the block by the file's fault becomes an `ImageError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            # Given the name, Pillow maps uncompressed gray TIFFs, and garbles those with an orientation.
            with open(path, "rb") as file, Image.open(file) as image:  # noqa: PTH123 - path may be a string
                _refuse_deep_planes(path, image)
                yield image
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        empty = Path(path).stat().st_size == 0
        raise ImageError(f"{path}: {'the file is empty' if empty else 'not an image'}; remove it") from None
    except Image.DecompressionBombError:
        raise TooLargeError(
            f"{path}: more than {2 * Image.MAX_IMAGE_PIXELS // 10**6} megapixels; scale it down"
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, ArithmeticError) as error:
        raise ImageError(f"{path}: can't be decoded ({error}); remove it or fetch it again") from None


def _refuse_deep_planes(path: str | os.PathLike, image: ImageFile.ImageFile) -> None:
    """Pillow and OpenCV read TIFFs of 16 bits whose channels lie one after the other as noise, without a word."""
    tags = getattr(image, "tag_v2", {})
    if tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2 and max(tags[TiffImagePlugin.BITSPERSAMPLE]) > 8:
        raise ImageError(f"{path}: a TIFF of 16 bits with separate planes; save it again as PNG")


def _open(path: str | os.PathLike) -> Image.Image:
    """Decode the first frame of `path`, turned upright by its EXIF orientation; any Pillow mode."""
    with _opened(path) as image:
        image.load()
        return ImageOps.exif_transpose(image)


def image_size(path: str | os.PathLike, decode: bool = False) -> tuple[int, int]:
    """Upright size (width, height) of a photo, from its header, in well under a millisecond.

    A PNG may hold its EXIF orientation behind the pixels; that one is seen with `decode` only.

    Raises:
        ImageError: as `read_image`, as far as the header shows it.
    """
    if decode:
        return _open(path).size
    with _opened(path) as image:
        # Of a TIFF, Pillow tells the upright size. Asked for the orientation of a PNG that has none in its
        # header, it decodes the whole of it.
        told = image.format != "TIFF" and not image.info.keys().isdisjoint(_HOLD_ORIENTATION)
        turned = told and image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
        return image.size[::-1] if turned else image.size


def is_cut_short(path: str | os.PathLike) -> bool:
    """True if `path` does not end as a whole JPEG or PNG does, from its last bytes.

    Decode the file to be sure: some cameras write on behind the end, and formats without an end mark are
    always taken to be cut short. A missing file is not.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - path may be a string
            start = file.read(3)
            file.seek(max(0, file.seek(0, os.SEEK_END) - 64))
            end = file.read().rstrip(b"\0\r\n ")
    except OSError:
        return False
    if start == b"\xff\xd8\xff":
        return not end.endswith(b"\xff\xd9")
    return not (start == b"\x89PN" and end.endswith(b"IEND\xaeB`\x82"))


def _to_8_bit(image: Image.Image) -> Image.Image:
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


def read_image(path: str | os.PathLike) -> Image.Image:
    """Read a photo as 8-bit RGB whatever its file holds.

    EXIF orientation is applied; 16-bit values are scaled, not cut; CMYK goes through its own ICC profile;
    transparent parts are laid on white; of an animation the first frame counts. `info['icc_profile']` stays
    with RGB photos, whose numbers are not converted, and `info['exif']`, without the orientation, with all.

    Raises:
        ImageError: missing, empty, not an image, truncated, or too many megapixels.
    """
    return _to_rgb(_open(path))


def upright_rgb(image: Image.Image) -> Image.Image:
    """An opened photo of any mode as `read_image` gives it: a copy in 8-bit RGB, its EXIF orientation applied."""
    return _to_rgb(ImageOps.exif_transpose(image))


def _to_rgb(image: Image.Image) -> Image.Image:
    image = _to_8_bit(image)
    profile = image.info.get("icc_profile")
    exif = image.info.get("exif")
    if has_alpha(image):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image).convert("RGB")
    elif image.mode == "CMYK":
        image, profile = _cmyk_to_srgb(image, profile), None
    elif image.mode != "RGB":
        profile = profile if image.mode == "P" else None
        image = image.convert("RGB")
    kept = {"icc_profile": profile, "exif": exif}
    image.info = {name: value for name, value in kept.items() if value}
    return image


def read_pixels(path: str | os.PathLike, channels: int = 3) -> np.ndarray:
    """Read a photo as `[H,W,channels]`, 3 (RGB) or 1 (luma): uint8, or uint16 for files of 16 bits.

    Else as `read_image`; 16-bit photos with transparent parts come as uint8.

    Raises:
        ImageError: as `read_image`.
    """
    image = _open(path)
    if image.mode.startswith("I"):
        pixels = np.asarray(image).clip(0, 65535).astype(np.uint16)[..., None]
    elif image.mode == "RGB" and _is_deep(path):
        # Pillow keeps the upper 8 bits of colour only; OpenCV keeps all, as BGR. Its imread fails on TIFFs that lie
        # on their side, its imdecode does not.
        content = np.frombuffer(Path(path).read_bytes(), np.uint8)
        decoded = cv2.imdecode(content, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
        if decoded is None:
            raise ImageError(f"{path}: can't be decoded with its 16 bits; save it again as PNG")
        pixels = decoded[..., ::-1]
    else:
        pixels = np.asarray(_to_rgb(image))
    return to_gray(pixels) if channels == 1 else np.broadcast_to(pixels, (*pixels.shape[:2], channels))


class Metadata(NamedTuple):
    """What belongs to a photo besides its pixels: ICC profile of its colours, and EXIF without orientation."""

    icc_profile: bytes | None = None
    exif: bytes | None = None


def read_photo(path: str | os.PathLike) -> tuple[np.ndarray, Metadata]:
    """Read a photo as `[H,W,3]` RGB, uint8 or, for PNG and TIFF of 16 bits, uint16, with its metadata.

    Else as `read_image`.

    Raises:
        ImageError: as `read_image`.
    """
    image = read_image(path)
    metadata = Metadata(image.info.get("icc_profile"), image.info.get("exif"))
    if Path(path).suffix.lower() in DEEP_EXTENSIONS and _is_deep(path):
        return read_pixels(path), metadata
    return np.asarray(image), metadata


def to_gray(pixels: np.ndarray) -> np.ndarray:
    """Luma `[H,W,1]` of `pixels` `[H,W,3]` (ITU-R BT.601, as Pillow's `L`), or `[H,W,1]` as they are."""
    if pixels.shape[2] == 1:
        return pixels
    weights = np.array([19595, 38470, 7471], dtype=np.uint32)  # of 65536
    return ((pixels.astype(np.uint32) @ weights + 32768) >> 16).astype(pixels.dtype)[..., None]


def _is_deep(path: str | os.PathLike) -> bool:
    """Whether the file has 16 bits a channel, by its header."""
    with _opened(path) as image:
        return image.mode.startswith("I") or any(";16" in str(tile.args) for tile in image.tile)


def _cmyk_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(BytesIO(profile)), _SRGB, outputMode="RGB"
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile: Pillow's plain formula is still better than no photo
    return image.convert("RGB")


def read_mask(path: str | os.PathLike) -> Image.Image:
    """Read a subject mask as 8-bit grayscale, 255 = subject, soft edges kept.

    Two forms are known: a single-channel image, and a cut-out whose alpha channel is the mask.

    Raises:
        ImageError: as `read_image`.
    """
    image = _to_8_bit(_open(path))
    if has_alpha(image):
        return image.convert("RGBA").getchannel("A")
    return image.convert("L")


def write_image(image: Image.Image, path: str | os.PathLike, **options: Any) -> None:
    """Save `image` at `path` atomically, in the format of its suffix; JPEG and WebP at quality 95 by default.

    Raises:
        UserError: an unknown suffix, a full disk, a folder that can't be written.
    """
    path = Path(path)
    if path.suffix.lower() not in IMAGE_EXTENSIONS:
        raise UserError(
            f"{path}: can't write images of this kind; use one of {' '.join(sorted(IMAGE_EXTENSIONS))}"
        )
    if path.suffix.lower() in (".jpg", ".jpeg", ".webp"):
        options = {"quality": 95, **options}
    if path.suffix.lower() in (".jpg", ".jpeg"):
        options = {"subsampling": 0, **options}
    with atomic_path(path) as temporary:
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


def find_by_stem(folder: str | os.PathLike) -> dict[str, Path]:
    """Map each image's stem in `folder` (not below it) to its path; PNG wins where a stem occurs twice."""
    found: dict[str, Path] = {}
    for name in sorted(filter(is_image, os.listdir(folder))):  # noqa: PTH208 - much faster than pathlib
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        if stem not in found or suffix.lower() == ".png":
            found[stem] = Path(folder, name)
    return found
