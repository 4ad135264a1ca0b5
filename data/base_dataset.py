"""What all datasets share: options, random numbers from (seed, epoch, index), reading of photos and masks."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from data.cache import GIB, CachedArray, PixelCache, open_cache
from data.image_folder import PhotoFolder, scan_folders
from data.options import DatasetOptions
from data.photos import Photo, Photos
from data.shard_order import reading_order
from data.shards import ShardPhotos, are_shards, is_address, shard_photos
from data.transforms import (
    Geometry,
    Preprocess,
    image_to_tensor,
    mask_to_tensor,
    resize_image,
    resize_mask,
    size_of,
)
from util.files import cache_folder
from util.images import read_mask, read_pixels
from util.options import Options
from util.present import present

# First number of a seed: keeps the random numbers of the photos apart from those of the order.
ITEM_STREAM = 1


class BaseDataset(DatasetOptions, Dataset, ABC):
    """Base of all datasets. A new one is a file `data/<mode>_dataset.py` with a class `<Mode>Dataset`.

    It gives its number of photos as `len()` and one item by `load`. Items are dicts: images as float32
    `[C,H,W] in [-1,1]` under 'A' and 'B', masks as `[1,H,W] in [0,1]` under 'mask_A' and 'mask_B', inverse depths, near
    is 1, likewise under 'depth_A' and 'depth_B' (left out where there are none), and the photos' files under 'A_paths'
    and 'B_paths'.
    """

    def __init__(self, opt: Options) -> None:
        self.opt = opt
        self.preprocess = Preprocess.of_options(opt)
        self.cache = PixelCache({})
        self.sets: Sequence[Photos | ShardPhotos] = []

    @abstractmethod
    def __len__(self) -> int:
        """Number of items in an epoch."""

    @abstractmethod
    def load(self, index: int, rng: np.random.Generator) -> dict[str, Any]:
        """Item `index`. Random choices come from `rng` and nothing else: then runs can be repeated."""

    def __getitem__(self, key: int | tuple[int, int]) -> dict[str, Any]:
        """The item for `key`: (epoch, index), or an index alone for epoch 0."""
        epoch, index = key if isinstance(key, tuple) else (0, key)
        return self.load(index, np.random.default_rng([ITEM_STREAM, self.opt.seed, epoch, index]))

    def scan(self, folders: Sequence[PhotoFolder]) -> Sequence[Photos | ShardPhotos]:
        """Check the photos and masks of `folders`, and return the photos by folder. Call once, when made.

        Shards in the place of folders were checked when they were made.

        Raises:
            UserError: everything that can't be used, listed.
        """
        opt = self.opt
        if are_shards(opt.dataroot, folders):
            cache_bytes = int(opt.shard_cache_size * GIB)
            self.sets = shard_photos(opt.dataroot, folders, opt.max_dataset_size, cache_bytes)
        else:
            self.sets = scan_folders(opt.dataroot, folders, opt.max_dataset_size)
        self.set_cache(photo for found in self.sets for photo in found)
        return self.sets

    def order(self, epoch: int, world_size: int) -> np.ndarray | None:
        """Keys of an epoch in the order in which they read best; None if any does, as from a folder.

        Every `world_size`-th belongs to one rank. A dataset that reads several sets at once overrides it.
        """
        if len(self.sets) != 1 or not isinstance(self.sets[0], ShardPhotos):
            return None
        return reading_order(self.sets[0], len(self), [self.opt.seed, epoch], world_size)

    def set_cache(self, photos: Iterable[Photo]) -> None:
        """Keep `photos` and their masks as `--cache` says."""
        # A test reads each photo once.
        if not self.opt.isTrain or self.opt.cache == "none":
            return
        entries = []
        for photo in photos:
            width, height = self.preprocess.scaled_size(photo.size)
            entries.append(CachedArray(photo.name, photo.path, (height, width, photo.channels)))
            if photo.mask:
                entries.append(CachedArray(f"mask of {photo.name}", photo.mask, (height, width)))
        place = cache_folder() if is_address(self.opt.dataroot) else Path(self.opt.dataroot)
        self.cache = open_cache(self.opt.cache, self.opt.cache_size, place, entries)

    def decode(self, photo: Photo) -> np.ndarray:
        """The pixels of `photo` as its file holds them, upright: [H,W,C], uint8 or uint16."""
        return read_pixels(photo.path, photo.channels)

    def scaled_image(self, photo: Photo) -> np.ndarray:
        """The pixels of `photo`, scaled but not cropped: [H,W,C], uint8 or uint16."""

        def make() -> np.ndarray:
            pixels = self.decode(photo)
            return resize_image(pixels, self.preprocess.scaled_size(size_of(pixels)))

        return self.cache.get(photo.name, make)

    def scaled_mask(self, photo: Photo, size: tuple[int, int]) -> np.ndarray:
        """The mask of `photo`, scaled to `size` (width, height): [H,W] uint8."""
        return self.cache.get(
            f"mask of {photo.name}", lambda: resize_mask(np.asarray(read_mask(present(photo.mask))), size)
        )

    def scaled_depth(self, photo: Photo, size: tuple[int, int]) -> np.ndarray:
        """The depth of `photo`, scaled to `size` (width, height): [H,W] uint8 or uint16."""
        return resize_mask(read_pixels(present(photo.depth), channels=1)[..., 0], size)

    def read(
        self, domain: str, photo: Photo, rng: np.random.Generator, geometry: Geometry | None = None
    ) -> dict[str, Any]:
        """What an item holds of `photo`, its mask and its depth, named for `domain` ('A' or 'B').

        All go through one geometry: the given one, which must have been drawn for a photo of the same size,
        or a new one.
        """
        pixels = self.scaled_image(photo)
        geometry = geometry or self.preprocess.draw(size_of(pixels), rng)
        item = {domain: image_to_tensor(geometry.cut(pixels)), f"{domain}_paths": str(photo.path)}
        if photo.mask:
            mask = self.scaled_mask(photo, size_of(pixels))
            item[f"mask_{domain}"] = mask_to_tensor(geometry.cut(mask))
        if photo.depth:
            item[f"depth_{domain}"] = mask_to_tensor(geometry.cut(self.scaled_depth(photo, size_of(pixels))))
        return item
