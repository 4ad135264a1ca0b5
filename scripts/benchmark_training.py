"""What `scripts/benchmark.py` times of training: steps, and loading with augmentation."""

import argparse
import shlex
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from data import create_dataset
from models import create_model
from models.base_model import BaseModel, Losses, total
from models.cycle_gan_model import CycleGANModel
from options import Options, TrainOptions
from scripts.benchmark_machine import scratch_folder
from util.images import write_pixels

RECIPES = {
    "baseline": [],
    "mask_loss": ["--lambda_mask", "1"],
    "overlay": ["--add_mask"],
    "combined": ["--add_mask", "--lambda_mask", "0.5"],
}
PORTRAIT = Path(__file__).with_name("train_portrait.sh")
SWITCHES = ("channels_last", "compile", "cuda_graphs")
NOT_AUGMENTED = ["--augment_zoom", "0", "--augment_light", "0", "--augment_paste", "0"]
# Of the photos that are made to be loaded.
PHOTOS, SIZE = 24, (600, 800)
Case = Callable[[], Any]


class ReferenceModel(CycleGANModel):
    """The same formulas, the slow way."""

    def translate(
        self, netG: torch.nn.Module, real: torch.Tensor, other: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        return netG(real), None if other is None else netG(other)

    def optimize_parameters(self) -> Losses:
        self.forward()
        losses = self.generator_losses()
        self.step("G", total(losses))
        losses["D_A"] = self.discriminator_loss("fake_B", self.netD_A, self.real_B, self.fake_B)
        losses["D_B"] = self.discriminator_loss("fake_A", self.netD_B, self.real_A, self.fake_A)
        self.step("D", losses["D_A"] + losses["D_B"])
        # Waits for the GPU, as the published code did.
        return {name: loss.detach().cpu() for name, loss in losses.items()}

    def add_optimizer(self, name: str, nets: Iterable[torch.nn.Module]) -> torch.optim.Optimizer:
        optimizer = super().add_optimizer(name, nets)
        for group in optimizer.param_groups:
            group |= {"fused": False, "foreach": False}
        return optimizer


def portrait_words() -> list[str]:
    """The options of the portrait recipe, as `PORTRAIT` hands them to train.py."""
    command = PORTRAIT.read_text(encoding="utf-8").partition('"${run[@]}"')[2].partition('"$@"')[0]
    return shlex.split(command.replace("\\\n", " "))


def train_options(arguments: argparse.Namespace, *flags: str) -> Options:
    """Options of a training step of the setting that `arguments` name."""
    setting = ["--ngf", "32", "--ndf", "32", "--netG", "resnet_6blocks"] if arguments.small else []
    size = 128 if arguments.small else 256
    common = ["--load_size", str(size * 286 // 256), "--crop_size", str(size), "--device", arguments.device]
    return TrainOptions().parse(
        ["--dataroot", arguments.dataroot, "--name", "benchmark", *setting, *common, *flags]
    )


def random_batch(opt: Options) -> dict[str, Any]:
    """A batch of noise with round masks."""
    shape = (opt.batch_size, 3, opt.crop_size, opt.crop_size)
    batch = {name: torch.rand(shape) * 2 - 1 for name in ("A", "B")}
    masks = {f"mask_{name}": (batch[name][:, :1] > 0).float() for name in ("A", "B")}
    return batch | masks | {f"{name}_paths": ["noise.png"] * opt.batch_size for name in "AB"}


def step(model: BaseModel, batch: dict[str, Any]) -> None:
    """One training step."""
    model.train_step(batch)


def step_cases(arguments: argparse.Namespace) -> dict[str, Case]:
    """Training steps: the reference and each combination of switches, per recipe."""
    cases: dict[str, Case] = {}
    for recipe in arguments.recipes:
        reference = train_options(arguments, *RECIPES[recipe], "--precision", "fp32")
        variants: dict[str, tuple[BaseModel, Options]] = {"reference": (ReferenceModel(reference), reference)}
        for precision in arguments.precisions:
            for flags in ([], *([f"--{switch}"] for switch in arguments.switches)):
                opt = train_options(arguments, *RECIPES[recipe], "--precision", precision, *flags)
                variants[" ".join([precision, *flags])] = (create_model(opt), opt)
        for name, (model, opt) in variants.items():
            batch = random_batch(opt)
            cases[f"step {recipe} {name}"] = partial(step, model, batch)
    return cases


def lens_cases(arguments: argparse.Namespace) -> dict[str, Case]:
    """The portrait recipe's step, from random weights, in each precision and with each switch."""
    cases: dict[str, Case] = {}
    for precision in arguments.precisions:
        for flags in ([], *([f"--{switch}"] for switch in arguments.switches)):
            words = ["--dataroot", arguments.dataroot, "--name", "benchmark", "--device", arguments.device]
            opt = TrainOptions().parse([*words, *portrait_words(), "--precision", precision, *flags])
            model, batch = create_model(opt), random_batch(opt)
            name = " ".join(["lens step, 2 photos,", precision, *flags])
            cases[name] = partial(step, model, batch)
    return cases


def data_cases(arguments: argparse.Namespace) -> dict[str, Case]:
    """One epoch of loading, without any training."""
    epochs = iter(range(1_000_000))

    def epoch(dataset: Any) -> None:
        dataset.set_epoch(next(epochs))
        for _ in dataset:
            pass

    if arguments.dataroot != "none":
        dataset = create_dataset(train_options(arguments))
        return {f"data {len(dataset)} photos": partial(epoch, dataset)}
    root = scratch_folder()
    make_dataroot(root)
    cases: dict[str, Case] = {}
    for title, flags in (("plain", NOT_AUGMENTED), ("augmented", [])):
        words = ["--dataroot", str(root), "--name", "benchmark", "--device", "cpu", *portrait_words(), *flags]
        dataset = create_dataset(TrainOptions().parse([*words, "--num_threads", "0"]))
        cases[f"loading {PHOTOS} photos of 600 x 800, {title}"] = partial(epoch, dataset)
    return cases


def make_dataroot(root: Path) -> None:
    """Photos of noise with round subjects, as JPEG, and their masks."""
    random = np.random.default_rng(0)
    for domain in "AB":
        for number in range(PHOTOS):
            coarse = random.integers(0, 256, (SIZE[0] // 20, SIZE[1] // 20, 3), dtype=np.uint8)
            picture = cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
            mask = np.zeros((*SIZE, 1), np.uint8)
            cv2.circle(mask, (SIZE[1] // 2, SIZE[0] // 2), 150, (255,), -1)
            for folder, pixels, suffix in (
                (f"train{domain}", picture, "jpg"),
                (f"mask{domain}", mask, "png"),
            ):
                path = root / folder / f"{number}.{suffix}"
                path.parent.mkdir(exist_ok=True)
                write_pixels(pixels, path)
