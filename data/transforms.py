"""From decoded photos and masks to tensors: how both are scaled, cropped and mirrored alike (`Preprocess`).

The datasets blur_maps and defocus draw how large a photo becomes themselves, and scale by the functions below;
`test.py --input` takes photos as they are.
"""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from data.options import SIDE_MULTIPLE, scaling_and_crop
from util.options import Options


@dataclass(frozen=True)
class Geometry:
    """The part of a scaled photo to use: `crop` (width, height) at `corner` (left, top), maybe mirrored."""

    corner: tuple[int, int]
    crop: tuple[int, int]
    flip: bool

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """The part of `pixels` [H,W] or [H,W,C], a view."""
        (left, top), (width, height) = self.corner, self.crop
        cropped = pixels[top : top + height, left : left + width]
        return cropped[:, ::-1] if self.flip else cropped


@dataclass(frozen=True)
class Preprocess:
    """What `--preprocess`, `--load_size`, `--crop_size` and `--no_flip` ask for.

    Scalings: `resize` to load_size x load_size, `scale_width` to load_size wide, `scale_shortside` so that
    the shorter side is load_size; the last two keep the aspect. A photo smaller than the crop is enlarged
    until it covers it. Without a crop, sides are rounded to the nearest multiple of 4 (`none`: only that).

    Args:
        scaling: one of `SCALINGS`, or "none".
        crops: whether a crop follows.
        load_size, crop_size: in pixels.
        augments: crop at a random place; else in the middle.
        flips: mirror half of the photos.
    """

    scaling: str
    crops: bool
    load_size: int
    crop_size: int
    augments: bool
    flips: bool

    @classmethod
    def of_options(cls, opt: Options) -> "Preprocess":
        """Read the options; crop and mirror at random only in training.

        Raises:
            UserError: an unknown `--preprocess`, or sizes that can't work.
        """
        scaling, crops = scaling_and_crop(opt)
        return cls(
            scaling=scaling,
            crops=crops,
            load_size=opt.load_size,
            crop_size=opt.crop_size,
            augments=opt.isTrain,
            flips=opt.isTrain and not opt.no_flip,
        )

    def scaled_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Size (width, height) to which a photo of `size` is scaled before the crop."""
        width, height = size
        if self.scaling == "resize":
            scaled: tuple[float, float] = (self.load_size, self.load_size)
        else:
            scale = {
                "none": 1.0,
                "scale_width": self.load_size / width,
                "scale_shortside": self.load_size / min(width, height),
            }[self.scaling]
            if self.crops:
                scale = max(scale, self.crop_size / min(width, height))
            scaled = (width * scale, height * scale)
        # At test generators take any size, and results have the photo's.
        multiple = SIDE_MULTIPLE if self.augments and not self.crops else 1
        width, height = (max(multiple, round(side / multiple) * multiple) for side in scaled)
        return width, height

    def draw(self, size: tuple[int, int], rng: np.random.Generator) -> Geometry:
        """Choose the part of a photo that was scaled to `size` (width, height)."""
        crop = (self.crop_size, self.crop_size) if self.crops else size
        spare = (size[0] - crop[0], size[1] - crop[1])
        if self.augments:
            corner = (int(rng.integers(spare[0] + 1)), int(rng.integers(spare[1] + 1)))
        else:
            corner = (spare[0] // 2, spare[1] // 2)
        return Geometry(corner, crop, flip=self.flips and bool(rng.random() < 0.5))


def size_of(pixels: np.ndarray) -> tuple[int, int]:
    """Size (width, height) of `pixels` [H,W] or [H,W,C]."""
    return pixels.shape[1], pixels.shape[0]


def resize(pixels: np.ndarray, size: tuple[int, int], resample: Image.Resampling) -> np.ndarray:
    """Scale `pixels` [H,W] or [H,W,C], uint8 or uint16, to `size` (width, height), antialiased.

    Values that a kernel with negative lobes carries out of the range are cut at its ends.
    """
    if size_of(pixels) == size:
        return pixels
    if pixels.dtype == np.uint8:
        small = Image.fromarray(pixels.squeeze()).resize(size, resample)
        return np.asarray(small).reshape(size[1], size[0], *pixels.shape[2:])
    # Pillow scales more than 8 bits as floating point only, one channel at a time.
    channels = pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1).astype(np.float32)
    scaled = np.stack(
        [np.asarray(Image.fromarray(channel).resize(size, resample)) for channel in channels], 2
    )
    limit = np.iinfo(pixels.dtype).max
    return (scaled.clip(0, limit) + 0.5).astype(pixels.dtype).reshape(size[1], size[0], *pixels.shape[2:])


def resize_image(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scale a photo, bicubic."""
    return resize(pixels, size, Image.Resampling.BICUBIC)


def resize_mask(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scale a mask by area: every value stays between its neighbours, so that a mask stays a mask."""
    return resize(pixels, size, Image.Resampling.BOX)


def image_to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """A photo [H,W,C], uint8 or uint16, as float32 [C,H,W] in [-1,1]."""
    return torch.from_numpy(_planes(pixels, np.iinfo(pixels.dtype).max / 2) - 1)


def mask_to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """A mask [H,W], uint8 or uint16, as float32 [1,H,W] in [0,1], 1 = subject."""
    return torch.from_numpy(_planes(pixels[..., None], np.iinfo(pixels.dtype).max))


def _planes(pixels: np.ndarray, divisor: float) -> np.ndarray:
    """`pixels` [H,W,C] over `divisor`, as float32 [C,H,W]. In numpy: torch's threads fight for cores."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32) / np.float32(divisor)
