"""Where photos are, and photos that have been checked: one, or a whole folder of them in little memory."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import numpy as np

from util.errors import UserError
from util.files import encoded
from util.images import image_names
from util.member import Member
from util.options import Options
from util.present import present


@dataclass(frozen=True)
class Photo:
    """A photo that has been checked: its upright size (width, height) in pixels, its mask and its depth, if any.

    `part` tells apart photos that are cut from the same file, `channels` is what it is read as, 3 or 1.
    """

    path: Path | Member
    size: tuple[int, int]
    mask: Path | Member | None
    channels: int = 3
    part: str = ""
    depth: Path | Member | None = None

    @property
    def name(self) -> str:
        """A name that no other photo has."""
        return f"{self.path} {self.part} {self.channels}"


@dataclass(frozen=True, eq=False)
class PackedFiles:
    """Files in `folder` by their names `[N]`, bytes, each as long as the longest: `b""` is no file. None: none is."""

    folder: Path | None
    names: np.ndarray

    @classmethod
    def of(cls, folder: Path, names: Sequence[str]) -> "PackedFiles":
        """Those `names`; an empty one stands for no file."""
        return cls(folder, np.array(list(encoded(names)), dtype=np.bytes_))

    def __getitem__(self, chosen: slice) -> "PackedFiles":
        return replace(self, names=self.names[chosen])

    def path(self, number: int) -> Path | None:
        """The file with that number, if there is one."""
        if self.folder is None or not self.names[number]:
            return None
        return self.folder / os.fsdecode(self.names[number])


NO_FILES = PackedFiles(None, np.empty(0, np.bytes_))


@dataclass(frozen=True, eq=False)
class Photos(Sequence[Photo]):
    """The photos of a folder, as arrays: 100,000 take a few MB, which forked workers share for good.

    A list of objects would be copied into each worker bit by bit, as Python counts references inside of it.

    Args:
        files: theirs.
        sizes: `[N,2]`, upright (width, height).
        masks, depths: in the same order.
        channels, part: as those of `Photo`.
    """

    files: PackedFiles
    sizes: np.ndarray
    masks: PackedFiles
    depths: PackedFiles
    channels: int = 3
    part: str = ""

    def __len__(self) -> int:
        return len(self.sizes)

    @overload
    def __getitem__(self, index: int) -> Photo: ...
    @overload
    def __getitem__(self, index: slice) -> "Photos": ...
    def __getitem__(self, index: int | slice) -> "Photo | Photos":
        if isinstance(index, slice):
            files, masks, depths = self.files[index], self.masks[index], self.depths[index]
            return replace(self, files=files, sizes=self.sizes[index], masks=masks, depths=depths)
        width, height = self.sizes[index].tolist()
        return Photo(
            present(self.files.path(index)),
            (width, height),
            self.masks.path(index),
            self.channels,
            self.part,
            self.depths.path(index),
        )

    def __iter__(self) -> Iterator[Photo]:
        return (self[number] for number in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


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
    def of_domain(cls, opt: Options, letter: str, channels: int) -> "PhotoFolder":
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

    def find(self, limit: float) -> list[str]:
        """Names of the first `limit` photos, below `photos`.

        Raises:
            UserError: no such folder, or no image in it.
        """
        if not self.photos.is_dir():
            raise UserError(f"{self.photos}: no such folder; check --dataroot and --phase")
        found = image_names(self.photos)
        if not found:
            raise UserError(
                f"{self.photos}: no images in there; put photos in, or check --dataroot and --phase"
            )
        return found if limit >= len(found) else found[: int(limit)]
