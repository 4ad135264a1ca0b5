"""What a generator or discriminator is: stated by options, read off a checkpoint, built, compared."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from torch import nn

from models.lens.generator import LensGenerator
from models.lens.settings import LensSettings
from models.nets.base import GeneratorNet
from models.nets.residual import ResidualGenerator
from models.networks import define_D, define_G
from util.checkpoint import StateDict, load_state_dict
from util.errors import UserError
from util.options import Options


@dataclass(frozen=True)
class Architecture:
    """A generator, described once: options state it, its checkpoint shows it.

    Args:
        netG: one of `models.options.networks.GENERATORS`.
        input_nc: channels that the network takes; one more than the photo's if it is told the mask.
        output_nc: channels of the result.
        output_mode: one of `models.options.networks.OUTPUT_MODES`.
        lens: settings of `output_mode` lens.
    """

    netG: str
    input_nc: int
    output_nc: int
    ngf: int
    norm: str = "instance"
    dropout: bool = False
    upsample: str = "transpose"
    antialias: bool = False
    output_mode: str = "image"
    lens: LensSettings | None = None

    @classmethod
    def of_options(cls, opt: Options, input_nc: int, output_nc: int) -> "Architecture":
        """The generator that the options of a training ask for, between images of so many channels."""
        return cls(
            netG=opt.netG,
            input_nc=input_nc,
            output_nc=output_nc,
            ngf=opt.ngf,
            norm=opt.norm,
            dropout=not opt.no_dropout,
            upsample=opt.upsample,
            antialias=opt.antialias,
            output_mode=opt.output_mode,
            lens=LensSettings.of_options(opt) if opt.output_mode == "lens" else None,
        )

    @classmethod
    def of_state(cls, state: StateDict) -> "Architecture | None":
        """The generator whose weights `state` holds; None if they are no generator's."""
        inner = {key.removeprefix("net."): value for key, value in state.items()}
        found = _net_of_state(inner)
        if found is None:
            return None
        if "weights_size" in state:
            lens = LensSettings(radii=tuple(state["radii"].tolist()))
            return cls(**found | {"output_nc": 3}, output_mode="lens", lens=lens)
        residual = all(key.startswith("net.") for key in state)
        return cls(**found, output_mode="residual" if residual else "image")

    def build(self) -> GeneratorNet:
        """The network, with PyTorch's default weights."""
        net = define_G(
            self.input_nc,
            1 + len(self.lens.radii) if self.lens else self.output_nc,
            self.ngf,
            self.netG,
            self.norm,
            self.dropout,
            self.upsample,
            self.antialias,
        )
        if self.lens:
            return LensGenerator(net, self.lens)
        return ResidualGenerator(net) if self.output_mode == "residual" else net

    def flags_against(self, other: "Architecture") -> list[str]:
        """The options of training that ask for this generator where those of `other` were given."""
        mine, others = self._flags(), other._flags()
        return [flag for name, flag in mine.items() if others.get(name) != flag]

    def _flags(self) -> dict[str, str]:
        """By what is described, the option that asks for it. Of a lens, what decides the shapes of its weights."""
        values = asdict(self)
        names = ("netG", "output_nc", "ngf", "norm", "upsample", "output_mode")
        flags = {name: f"--{name} {values[name]}" for name in names}
        flags["dropout"] = "--dropout" if self.dropout else "--no_dropout"
        flags["antialias"] = "--antialias" if self.antialias else "no --antialias"
        if self.lens:
            flags["input_nc"] = "--mask_input" if self.input_nc == 4 else "no --mask_input"
            flags["radii"] = f"--lens_radii with {len(self.lens.radii)} numbers"
        else:
            flags["input_nc"] = f"--input_nc {self.input_nc}"
        return flags


@dataclass(frozen=True)
class DiscriminatorArchitecture:
    """A discriminator: the arguments of `define_D`."""

    input_nc: int
    ndf: int
    netD: str = "basic"
    n_layers_D: int = 3
    norm: str = "instance"

    @classmethod
    def of_options(cls, opt: Options, input_nc: int) -> "DiscriminatorArchitecture":
        """The discriminator that the options of a training ask for."""
        return cls(input_nc, opt.ndf, opt.netD, opt.n_layers_D, opt.norm_D or opt.norm)

    @classmethod
    def of_state(cls, state: StateDict) -> "DiscriminatorArchitecture | None":
        """The discriminator whose weights `state` holds; None if they are no discriminator's."""
        spectral = {key.replace(".parametrizations.weight.original", ".weight"): key for key in state}
        if list(spectral) != list(state):
            plain = cls.of_state({key: state[original] for key, original in spectral.items()})
            return plain and cls(**asdict(plain) | {"norm": "spectral"})
        if "net.0.weight" in state:
            ndf, input_nc = state["net.0.weight"].shape[:2]
            return cls(input_nc, ndf, "pixel", norm=_norm_of_state(state, norm="net.3", conv="net.2"))
        if "model.0.weight" not in state:
            return None
        ndf, input_nc = state["model.0.weight"].shape[:2]
        n_layers = sum(value.ndim == 4 for value in state.values()) - 2
        netD = "basic" if n_layers == 3 else "n_layers"
        norm = _norm_of_state(state, norm="model.3", conv="model.2")
        return cls(input_nc, ndf, netD, n_layers, norm)

    def build(self) -> nn.Module:
        """The network, with PyTorch's default weights."""
        return define_D(**asdict(self))

    def flags_against(self, other: "DiscriminatorArchitecture") -> list[str]:
        """As `Architecture.flags_against`."""
        names = {"norm": "norm_D"}
        mine, others = asdict(self), asdict(other)
        return [f"--{names.get(name, name)} {value}" for name, value in mine.items() if others[name] != value]


