"""One folder of photos, for a generator that works in one direction: the data of `--model test`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from data.base_dataset import BaseDataset
from data.image_folder import PhotoFolder
from util.domains import domains
from util.images import is_image
from util.options import Options


class SingleDataset(BaseDataset):
    """Photos in order, as 'A': of `--dataroot` itself, if there are any in it, else of its `<phase>A`.

    Masks come from `maskA` beside the photos' folder, from `maskB` if its name ends in B; depths likewise. With
    `--direction BtoA` the photos are those of `<phase>B`.
    """

    def __init__(self, opt: Options) -> None:
        super().__init__(opt)
        letter, _ = domains(opt.direction)
        folder = PhotoFolder.of_domain(opt, letter, opt.input_nc)
        root = Path(opt.dataroot)
        if root.is_dir() and any(is_image(path) for path in root.iterdir()):
            of = "B" if root.name.endswith("B") else "A"
            masks, depths = root.parent / f"mask{of}", root.parent / f"depth{of}"
            folder = replace(
                folder, photos=root, masks=folder.masks and masks, depths=folder.depths and depths
            )
        (self.photos,) = self.scan([folder])

    def __len__(self) -> int:
        return len(self.photos)

    def load(self, index: int, rng: np.random.Generator) -> dict[str, Any]:
        """Photo `index`."""
        return self.read("A", self.photos[index], rng)
