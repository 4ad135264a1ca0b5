"""Photos whose pixels say where they were, and options to read them with."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from util.options import Options


def coordinates(width: int, height: int, blue: int = 0) -> np.ndarray:
    """A photo [H,W,3] whose red is the column and whose green is the row of each pixel."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.full_like(x, blue)], axis=2).astype(np.uint8)


def save(array: np.ndarray, path: Path) -> Path:
    """Save `array` as an image, its folder made as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def options(dataroot: Path, **changes: Any) -> Options:
    """Options of a training on `dataroot`, as `TrainOptions` gives them."""
    values = {
        "dataroot": str(dataroot),
        "phase": "train",
        "direction": "AtoB",
        "dataset_mode": "unaligned",
        "serial_batches": False,
        "num_threads": 0,
        "batch_size": 1,
        "load_size": 286,
        "crop_size": 32,
        "max_dataset_size": float("inf"),
        "preprocess": "crop",
        "no_flip": False,
        "input_nc": 3,
        "output_nc": 3,
        "isTrain": True,
        "n_epochs": 2,
        "n_epochs_decay": 1,
        "seed": 0,
        "mask_policy": "required",
        "reads_depth": False,
        "cache": "none",
        "cache_size": 1.0,
        "shard_cache_size": 1.0,
        "augment_zoom": 0.0,
        "augment_light": 0.0,
        "augment_paste": 0.0,
        "augment_group": 0.0,
        "augment_hide": 0.0,
        "augment_noise": 0.0,
    }
    return Options(**values | changes)


def equal(first: list[dict], second: list[dict]) -> bool:
    """Whether two lists of items or batches are the same, tensors bit for bit."""

    def same(a, b):
        return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b

    return len(first) == len(second) and all(
        a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
        for a, b in zip(first, second, strict=True)
    )
