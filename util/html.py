"""Pages of pictures: one HTML file that needs nothing but the pictures beside it."""

import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import dominate
from dominate import tags
from dominate.util import raw, text
from PIL import Image
from tqdm import tqdm

from util.files import is_up_to_date, write_text
from util.images import image_size, read_image, write_image

ASSETS = Path(__file__).parent / "assets"
THUMBNAIL_SIDE = 512  # pixels, the longer side; smaller pictures are shown as they are

LARGEST = sys.float_info.max

Figures = dict[str, float]


class dialog(tags.html_tag):  # dominate names its classes as the elements, and lacks this one
    """The HTML element `dialog`."""


@dataclass
class PageRow:
    """One row of a page: pictures by column label, its figures, and the figures of single pictures."""

    name: str
    images: dict[str, str]
    figures: Figures = field(default_factory=dict)
    column_figures: dict[str, Figures] = field(default_factory=dict)
    section: str = ""

    def figure_names(self) -> list[str]:
        """Names of the figures of single pictures, each once."""
        return list(dict.fromkeys(name for figures in self.column_figures.values() for name in figures))

    def sort_values(self) -> Figures:
        """All figures by the name they are sorted by on the page."""
        of_columns = {
            f"{label}: {name}": value
            for label, figures in self.column_figures.items()
            for name, value in figures.items()
        }
        return {**self.figures, **of_columns}


class ResultPage:
    """`folder/index.html`: a row per photo with a before/after slider, its pictures and its figures.

    Works from the disk without a server, wherever the folder is moved. Pictures lie below `folder`, most
    often in `folder/images/`. Those larger than a thumbnail get one in `folder/thumbnails/`.
    """

    def __init__(self, folder: str | os.PathLike, title: str) -> None:
        self.folder = Path(folder)
        self.title = title
        self._photos: list[PageRow] = []
        self._tables: list[tuple[str, Sequence[str], Sequence[Sequence[str]]]] = []

    def add(
        self,
        name: str,
        images: dict[str, str],
        figures: Figures | None = None,
        column_figures: dict[str, Figures] | None = None,
        section: str = "",
    ) -> None:
        """Add a photo.

        Args:
            images: column label -> file relative to the page's folder, any characters in its name. The slider
                starts with the first two columns as before and after.
            figures: figures of the photo, shown under its name.
            column_figures: column label -> figures shown beneath that picture.
            section: heading that the photo stands under, with the others of that section.
        """
        photo = PageRow(name, dict(images), dict(figures or {}), dict(column_figures or {}), section)
        self._photos.append(photo)

    def add_table(self, caption: str, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Put a table above the photos; the first cell of a row is its heading, a line break in a cell stays one.

        A cell may be a link of `link_to_photo` instead of text.
        """
        self._tables.append((caption, list(headers), [list(row) for row in rows]))

    def save(self) -> Path:
        """Write the page, and the thumbnails that are missing or outdated; returns the page's path."""
        files = list(dict.fromkeys(file for photo in self._photos for file in photo.images.values()))
        with ThreadPoolExecutor() as pool:
            jobs = pool.map(lambda file: make_thumbnail(self.folder, file), files)
            shown = dict(tqdm(zip(files, jobs, strict=True), "thumbnails", len(files), leave=False, delay=2))
        path = self.folder / "index.html"
        write_text(path, self._render(shown))
        return path

    def _render(self, shown: dict[str, "Thumbnail"]) -> str:
        columns = list(dict.fromkeys(label for photo in self._photos for label in photo.images))
        document = dominate.document(title=self.title)
        document["lang"] = "en"
        with document.head:
            tags.meta(charset="utf-8")
            tags.meta(name="viewport", content="width=device-width, initial-scale=1")
            # Else browsers ask a server for /favicon.ico.
            tags.link(rel="icon", href="data:,")
            tags.style(raw((ASSETS / "page.css").read_text(encoding="utf-8")))
        with document.body:
            with tags.header():
                tags.h1(self.title)
                for table in self._tables:
                    _table(*table)
                if self._photos:
                    self._controls(columns)
            with tags.main(id="photos"):
                for section in dict.fromkeys(photo.section for photo in self._photos):
                    with tags.section():
                        if section:
                            tags.h2(section)
                        for photo in self._photos:
                            if photo.section == section:
                                _row(photo, columns, shown)
            _viewer()
            tags.script(raw((ASSETS / "page.js").read_text(encoding="utf-8")))
        return document.render(pretty=False)

    def _controls(self, columns: list[str]) -> None:
        sort_names = list(dict.fromkeys(name for photo in self._photos for name in photo.sort_values()))
        with tags.form(id="controls", autocomplete="off"):
            with tags.fieldset():
                tags.legend("Columns")
                for place, column in enumerate(columns):
                    with tags.label():
                        tags.input_(type="checkbox", name="column", value=str(place), checked=True)
                        tags.span(column)
            if len(columns) > 1:
                with tags.fieldset():
                    tags.legend("Slider")
                    _choice("before", "from", columns, 0)
                    _choice("after", "to", columns, 1)
            with tags.fieldset():
                tags.legend("Order")
                _choice("sort", "by", ["as listed", "name", *sort_names], 0)
                with tags.label():
                    tags.input_(type="checkbox", name="descending")
                    tags.span("largest first")
            tags.p(f"{len(self._photos)} photos. Keys: left and right change the photo, Enter enlarges it.")


@dataclass
class Thumbnail:
    """The file to show for a picture, below the page's folder, and its size in pixels."""

    file: str
    width: int
    height: int


def make_thumbnail(folder: Path, file: str) -> Thumbnail:
    """Write `thumbnails/<file>.jpg` for a picture larger than a thumbnail, unless there is a current one.

    Raises:
        ImageError: the picture is missing, or not one.
    """
    source = folder / file
    size = image_size(source)
    if max(size) <= THUMBNAIL_SIDE:
        return Thumbnail(file, *size)
    target = folder / "thumbnails" / f"{file}.jpg"
    if not is_up_to_date(target, source):
        # Upright and of 8 bits, as browsers show the picture itself.
        image = read_image(source)
        image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), reducing_gap=2.0)
        write_image(image, target, quality=85)
    with Image.open(target) as image:
        return Thumbnail(target.relative_to(folder).as_posix(), *image.size)


