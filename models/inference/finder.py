"""What a generator that finds people by itself takes for the subject: an opinion on photos for others to look at."""

from collections.abc import Callable

import numpy as np
import torch

from data.transforms import image_to_tensor
from models.inference.generator import Generator
from models.lens.generator import LensGenerator


def finder(generator: Generator) -> Callable[[np.ndarray], np.ndarray]:
    """A function from photos uint8 `[H,W,3]` to what is in focus, float32 `[h,w]` in [0,1], as large as it is seen.

    `generator`: of `--output_mode lens`, trained without `--mask_input`.
    """
    lens = generator.net
    if not isinstance(lens, LensGenerator) or lens.takes_mask:
        raise TypeError(f"{generator.file}: finds nobody by itself")

    @torch.inference_mode()
    def find(photo: np.ndarray) -> np.ndarray:
        logits = lens.logits(image_to_tensor(photo)[None].to(generator.device), None)
        return lens.in_range(logits.softmax(dim=1)[:, :1])[0, 0].cpu().numpy()

    return find
