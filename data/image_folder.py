"""Photos of a dataroot with their masks and depths, all checked before a run starts: see `scan_folders`."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.file_check import Files, check_files
from data.photos import PhotoFolder, Photos
from data.scan import Maps, Problem, Scan
from util.errors import UserError, say

__all__ = ["PhotoFolder", "scan_folders"]

PROBLEMS_SHOWN = 10


def scan_folders(
    dataroot: str | Path, folders: Sequence[PhotoFolder], limit: float = float("inf")
) -> list[Photos]:
    """Check all photos of `folders`, at most `limit` of each, their masks and depths; return the photos by folder.

    Found: files that are missing, empty, no image or cut short; masks and depths of another size than their photo (all
    upright); masks without a subject, that is, nowhere at least half white; depths that are the same everywhere. What
    was found good is remembered in `<dataroot>/.scan.npy`, so that the next scan reads only new files.

    Raises:
        UserError: one for all problems: their number, the first ten, and what to do.
    """
    photos = [Files(folder.photos, folder.find(limit), "photo") for folder in folders]
    masks = [Maps.beside(files, folder.masks, "mask") for files, folder in zip(photos, folders, strict=True)]
    depths = [
        Maps.beside(files, folder.depths_there, "depth")
        for files, folder in zip(photos, folders, strict=True)
    ]
    maps = [*masks, *depths]
    checked = check_files(Path(dataroot), [*photos, *(some.to_check() for some in maps)])
    for some, found in zip(maps, checked[len(photos) :], strict=True):
        some.learn(found)
    scans = [
        Scan(folder, files, *found, *beside)
        for folder, files, found, *beside in zip(
            folders, photos, checked[: len(photos)], masks, depths, strict=True
        )
    ]

    problems = [problem for scan in scans for problem in scan.problems()]
    if problems:
        raise UserError(_listing(dataroot, problems, sum(len(found.facts) for found in checked)))
    _say_odd_masks(masks)
    return [scan.result() for scan in scans]


def _say_odd_masks(masks: Sequence[Maps]) -> None:
    """List masks that are subject everywhere or gray: very near portraits and fine hair, or files that are no masks."""
    for what, said in (
        ("full", "subject everywhere, no pixel is below 128 of 255"),
        ("gray", "neither black nor white nor soft edges: a fifth of their pixels and more is gray"),
    ):
        odd = [some.path(number) for some in masks for number in np.flatnonzero(some.facts[what]).tolist()]
        if odd:
            listed = "".join(f"\n  {path}" for path in odd[:PROBLEMS_SHOWN])
            more = f"\n  and {len(odd) - PROBLEMS_SHOWN} more" if len(odd) > PROBLEMS_SHOWN else ""
            say(f"{len(odd)} masks are {said}; look at them:{listed}{more}")


def _listing(dataroot: str | Path, problems: list[Problem], checked: int) -> str:
    shown = [f"  {problem.path}: {problem.what}" for problem in problems[:PROBLEMS_SHOWN]]
    if len(problems) > PROBLEMS_SHOWN:
        shown.append(f"  and {len(problems) - PROBLEMS_SHOWN} more")
    advice = dict.fromkeys(problem.advice.format(root=shlex.quote(str(dataroot))) for problem in problems)
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in {checked} photos and masks:"
    return "\n".join([f"{dataroot}: {count}", *shown, *advice])
