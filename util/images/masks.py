"""Subject masks from the forms that programs write them in."""

import os
from typing import Any

import numpy as np
from PIL import Image

from util.images.opening import ImageError, load_upright, opened
from util.images.photos import has_alpha, to_8_bit

__all__ = ["has_alpha", "read_mask"]

Colour = tuple[int, int, int]

PERSON: Colour = (192, 128, 128)  # of PASCAL VOC's classes
VOID = (224, 224, 192)  # the band around objects in PASCAL VOC, which belongs to no class

# Values of a pixel's channels that differ by no more are gray, put into colour and perhaps compressed.
NEARLY_GRAY = 16


def _pascal_palette() -> frozenset[Colour]:
    """The colours of PASCAL VOC's 21 classes and its void: the bits of a class's number, spread over r, g and b."""
    colours = {VOID}
    for number in range(21):
        bits = [number >> bit & 1 for bit in range(5)]
        red, green, blue = (
            bits[channel] * 128 | (bits[channel + 3 :] or [0])[0] * 64 for channel in range(3)
        )
        colours.add((red, green, blue))
    return frozenset(colours)


PASCAL = _pascal_palette()


def read_mask(path: str | os.PathLike) -> Image.Image:
    """Read a subject mask as 8-bit grayscale, 255 = subject, soft edges kept.

    These forms are known: a cut-out whose alpha channel is the mask, a gray image in any mode (an alpha channel that
    is opaque everywhere says nothing), an image of exactly two colours, of which the brighter is the subject, and
    PASCAL VOC's colours, of which persons are the subject.

    Raises:
        ImageError: as `read_image`, and for a picture in other colours.
    """
    with opened(path) as image:
        mask = _mask_of(to_8_bit(load_upright(image)))
    if mask is None:
        raise ImageError(
            f"{path}: a picture in colours, not a mask; masks are gray with 255 for the subject, of two colours, in "
            "PASCAL's colours, or cut-outs with an alpha channel"
        )
    return mask


def _mask_of(image: Image.Image) -> Image.Image | None:
    """The mask that a decoded image holds; None if none can be told."""
    if image.mode in ("L", "1") and not has_alpha(image):
        return image.convert("L")
    if has_alpha(image):
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        if np.asarray(alpha).min() < 255:
            return alpha
    image = image.convert("RGB")
    pixels = np.asarray(image)
    if (np.ptp(pixels, axis=2) <= NEARLY_GRAY).all():
        return image.convert("L")
    colours = image.getcolors(maxcolors=len(PASCAL))
    found: set[Any] = {colour for _, colour in colours} if colours else set()
    subject: Colour
    if found and found <= PASCAL and (PERSON in found or len(found) > 2):
        subject = PERSON
    elif len(found) == 2:
        subject = max(found, key=_brightness)
    else:
        return None
    return Image.fromarray((pixels == np.array(subject)).all(axis=2).astype(np.uint8) * 255)


def _brightness(colour: Colour) -> int:
    """Luma of a colour, in thousandths (ITU-R BT.601)."""
    return 299 * colour[0] + 587 * colour[1] + 114 * colour[2]
