"""Decoded and scaled photos and masks, kept from epoch to epoch for all workers: `--cache ram` and `disk`."""

import hashlib
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from util.errors import UserError
from util.files import stamp
from util.member import Member
from util.present import present

FOLDER = ".cache"
SUFFIX = ".pixels"
VERSION = 1  # part of the disk cache's name; raise it when decoding or scaling changes
GIB = 2**30


class Slot(NamedTuple):
    """The place of one array: its number, its first byte, its shape."""

    number: int
    offset: int
    shape: tuple[int, ...]


class CachedArray(NamedTuple):
    """An array to keep: its name, the file it comes from, and its shape, [H,W] or [H,W,C] of uint8."""

    name: str
    source: Path | Member
    shape: tuple[int, ...]


class PixelCache:
    """uint8 arrays by name in one file that all processes map; filled as they are asked for.

    Each has a checksum, which is written last: an array that another process, or a run that was killed, has
    written in part only is made anew. No locks: whoever writes, writes the same.
    """

    def __init__(self, slots: dict[str, Slot], path: Path | None = None, keep: IO | None = None) -> None:
        self.slots = slots
        self.path = path
        # The file lives as long as this is open.
        self._keep = keep
        self._bytes: np.ndarray | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_keep": None, "_bytes": None}

    def get(self, name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """The array `name`, from `make` where it is not kept yet. Do not write to it."""
        slot = self.slots.get(name)
        if slot is None:
            return make()
        if self._bytes is None:
            self._bytes = np.memmap(present(self.path), dtype=np.uint8, mode="r+")
        checksums = self._bytes[: 4 * len(self.slots)].view(np.uint32)
        kept = self._bytes[slot.offset : slot.offset + prod(slot.shape)].reshape(slot.shape)
        if checksums[slot.number] and checksums[slot.number] == zlib.crc32(kept.data):
            return kept
        made = make()
        # Arrays of 16 bits are not kept, nor those of files that have changed since the scan.
        if made.shape == slot.shape and made.dtype == np.uint8:
            kept[...] = made
            checksums[slot.number] = zlib.crc32(kept.data)
        return made


def open_cache(kind: str, size_gib: float, dataroot: Path, entries: Iterable[CachedArray]) -> PixelCache:
    """The cache for `entries`, as many of them, in order, as fit into `size_gib`.

    `ram` is memory shared with the workers, gone with this process; `disk` is a file in `<dataroot>/.cache`
    that the next run finds again, if photos and scaling are the same.

    Raises:
        UserError: no room on the disk, or a dataroot that can't be written to.
    """
    unique = list({entry.name: entry for entry in entries}.values())
    slots, end = _lay_out(unique, int(size_gib * GIB))
    if len(slots) < len(unique):
        print(
            f"--cache_size {size_gib:g} holds {len(slots)} of {len(unique)} photos and masks; "
            "the others are read from their files every time",
            file=sys.stderr,
        )
    if not slots:
        return PixelCache({})
    if kind == "disk":
        kept = unique[: len(slots)]
        return PixelCache(slots, _disk_file(dataroot / FOLDER, kept, end, size_gib))
    return PixelCache(slots, *_memory_file(end))


def _lay_out(entries: list[CachedArray], limit: int) -> tuple[dict[str, Slot], int]:
    """Slots for the first entries that fit into `limit` bytes behind the checksums, and where they end."""
    sizes = np.cumsum([prod(entry.shape) for entry in entries])
    fitting = int(np.count_nonzero(sizes + 4 * np.arange(1, len(entries) + 1) <= limit))
    slots, end = {}, 4 * fitting
    for number, entry in enumerate(entries[:fitting]):
        slots[entry.name] = Slot(number, end, entry.shape)
        end += prod(entry.shape)
    return slots, end


def _memory_file(size: int) -> tuple[Path, IO]:
    """A file without a place on any disk, where there are such; workers reach it by this process's id."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("photos")
        file: IO = os.fdopen(descriptor, "r+b")
        path = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
    else:
        file = tempfile.NamedTemporaryFile(suffix=SUFFIX)  # noqa: SIM115 - the cache keeps it open
        path = Path(file.name)
    file.truncate(size)
    return path, file


def _disk_file(folder: Path, entries: list[CachedArray], size: int, size_gib: float) -> Path:
    """The file for just these entries of just these sources, its whole size reserved."""
    digest = hashlib.sha256(str(VERSION).encode())
    for entry in entries:
        digest.update(repr((entry.name, entry.shape, *stamp(entry.source))).encode())
    path = folder / f"{digest.hexdigest()[:16]}{SUFFIX}"
    try:
        folder.mkdir(exist_ok=True)
        _remove_oldest(folder, path, int(size_gib * GIB) - size)
        with path.open("ab") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
        os.utime(path)
    except OSError as error:
        raise UserError(
            f"--cache disk: can't reserve {size / GIB:.1f} GiB in {folder} ({error.strerror}); "
            "use --cache ram or a smaller --cache_size"
        ) from error
    return path


def _remove_oldest(folder: Path, keep: Path, room: int) -> None:
    """Of the caches in `folder` except `keep`, leave only the newest that fit into `room` bytes."""
    others = [path for path in folder.glob(f"*{SUFFIX}") if path != keep]
    for path in sorted(others, key=lambda other: other.stat().st_mtime, reverse=True):
        room -= path.stat().st_size
        if room < 0:
            path.unlink()
