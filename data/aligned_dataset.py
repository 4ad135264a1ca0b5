"""Photos that hold both domains side by side, pixel for pixel the same scene: the data of pix2pix."""

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from data.base_dataset import BaseDataset
from data.image_folder import PhotoFolder, scan_folders
from data.photos import NO_FILES, Photo
from util.domains import domains
from util.images import read_pixels, to_gray
from util.member import Member
from util.options import Options

LEFT, RIGHT = "left", "right"


class AlignedDataset(BaseDataset):
    """Photos of `<dataroot>/<phase>`, A in the left half and B in the right: `combine_A_and_B.py` makes them.

    Both halves get one geometry. The mask of A is `maskA/<stem>.png`, of the size of a half. With
    `--direction BtoA` the right half is A, and its mask comes from `maskB`.
    """

    def __init__(self, opt: Options) -> None:
        super().__init__(opt)
        letter, _ = domains(opt.direction)
        folder = replace(
            PhotoFolder.of_domain(opt, letter, opt.input_nc),
            photos=Path(opt.dataroot, opt.phase),
            side_by_side=True,
            depths=None,
        )
        (pairs,) = scan_folders(opt.dataroot, [folder], opt.max_dataset_size)
        halves = replace(pairs, sizes=pairs.sizes // (2, 1))
        part_A, part_B = (LEFT, RIGHT) if letter == "A" else (RIGHT, LEFT)
        self.photos_A = replace(halves, part=part_A)
        self.photos_B = replace(halves, part=part_B, masks=NO_FILES, channels=opt.output_nc)
        self.set_cache(chain.from_iterable(zip(self.photos_A, self.photos_B, strict=True)))
        self.last: tuple[Path | Member | None, np.ndarray] = (None, np.empty(0))

    def __len__(self) -> int:
        return len(self.photos_A)

    def decode(self, photo: Photo) -> np.ndarray:
        """The half of its file that is `photo`: [H,W/2,C]. A file is decoded once for both halves."""
        if self.last[0] != photo.path:
            self.last = photo.path, read_pixels(photo.path)
        pixels = self.last[1]
        middle = pixels.shape[1] // 2
        half = pixels[:, :middle] if photo.part == LEFT else pixels[:, middle:]
        return half if photo.channels == 3 else to_gray(half)

    def load(self, index: int, rng: np.random.Generator) -> dict[str, Any]:
        """Both halves of photo `index`."""
        size = self.preprocess.scaled_size(self.photos_A[index].size)
        geometry = self.preprocess.draw(size, rng)
        item_A = self.read("A", self.photos_A[index], rng, geometry)
        return item_A | self.read("B", self.photos_B[index], rng, geometry)
