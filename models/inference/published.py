"""A trained generator as a folder to give away: `model.safetensors`, `radius.safetensors`, `config.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from models.architecture import Architecture, load_into
from models.inference.generator import averaged_file, generator_file
from util.checkpoint import StateDict, checkpoint_file, load_state_dict, save_safetensors
from util.errors import UserError
from util.files import write_text
from util.hub import CONFIG_FILE, FORMAT, MODEL_FILE, RADIUS_FILE

# What is told of the training. No names, folders or addresses of the machine that it ran on are among these.
_OF_TRAINING = {
    "model",
    "netG",
    "netD",
    "ngf",
    "ndf",
    "norm",
    "gan_mode",
    "batch_size",
    "preprocess",
    "load_size",
    "crop_size",
    "n_epochs",
    "n_epochs_decay",
    "lr",
    "lr_policy",
    "beta1",
    "ema",
    "precision",
    "seed",
    "direction",
    "add_mask",
    "vgg19_loss",
    "mask_input",
    "gan_region",
    "cycle_region",
    "diffaugment",
    "CUT_mode",
    "output_mode",
    "lens_radii",
}


def sources(folder: Path, epoch: str, direction: str, average: bool, radius: str) -> dict[str, Path]:
    """The files of weights to publish, by the name that each gets.

    Args:
        folder: of the checkpoints.
        epoch: which of them.
        direction: of a model with two generators, `AtoB` or `BtoA`.
        average: the average over steps of a model trained with `--ema`.
        radius: a file of `--model radius`; empty: the one beside the generator, if any; `none`: none.

    Raises:
        UserError: no such checkpoint.
    """
    generator = generator_file(folder, epoch, "", direction)
    files = {MODEL_FILE: generator}
    beside = checkpoint_file(folder, epoch, "P")
    if radius and radius != "none":
        files[RADIUS_FILE] = Path(radius)
    elif not radius and beside.is_file():
        files[RADIUS_FILE] = beside
    return {name: averaged_file(file) if average else file for name, file in files.items()}


def write_published(files: Mapping[str, Path], folder: Path, options: Mapping[str, Any]) -> None:
    """Write the weights in `files`, as `sources` names them, and their description into `folder`.

    Args:
        options: of the training, `train_opt.json`; what tells how it was trained is kept.

    Raises:
        UserError: a file that is no generator's, or the disk is full.
    """
    states = {name: load_state_dict(file) for name, file in files.items()}
    described = description(states[MODEL_FILE], files[MODEL_FILE])
    for name, state in states.items():
        save_safetensors(state, folder / name, {"format": "pt"})
        check_equal(state, load_state_dict(folder / name), folder / name)
    config = {
        "format": FORMAT,
        "architecture": described,
        # For test.py. Whatever it was trained with, and in what direction, this is one generator for one folder.
        "options": {
            "model": "test",
            "dataset_mode": "single",
            "direction": "AtoB",
            # A photo has no mask among its channels, whatever the network takes.
            "input_nc": 3 if "lens" in described else described["input_nc"],
            "output_nc": described["output_nc"],
            "load_size": options.get("load_size", 286),
        },
        "training": {
            name: value
            for name, value in sorted(options.items())
            if name in _OF_TRAINING or name.startswith("lambda_")
        },
    }
    write_text(folder / CONFIG_FILE, json.dumps(config, indent=2) + "\n")


def description(state: StateDict, file: Path) -> dict[str, Any]:
    """What the generator with the weights `state`, read from `file`, is: its `Architecture`, of a lens its settings."""
    architecture = Architecture.of_state(state)
    if architecture is None:
        raise UserError(f"{file}: not a generator, so it can't be published")
    described = asdict(architecture)
    del described["lens"]
    if architecture.lens:
        # Only the network knows all that a file says of a lens.
        net = architecture.build()
        load_into(net, state, file)
        described["lens"] = net.kept()
    return described


def check_equal(wanted: StateDict, found: StateDict, path: Path) -> None:
    """Check that what was read back is what was written, bit for bit.

    Raises:
        UserError: it is not.
    """
    same = wanted.keys() == found.keys() and all(
        value.dtype == found[key].dtype and _bits(value).equal(_bits(found[key]))
        for key, value in wanted.items()
    )
    if not same:
        raise UserError(
            f"{path}: does not hold what was written; check the disk and run the same command again"
        )


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    # Not the values: NaN is not equal to itself.
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
