"""Photos of a dataroot with their masks, all checked before a run starts: see `scan_folders`."""

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from data.file_check import Facts, Kind, check_files
from util.errors import UserError, say
from util.images import find_by_stem, image_size, list_images

PROBLEMS_SHOWN = 10


@dataclass(frozen=True)
class Photo:
    """A photo that has been checked: its upright size (width, height) in pixels, its mask and its depth, if any.

    `part` tells apart photos that are cut from the same file, `channels` is what it is read as, 3 or 1.
    """

    path: Path
    size: tuple[int, int]
    mask: Path | None
    channels: int = 3
    part: str = ""
    depth: Path | None = None

    @property
    def name(self) -> str:
        """A name that no other photo has."""
        return f"{self.path} {self.part} {self.channels}"


class Files(NamedTuple):
    """A photo and what belongs to it, found and not yet checked."""

    photo: Path
    mask: Path | None
    depth: Path | None


@dataclass(frozen=True)
class PhotoFolder:
    """Where photos, their masks and their depths are.

    Masks are found by the photo's stem, in `masks`; None: no masks are wanted. The same for depths in `depths`, where
    each photo must have one if there is such a folder. `channels` is what photos are read as: 3 for colour, 1 for gray.
    `side_by_side` photos hold A in their left half, to which the mask belongs, and B in their right one. If it
    `gives_results`, these are named by the photos' stems.
    """

    photos: Path
    masks: Path | None
    masks_required: bool
    channels: int = 3
    side_by_side: bool = False
    gives_results: bool = False
    depths: Path | None = None

    @classmethod
    def of_domain(cls, opt: Any, letter: str, channels: int) -> "PhotoFolder":
        """Domain `letter` ('A' or 'B') of `opt.dataroot`: `<phase>A` with `maskA` and, where there is one, `depthA`."""
        root = Path(opt.dataroot)
        depths = root / f"depth{letter}" if opt.reads_depth else None
        masks = None if opt.mask_policy == "none" else root / f"mask{letter}"
        required = opt.mask_policy == "required"
        photos = root / f"{opt.phase}{letter}"
        return cls(photos, masks, required, channels, gives_results=not opt.isTrain, depths=depths)

    @property
    def depths_there(self) -> Path | None:
        """`depths`, if there is such a folder."""
        return self.depths if self.depths and self.depths.is_dir() else None

    def find(self, limit: float) -> list[Files]:
        """The first `limit` photos, with what belongs to them.

        Raises:
            UserError: no such folder, or no image in it.
        """
        if not self.photos.is_dir():
            raise UserError(f"{self.photos}: no such folder; check --dataroot and --phase")
        found = list_images(self.photos)
        if not found:
            raise UserError(
                f"{self.photos}: no images in there; put photos in, or check --dataroot and --phase"
            )
        found = found if limit >= len(found) else found[: int(limit)]
        masks = find_by_stem(self.masks) if self.masks and self.masks.is_dir() else {}
        depths = find_by_stem(self.depths_there) if self.depths_there else {}
        return [Files(path, masks.get(path.stem), depths.get(path.stem)) for path in found]


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file, and what to do about such files; {root} is the dataroot, quoted for a shell."""

    path: Path
    what: str
    advice: str


MAKE_MASKS = "make missing masks: python deeplab/inference.py --dataroot {root}"
MAKE_MASKS_AGAIN = "make masks again: python deeplab/inference.py --dataroot {root} --overwrite"
MAKE_DEPTHS = "make depths: python deeplab/depth.py --dataroot {root} (--overwrite: again); or --depth none"
DROP_EMPTY = "move photos without a subject aside: python deeplab/inference.py --dataroot {root} --drop_empty"
REPLACE = "remove or replace files that can't be read"
RENAME = "rename photos so that no two share a name"
EVEN = "make pairs with: python datasets/combine_A_and_B.py"
MAKE_MASKS_OF_HALVES = (  # a dataroot of pairs has no trainA for --dataroot
    "make masks of the photos that the pairs are made of: python deeplab/inference.py --input FOLDER "
    "--output {root}/%s"
)
DROP_PAIRS = "remove pairs without a subject, and their masks"


def scan_folders(
    dataroot: str | Path, folders: Sequence[PhotoFolder], limit: float = float("inf")
) -> list[list[Photo]]:
    """Check all photos of `folders`, at most `limit` of each, their masks and depths; return the photos by folder.

    Found: files that are missing, empty, no image or cut short; masks and depths of another size than their photo (all
    upright); masks without a subject, that is, nowhere at least half white; depths that are the same everywhere. What
    was found good is remembered in `<dataroot>/.scan.json`, so that the next scan reads only new files.

    Raises:
        UserError: one for all problems: their number, the first ten, and what to do.
    """
    of_folders = [folder.find(limit) for folder in folders]
    every = [files for found in of_folders for files in found]
    to_check: list[tuple[Path, Kind]] = [(files.photo, "photo") for files in every]
    to_check += [(files.mask, "mask") for files in every if files.mask]
    to_check += [(files.depth, "depth") for files in every if files.depth]
    facts = check_files(Path(dataroot), to_check)

    problems: list[Problem] = []
    for folder, found in zip(folders, of_folders, strict=True):
        problems += list(_problems(folder, found, facts))
    if problems:
        raise UserError(_listing(dataroot, problems, len(to_check)))
    _say_odd_masks({files.mask: facts[files.mask] for files in every if files.mask})
    return [
        [
            Photo(path, (facts[path].width, facts[path].height), mask, folder.channels, depth=depth)
            for path, mask, depth in found
        ]
        for folder, found in zip(folders, of_folders, strict=True)
    ]


def _problems(folder: PhotoFolder, found: list[Files], facts: dict[Path, Facts | str]) -> Iterable[Problem]:
    by_stem = folder.masks_required or folder.gives_results
    stems = Counter(files.photo.stem for files in found) if by_stem else Counter()
    for path, mask, depth in found:
        photo = facts[path]
        if isinstance(photo, str):
            yield Problem(path, photo, REPLACE)
            continue
        if folder.side_by_side and photo.width % 2:
            yield Problem(path, f"{photo.width} px wide, so not two halves side by side", EVEN)
        if stems[path.stem] > 1:
            shared = "mask" if folder.masks_required else "result"
            yield Problem(path, f"has the same name as another photo, and so the same {shared}", RENAME)
        if mask is None and folder.masks_required:
            yield Problem(path, f"no mask {folder.masks / path.stem}.png", _make_masks(folder))
        elif mask is not None:
            yield from _mask_problems(folder, path, mask, facts)
        if depth is None and folder.depths_there:
            yield Problem(path, f"no depth {folder.depths / path.stem}.png", MAKE_DEPTHS)
        elif depth is not None:
            yield from _depth_problems(path, depth, facts)


def _mask_problems(
    folder: PhotoFolder, path: Path, mask_path: Path, facts: dict[Path, Facts | str]
) -> Iterable[Problem]:
    photo, mask = facts[path], facts[mask_path]
    if isinstance(mask, str):
        yield Problem(mask_path, mask, _make_masks(folder, again=True))
        return
    size = (photo.width // 2 if folder.side_by_side else photo.width, photo.height)
    if what := _other_size(mask, path, size):
        yield Problem(mask_path, what, _make_masks(folder, again=True))
    if mask.empty and folder.masks_required:
        drop = DROP_PAIRS if folder.side_by_side else DROP_EMPTY
        yield Problem(mask_path, "no subject: no pixel is 128 or more of 255", drop)


def _depth_problems(path: Path, depth_path: Path, facts: dict[Path, Facts | str]) -> Iterable[Problem]:
    photo, depth = facts[path], facts[depth_path]
    if isinstance(depth, str):
        yield Problem(depth_path, depth, MAKE_DEPTHS)
    elif what := _other_size(depth, path, (photo.width, photo.height)):
        yield Problem(depth_path, what, MAKE_DEPTHS)
    elif depth.empty:
        yield Problem(depth_path, "the same depth everywhere", MAKE_DEPTHS)


def _other_size(found: Facts, path: Path, size: tuple[int, int]) -> str:
    """What is wrong with a map for the photo at `path`, of that size; nothing is an empty string."""
    if (found.width, found.height) != size and (found.width, found.height) == size[::-1]:
        # An orientation that stands behind the pixels is unknown so far; rare, so decode only here.
        size = image_size(path, decode=True)
    if (found.width, found.height) == size:
        return ""
    return f"{found.width} x {found.height} px, but its photo {path} has {size[0]} x {size[1]}"


def _say_odd_masks(masks: dict[Path, Facts | str]) -> None:
    """List masks that are subject everywhere or gray: very near portraits and fine hair, or files that are no masks."""
    for what, said in (
        ("full", "subject everywhere, no pixel is below 128 of 255"),
        ("gray", "neither black nor white nor soft edges: a fifth of their pixels and more is gray"),
    ):
        odd = [path for path, facts in masks.items() if getattr(facts, what, False)]
        if odd:
            listed = "".join(f"\n  {path}" for path in odd[:PROBLEMS_SHOWN])
            more = f"\n  and {len(odd) - PROBLEMS_SHOWN} more" if len(odd) > PROBLEMS_SHOWN else ""
            say(f"{len(odd)} masks are {said}; look at them:{listed}{more}")


def _make_masks(folder: PhotoFolder, again: bool = False) -> str:
    """How to make the masks of `folder`."""
    if folder.side_by_side:
        return MAKE_MASKS_OF_HALVES % folder.masks.name + (" --overwrite" if again else "")
    return MAKE_MASKS_AGAIN if again else MAKE_MASKS


def _listing(dataroot: str | Path, problems: list[Problem], checked: int) -> str:
    shown = [f"  {problem.path}: {problem.what}" for problem in problems[:PROBLEMS_SHOWN]]
    if len(problems) > PROBLEMS_SHOWN:
        shown.append(f"  and {len(problems) - PROBLEMS_SHOWN} more")
    advice = dict.fromkeys(problem.advice.format(root=shlex.quote(str(dataroot))) for problem in problems)
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in {checked} photos and masks:"
    return "\n".join([f"{dataroot}: {count}", *shown, *advice])
