"""Shallow photos with their masks and measured blur, for `--model radius`."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from data.base_dataset import BaseDataset
from data.image_folder import PhotoFolder
from data.photos import Photo
from data.transforms import image_to_tensor, mask_to_tensor, resize_image, resize_mask, size_of
from util.blur_maps import read_blur_map
from util.errors import UserError
from util.images import read_mask
from util.measure.blur_prediction import regions
from util.options import Options
from util.present import present

# Largest part of each side that a random crop leaves out; a smaller part is a nearer view.
CROPPED = 0.3


class View(NamedTuple):
    """The part of a photo that is seen (top, left, bottom, right, as shares of the sides), and whether mirrored."""

    part: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    mirrored: bool = False


class BlurMapsDataset(BaseDataset):
    """'B': photos of `<phase>B`, 'mask_B', 'blur_B' `[2,h,w]`: level log2(1 + radius) and certainty, of `blurB`, and
    'inside_B' `[1,h,w]`, 1 where the photo is.

    Photos are scaled so that the shorter side is `--load_size`, cut where they are longer than `--crop_size`, and
    filled up to that by their last row and column. `blurB` comes from scripts/measure_blur.py.

    With `--lambda_critic` also 'A', 'mask_A' and 'inside_A', of a photo of A drawn at random, and of both domains
    'regions_A' and 'regions_B' `[3,h,w]`, 1 at the feet, beside the subject and far from it.
    """

    def __init__(self, opt: Options) -> None:
        super().__init__(opt)
        self.compares = opt.isTrain and opt.lambda_critic > 0
        domains = [PhotoFolder.of_domain(opt, domain, 3) for domain in ("BA" if self.compares else "B")]
        self.photos, *others = self.scan(domains)
        self.others: Sequence[Photo] = others[0] if others else []
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
        photo, view = self.photos[index], self.view(rng)
        pixels = _cut(self.decode(photo), view.part)
        item = self.seen(photo, pixels, view, "B")
        blur = read_blur_map(self.maps[index])
        # Seen nearer, the same blur is larger.
        level = np.log2(1 + min(photo.size) / min(size_of(pixels)) * _cut(blur.radius, view.part))
        maps = [
            cv2.resize(m, self.size(pixels), interpolation=cv2.INTER_LINEAR)
            for m in (level, _cut(blur.certainty, view.part))
        ]
        item["blur_B"] = self.framed(torch.from_numpy(np.stack(maps).astype(np.float32)), view)
        if self.compares:
            other, view = self.others[int(rng.integers(len(self.others)))], self.view(rng)
            item |= self.seen(other, _cut(self.decode(other), view.part), view, "A")
        return item | {"B_paths": str(photo.path)}

    def view(self, rng: np.random.Generator) -> View:
        """In training half of the photos are cut, and half are mirrored."""
        if not self.opt.isTrain:
            return View()
        part = (0.0, 0.0, 1.0, 1.0)
        if rng.random() < 0.5:
            height, width = 1 - rng.uniform(0, CROPPED, 2)
            top, left = rng.uniform(0, 1 - height), rng.uniform(0, 1 - width)
            part = (top, left, top + height, left + width)
        return View(part, rng.random() < 0.5)

    def size(self, pixels: np.ndarray) -> tuple[int, int]:
        """Width and height at which `pixels` are seen."""
        scale = self.opt.load_size / min(size_of(pixels))
        return max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))

    def seen(self, photo: Photo, pixels: np.ndarray, view: View, domain: str) -> dict[str, torch.Tensor]:
        """`pixels`, the part of `photo` that `view` states, and all about them but their blur."""
        size = self.size(pixels)
        mask = mask_to_tensor(resize_mask(_cut(np.asarray(read_mask(present(photo.mask))), view.part), size))
        inside = torch.zeros(1, self.opt.crop_size, self.opt.crop_size)
        inside[:, : size[1], : size[0]] = 1
        item = {
            domain: self.framed(image_to_tensor(resize_image(pixels, size)), view),
            f"mask_{domain}": self.framed(mask, view),
            f"inside_{domain}": inside,
        }
        if self.compares:
            found = torch.from_numpy(np.stack(list(regions(mask[0].numpy()).values())))
            item[f"regions_{domain}"] = self.framed(found.float(), view) * inside
        return item

    def framed(self, x: torch.Tensor, view: View) -> torch.Tensor:
        """`[C,h,w]`, mirrored if `view` is, as a square: cut, or filled up by its last row and column."""
        side = self.opt.crop_size
        x = (x.flip(-1) if view.mirrored else x)[:, :side, :side]
        return F.pad(x[None], (0, side - x.shape[2], 0, side - x.shape[1]), mode="replicate")[0]


def _cut(array: np.ndarray, part: tuple[float, float, float, float]) -> np.ndarray:
    """The `part` (top, left, bottom, right, as shares of the sides) of `array` `[H,W,...]`."""
    height, width = array.shape[:2]
    top, left, bottom, right = part
    rows = slice(round(top * height), max(round(top * height) + 1, round(bottom * height)))
    columns = slice(round(left * width), max(round(left * width) + 1, round(right * width)))
    return np.ascontiguousarray(array[rows, columns])
