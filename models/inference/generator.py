"""A trained generator as a function from photo to photo, and the one door to it: `load_generator`."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image

from data.transforms import image_to_tensor
from models.acceleration import Acceleration, autocast, computing_dtype, place
from models.architecture import generator_from_file
from models.inference.translator import NOTHING, Told
from models.lens.developing import can_develop, develop
from models.lens.radius import RadiusNet, load_radius_net
from models.lens.settings import AUTO, LensChanges
from models.nets.any_size import any_size
from models.nets.base import GeneratorNet
from util.checkpoint import SAFE, checkpoint_file
from util.domains import domains
from util.errors import UserError
from util.hub import MODEL_FILE, RADIUS_FILE, fetched, is_published
from util.images import to_gray, upright_rgb
from util.options import Options
from util.strips import cores
from util.tensors import tensor_to_pixels

Masks = TypeVar("Masks", torch.Tensor, list[np.ndarray])


class Generator:
    """A trained generator for photos of any size, on `device`, in evaluation mode.

    >>> generator = load_generator("checkpoints/portraits")
    >>> generator(Image.open("me.jpg")).save("me_soft.jpg")

    Args:
        net: the network.
        device: where it runs.
        dtype: what its convolutions compute in.
        file: where its weights come from, if from a file.
    """

    def __init__(
        self,
        net: GeneratorNet,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        file: Path | None = None,
    ):
        self.device = torch.device(device)
        self.dtype = dtype
        self.file = file
        self.net = any_size(net).to(self.device).eval()
        self.input_nc = net.input_nc

    @property
    def at_once(self) -> int:
        """How many calls of `batch` are worth to run beside each other."""
        return cores() if can_develop(self.net, self.device) else 1

    @torch.inference_mode()
    def translate(
        self,
        x: torch.Tensor,
        masks: torch.Tensor | None = None,
        depths: torch.Tensor | None = None,
        apertures: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """`[B,C,H,W] in [-1,1]` -> `[B,C',H,W] in [-1,1]`, on the generator's device.

        Masks `[B,1,H,W] in [0,1]` are for a generator that was trained with `--mask_input`, inverse depths `[B,1,H,W]`
        and factors of its radii `[B]` for one of `--output_mode lens`; others don't look at them.
        """
        more = {}
        if self.net.takes_mask:
            more["mask"] = _given(masks).to(self.device)
        if self.net.takes_depth and depths is not None:
            more["depth"] = depths.to(self.device)
        if self.net.takes_depth and apertures is not None:
            more["aperture"] = apertures.to(self.device)
        with autocast(self.device, self.dtype):
            return self.net(x.to(self.device), **more).float()

    def prepare(self, photo: np.ndarray) -> torch.Tensor:
        """`[H,W,3]`, uint8 or uint16 -> what the network takes, `[C,H,W] in [-1,1]`."""
        return image_to_tensor(to_gray(photo) if self.input_nc == 1 else photo)

    def batch(self, photos: list[np.ndarray], told: Told = NOTHING) -> list[np.ndarray]:
        """Translate photos of one size in one pass, see `Translator`; a lens on a CPU takes one after the other."""
        if can_develop(self.net, self.device):
            masks = _given(told.masks) if self.net.takes_mask else [None] * len(photos)
            with autocast(self.device, self.dtype):
                return [develop(self.net, photo, mask) for photo, mask in zip(photos, masks, strict=True)]
        x = torch.stack([self.prepare(photo) for photo in photos])
        mask, depth = (
            None if of_photos is None else torch.from_numpy(np.stack(of_photos)).float()[:, None]
            for of_photos in (told.masks, told.depths)
        )
        aperture = None if told.apertures is None else torch.tensor(told.apertures, dtype=torch.float32)
        results = self.translate(x, mask, depth, aperture)
        return [tensor_to_pixels(y, p.dtype) for y, p in zip(results, photos, strict=True)]

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


def _given(masks: Masks | None) -> Masks:
    if masks is None:
        raise UserError("this generator was trained with masks; give --masks auto, or --masks FOLDER")
    return masks


@dataclass(frozen=True)
class GeneratorSettings:
    """How a trained generator is run.

    Args:
        average: take the weights' average over steps where the model was trained with `--ema`.
        lens: what changes of a generator of `--output_mode lens`; others take no notice.
        radius: file of `--model radius` for such a generator, by which it blurs each place; default: the one beside its
            weights, `[epoch]_net_P.pth`, where there is one; `none`: one blur for the whole background. Its radii count
            as it tells them where `lens` states neither an aperture nor a `soft_range`.
        needs_radius: refuse to run without such a file.
    """

    average: bool = True
    acceleration: Acceleration = field(default_factory=Acceleration)
    lens: LensChanges = field(default_factory=LensChanges)
    radius: str = ""
    needs_radius: bool = False

    @classmethod
    def of_options(cls, opt: Options) -> "GeneratorSettings":
        """What options of testing state."""
        lens = LensChanges.of_options(opt)
        return cls(
            not opt.no_ema, Acceleration.of_options(opt), lens, opt.radius, needs_radius=opt.aperture == AUTO
        )


def load_generator(
    path: str | os.PathLike,
    epoch: str = "latest",
    name: str = "",
    device: torch.device | str = "cpu",
    direction: str = "AtoB",
    settings: GeneratorSettings | None = None,
) -> Generator:
    """Load a trained generator; the architecture comes from the checkpoint itself.

    Args:
        path: folder of checkpoints (`checkpoints/<name>`), one file of weights, a folder that scripts/publish.py wrote,
            or the name of one on Hugging Face's hub, `hf:user/model`.
        epoch: which checkpoint in the folder.
        name: which generator in the folder, `G_A`, `G_B` or `G`; default: see `generator_file`.
        device: where it runs.
        direction: `AtoB` or `BtoA`, which decides where no name does.
        settings: how it runs; default: as it was trained, in float32.

    Raises:
        UserError: no such checkpoint, unreadable, or not a generator.
    """
    settings = settings or GeneratorSettings()
    file = generator_file(path, epoch, name, direction)
    net = generator_from_file(averaged_file(file) if settings.average else file)
    net.change(settings.lens)
    if net.scales_itself:
        net.radius_net = radius_net_for(file, settings)
        if net.radius_net is not None and settings.lens.aperture is None and settings.lens.soft_range is None:
            # It knows which backgrounds real lenses leave alone.
            net.change(LensChanges(soft_range=(0.0, 0.0)))
    if settings.needs_radius and (not net.scales_itself or net.radius_net is None):
        raise UserError(
            f"--aperture {AUTO}: {file} has nothing that tells radii; give --radius latest_net_P.pth of --model radius "
            "and a generator of --output_mode lens, or --aperture 1"
        )
    device = torch.device(device)
    net = place(any_size(net), settings.acceleration, device)
    return Generator(net, device, computing_dtype(settings.acceleration.precision, device), file)


def radius_net_for(file: Path, settings: GeneratorSettings) -> RadiusNet | None:
    """What `settings` say of how much the generator in `file` blurs where; None: everywhere the same."""
    if settings.radius == "none":
        return None
    beside = file.with_name(
        RADIUS_FILE if file.suffix == SAFE else f"{file.name.partition('_net_')[0]}_net_P.pth"
    )
    if not settings.radius and not beside.is_file():
        return None
    found = Path(settings.radius) if settings.radius else beside
    return load_radius_net(averaged_file(found) if settings.average else found)


def generator_file(
    path: str | os.PathLike, epoch: str = "latest", name: str = "", direction: str = "AtoB"
) -> Path:
    """The weights that `path` means: itself if it is a file, else `[epoch]_net_[name].pth` in that folder.

    A published model, in a folder or as `hf:user/model`, has one generator.

    Without `name`: CycleGAN's generator of the direction, G_A for AtoB, if there is one, else G.

    Raises:
        UserError: there is no such file.
    """
    path = fetched(os.fspath(path)) if is_published(os.fspath(path)) else Path(path)
    if path.is_file():
        return path
    if epoch == "latest" and not name and (path / MODEL_FILE).is_file():
        return path / MODEL_FILE
    names = [name] if name else [f"G_{domains(direction)[0]}", "G"]
    for candidate in names:
        file = checkpoint_file(path, epoch, candidate)
        if file.is_file():
            return file
    there = sorted(file.name for pattern in ("*_net_G*.pth", MODEL_FILE) for file in path.glob(pattern))
    have = (
        f"it has {', '.join(there)}"
        if there
        else "train a model first, or check --checkpoints_dir and --name"
    )
    raise UserError(f"{checkpoint_file(path, epoch, names[0])}: no such checkpoint; {have}")


def averaged_name(file: Path) -> Path:
    """Where the average over steps (`--ema`) of the weights in `file` is kept: `..._ema.pth`."""
    return file.with_stem(f"{file.stem}_ema")


def averaged_file(file: Path) -> Path:
    """The average of `file`'s weights if there is one, else `file` itself."""
    return averaged_name(file) if averaged_name(file).is_file() else file
