"""Many pictures on one: contact sheets with captions."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

CAPTION_HEIGHT = 24  # pixels
GAP = 4
SMALLEST_CELL = 96  # holds a caption
FONT_SIZE = 15


def contact_sheet(
    pictures: Sequence[Image.Image], columns: int, captions: Sequence[str] = (), cell: int = 256
) -> Image.Image:
    """Pictures in rows from left to right on white, each fitted into `cell` pixels and never enlarged.

    Where all pictures are smaller than `cell`, the cells are too, as far as captions allow.

    Args:
        columns: pictures in a row.
        captions: one above each picture; where fewer are given, the others have none, and rows without any
            take no room for them.
    """
    columns = min(columns, len(pictures))
    cell = min(cell, max(SMALLEST_CELL, *(max(picture.size) for picture in pictures)))
    rows = -(-len(pictures) // columns)
    captioned_rows = -(-len(captions) // columns)
    height = rows * (cell + GAP) - GAP + captioned_rows * CAPTION_HEIGHT
    sheet = Image.new("RGB", (columns * (cell + GAP) - GAP, height), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=FONT_SIZE)
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        top = row * (cell + GAP) + min(row + 1, captioned_rows) * CAPTION_HEIGHT
        center = column * (cell + GAP) + cell // 2
        if place < len(captions):
            draw.text((center, top - CAPTION_HEIGHT // 2), captions[place], "black", font, "mm")
        fitted = picture.convert("RGB")
        fitted.thumbnail((cell, cell), Image.Resampling.LANCZOS)
        sheet.paste(fitted, (center - fitted.width // 2, top + (cell - fitted.height) // 2))
    return sheet
