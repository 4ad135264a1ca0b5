"""Which files are images, by their names, and where they are."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from util.errors import UserError

JPEG_EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
DEEP_EXTENSIONS = frozenset({".png", ".tif", ".tiff"})  # formats that keep 16 bits
HEIF_EXTENSIONS = frozenset({".heic", ".heif", ".hif"})  # of phones and cameras
AVIF_EXTENSIONS = frozenset({".avif"})
IMAGE_EXTENSIONS = (
    JPEG_EXTENSIONS | DEEP_EXTENSIONS | HEIF_EXTENSIONS | AVIF_EXTENSIONS | {".ppm", ".bmp", ".webp"}
)

_ENDINGS = tuple(IMAGE_EXTENSIONS)

# Their encoders are slow, or miss from many installations.
READ_ONLY = HEIF_EXTENSIONS | AVIF_EXTENSIONS
NOT_IN_BROWSERS = HEIF_EXTENSIONS | {".tif", ".tiff", ".ppm"}


def is_image(path: str | os.PathLike) -> bool:
    """True for a name that ends like an image and does not start with a dot (unfinished or hidden files)."""
    return _is_image(os.path.basename(path))  # noqa: PTH119


def _is_image(name: str) -> bool:
    return name.lower().endswith(_ENDINGS) and not name.startswith(".")


def writable(path: Path) -> Path:
    """The name of a result for a photo of that name: HEIC, HEIF and AVIF become .jpg, all others stay."""
    return path.with_suffix(".jpg") if path.suffix.lower() in READ_ONLY else path


def find_images(folder: str | os.PathLike) -> tuple[list[Path], list[Path]]:
    """All images below `folder` and all other files, each sorted by path.

    Hidden files and folders are not listed. Links are followed, to each folder once: not to one that has been seen,
    nor to one that `folder` itself lies in.

    Raises:
        UserError: `folder` is not a folder, or one inside can't be listed.
    """
    if not os.path.isdir(folder):  # noqa: PTH112
        raise UserError(f"{folder}: no such folder")
    images: list[str] = []
    others: list[str] = []
    for path in _files(os.fspath(folder)):
        (images if is_image(path) else others).append(path)
    return [Path(path) for path in sorted(images)], [Path(path) for path in sorted(others)]


def list_images(folder: str | os.PathLike) -> list[Path]:
    """All images below `folder`, as `find_images`."""
    return find_images(folder)[0]


def image_names(folder: str | os.PathLike) -> list[str]:
    """All images below `folder`, as `find_images`, by their names relative to it: little to keep for many."""
    skipped = len(os.path.join(os.fspath(folder), ""))  # noqa: PTH118
    names = (path[skipped:] for path in _files(os.fspath(folder)))
    return sorted(name for name in names if _is_image(name.rpartition(os.sep)[2]))


def _files(top: str) -> Iterator[str]:
    """All files below `top` that are not hidden. Links to folders come last, so that real paths are preferred."""
    root = os.path.realpath(top)
    seen: set[str] = set()
    folders, links = [top], list[str]()
    while folders or links:
        here = folders.pop() if folders else links.pop(links.index(min(links)))
        real = os.path.realpath(here)
        if real in seen or (real != root and root.startswith(os.path.join(real, ""))):  # noqa: PTH118
            continue
        seen.add(real)
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if not _is_folder(entry):
                        yield entry.path
                    elif entry.is_symlink():
                        links.append(entry.path)
                    else:
                        folders.append(entry.path)
        except OSError as error:
            raise UserError(f"{here}: can't be listed ({error.strerror}); check its permissions") from None


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link to itself.
        return False


def left_out(others: Iterable[Path]) -> str:
    """One line on files that are no images by their names, by suffix; empty if there are none."""
    kinds = Counter(path.suffix.lower() or "without a suffix" for path in others)
    if not kinds:
        return ""
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    total = kinds.total()
    return f"{total} other file{'s are' if total > 1 else ' is'} left out: {listed}"


def find_by_stem(folder: str | os.PathLike) -> dict[str, Path]:
    """Map each image's stem in `folder` (not below it) to its path; PNG wins where a stem occurs twice."""
    return {stem: Path(folder, name) for stem, name in names_by_stem(folder).items()}


def names_by_stem(folder: str | os.PathLike) -> dict[str, str]:
    """Map each image's stem in `folder` to its file's name, as `find_by_stem`."""
    found: dict[str, str] = {}
    for name in sorted(filter(_is_image, os.listdir(folder))):  # noqa: PTH208 - much faster than pathlib
        stem, _, suffix = name.rpartition(".")
        if stem not in found or suffix.lower() == "png":
            found[stem] = name
    return found


def require_unique(results: Iterable[tuple[Path, Path | None]]) -> None:
    """Look at pairs of a photo and what is made of it, None where nothing is.

    Raises:
        UserError: two photos would become one file; the message names both.
    """
    owners: dict[Path, Path] = {}
    for photo, result in results:
        if result is not None and owners.setdefault(result, photo) != photo:
            raise UserError(f"{owners[result]} and {photo}: both would become {result}; rename one")
