"""Files that are either whole or not there: written beside their place, then moved into it."""

import errno
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from util.errors import DISK_ERRORS, UserError
from util.member import Member

# The longest name that common file systems allow.
NAME_BYTES = 255


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; when the block succeeds it is synced and becomes `path`.

    The temporary name keeps the suffix (libraries choose the format by it) and starts with a dot
    (no listing of images takes it up). If the block fails, `path` is what it was before.

    Raises:
        UserError: the disk is full or the folder can't be written to.
    """
    path = Path(path)
    temporary = path.with_name(_temporary_name(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.errno in DISK_ERRORS:
            raise UserError(f"{path}: {DISK_ERRORS[error.errno]} and run the same command again") from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise UserError(f"{path}: can't be written ({error.strerror}); choose another folder") from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink()


def _temporary_name(path: Path) -> str:
    """A hidden name with the suffix of `path`, of this process and file alone, that is legal wherever `path` is."""
    ending = f".{os.getpid()}.tmp{path.suffix}"
    name = f".{path.stem}{ending}"
    if len(os.fsencode(name)) <= NAME_BYTES:
        return name
    return f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:32]}{ending}"


def cache_folder() -> Path:
    """Where fetched files are kept: the folder in the environment variable BOKEH_CYCLEGAN_CACHE, or one at home."""
    folder = os.environ.get("BOKEH_CYCLEGAN_CACHE")
    return Path(folder) if folder else Path.home() / ".cache" / "bokeh-cyclegan"


def is_up_to_date(path: Path, *sources: Path) -> bool:
    """Whether `path` is there and not older than any of `sources`; a source that is missing makes it outdated.

    Equal times are up to date: some file systems count in seconds, and unpacked archives may give all files one time.
    """
    try:
        time = path.stat().st_mtime_ns
        return all(time >= source.stat().st_mtime_ns for source in sources)
    except OSError:
        return False


def stamp(path: Path | Member) -> list[int]:
    """What changes when a file does: time of change in ns and size in bytes; empty where there is no file."""
    if isinstance(path, Member):
        return [path.crc32, path.size]
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def is_inside(path: Path, folder: Path) -> bool:
    """Whether `path` is `folder` or below it, links followed; neither has to exist."""
    return path.resolve().is_relative_to(folder.resolve())


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike, content: str) -> None:
    """Write `content` to `path` atomically, as UTF-8; names of files that are no UTF-8 keep their bytes."""
    write_bytes(path, content.encode("utf-8", "surrogateescape"))


def encoded(names: Iterable[str]) -> Iterator[bytes]:
    """Each as `os.fsencode` gives it, in a quarter of the time: for folders of 100,000 files."""
    encoding, errors = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
    return (name.encode(encoding, errors) for name in names)
