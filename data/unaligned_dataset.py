"""Two folders of photos that have nothing to do with each other: the data of CycleGAN."""

from typing import Any

import numpy as np

from data.augment import augment
from data.base_dataset import BaseDataset
from data.image_folder import PhotoFolder
from data.options import UnalignedOptions
from data.shard_order import reading_order
from data.shards import ShardPhotos
from util.domains import domains
from util.options import Options


class UnalignedDataset(UnalignedOptions, BaseDataset):
    """Photos of `<dataroot>/<phase>A` and `<phase>B`, with their masks of `maskA` and `maskB`.

    A comes in order, B at random, in order too with `--serial_batches` and at test. An epoch is as long as
    the larger folder; the smaller one starts again. With `--direction BtoA` the folders change names.
    """

    def __init__(self, opt: Options) -> None:
        super().__init__(opt)
        source, target = domains(opt.direction)
        folder_A = PhotoFolder.of_domain(opt, source, opt.input_nc)
        folder_B = PhotoFolder.of_domain(opt, target, opt.output_nc)
        self.photos_A, self.photos_B = self.scan([folder_A, folder_B])
        self.random_B = opt.isTrain and not opt.serial_batches

    def __len__(self) -> int:
        return max(len(self.photos_A), len(self.photos_B))

    def order(self, epoch: int, world_size: int) -> np.ndarray | None:
        """From shards, B is drawn in advance and without repeating, so that its photos lie near each other too."""
        if not (isinstance(self.photos_A, ShardPhotos) and isinstance(self.photos_B, ShardPhotos)):
            return None
        order_A, order_B = (
            reading_order(photos, len(self), [self.opt.seed, epoch, number], world_size)
            for number, photos in enumerate((self.photos_A, self.photos_B))
        )
        return order_A + (1 + order_B) * len(self)

    def load(self, index: int, rng: np.random.Generator) -> dict[str, Any]:
        """A's photo `index` with one of B's: the one that `order` has added to the index, or else as above."""
        partner, index = divmod(index, len(self))
        if partner:
            index_B = partner - 1
        else:
            index_B = int(rng.integers(len(self.photos_B))) if self.random_B else index % len(self.photos_B)
        photo_A = self.photos_A[index % len(self.photos_A)]
        item = self.read("A", photo_A, rng) | self.read("B", self.photos_B[index_B], rng)
        return augment(item, self.opt, rng) if self.opt.isTrain else item
