"""Sizes of plain JPEGs, in a tenth of the time that Pillow takes to open one: for folders of 100,000."""

import os

from PIL import Image

# JPEG markers (ITU-T T.81, table B.1): frames of 8 bits that every reader knows, and segments that say nothing of
# the size. An APP1 may hold an orientation, in EXIF or XMP.
FRAMES = frozenset({0xC0, 0xC1, 0xC2})
OTHERS = frozenset({0xC4, 0xDB, 0xDD, 0xE0, *range(0xE2, 0xF0), 0xFE})

# The frame's header comes behind colour profiles and thumbnails; where it is not in here, Pillow looks.
HEAD = 1 << 16
TAIL = 64


def plain_jpeg_size(path: str | os.PathLike) -> tuple[int, int] | None:
    """Size (width, height) of a JPEG that has no orientation and ends as a whole one does; None for all others."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - much faster than pathlib
            head = tail = file.read(HEAD)
            if len(head) == HEAD:
                file.seek(-TAIL, os.SEEK_END)
                tail = file.read(TAIL)
    except OSError:
        return None
    if not head.startswith(b"\xff\xd8\xff") or not tail.rstrip(b"\0\r\n ").endswith(b"\xff\xd9"):
        return None
    place = 2
    while place + 10 <= len(head) and head[place] == 0xFF:
        marker, length = head[place + 1], int.from_bytes(head[place + 2 : place + 4], "big")
        if marker in FRAMES:
            height = int.from_bytes(head[place + 5 : place + 7], "big")
            width = int.from_bytes(head[place + 7 : place + 9], "big")
            plain = head[place + 4] == 8 and head[place + 9] in (1, 3)
            usual = 0 < width * height <= (Image.MAX_IMAGE_PIXELS or 0)
            return (width, height) if plain and usual else None
        if marker not in OTHERS:
            return None
        place += 2 + length
    return None