def link_to_photo(name: str) -> tags.a:
    """A link to the row of the photo `name` on the same page."""
    return tags.a(name, href=f"#{quote(os.fsencode(_anchor(name)))}")


def _anchor(name: str) -> str:
    return f"photo-{name}"


def _row(photo: PageRow, columns: list[str], shown: dict[str, Thumbnail]) -> None:
    # JSON has neither NaN, which sorts last by being left out, nor infinite numbers.
    known = {name: value for name, value in photo.sort_values().items() if not math.isnan(value)}
    values = {name: min(max(value, -LARGEST), LARGEST) for name, value in known.items()}
    with tags.article(
        id=_anchor(photo.name), data_name=photo.name, data_figures=json.dumps(values), tabindex="-1"
    ):
        tags.h3(photo.name)
        _figures(photo.figures)
        names = photo.figure_names()
        # Each picture's cell has these rows of a grid: the picture, its label, its figures.
        with tags.div(cls="pictures", style=f"--rows: {2 + len(names)}"):
            if len(photo.images) > 1:
                _slider_cell(photo, shown, names)
            for label, file in photo.images.items():
                with tags.figure(data_column=str(columns.index(label))):
                    with tags.a(href=quote(os.fsencode(file)), target="_blank"):
                        tags.img(alt=f"{photo.name}, {label}", **_source(shown[file]))
                    with tags.figcaption():
                        _breakable(label)
                    figures = photo.column_figures.get(label, {})
                    for name in names:
                        value = figures.get(name, math.nan)
                        tags.span(_number(value), cls="value", data_name=name)


def _slider_cell(photo: PageRow, shown: dict[str, Thumbnail], names: list[str]) -> None:
    """The cell of the slider: what it compares is said beneath, and what the figures of all pictures mean."""
    (before, after), files = list(photo.images)[:2], list(photo.images.values())[:2]
    with tags.figure(cls="slide"):
        with tags.div(cls="compare"):
            for side, file in zip(("before", "after"), files, strict=True):
                tags.img(cls=side, alt="", **_source(shown[file]))
            _slider(f"before and after, {photo.name}")
        tags.figcaption(f"{before} | {after}")
        for name in names:
            tags.span(name, cls="name")


def _slider(label: str) -> None:
    tags.input_(type="range", min="0", max="100", value="50", step="0.1", aria_label=label)


def _source(picture: Thumbnail) -> dict[str, str]:
    size = {"width": str(picture.width), "height": str(picture.height)}
    return {"src": quote(os.fsencode(picture.file)), "loading": "lazy", "decoding": "async", **size}


def _figures(figures: Figures) -> None:
    if figures:
        with tags.dl():
            for name, value in figures.items():
                with tags.div():
                    tags.dt(name)
                    tags.dd(_number(value))


def _breakable(label: str) -> None:
    """The label as text that may be broken behind its underscores."""
    first, *rest = label.split("_")
    text(first)
    for part in rest:
        text("_")
        tags.wbr()
        text(part)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.3g}"


def _choice(name: str, label: str, values: list[str], chosen: int) -> None:
    with tags.label():
        tags.span(label)
        with tags.select(name=name):
            for place, value in enumerate(values):
                tags.option(value, value=str(place), **({"selected": True} if place == chosen else {}))


def _table(caption: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    tags.p(caption, cls="caption")
    with tags.div(cls="table"), tags.table():
        with tags.thead(), tags.tr():
            for header in headers:
                tags.th(header, scope="col")
        with tags.tbody():
            for first, *cells in rows:
                with tags.tr():
                    tags.th(first, scope="row")
                    for cell in cells:
                        tags.td(cell)


def _viewer() -> None:
    """The enlarged view; page.js fills it."""
    with dialog(id="viewer"):
        with tags.div(cls="compare"):
            tags.img(cls="before", alt="")
            tags.img(cls="after", alt="")
            _slider("before and after")
        with tags.nav():
            tags.button("←", type="button", value="-1", aria_label="previous photo")
            tags.output()
            # The focus is here, and not on the slider.
            tags.button("→", type="button", value="1", aria_label="next photo", autofocus=True)
            tags.button("close", type="button", value="0")
