"""Image files opened, with one kind of error for everything that can be wrong with them."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO

import pillow_heif
from PIL import Image, ImageFile, PngImagePlugin, TiffImagePlugin, UnidentifiedImageError

import util.images.exif as exif
from util.errors import UserError
from util.member import Member
from util.present import present

# Pillow refuses above twice its MAX_IMAGE_PIXELS; phones make up to 200 megapixels today.
Image.MAX_IMAGE_PIXELS = 110_000_000

# Texts and colour profiles in a PNG: editors write XMP of some MB, Pillow takes more than 1 MB for an attack.
PngImagePlugin.MAX_TEXT_CHUNK = 64 * 2**20
PngImagePlugin.MAX_TEXT_MEMORY = 256 * 2**20

pillow_heif.register_heif_opener()


class ImageError(UserError):
    """An image file that can't be used; the message names it and says why."""


class TooLargeError(ImageError):
    """More pixels than any camera makes: a decompression bomb. To fetch the file again doesn't help."""


@contextmanager
def opened(path: str | os.PathLike) -> Iterator[ImageFile.ImageFile]:
    """Open `path`, header only; what goes wrong in the block by the file's fault becomes an `ImageError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Given the name, Pillow maps uncompressed gray TIFFs, and garbles those with an orientation.
            with _binary(path) as file, Image.open(file) as image:
                _refuse_deep_planes(path, image)
                yield image
    except UserError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        empty = not isinstance(path, Member) and Path(path).stat().st_size == 0
        raise ImageError(f"{path}: {'the file is empty' if empty else 'not an image'}; remove it") from None
    except Image.DecompressionBombError:
        raise TooLargeError(
            f"{path}: more than {2 * present(Image.MAX_IMAGE_PIXELS) // 10**6} megapixels; scale it down"
        ) from None
    except Exception as error:
        # Pillow's readers raise a dozen kinds for files that are broken.
        if isinstance(error, OSError) and error.errno:
            # Of the disk: the file may be good.
            raise ImageError(f"{path}: can't be read ({error.strerror})") from None
        reason = error or type(error).__name__
        raise ImageError(f"{path}: can't be decoded ({reason}); remove it or fetch it again") from None


def _binary(path: str | os.PathLike) -> IO[bytes]:
    if isinstance(path, Member):
        return BytesIO(path.read_bytes())
    return open(path, "rb")  # noqa: PTH123 - path may be a string


def load_upright(image: ImageFile.ImageFile) -> Image.Image:
    """Decode the first frame of an opened file, turned upright; any Pillow mode."""
    image.load()
    return exif.upright(image)


def image_size(path: str | os.PathLike, decode: bool = False) -> tuple[int, int]:
    """Upright size (width, height) of a photo, from its header, in well under a millisecond.

    A PNG may hold its EXIF orientation behind the pixels; that one is seen with `decode` only.

    Raises:
        ImageError: as `read_image`, as far as the header shows it.
    """
    with opened(path) as image:
        if decode:
            return load_upright(image).size
        # Of a TIFF, Pillow tells the upright size. Asked for the orientation of a PNG that has none in its
        # header, it decodes the whole of it.
        told = image.format != "TIFF" and not image.info.keys().isdisjoint(exif.HOLD_ORIENTATION)
        return image.size[::-1] if told and exif.orientation(image) >= 5 else image.size


def is_deep(path: str | os.PathLike) -> bool:
    """Whether the file has 16 bits a channel, by its header."""
    with opened(path) as image:
        return has_deep_header(image)


def has_deep_header(image: ImageFile.ImageFile) -> bool:
    """Whether an opened file, not decoded yet, has 16 bits a channel."""
    return image.mode.startswith("I") or any(";16" in str(tile.args) for tile in image.tile)


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


def _refuse_deep_planes(path: str | os.PathLike, image: ImageFile.ImageFile) -> None:
    """Pillow and OpenCV read TIFFs of 16 bits whose channels lie one after the other as noise, without a word."""
    tags = getattr(image, "tag_v2", {})
    if tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2 and max(tags[TiffImagePlugin.BITSPERSAMPLE]) > 8:
        raise ImageError(f"{path}: a TIFF of 16 bits with separate planes; save it again as PNG")
