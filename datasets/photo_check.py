"""What is to be known of a photo before it is kept: can it be read, how large is it, have we seen it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
from PIL import Image

from util.files import stamp
from util.images import ImageError, read_image


@dataclass(frozen=True, slots=True)
class Examined:
    """A photo's file, examined."""

    path: Path
    sha256: str
    bytes: int
    width: int = 0  # as one sees it, EXIF orientation applied
    height: int = 0
    phash: int = 0  # 64 bits
    error: str = ""  # why it can't be read


def examine(path: Path) -> Examined:
    """Read one photo; errors are among the facts."""
    try:
        content = path.read_bytes()
    except OSError as error:  # a link that leads nowhere, a file of somebody else
        return Examined(path, "", 0, error=f"{path}: can't be read ({error.strerror})")
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        image = read_image(path)
    except ImageError as error:
        return Examined(path, sha256, len(content), error=str(error))
    small = image.resize((128, 128), Image.Resampling.BILINEAR, reducing_gap=2.0)  # phash takes 32 x 32 of it
    phash = int(str(imagehash.phash(small)), 16)
    return Examined(path, sha256, len(content), *image.size, phash)


def find_duplicates(photos: Iterable[Examined], max_distance: int) -> dict[Path, Path]:
    """Map each duplicate to the photo that is kept in its place: the one with most pixels, then bytes.

    Duplicates have the same bytes, or perceptual hashes at most `max_distance` bits apart (of 64). Measured
    on portraits: another JPEG quality, size or brightness moves 0 to 6 bits, different people 18 or more.
    """
    best_first = sorted(photos, key=lambda p: (-p.width * p.height, -p.bytes, str(p.path)))
    kept: list[Examined] = []
    by_sha256: dict[str, Path] = {}
    hashes = np.empty(len(best_first), dtype=np.uint64)
    duplicates = {}
    for photo in best_first:
        original = by_sha256.get(photo.sha256)
        if original is None and kept:
            distances = np.bitwise_count(hashes[: len(kept)] ^ np.uint64(photo.phash))
            nearest = int(distances.argmin())
            original = kept[nearest].path if distances[nearest] <= max_distance else None
        if original is not None:
            duplicates[photo.path] = original
            continue
        hashes[len(kept)] = photo.phash
        by_sha256[photo.sha256] = photo.path
        kept.append(photo)
    return duplicates


class Notebook:
    """What earlier runs found out and wrote, in a file that grows by a line at a time.

    A note on a file counts as long as the file's time and size stay as they were.
    """

    def __init__(self, path: Path) -> None:
        self._notes: dict[tuple[str, str], tuple[list[int], Any]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    kind, name, then, value = json.loads(line)
                except ValueError:
                    continue  # the last line of a run that was killed
                self._notes[kind, name] = (then, value)
            if path.read_bytes()[-1:] not in (b"\n", b""):
                with path.open("a") as file:
                    file.write("\n")
        self._path = path

    def read(self, kind: str, name: str, source: Path) -> Any:
        """The note of that kind and name, if it was taken of `source` as it is now, else None."""
        then, value = self._notes.get((kind, name), (None, None))
        return value if then == stamp(source) else None

    def write(self, kind: str, name: str, source: Path, value: Any) -> None:
        """Take a note."""
        note = stamp(source), value
        self._notes[kind, name] = note
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([kind, name, *note]) + "\n")

    def names(self, kind: str) -> list[str]:
        """The names under which notes of one kind were taken."""
        return [name for a_kind, name in self._notes if a_kind == kind]


def facts_to_note(facts: Examined) -> dict[str, Any]:
    """JSON form of `facts`, less the path."""
    note = asdict(facts)
    del note["path"]
    return note


def facts_from_note(path: Path, note: dict[str, Any]) -> Examined:
    """The inverse of `facts_to_note`."""
    return Examined(path, **note)
