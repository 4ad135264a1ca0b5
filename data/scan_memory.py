"""What scans have found out about files, kept beside the photos so that a file is read once as long as it stays."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from util.errors import UserError
from util.files import atomic_path, encoded

MEMORY_NAME = ".scan.npy"

# As `data.file_check.Facts`.
FACTS = np.dtype([("width", "u4"), ("height", "u4"), ("empty", "?"), ("full", "?"), ("gray", "?")])

# A file's name as a number, its time of change in ns and its size in bytes, and what was found.
ROW = np.dtype([("key", "u8"), ("time", "i8"), ("bytes", "i8"), ("facts", FACTS)])

# Threads that ask for times of change: a disk of the network answers each in its own good time.
THREADS = 4
CHUNK = 4096


class ScanMemory:
    """Facts by file, valid as long as the file's time of change and size stay the same.

    One sorted array, without the names: 33 bytes a file, found by bisection.
    """

    def __init__(self, dataroot: Path) -> None:
        self.dataroot = dataroot
        self.path = dataroot / MEMORY_NAME
        self.rows = np.empty(0, ROW)
        # What can't be read is as good as none.
        with suppress(OSError, ValueError, EOFError):
            rows = np.load(self.path, allow_pickle=False)
            if rows.dtype == ROW:
                self.rows = rows

    def describe(self, folder: Path, names: Sequence[str], kind: str) -> np.ndarray:
        """A row for each file as it is now, facts still empty. `kind` keeps what is checked differently apart."""
        rows = np.zeros(len(names), ROW)
        # Relative to the dataroot, so that it can be moved.
        inside = folder.is_relative_to(self.dataroot)
        place = f"{kind} {folder.relative_to(self.dataroot) if inside else folder}{os.sep}"
        rows["key"] = _keys(place, names)
        rows["time"], rows["bytes"] = _stamps(str(folder), names).T
        return rows

    def recall(self, rows: np.ndarray) -> np.ndarray:
        """Fill in the facts of `rows` that are known; returns for each whether it was."""
        if not len(self.rows):
            return np.zeros(len(rows), bool)
        places = np.searchsorted(self.rows["key"], rows["key"]).clip(max=len(self.rows) - 1)
        found = self.rows[places]
        same = np.logical_and.reduce([found[name] == rows[name] for name in ("key", "time", "bytes")])
        rows["facts"][same] = found["facts"][same]
        return same

    def learn(self, rows: np.ndarray) -> None:
        """Keep `rows`, on the disk too, in place of older ones of the same files."""
        # np.unique takes the first of equal keys and sorts.
        both = np.concatenate([rows, self.rows])
        self.rows = both[np.unique(both["key"], return_index=True)[1]]
        # Where it can't be written, files are checked anew each time.
        with suppress(UserError), atomic_path(self.path) as temporary:
            np.save(temporary, self.rows)


def _keys(place: str, names: Sequence[str]) -> np.ndarray:
    """A number for each of the files `place + name`."""
    start = os.fsencode(place)
    digests = (hashlib.blake2b(start + name, digest_size=8).digest() for name in encoded(names))
    return np.frombuffer(b"".join(digests), "<u8")


def _stamps(folder: str, names: Sequence[str]) -> np.ndarray:
    """Times of change in ns and sizes in bytes `[N,2]`; -1 where there is no such file."""
    chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    with ThreadPoolExecutor(THREADS) as pool:
        return np.concatenate(
            [np.empty((0, 2), np.int64), *pool.map(partial(_stamps_of_chunk, folder), chunks)]
        )


def _stamps_of_chunk(folder: str, names: Sequence[str]) -> np.ndarray:
    stamps: list[int] = []
    for name in names:
        try:
            status = os.stat(f"{folder}{os.sep}{name}")  # noqa: PTH116 - much faster than pathlib
        except OSError:  # noqa: PERF203 - `suppress` takes longer
            stamps += (-1, -1)
        else:
            stamps += (status.st_mtime_ns, status.st_size)
    return np.array(stamps, np.int64).reshape(-1, 2)
