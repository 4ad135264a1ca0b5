"""EXIF that does not fit: cameras and editors write types, offsets and lengths that no standard knows."""

from PIL import ExifTags, Image

# Where Pillow looks for an orientation.
HOLD_ORIENTATION = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")

# How to turn the pixels of an orientation (EXIF 2.32, tag 0x0112) upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(image: Image.Image) -> int:
    """Of an opened image, 1 to 8; 1 where there is none, or something else than such a number."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        # Pillow raises half a dozen kinds for blocks that are broken.
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(image: Image.Image) -> Image.Image:
    """A decoded image, turned as its orientation says, which is then gone from `info['exif']`.

    Parts of EXIF that can't be read or written again are left out, and `info['dropped']` says so.
    """
    turn = TURNS.get(orientation(image))
    turned = image.transpose(turn) if turn is not None else image.copy()
    if "exif" in turned.info:
        _renew(turned)
    return turned


def _renew(image: Image.Image) -> None:
    """Take the orientation out of the EXIF of an upright copy."""
    try:
        exif = image.getexif()
        value = exif.get(ExifTags.Base.Orientation, 1)
        if isinstance(value, int) and value == 1:
            return
        del exif[ExifTags.Base.Orientation]
        lost = _drop_unwritable(exif, image.info["exif"])
        image.info["exif"] = exif.tobytes()
    except Exception as error:
        # Of all kinds, as above.
        del image.info["exif"]
        image.info["dropped"] = f"its EXIF is left out, it can't be read ({error or type(error).__name__})"
        return
    if lost:
        names = ", ".join(ExifTags.TAGS.get(tag, hex(tag)) for tag in lost)
        image.info["dropped"] = f"left out of its EXIF, since it can't be written again: {names}"


def _drop_unwritable(exif: Image.Exif, content: bytes) -> list[int]:
    """Take out of `exif`, read from `content`, the tags that can't be written; returns them."""
    if _can_write(exif):
        return []
    lost = []
    for tag in list(exif):
        alone = Image.Exif()
        alone.load(content)
        for other in set(alone) - {tag}:
            del alone[other]
        if not _can_write(alone):
            del exif[tag]
            lost.append(tag)
    return lost


def _can_write(exif: Image.Exif) -> bool:
    try:
        exif.tobytes()
    except Exception:
        return False
    return True
