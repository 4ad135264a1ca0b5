"""What is wrong with the photos of a folder and with what lies beside them, and what to do about it."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.file_check import Checked, Files, Kind
from data.photos import NO_FILES, PackedFiles, PhotoFolder, Photos
from data.scan_memory import FACTS
from util.images import image_size, names_by_stem

MAKE_MASKS = "make missing masks: python deeplab/inference.py --dataroot {root}"
MAKE_MASKS_AGAIN = "make masks again: python deeplab/inference.py --dataroot {root} --overwrite"
MAKE_DEPTHS = "make depths: python deeplab/depth.py --dataroot {root} (--overwrite: again); or --depth none"
DROP_EMPTY = "move photos without a subject aside: python deeplab/inference.py --dataroot {root} --drop_empty"
REPLACE = "remove or replace files that can't be read"
RENAME = "rename photos so that no two share a name"
EVEN = "make pairs with: python datasets/combine_A_and_B.py"
# A dataroot of pairs has no trainA for --dataroot.
MAKE_MASKS_OF_HALVES = (
    "make masks of the photos that the pairs are made of: python deeplab/inference.py --input FOLDER "
    "--output {root}/%s"
)
DROP_PAIRS = "remove pairs without a subject, and their masks"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file, and what to do about such files; {root} is the dataroot, quoted for a shell."""

    path: Path
    what: str
    advice: str


@dataclass
class Maps:
    """Masks or depths of a folder's photos, in their order; an empty name where there is none.

    `facts` `[N]` are `FACTS`, `errors` what is wrong with the bad ones, by number; both are empty until `learn`.
    """

    files: Files
    facts: np.ndarray
    errors: dict[int, str]

    @classmethod
    def beside(cls, photos: Files, folder: Path | None, kind: Kind) -> "Maps":
        """Those in `folder`, by the stems of `photos`."""
        by_stem = names_by_stem(folder) if folder and folder.is_dir() else {}
        names = [by_stem.get(stem_of(name), "") for name in photos.names]
        return cls(Files(folder or photos.folder, names, kind), np.zeros(len(names), FACTS), {})

    @property
    def there(self) -> np.ndarray:
        """Whether each photo has one `[N]`."""
        return np.fromiter(map(bool, self.files.names), bool, len(self.files.names))

    def to_check(self) -> Files:
        """Those that are there."""
        return self.files._replace(names=[name for name in self.files.names if name])

    def learn(self, checked: Checked) -> None:
        """Take over what was found of `to_check`."""
        numbers = np.flatnonzero(self.there)
        self.facts[numbers] = checked.facts
        self.errors = {int(numbers[number]): error for number, error in checked.errors.items()}

    def path(self, number: int) -> Path:
        """Of the one that belongs to that photo."""
        return self.files.folder / self.files.names[number]

    def packed(self) -> PackedFiles:
        """As photos keep them."""
        return PackedFiles.of(self.files.folder, self.files.names) if self.there.any() else NO_FILES


def stem_of(name: str) -> str:
    """The stem of an image's name below its folder: for folders of 100,000, much faster than pathlib."""
    return name.rpartition(os.sep)[2].rpartition(".")[0]


