"""Lists of photos to download, and the manifest of those that are there."""

import csv
import hashlib
import io
import json
import re
import threading
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from util.errors import UserError
from util.files import sha256_of, write_text


@dataclass(frozen=True)
class WebPhoto:
    """A photo on the web and what is known of it."""

    id: str
    url: str
    owner: str = ""
    licence: str = ""
    camera: str = ""
    title: str = ""


FIELDS = [field.name for field in fields(WebPhoto)]


def write_links(path: Path, photos: list[WebPhoto], query: dict[str, Any] | None) -> None:
    """Save a list of links as CSV below a comment that holds the query it answers."""
    text = io.StringIO()
    text.write(f"# {json.dumps(query)}\n")
    writer = csv.DictWriter(text, FIELDS)
    writer.writeheader()
    writer.writerows(asdict(photo) for photo in photos)
    write_text(path, text.getvalue())


def read_links(path: Path) -> tuple[list[WebPhoto], dict[str, object] | None]:
    """The photos of a list, each address once, and the query it answers, if it tells.

    Two forms are known: CSV as `write_links` makes it, and plain addresses one a line.

    Raises:
        UserError: the file is missing or neither.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--links {path}: can't be read ({error})") from None
    query = None
    if text.startswith("# {"):
        first, _, text = text.partition("\n")
        try:
            query = json.loads(first[2:])
        except json.JSONDecodeError:
            raise UserError(f"--links {path}: its first line is damaged; delete it to search again") from None
    if text.startswith("id,"):
        rows = csv.DictReader(io.StringIO(text))
        photos = [WebPhoto(**{name: row.get(name) or "" for name in FIELDS}) for row in rows]
    else:
        lines = (line.strip() for line in text.splitlines())
        photos = [WebPhoto("", line) for line in lines if line and not line.startswith("#")]
    wrong = [photo.url for photo in photos if not _is_address(photo.url)]
    if wrong:
        raise UserError(
            f"--links {path}: {wrong[0]!r} is no address; each line holds one, or a CSV has a url"
        )
    photos = [photo if photo.id else replace(photo, id=_name_in(photo.url)) for photo in photos]
    return list({photo.url: photo for photo in photos}.values()), query


def _is_address(url: str) -> bool:
    try:
        host, _ = urlsplit(url).hostname, urlsplit(url).port  # ValueError for brackets or a port gone wrong
    except ValueError:
        return False
    return bool(host and re.match(r"https?://[^\s/]+(/|$)", url))


def _name_in(url: str) -> str:
    """The file's name in `url` without its suffix."""
    return PurePosixPath(unquote(urlsplit(url).path)).stem


def file_names(photos: list[WebPhoto], prefix: str) -> list[str]:
    """A file name for each photo: `prefix`, its id, the suffix of its address; each once."""
    names: dict[str, None] = {}
    for photo in photos:
        stem = prefix + re.sub(r"[^A-Za-z0-9_-]", "_", photo.id)
        suffix = PurePosixPath(urlsplit(photo.url).path).suffix.lower()
        suffix = suffix if re.fullmatch(r"\.(jpe?g|png|webp|tiff?|bmp)", suffix) else ".jpg"
        if stem + suffix in names:  # other addresses with one id, from lists made by hand
            stem += "-" + hashlib.sha256(photo.url.encode()).hexdigest()[:8]
        names[stem + suffix] = None
    return list(names)


class Manifest:
    """`manifest.csv`: a row for each photo in its folder, written as soon as the photo is there.

    A row that a crash cut short is dropped when the file is read next. Threads may add rows.
    """

    COLUMNS = ("file", *FIELDS, "sha256")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._rows: dict[str, dict[str, str]] = {}
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                rows = [row for row in csv.DictReader(file) if len(row.get("sha256") or "") == 64]
            self._rows = {row["file"]: row for row in rows}
        text = io.StringIO()
        writer = csv.DictWriter(text, self.COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(self._rows.values())
        write_text(path, text.getvalue())

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def add(self, path: Path, photo: WebPhoto) -> None:
        """Write the row of `photo`, which lies at `path`."""
        row = {"file": path.name, **asdict(photo), "sha256": sha256_of(path)}
        text = io.StringIO()
        csv.DictWriter(text, self.COLUMNS).writerow(row)
        with self._lock, self._path.open("a", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())
            self._rows[path.name] = row
