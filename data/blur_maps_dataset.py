"""Shallow photos with their masks and measured blur, for `--model radius`."""

import shlex
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from data.base_dataset import BaseDataset
from data.image_folder import PhotoFolder
from data.transforms import image_to_tensor, mask_to_tensor, resize_image, resize_mask, size_of
from util.blur_maps import read_blur_map
from util.errors import UserError
from util.images import read_mask
from util.options import Options
from util.present import present

# Largest part of each side that a random crop leaves out; a smaller part is a nearer view.
CROPPED = 0.3


class BlurMapsDataset(BaseDataset):
    """'B': photos of `<phase>B`, 'mask_B' and 'blur_B' `[2,h,w]`: level log2(1 + radius) and certainty, of `blurB`.

    Photos are scaled so that the shorter side is `--load_size`, cut where they are longer than `--crop_size`, and
    filled up to that with grey, 0, below and to the right; there certainty is 0. `blurB` comes from
    scripts/measure_blur.py.
    """

    def __init__(self, opt: Options) -> None:
        super().__init__(opt)
        (self.photos,) = self.scan([PhotoFolder.of_domain(opt, "B", 3)])
        folder = Path(opt.dataroot) / "blurB"
        self.maps = [folder / f"{photo.path.stem}.png" for photo in self.photos]
        missing = [path for path in self.maps if not path.is_file()]
        if missing:
            raise UserError(
                f"{len(missing)} of {len(self.maps)} photos have no blur map, such as {missing[0]}; "
                f"make them: python scripts/measure_blur.py --dataroot {shlex.quote(opt.dataroot)}"
            )

    def __len__(self) -> int:
        return len(self.photos)

    def load(self, index: int, rng: np.random.Generator) -> dict[str, Any]:
        """Photo `index`, or a random part of it, with mask and map."""
        photo = self.photos[index]
        pixels, mask = self.decode(photo), np.asarray(read_mask(present(photo.mask)))
        blur = read_blur_map(self.maps[index])
        top, left, bottom, right = 0.0, 0.0, 1.0, 1.0
        if self.opt.isTrain and rng.random() < 0.5:
            height, width = 1 - rng.uniform(0, CROPPED, 2)
            top, left = rng.uniform(0, 1 - height), rng.uniform(0, 1 - width)
            bottom, right = top + height, left + width
        part = (top, left, bottom, right)
        pixels, mask = _cut(pixels, part), _cut(mask, part)
        # Seen nearer, the same blur is larger.
        nearer = min(photo.size) / min(size_of(pixels))
        level = np.log2(1 + nearer * _cut(blur.radius, part))
        scale = self.opt.load_size / min(size_of(pixels))
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        x = image_to_tensor(resize_image(pixels, size))
        maps = [
            cv2.resize(m, size, interpolation=cv2.INTER_LINEAR) for m in (level, _cut(blur.certainty, part))
        ]
        item = {"B": x, "mask_B": mask_to_tensor(resize_mask(mask, size))}
        item["blur_B"] = torch.from_numpy(np.stack(maps).astype(np.float32))
        if self.opt.isTrain and rng.random() < 0.5:
            item = {key: value.flip(-1) for key, value in item.items()}
        square = {key: _pad(value, self.opt.crop_size) for key, value in item.items()}
        return square | {"B_paths": str(photo.path)}


def _cut(array: np.ndarray, part: tuple[float, float, float, float]) -> np.ndarray:
    """The `part` (top, left, bottom, right, as shares of the sides) of `array` `[H,W,...]`."""
    height, width = array.shape[:2]
    top, left, bottom, right = part
    rows = slice(round(top * height), max(round(top * height) + 1, round(bottom * height)))
    columns = slice(round(left * width), max(round(left * width) + 1, round(right * width)))
    return np.ascontiguousarray(array[rows, columns])


def _pad(x: torch.Tensor, side: int) -> torch.Tensor:
    """`[C,h,w]` as `[C,side,side]`, cut or filled up with zeros below and to the right."""
    x = x[:, :side, :side]
    return torch.nn.functional.pad(x, (0, side - x.shape[2], 0, side - x.shape[1]))