def _net_of_state(state: StateDict) -> dict[str, Any] | None:
    """Fields of `Architecture` that the network itself shows; None if it is no generator."""
    if "model.model.0.weight" in state:
        return _unet_of_state(state)
    if "encoder._conv_stem.weight" in state:
        return _effnet_of_state(state)
    if "model.1.weight" in state and "model.10.conv_block.1.weight" in state:
        return _resnet_of_state(state)
    return None


def _resnet_of_state(state: StateDict) -> dict[str, Any]:
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
        "norm": _norm_of_state(state, norm="model.2", conv="model.1"),
        "dropout": second_conv is not None and second_conv.ndim == 4,
        # A transposed convolution's weight has its input channels first, here the larger number.
        "upsample": "transpose" if up.shape[0] > up.shape[1] else "resize",
        "antialias": "model.6.1.filt" in state,
    }


def _unet_of_state(state: StateDict) -> dict[str, Any]:
    ngf, input_nc = state["model.model.0.weight"].shape[:2]
    num_downs = max(key.split(".").count("model") for key in state) - 1
    # Dropout leaves no trace in a U-Net's keys and does nothing at test.
    return {
        "input_nc": input_nc,
        "output_nc": state["model.model.3.weight"].shape[1],
        "ngf": ngf,
        "netG": f"unet_{2**num_downs}",
        "norm": _norm_of_state(state, norm="model.model.1.model.2", conv="model.model.1.model.1"),
    }


def _effnet_of_state(state: StateDict) -> dict[str, Any]:
    return {
        "input_nc": state["encoder._conv_stem.weight"].shape[1],
        "output_nc": state["last.weight"].shape[0],
        "ngf": state["last.weight"].shape[1],
        "netG": "effnet_lite0",
        "norm": _norm_of_state(state, norm="decoder.0.1", conv="decoder.0.0"),
    }


def _norm_of_state(state: StateDict, norm: str, conv: str) -> str:
    if f"{norm}.weight" in state:
        return "batch"
    return "instance" if f"{conv}.bias" in state else "none"


def generator_from_file(path: str | os.PathLike) -> GeneratorNet:
    """Build the generator whose weights `path` holds and load them; evaluation mode, on the CPU.

    Raises:
        UserError: no such file, unreadable, or not a generator's weights.
    """
    state = load_state_dict(path)
    architecture = Architecture.of_state(state)
    if architecture is None:
        raise UserError(f"{path}: not a generator (neither a ResNet's keys nor a U-Net's)")
    net = architecture.build()
    load_into(net, state, path)
    return net.eval()


def load_into(net: nn.Module, state: StateDict, path: str | os.PathLike) -> None:
    """Load `state`, read from `path`, into `net`.

    Raises:
        UserError: keys or shapes differ; the message says which flags the file asks for.
    """
    own = net.state_dict()
    if _shapes(own) == _shapes(state):
        net.load_state_dict(state)
        return
    flags = _flags_for(Architecture, state, own) or _flags_for(DiscriminatorArchitecture, state, own)
    if flags:
        raise UserError(f"{path}: the file holds another architecture; use {' '.join(flags)}")
    keys = sorted(set(own) ^ set(state)) or [key for key in own if own[key].shape != state[key].shape]
    raise UserError(f"{path}: does not fit this network ({len(keys)} keys differ, such as {keys[0]})")


# What a file may hold.
Kind = TypeVar("Kind", Architecture, DiscriminatorArchitecture)


def _flags_for(kind: type[Kind], asked: StateDict, have: StateDict) -> list[str]:
    """What to change in the options of the network with the weights `have` for the one of `asked`."""
    wanted, built = kind.of_state(asked), kind.of_state(have)
    return wanted.flags_against(built) if wanted and built else []


def _shapes(state: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in state.items()}
