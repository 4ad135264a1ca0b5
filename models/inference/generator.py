"""A trained generator as a function from photo to photo."""

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from data.transforms import image_to_tensor
from models.acceleration import autocast
from models.architecture import generator_from_file
from models.lens.generator import LensGenerator, input_channels
from models.nets.any_size import any_size
from util.checkpoint import checkpoint_file
from util.errors import UserError
from util.images import to_gray, upright_rgb
from util.tensors import tensor_to_pixels


class Generator:
    """A trained generator for photos of any size, on `device`, in evaluation mode.

    >>> generator = load_generator("checkpoints/portraits")
    >>> generator(Image.open("me.jpg")).save("me_soft.jpg")
    """

    dtype = torch.float32  # of the convolutions

    def __init__(self, net: nn.Module, input_nc: int, device: torch.device | str = "cpu"):
        self.device = torch.device(device)
        self.net = any_size(net).to(self.device).eval()
        self.input_nc = input_nc

    @torch.inference_mode()
    def translate(self, x: torch.Tensor, masks: torch.Tensor | None = None) -> torch.Tensor:
        """`[B,C,H,W] in [-1,1]` -> `[B,C',H,W] in [-1,1]`, on the generator's device.

        Masks `[B,1,H,W] in [0,1]` are for a generator that was trained with `--mask_input`.
        """
        x = x.to(self.device)
        with autocast(self.device, self.dtype):
            if not isinstance(self.net, LensGenerator):
                return self.net(x).float()
            if self.net.takes_mask and masks is None:
                raise UserError("this generator was trained with masks; give --masks auto, or --masks FOLDER")
            return self.net(x, None if masks is None else masks.to(self.device)).float()

    def prepare(self, photo: np.ndarray) -> torch.Tensor:
        """`[H,W,3]`, uint8 or uint16 -> what the network takes, `[C,H,W] in [-1,1]`."""
        return image_to_tensor(to_gray(photo) if self.input_nc == 1 else photo)

    def batch(self, photos: list[np.ndarray], masks: list[np.ndarray] | None = None) -> list[np.ndarray]:
        """Translate photos `[H,W,3]` (RGB) of one size, uint8 or uint16, in one pass, with masks `[H,W] in [0,1]`.

        Results `[H,W,C']` have that size, each the depth of its photo.
        """
        x = torch.stack([self.prepare(photo) for photo in photos])
        m = None if masks is None else torch.from_numpy(np.stack(masks)).float()[:, None]
        return [tensor_to_pixels(y, p.dtype) for y, p in zip(self.translate(x, m), photos, strict=True)]

    def __call__(self, image: Image.Image) -> Image.Image:
        """Translate one image of any size and mode, read as `test.py` reads files, with 8 bits.

        The result, RGB or grayscale, has its upright size; `info['icc_profile']` stays with RGB.
        """
        photo = upright_rgb(image)
        result = self.batch([np.asarray(photo)])[0]
        if result.shape[2] == 1:
            return Image.fromarray(result[..., 0])
        translated = Image.fromarray(result)
        if profile := photo.info.get("icc_profile"):
            translated.info["icc_profile"] = profile
        return translated


def averaged_name(file: Path) -> Path:
    """Where the average over steps (`--ema`) of the weights in `file` is kept: `..._ema.pth`."""
    return file.with_stem(f"{file.stem}_ema")


def averaged_file(file: Path) -> Path:
    """The average of `file`'s weights if there is one, else `file` itself."""
    return averaged_name(file) if averaged_name(file).is_file() else file


def generator_file(
    path: str | os.PathLike, epoch: str = "latest", name: str = "", average: bool = True
) -> Path:
    """The weights that `path` means: itself if it is a file, else `[epoch]_net_[name].pth` in that folder.

    Without `name`: G_A if there is one (CycleGAN's generator towards domain B), else G. With `average`, the file of
    the weights' average over steps is preferred where the model was trained with `--ema`.

    Raises:
        UserError: there is no such file.
    """
    path = Path(path)
    if path.is_file():
        return path
    names = [name] if name else ["G_A", "G"]
    for candidate in names:
        file = checkpoint_file(path, epoch, candidate)
        if file.is_file():
            return averaged_file(file) if average else file
    there = sorted(file.name for file in path.glob("*_net_G*.pth")) if path.is_dir() else []
    have = (
        f"it has {', '.join(there)}"
        if there
        else "train a model first, or check --checkpoints_dir and --name"
    )
    raise UserError(f"{checkpoint_file(path, epoch, names[0])}: no such checkpoint; {have}")


def load_generator(
    path: str | os.PathLike, epoch: str = "latest", name: str = "", device: torch.device | str = "cpu"
) -> Generator:
    """Load a trained generator; the architecture comes from the checkpoint itself.

    Args:
        path: folder of checkpoints (`checkpoints/<name>`) or one `.pth` file.
        epoch: which checkpoint in the folder.
        name: which generator in the folder, `G_A`, `G_B` or `G`; default: the one towards domain B.
        device: where it runs.

    Raises:
        UserError: no such checkpoint, unreadable, or not a generator.
    """
    net = generator_from_file(generator_file(path, epoch, name))
    return Generator(net, input_channels(net), device)