@dataclass(frozen=True)
class Scan:
    """A folder's photos with what lies beside them, and what was found of all."""

    folder: PhotoFolder
    photos: Files
    facts: np.ndarray
    errors: dict[int, str]
    masks: Maps
    depths: Maps

    def result(self) -> Photos:
        """The photos, all good."""
        packed = PackedFiles.of(self.photos.folder, self.photos.names)
        sizes = np.stack([self.facts["width"], self.facts["height"]], axis=1).astype(np.int32)
        maps = self.masks.packed(), self.depths.packed()
        return Photos(packed, sizes, *maps, self.folder.channels)

    def problems(self) -> Iterator[Problem]:
        """What is wrong, in the order of the photos."""
        by_stem = self.folder.masks_required or self.folder.gives_results
        stems = Counter(map(stem_of, self.photos.names)) if by_stem else Counter[str]()
        for number in np.flatnonzero(self._suspects(stems)).tolist():
            yield from self._problems_of(number, stems)

    def _suspects(self, stems: Counter[str]) -> np.ndarray:
        """Which photos may have a problem `[N]`: all at once, as nearly all have none."""
        folder, masks, depths = self.folder, self.masks, self.depths
        width = self.facts["width"] // 2 if folder.side_by_side else self.facts["width"]
        suspects = np.zeros(len(self.facts), bool)
        for maps in (masks, depths):
            suspects |= maps.there & (maps.facts["width"] != width)
            suspects |= maps.there & (maps.facts["height"] != self.facts["height"])
        suspects[[*self.errors, *masks.errors, *depths.errors]] = True
        suspects |= depths.facts["empty"]
        if folder.depths_there:
            suspects |= ~depths.there
        if folder.side_by_side:
            suspects |= self.facts["width"] % 2 == 1
        if folder.masks_required:
            suspects |= ~masks.there | masks.facts["empty"]
        if len(stems) < stems.total():
            suspects |= np.array([stems[stem_of(name)] > 1 for name in self.photos.names])
        return suspects

    def _problems_of(self, number: int, stems: Counter[str]) -> Iterable[Problem]:
        folder, path = self.folder, self.photos.folder / self.photos.names[number]
        if number in self.errors:
            yield Problem(path, self.errors[number], REPLACE)
            return
        width = int(self.facts["width"][number])
        if folder.side_by_side and width % 2:
            yield Problem(path, f"{width} px wide, so not two halves side by side", EVEN)
        if stems[path.stem] > 1:
            shared = "mask" if folder.masks_required else "result"
            yield Problem(path, f"has the same name as another photo, and so the same {shared}", RENAME)
        if self.masks.files.names[number]:
            yield from self._mask_problems(number, path)
        elif folder.masks and folder.masks_required:
            yield Problem(path, f"no mask {folder.masks / path.stem}.png", self._make_masks())
        if self.depths.files.names[number]:
            yield from self._depth_problems(number, path)
        elif folder.depths_there:
            yield Problem(path, f"no depth {folder.depths_there / path.stem}.png", MAKE_DEPTHS)

    def _mask_problems(self, number: int, path: Path) -> Iterable[Problem]:
        folder, masks = self.folder, self.masks
        mask_path = masks.path(number)
        if number in masks.errors:
            yield Problem(mask_path, masks.errors[number], self._make_masks(again=True))
            return
        if what := self._other_size(masks, number, path):
            yield Problem(mask_path, what, self._make_masks(again=True))
        if masks.facts["empty"][number] and folder.masks_required:
            drop = DROP_PAIRS if folder.side_by_side else DROP_EMPTY
            yield Problem(mask_path, "no subject: no pixel is 128 or more of 255", drop)

    def _depth_problems(self, number: int, path: Path) -> Iterable[Problem]:
        depths = self.depths
        if number in depths.errors:
            yield Problem(depths.path(number), depths.errors[number], MAKE_DEPTHS)
        elif what := self._other_size(depths, number, path):
            yield Problem(depths.path(number), what, MAKE_DEPTHS)
        elif depths.facts["empty"][number]:
            yield Problem(depths.path(number), "the same depth everywhere", MAKE_DEPTHS)

    def _other_size(self, maps: Maps, number: int, path: Path) -> str:
        """What is wrong with the size of a map for the photo at `path`; nothing is an empty string."""
        width, height = int(self.facts["width"][number]), int(self.facts["height"][number])
        size = (width // 2 if self.folder.side_by_side else width, height)
        found = int(maps.facts["width"][number]), int(maps.facts["height"][number])
        if found != size and found == size[::-1]:
            # An orientation that stands behind the pixels is unknown so far; rare, so decode only here.
            size = image_size(path, decode=True)
        if found == size:
            return ""
        return f"{found[0]} x {found[1]} px, but its photo {path} has {size[0]} x {size[1]}"

    def _make_masks(self, again: bool = False) -> str:
        """How to make the masks of the folder."""
        if self.folder.side_by_side and self.folder.masks:
            return MAKE_MASKS_OF_HALVES % self.folder.masks.name + (" --overwrite" if again else "")
        return MAKE_MASKS_AGAIN if again else MAKE_MASKS
