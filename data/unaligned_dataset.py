"""Two folders of photos that have nothing to do with each other: the data of CycleGAN."""

from typing import Any

import numpy as np

from data.base_dataset import BaseDataset
from data.image_folder import PhotoFolder, scan_folders


class UnalignedDataset(BaseDataset):
    """Photos of `<dataroot>/<phase>A` and `<phase>B`, with their masks of `maskA` and `maskB`.

    A comes in order, B at random, in order too with `--serial_batches` and at test. An epoch is as long as
    the larger folder; the smaller one starts again. With `--direction BtoA` the folders change names.
    """

    def __init__(self, opt: Any) -> None:
        super().__init__(opt)
        letters = "AB" if opt.direction == "AtoB" else "BA"
        folders = [PhotoFolder.of_domain(opt, letter) for letter in letters]
        self.photos_A, self.photos_B = scan_folders(opt.dataroot, folders, opt.max_dataset_size)
        self.random_B = opt.isTrain and not opt.serial_batches

    def __len__(self) -> int:
        return max(len(self.photos_A), len(self.photos_B))

    def load(self, index: int, rng: np.random.Generator) -> dict[str, Any]:
        """A's photo `index` with one of B's."""
        index_B = int(rng.integers(len(self.photos_B))) if self.random_B else index % len(self.photos_B)
        photo_A, photo_B = self.photos_A[index % len(self.photos_A)], self.photos_B[index_B]
        item_A = self.read_domain("A", photo_A, self.opt.input_nc, rng)
        return item_A | self.read_domain("B", photo_B, self.opt.output_nc, rng)
