"""A trained defocus network as a function from photo to blur map."""

import os

import cv2
import numpy as np
import torch

from data.transforms import image_to_tensor
from models.inference.large_photos import shrink
from models.nets.any_size import pad_to_multiple
from models.nets.defocus import DefocusNet
from util.blur_maps import BlurMap
from util.optics.levels import radius_of_level

# Length of a photo's shorter side at which it is measured; where it has fewer pixels, those.
SIDE = 256


class BlurMeter:
    """Measures the blur of photos of any size, on `device`.

    >>> meter = load_blur_meter("pretrained/defocus/latest_net_E.pth")
    >>> meter(np.asarray(Image.open("me.jpg").convert("RGB"))).radius
    """

    def __init__(self, net: DefocusNet, device: torch.device | str = "cpu"):
        self.device = torch.device(device)
        self.net = net.to(self.device).eval()

    def __call__(self, photo: np.ndarray) -> BlurMap:
        """The blur of a photo `[H,W,3]`, uint8 or uint16, at a quarter of the size at which it is measured."""
        return self.batch([photo])[0]

    @torch.inference_mode()
    def batch(self, photos: list[np.ndarray]) -> list[BlurMap]:
        """As a call, of photos of one size in one pass."""
        scale = min(1.0, SIDE / min(photos[0].shape[:2]))
        x = torch.stack([image_to_tensor(shrink(photo, scale)) for photo in photos])
        level, log_scale = self.measure(x.to(self.device))
        radius = radius_of_level(level) * (SIDE / (scale * min(photos[0].shape[:2])))
        certainty = torch.exp(-torch.exp(log_scale))
        return [
            BlurMap(r[0].cpu().numpy(), c[0].cpu().numpy()) for r, c in zip(radius, certainty, strict=True)
        ]

    def measure(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Level log2(1 + radius in pixels) and log of the error to be expected, each `[B,1,ceil(H/4),ceil(W/4)]`.

        `x` is `[B,3,H,W] in [-1,1]` of any size; gradients reach it.
        """
        height, width = x.shape[-2:]
        level, log_scale = self.net(pad_to_multiple(x, self.net.divisor))
        rows, columns = -(-height // 4), -(-width // 4)
        return level[..., :rows, :columns], log_scale[..., :rows, :columns]


def load_blur_meter(path: str | os.PathLike, device: torch.device | str = "cpu") -> BlurMeter:
    """Load what `train.py --model defocus` saved.

    Raises:
        UserError: no such file, unreadable, or not the weights of a defocus network.
    """
    advice = "train it with --model defocus, or see --weights"
    return BlurMeter(DefocusNet.of_file(path, "defocus network (latest_net_E.pth)", advice), device)


def colored(blur: BlurMap, size: tuple[int, int]) -> np.ndarray:
    """A preview uint8 `[H,W,3]` of `size` (width, height): dark blue is sharp, yellow a radius of 7 pixels and more;
    what is unsure is pale."""
    level = cv2.resize(blur.level, size, interpolation=cv2.INTER_LINEAR).clip(0, 3) / 3
    certainty = cv2.resize(blur.certainty, size, interpolation=cv2.INTER_LINEAR)[..., None]
    colors = cv2.applyColorMap((255 * level).astype(np.uint8), cv2.COLORMAP_CIVIDIS)[..., ::-1]
    return (certainty * colors + (1 - certainty) * 235 + 0.5).astype(np.uint8)
