"""What a checkpoint says of the network that it belongs to, and the network made from that."""

import json
import os
from pathlib import Path
from typing import Any

from torch import nn

from models.lens.generator import LensGenerator
from models.networks import define_G
from models.output_modes import ResidualGenerator
from util.checkpoint import StateDict, load_state_dict
from util.errors import UserError


def infer_generator(state: StateDict) -> dict[str, Any] | None:
    """Arguments of `define_G` for which `state` has the right keys and shapes; None if there are none."""
    if "model.model.0.weight" in state:
        return _infer_unet(state)
    if "encoder._conv_stem.weight" in state:
        return _infer_effnet(state)
    if "model.1.weight" in state and "model.10.conv_block.1.weight" in state:
        return _infer_resnet(state)
    return None


def _infer_resnet(state: StateDict) -> dict[str, Any]:
    ngf, input_nc = state["model.1.weight"].shape[:2]
    n_blocks = sum(key.endswith("conv_block.1.weight") for key in state)
    up = state[f"model.{10 + n_blocks}.weight"]
    last = state[f"model.{10 + n_blocks + 7}.weight"]
    second_conv = state.get("model.10.conv_block.6.weight")
    return {
        "input_nc": input_nc,
        "output_nc": last.shape[0],
        "ngf": ngf,
        "netG": f"resnet_{n_blocks}blocks",
        "norm": _infer_norm(state, norm="model.2", conv="model.1"),
        "use_dropout": second_conv is not None and second_conv.ndim == 4,
        # A transposed convolution's weight has its input channels first, here the larger number.
        "upsample": "transpose" if up.shape[0] > up.shape[1] else "resize",
        "antialias": "model.6.1.filt" in state,
    }


def _infer_unet(state: StateDict) -> dict[str, Any]:
    ngf, input_nc = state["model.model.0.weight"].shape[:2]
    num_downs = max(key.split(".").count("model") for key in state) - 1
    return {
        "input_nc": input_nc,
        "output_nc": state["model.model.3.weight"].shape[1],
        "ngf": ngf,
        "netG": f"unet_{2**num_downs}",
        "norm": _infer_norm(state, norm="model.model.1.model.2", conv="model.model.1.model.1"),
        "use_dropout": False,  # leaves no trace in a U-Net's keys and does nothing at test
    }


def _infer_effnet(state: StateDict) -> dict[str, Any]:
    return {
        "input_nc": state["encoder._conv_stem.weight"].shape[1],
        "output_nc": state["last.weight"].shape[0],
        "ngf": state["last.weight"].shape[1],
        "netG": "effnet_lite0",
        "norm": _infer_norm(state, norm="decoder.0.1", conv="decoder.0.0"),
        "use_dropout": False,
    }


def _infer_norm(state: StateDict, norm: str, conv: str) -> str:
    if f"{norm}.weight" in state:
        return "batch"
    return "instance" if f"{conv}.bias" in state else "none"


def saved_options(folder: str | os.PathLike) -> dict[str, Any]:
    """The options that the model in `folder` was trained with; empty where no `train_opt.json` is."""
    path = Path(folder) / "train_opt.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); mend or remove it") from None


def generator_from_file(path: str | os.PathLike) -> nn.Module:
    """Build the generator whose weights `path` holds and load them; evaluation mode, on the CPU.

    Raises:
        UserError: no such file, unreadable, or not a generator's weights.
    """
    state = load_state_dict(path)
    lens = "weights_size" in state
    residual = not lens and all(key.startswith("net.") for key in state)
    arguments = infer_generator({key.removeprefix("net."): value for key, value in state.items()})
    if arguments is None:
        raise UserError(f"{path}: not a generator (neither a ResNet's keys nor a U-Net's)")
    net = define_G(**arguments)
    if lens:
        net = LensGenerator(net, state["radii"].tolist())
    elif residual:
        net = ResidualGenerator(net)
    load_into(net, state, path)
    return net.eval()


def load_into(net: nn.Module, state: StateDict, path: str | os.PathLike) -> None:
    """Load `state`, read from `path`, into `net`.

    Raises:
        UserError: keys or shapes differ; the message says which flags the file asks for.
    """
    own = net.state_dict()
    if {key: value.shape for key, value in own.items()} == {key: value.shape for key, value in state.items()}:
        net.load_state_dict(state)
        return
    asked = infer_generator(state) or _as_options(infer_discriminator(state))
    have = infer_generator(own) or _as_options(infer_discriminator(own))
    different = {key: value for key, value in (asked or {}).items() if have and have.get(key) != value}
    if different:
        raise UserError(
            f"{path}: the file holds another architecture; use {' '.join(map(_flag, different.items()))}"
        )
    keys = sorted(set(own) ^ set(state)) or [key for key in own if own[key].shape != state[key].shape]
    raise UserError(f"{path}: does not fit this network ({len(keys)} keys differ, such as {keys[0]})")


def infer_discriminator(state: StateDict) -> dict[str, Any] | None:
    """Arguments of `define_D` for which `state` has the right keys and shapes; None if there are none."""
    spectral = {key.replace(".parametrizations.weight.original", ".weight"): key for key in state}
    if list(spectral) != list(state):
        plain = infer_discriminator({key: state[original] for key, original in spectral.items()})
        return plain and plain | {"norm": "spectral"}
    if "net.0.weight" in state:
        ndf, input_nc = state["net.0.weight"].shape[:2]
        norm = _infer_norm(state, norm="net.3", conv="net.2")
        return {"input_nc": input_nc, "ndf": ndf, "netD": "pixel", "n_layers_D": 3, "norm": norm}
    if "model.0.weight" not in state:
        return None
    ndf, input_nc = state["model.0.weight"].shape[:2]
    n_layers = sum(value.ndim == 4 for value in state.values()) - 2
    return {
        "input_nc": input_nc,
        "ndf": ndf,
        "netD": "basic" if n_layers == 3 else "n_layers",
        "n_layers_D": n_layers,
        "norm": _infer_norm(state, norm="model.3", conv="model.2"),
    }


def _as_options(arguments_of_D: dict[str, Any] | None) -> dict[str, Any] | None:
    """Arguments of `define_D` by the names of their options."""
    if arguments_of_D is None:
        return None
    return {"norm_D" if name == "norm" else name: value for name, value in arguments_of_D.items()}


def _flag(argument: tuple[str, Any]) -> str:
    name, value = argument
    if name == "use_dropout":
        return "--dropout" if value else "--no_dropout"
    if name == "antialias":
        return "--antialias" if value else "no --antialias"
    return f"--{name} {value}"
