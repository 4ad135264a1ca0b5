"""What all datasets share: options, random numbers from (seed, epoch, index), reading of photos and masks."""

from abc import ABC, abstractmethod
from argparse import ArgumentParser
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from data.image_folder import Photo
from data.transforms import Preprocess, image_to_tensor, mask_to_tensor, resize_image, resize_mask
from util.images import read_image, read_mask

# First number of a seed: keeps the random numbers of the photos apart from those of the order.
ITEM_STREAM = 1


class BaseDataset(Dataset, ABC):
    """Base of all datasets. A new one is a file `data/<mode>_dataset.py` with a class `<Mode>Dataset`.

    It gives its number of photos as `len()` and one item by `load`. Items are dicts: images as float32
    `[C,H,W] in [-1,1]` under 'A' and 'B', masks as `[1,H,W] in [0,1]` under 'mask_A' and 'mask_B' (left out
    where there is none), and the photos' files under 'A_paths' and 'B_paths'.
    """

    def __init__(self, opt: Any) -> None:
        self.opt = opt
        self.preprocess = Preprocess.from_options(opt)

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        """Add this dataset's options, or change defaults of others, and return `parser`."""
        return parser

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

    def read_pair(
        self, photo: Photo, channels: int, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Read `photo` and its mask under one random geometry.

        Returns the image `[channels,H,W] in [-1,1]` and the mask `[1,H,W] in [0,1]`, None where it has none.
        """
        decoded = read_image(photo.path)
        pixels = np.asarray(decoded if channels == 3 else decoded.convert("L"))
        pixels = pixels.reshape(*pixels.shape[:2], channels)
        size = self.preprocess.scaled_size(decoded.size)
        geometry = self.preprocess.draw(size, rng)
        image = image_to_tensor(geometry.cut(resize_image(pixels, size)))
        if photo.mask is None:
            return image, None
        mask = resize_mask(np.asarray(read_mask(photo.mask)), size)
        return image, mask_to_tensor(geometry.cut(mask))

    def read_domain(
        self, domain: str, photo: Photo, channels: int, rng: np.random.Generator
    ) -> dict[str, Any]:
        """The entries of an item that come from `photo`, under the names of `domain` ('A' or 'B')."""
        image, mask = self.read_pair(photo, channels, rng)
        masks = {} if mask is None else {f"mask_{domain}": mask}
        return {domain: image, **masks, f"{domain}_paths": str(photo.path)}
