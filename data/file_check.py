"""Checks of image files, many at a time, with a memory: a file that has not changed is not read again."""

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from util.errors import UserError
from util.files import write_text
from util.images import ImageError, image_size, is_cut_short, read_image, read_mask

MEMORY_NAME = ".scan.json"
MEMORY_VERSION = 1

# Below this number of files the start of processes takes longer than the checks.
PARALLEL_FROM = 500

# Subject is what is at least half white; masks of 0 and 1, or of class numbers, have no such pixel.
SUBJECT_FROM = 128


class Facts(NamedTuple):
    """What a good file is: upright size in pixels and, for a mask, whether it is without a subject."""

    width: int
    height: int
    empty: bool


def check_file(task: tuple[str, bool]) -> Facts | str:
    """Check one (path, is it a mask); returns what is wrong with it, if anything.

    Masks are decoded. Of photos the header is read, and all of them only if the file's end looks cut off.
    """
    path, is_mask = task
    try:
        if is_mask:
            mask = read_mask(path)
            return Facts(*mask.size, mask.getextrema()[1] < SUBJECT_FROM)
        if is_cut_short(path):
            read_image(path)
        return Facts(*image_size(path), False)
    except ImageError as error:
        return str(error).removeprefix(f"{path}: ")


def check_files(dataroot: Path, tasks: Sequence[tuple[Path, bool]]) -> dict[Path, Facts | str]:
    """Check all (path, is it a mask); the good ones are remembered in `<dataroot>/.scan.json`."""
    memory = _Memory(dataroot)
    facts = {path: memory.recall(path, is_mask) for path, is_mask in tasks}
    unknown = [(str(path), is_mask) for path, is_mask in tasks if facts[path] is None]
    for (path, is_mask), found in zip(unknown, _check_all(unknown), strict=True):
        facts[Path(path)] = found
        if isinstance(found, Facts):
            memory.learn(Path(path), is_mask, found)
    if unknown:
        memory.save()
    return facts


def _check_all(tasks: Sequence[tuple[str, bool]]) -> Iterator[Facts | str]:
    parallel = sys.platform == "linux" and len(tasks) >= PARALLEL_FROM
    bar = tqdm(total=len(tasks), desc="checking files", unit="file", delay=1, leave=False, disable=None)
    with bar:
        for found in _parallel(tasks) if parallel else map(check_file, tasks):
            bar.update()
            yield found


def _parallel(tasks: Sequence[tuple[str, bool]]) -> Iterable[Facts | str]:
    # Processes, because Pillow keeps the interpreter's lock; forked, because fresh ones import all of torch.
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), context, initializer=_ignore_interrupt) as pool:
        yield from pool.map(check_file, tasks, chunksize=128)


def _ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Memory:
    """Facts by file, valid as long as the file's time of change and size stay the same."""

    def __init__(self, dataroot: Path) -> None:
        self.root = dataroot
        self.path = dataroot / MEMORY_NAME
        self.entries: dict[str, list[int]] = {}
        with suppress(OSError, ValueError, AttributeError, TypeError):  # unreadable: as good as none
            content = json.loads(self.path.read_text())
            if content.get("version") == MEMORY_VERSION:
                self.entries = dict(content["files"])

    def _key(self, path: Path) -> str:
        return os.path.relpath(path, self.root)

    def recall(self, path: Path, is_mask: bool) -> Facts | None:
        entry = self.entries.get(self._key(path))
        if entry is None or entry[:3] != [*_stamp(path), int(is_mask)]:
            return None
        return Facts(entry[3], entry[4], bool(entry[5]))

    def learn(self, path: Path, is_mask: bool, facts: Facts) -> None:
        self.entries[self._key(path)] = [*_stamp(path), *map(int, (is_mask, *facts))]

    def save(self) -> None:
        with suppress(UserError):  # a dataroot that can't be written to is checked anew each time
            write_text(self.path, json.dumps({"version": MEMORY_VERSION, "files": self.entries}))


def _stamp(path: Path) -> list[int]:
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size]
