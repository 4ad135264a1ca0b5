"""Checks of image files, many at a time, with a memory: a file that has not changed is not read again."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from data.scan_memory import FACTS, ScanMemory
from util.images import (
    ImageError,
    image_size,
    is_cut_short,
    plain_jpeg_size,
    read_image,
    read_mask,
    read_pixels,
)
from util.parallel import bounded_map

# Share of a mask's pixels between a quarter and three quarters from which it has more of them than soft edges.
GRAY_FROM = 0.2

# Below this number of files the start of processes takes longer than the checks.
PARALLEL_FROM = 500

# Files that are sent to a process at once.
CHUNK = 256

# Subject is what is at least half white; masks of 0 and 1, or of class numbers, have no such pixel.
SUBJECT_FROM = 128

# Chunks of a PNG that may turn it or make parts of it transparent, which Pillow knows about.
NOT_PLAIN = (b"eXIf", b"tRNS", b"iTXt")


# What a file should be.
Kind = Literal["photo", "mask", "depth"]


class Facts(NamedTuple):
    """What a good file is: upright size in pixels and, for a mask, whether none, all or much gray of it is there.

    Depth is empty if it is the same everywhere.
    """

    width: int
    height: int
    empty: bool = False
    full: bool = False
    gray: bool = False


class Files(NamedTuple):
    """Files of one kind in a folder, by their names below it."""

    folder: Path
    names: Sequence[str]
    kind: Kind


class Checked(NamedTuple):
    """What was found of files in their order: `FACTS` `[N]`, and by number what is wrong with the bad ones."""

    facts: np.ndarray
    errors: dict[int, str]


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
            return _mask_facts(_mask_pixels(path))
        if size := plain_jpeg_size(path):
            return Facts(*size)
        if is_cut_short(path):
            read_image(path)
        return Facts(*image_size(path))
    except ImageError as error:
        return str(error).removeprefix(f"{path}: ")


def _mask_facts(pixels: np.ndarray) -> Facts:
    """Facts of a mask `[H,W]` uint8, by how many of its pixels are within each quarter of the values."""
    height, width = pixels.shape
    # A third of the time of a histogram.
    some, half, most = (
        cv2.countNonZero(cv2.compare(pixels, bound, cv2.CMP_GE)) for bound in (64, SUBJECT_FROM, 192)
    )
    return Facts(width, height, half == 0, half == pixels.size, some - most >= GRAY_FROM * pixels.size)


def _mask_pixels(path: str) -> np.ndarray:
    """A mask `[H,W]` uint8. Plain 8-bit gray PNGs take OpenCV half the time they take Pillow."""
    with suppress(OSError):
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - much faster than pathlib
            content = file.read()
        # Of 8 bits, and gray.
        plain = content[:8] == b"\x89PNG\r\n\x1a\n" and content[24:26] == b"\x08\0"
        if plain and content[-8:-4] == b"IEND" and not any(chunk in content for chunk in NOT_PLAIN):
            pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
            if pixels is not None:
                return pixels
    return np.asarray(read_mask(path))


def check_files(dataroot: Path, groups: Sequence[Files]) -> list[Checked]:
    """Check all files of all `groups`; the good ones are remembered in `<dataroot>/.scan.npy`."""
    memory = ScanMemory(dataroot)
    rows = [memory.describe(files.folder, files.names, files.kind) for files in groups]
    unknown = [np.flatnonzero(~memory.recall(described)) for described in rows]
    errors: list[dict[int, str]] = [{} for _ in groups]

    chunks = [
        (group, numbers[start : start + CHUNK])
        for group, numbers in enumerate(unknown)
        for start in range(0, len(numbers), CHUNK)
    ]
    found = _check_all([_task(groups[group], numbers) for group, numbers in chunks])
    for (group, numbers), checked in zip(chunks, found, strict=True):
        rows[group]["facts"][numbers] = checked.facts
        errors[group] |= {int(numbers[number]): message for number, message in checked.errors.items()}

    good = [
        described[np.setdiff1d(numbers, list(wrong))]
        for described, numbers, wrong in zip(rows, unknown, errors, strict=True)
    ]
    if any(map(len, good)):
        memory.learn(np.concatenate(good))
    return [Checked(described["facts"].copy(), wrong) for described, wrong in zip(rows, errors, strict=True)]


def _task(files: Files, numbers: np.ndarray) -> Files:
    """The part of `files` that `numbers` names."""
    return files._replace(names=[files.names[number] for number in numbers.tolist()])


def _check_all(chunks: Sequence[Files]) -> Iterator[Checked]:
    total = sum(len(chunk.names) for chunk in chunks)
    parallel = sys.platform == "linux" and total >= PARALLEL_FROM
    with tqdm(total=total, desc="checking files", unit="file", delay=1, leave=False, disable=None) as bar:
        for chunk, checked in zip(
            chunks, _parallel(chunks) if parallel else map(_check_chunk, chunks), strict=True
        ):
            bar.update(len(chunk.names))
            yield checked


def _parallel(chunks: Sequence[Files]) -> Iterator[Checked]:
    # Processes, because Pillow keeps the interpreter's lock; forked, because fresh ones import all of torch.
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), context, initializer=_begin_check) as pool:
        yield from bounded_map(pool, _check_chunk, chunks)


def _begin_check() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A process for each processor is here already.
    cv2.setNumThreads(1)


def _check_chunk(files: Files) -> Checked:
    facts = np.zeros(len(files.names), FACTS)
    errors: dict[int, str] = {}
    for number, name in enumerate(files.names):
        found = check_file((f"{files.folder}{os.sep}{name}", files.kind))
        if isinstance(found, str):
            errors[number] = found
        else:
            facts[number] = found
    return Checked(facts, errors)
