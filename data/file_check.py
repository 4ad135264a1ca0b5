"""Checks of image files, many at a time, with a memory: a file that has not changed is not read again."""

import json
import multiprocessing
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import cv2
import numpy as np
from tqdm import tqdm

from util.errors import UserError
from util.files import write_text
from util.images import ImageError, image_size, is_cut_short, read_image, read_mask, read_pixels

MEMORY_NAME = ".scan.json"
MEMORY_VERSION = 4

# Share of a mask's pixels between a quarter and three quarters from which it has more of them than soft edges.
GRAY_FROM = 0.2

# Below this number of files the start of processes takes longer than the checks.
PARALLEL_FROM = 500

# Subject is what is at least half white; masks of 0 and 1, or of class numbers, have no such pixel.
SUBJECT_FROM = 128


# What a file should be.
Kind = Literal["photo", "mask", "depth"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Facts(NamedTuple):
    """What a good file is: upright size in pixels and, for a mask, whether none, all or much gray of it is there.

    Depth is empty if it is the same everywhere.
    """

    width: int
    height: int
    empty: bool
    full: bool = False
    gray: bool = False


def check_file(task: tuple[str, Kind]) -> Facts | str:
    """Check one (path, kind); returns what is wrong with it, if anything.

    Masks and depths are decoded. Of photos the header is read, and all of them only if the file's end looks cut off.
    """
    path, kind = task
    try:
        if kind == "depth":
            pixels = read_pixels(path, channels=1)
            return Facts(pixels.shape[1], pixels.shape[0], empty=pixels.max() == pixels.min())
        if kind == "mask":
            pixels = _mask_pixels(path)
            height, width = pixels.shape
            between = np.count_nonzero((pixels >= 64) & (pixels < 192)) >= GRAY_FROM * pixels.size
            return Facts(width, height, pixels.max() < SUBJECT_FROM, pixels.min() >= SUBJECT_FROM, between)
        if is_cut_short(path):
            read_image(path)
        return Facts(*image_size(path), False)
    except ImageError as error:
        return str(error).removeprefix(f"{path}: ")


def _mask_pixels(path: str) -> np.ndarray:
    """A mask `[H,W]` uint8. Plain 8-bit gray PNGs take OpenCV half the time they take Pillow."""
    with suppress(OSError):
        content = Path(path).read_bytes()
        plain = content[:8] == b"\x89PNG\r\n\x1a\n" and content[24:26] == b"\x08\0"  # 8 bits, gray
        if plain and content[-8:-4] == b"IEND" and not re.search(b"eXIf|tRNS|iTXt", content):
            pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
            if pixels is not None:
                return pixels
    return np.asarray(read_mask(path))


def check_files(dataroot: Path, tasks: Sequence[tuple[Path, Kind]]) -> dict[Path, Facts | str]:
    """Check all (path, kind); the good ones are remembered in `<dataroot>/.scan.json`."""
    memory = _Memory(dataroot)
    named = [(str(path), kind) for path, kind in tasks]
    unknown = [task for task in named if memory.recall(*task) is None]
    checked = dict(zip(unknown, _check_all(unknown), strict=True))
    for task, found in checked.items():
        if isinstance(found, Facts):
            memory.learn(*task, found)
    if unknown:
        memory.save()
    return {
        path: checked[task] if task in checked else memory.recall(*task)
        for (path, _), task in zip(tasks, named, strict=True)
    }


def _check_all(tasks: Sequence[tuple[str, Kind]]) -> Iterator[Facts | str]:
    parallel = sys.platform == "linux" and len(tasks) >= PARALLEL_FROM
    bar = tqdm(total=len(tasks), desc="checking files", unit="file", delay=1, leave=False, disable=None)
    with bar:
        for found in _parallel(tasks) if parallel else map(check_file, tasks):
            bar.update()
            yield found


def _parallel(tasks: Sequence[tuple[str, Kind]]) -> Iterable[Facts | str]:
    # Processes, because Pillow keeps the interpreter's lock; forked, because fresh ones import all of torch.
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), context, initializer=_ignore_interrupt) as pool:
        yield from pool.map(check_file, tasks, chunksize=128)


def _ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Memory:
    """Facts by file, valid as long as the file's time of change and size stay the same."""

    def __init__(self, dataroot: Path) -> None:
        self.path = dataroot / MEMORY_NAME
        self.prefix = f"{dataroot}{os.sep}"  # left out of the names, so that a dataroot can be moved
        self.entries: dict[str, list[int]] = {}
        with suppress(OSError, ValueError, AttributeError, TypeError):  # unreadable: as good as none
            content = json.loads(self.path.read_text())
            if content.get("version") == MEMORY_VERSION:
                self.entries = dict(content["files"])

    def recall(self, path: str, kind: Kind) -> Facts | None:
        entry = self.entries.get(path.removeprefix(self.prefix))
        if entry is None or entry[:3] != [*_stamp(path), KINDS.index(kind)]:
            return None
        return Facts(entry[3], entry[4], *map(bool, entry[5:8]))

    def learn(self, path: str, kind: Kind, facts: Facts) -> None:
        self.entries[path.removeprefix(self.prefix)] = [*_stamp(path), *map(int, (KINDS.index(kind), *facts))]

    def save(self) -> None:
        with suppress(UserError):  # a dataroot that can't be written to is checked anew each time
            write_text(self.path, json.dumps({"version": MEMORY_VERSION, "files": self.entries}))


def _stamp(path: str) -> list[int]:
    try:
        status = os.stat(path)  # noqa: PTH116 - much faster than pathlib
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size]
