"""Sharp photos behind a known blur, for `--model defocus`."""

from typing import Any

import numpy as np
import torch

from data.base_dataset import BaseDataset
from data.image_folder import PhotoFolder
from data.known_blur import with_known_blur
from data.transforms import image_to_tensor, mask_to_tensor, resize_image, resize_mask, size_of
from util.images import read_mask
from util.options import Options

# How much smaller than in its file a photo is shown at most; never larger, which would not be sharp any more.
SMALLEST_SCALE = 0.55


class DefocusDataset(BaseDataset):
    """'A': crops of the photos of `<phase>A` behind a known blur, 'level': log2(1 + radius) at each pixel.

    Photos must be sharp. Where `maskA` has their mask, the subject stays sharp most of the time. In training the scale,
    place and blur of a crop are drawn anew each time.
    """

    def __init__(self, opt: Options) -> None:
        super().__init__(opt)
        (self.photos,) = self.scan([PhotoFolder.of_domain(opt, "A", 3)])

    def __len__(self) -> int:
        return len(self.photos)

    def load(self, index: int, rng: np.random.Generator) -> dict[str, Any]:
        """A crop of photo `index`."""
        photo = self.photos[index]
        pixels = self.decode(photo)
        smallest = max(SMALLEST_SCALE, self.opt.crop_size / min(photo.size))
        scale = max(1.0, smallest) if smallest >= 1 else float(rng.uniform(smallest, 1))
        size = (round(photo.size[0] * scale), round(photo.size[1] * scale))
        pixels = resize_image(pixels, size)
        geometry = self.preprocess.draw(size_of(pixels), rng)
        x, mask = image_to_tensor(geometry.cut(pixels)), None
        if photo.mask:
            full = resize_mask(np.asarray(read_mask(photo.mask)), size)
            mask = mask_to_tensor(geometry.cut(full))
        blurred, level = with_known_blur(x, mask, rng)
        return {"A": torch.clamp(blurred, -1, 1), "level": level, "A_paths": str(photo.path)}
