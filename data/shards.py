"""Photos in tar shards, as datasets/make_shards.py writes them, read by their place without unpacking.

`index.json` beside the shards says where everything is. For each set of photos, as `trainA`, it has columns in the
order of the photos' names: `names`, `width`, `height`, `shard` (its number), and for `photo`, `mask` and `depth` where
there are some: `offset` and `bytes` in the shard, `crc32`, `suffix`, for masks `empty` (without a subject). A mask that
is not there has -1 bytes.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

import numpy as np

from data.photos import Photo, PhotoFolder
from util.errors import UserError
from util.files import encoded
from util.member import Member, Shard
from util.shard_store import FolderStore, WebStore

INDEX = "index.json"
VERSION = 1

# Shards among whose photos the order of an epoch is mixed: what is read at a time, and should lie near.
WINDOW = 8


@dataclass(frozen=True)
class ShardColumn:
    """Where one kind of file is in the shards: `place` `[N,3]` offset, bytes and CRC-32, and the `suffixes` `[N]`."""

    place: np.ndarray
    suffixes: np.ndarray

    @classmethod
    def of(cls, column: Mapping[str, Any]) -> "ShardColumn":
        """That which `column` of the index says."""
        place = np.array([column["offset"], column["bytes"], column["crc32"]], np.int64).T
        return cls(place.reshape(-1, 3), np.array(column["suffix"], np.bytes_))

    def __getitem__(self, chosen: slice) -> "ShardColumn":
        return ShardColumn(self.place[chosen], self.suffixes[chosen])


@dataclass(frozen=True, eq=False)
class ShardPhotos(Sequence[Photo]):
    """The photos of a set, as arrays: see `data.photos.Photos`.

    Args:
        keys: what members of the shards are called, less their suffixes `[N]`.
        shard_of: the number of each photo's shard `[N]`.
        sizes: `[N,2]`, upright (width, height).
    """

    store: FolderStore | WebStore
    shards: tuple[Shard, ...]
    keys: np.ndarray
    shard_of: np.ndarray
    sizes: np.ndarray
    photos: ShardColumn
    masks: ShardColumn | None
    depths: ShardColumn | None
    channels: int = 3
    part: str = ""

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, index: int) -> Photo: ...
    @overload
    def __getitem__(self, index: slice) -> "ShardPhotos": ...
    def __getitem__(self, index: int | slice) -> "Photo | ShardPhotos":
        if isinstance(index, slice):
            return replace(
                self,
                keys=self.keys[index],
                shard_of=self.shard_of[index],
                sizes=self.sizes[index],
                photos=self.photos[index],
                masks=self.masks and self.masks[index],
                depths=self.depths and self.depths[index],
            )
        photo = self._member(self.photos, index)
        if photo is None:
            raise IndexError(index)
        width, height = self.sizes[index].tolist()
        mask, depth = self._member(self.masks, index), self._member(self.depths, index)
        return Photo(photo, (width, height), mask, self.channels, self.part, depth)

    def _member(self, part: ShardColumn | None, index: int) -> Member | None:
        if part is None or part.place[index, 1] < 0:
            return None
        name = os.fsdecode(self.keys[index] + part.suffixes[index])
        return Member(self.store, self.shards[self.shard_of[index]], name, *part.place[index].tolist())

    def __iter__(self) -> Iterator[Photo]:
        return (self[number] for number in range(len(self)))


def are_shards(dataroot: str | Path, folders: Sequence[PhotoFolder]) -> bool:
    """Whether `dataroot` holds shards, and not the folders themselves.

    Raises:
        UserError: tars without the index that belongs to them.
    """
    if is_address(dataroot):
        return True
    root = Path(dataroot)
    if any(folder.photos.is_dir() for folder in folders):
        return False
    if (root / INDEX).is_file():
        return True
    if root.is_dir() and any(root.glob("*-[0-9][0-9][0-9][0-9][0-9][0-9].tar")):
        raise UserError(f"{root / INDEX}: missing; run datasets/make_shards.py to its end, or copy it too")
    return False


def is_address(dataroot: str | Path) -> bool:
    """Whether `dataroot` is on the web."""
    return bool(re.match("https?://", str(dataroot)))


def shard_photos(
    dataroot: str | Path, folders: Sequence[PhotoFolder], limit: float, cache_bytes: int
) -> list[ShardPhotos]:
    """The photos of `folders` in the shards of `dataroot`, at most `limit` of each. They were checked when made.

    Args:
        cache_bytes: limit of what is kept on the disk of shards from the web.

    Raises:
        UserError: index or shards are missing, cut short or have changed, or masks that are required are not there.
    """
    store: FolderStore | WebStore
    if is_address(dataroot):
        store = WebStore(str(dataroot).rstrip("/"), cache_bytes)
        content = store.fetch_index(INDEX)
    else:
        store = FolderStore(Path(dataroot))
        content = (store.folder / INDEX).read_bytes()
    sets = _sets(content, f"{store.place}/{INDEX}")
    found = [_photos(store, sets, folder, limit) for folder in folders]
    for photos in found:
        if isinstance(store, FolderStore):
            for shard in photos.shards:
                store.check(shard)
    if isinstance(store, WebStore):
        _require_room(found, cache_bytes)
    return found


def _sets(content: bytes, place: str) -> dict[str, Any]:
    try:
        index = json.loads(content)
        version, sets = index["version"], index["sets"]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{place}: damaged; copy it again, or make shards again") from None
    if version != VERSION:
        raise UserError(f"{place}: of another version of this program; make shards again")
    return sets


def _photos(
    store: FolderStore | WebStore, sets: dict[str, Any], folder: PhotoFolder, limit: float
) -> ShardPhotos:
    """The set of `folder`."""
    name = folder.photos.name
    if name not in sets:
        raise UserError(
            f"{store.place}/{INDEX}: no {name} in there, only {', '.join(sets)}; check --dataroot, --phase and "
            "--dataset_mode"
        )
    columns = sets[name]
    chosen = slice(None if limit >= len(columns["keys"]) else int(limit))
    if folder.masks_required:
        _require_masks(store, name, columns, chosen)
    parts = columns["parts"]
    wanted = {"mask": folder.masks, "depth": folder.depths}
    masks, depths = (
        ShardColumn.of(parts[kind]) if parts.get(kind) and place else None for kind, place in wanted.items()
    )
    photos = ShardPhotos(
        store,
        tuple(Shard(**shard) for shard in columns["shards"]),
        np.array(list(encoded(columns["keys"])), np.bytes_),
        np.array(columns["shard"], np.int32),
        np.array([columns["width"], columns["height"]], np.int32).T,
        ShardColumn.of(parts["photo"]),
        masks,
        depths,
        folder.channels,
    )
    return photos[chosen]


def _require_masks(
    store: FolderStore | WebStore, name: str, columns: Mapping[str, Any], chosen: slice
) -> None:
    keys = columns["keys"][chosen]
    masks = columns["parts"].get("mask")
    if not masks:
        raise UserError(f"{store.place}: {name} has no masks; make masks, then shards again")
    for what, wrong in (
        ("have no mask", [count < 0 for count in masks["bytes"][chosen]]),
        ("have a mask without a subject", masks["empty"][chosen]),
    ):
        names = [key for key, is_wrong in zip(keys, wrong, strict=True) if is_wrong]
        if names:
            raise UserError(
                f"{store.place}: {len(names)} photos of {name} {what}, such as {names[0]}; see to them in the folder "
                "that the shards are made of, then make shards again"
            )


def _require_room(found: Sequence[ShardPhotos], cache_bytes: int) -> None:
    """See that what is read at a time fits into the cache: else each photo would fetch its shard anew."""
    lengths = [sorted((shard.size for shard in photos.shards), reverse=True) for photos in found]
    # One more than a window, as its first shard is still read when the next begins.
    needed = sum(sum(of_set[: WINDOW + 1]) for of_set in lengths)
    if needed > cache_bytes:
        raise UserError(
            f"--shard_cache_size {cache_bytes / 2**30:.3g}: too small, {needed / 2**30:.3g} GiB of shards are read at "
            "a time; give more, or make smaller shards (make_shards.py --size)"
        )
