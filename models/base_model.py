"""What all models share: networks on a device, optimizers, learning rates, files."""

import operator
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from typing import Any, ClassVar, Protocol, cast

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from models.acceleration import Acceleration, WeightAverage, autocast, computing_dtype, place
from models.architecture import Architecture, DiscriminatorArchitecture, load_into
from models.inference.generator import Generator, GeneratorSettings, averaged_name, load_generator
from models.nets.base import GeneratorNet
from models.networks import get_scheduler, init_weights
from models.options.base import ModelOptions
from util.checkpoint import checkpoint_file, load_state_dict, save_weights
from util.distributed import average_gradients
from util.errors import UserError
from util.hub import run_folder
from util.image_pool import ImagePool
from util.loss_watch import way_on
from util.options import Options

Losses = dict[str, torch.Tensor]
Visuals = dict[str, torch.Tensor]


@dataclass(frozen=True)
class BatchPart:
    """Some photos of a batch, their share of it, and whether they are its first or last."""

    batch: dict[str, Any] = field(default_factory=dict)
    share: float = 1.0
    first: bool = True
    last: bool = True


def photos_of(batch: dict[str, Any]) -> int:
    """How many photos `batch` has of each domain: the length of each of its entries."""
    return len(next(iter(batch.values())))


def split_batch(batch: dict[str, Any], parts: int) -> Iterator[BatchPart]:
    """`batch` in at most `parts` parts as equal as can be."""
    length = photos_of(batch)
    bounds = [length * number // min(parts, length) for number in range(min(parts, length) + 1)]
    for start, stop in pairwise(bounds):
        part = {key: value[start:stop] for key, value in batch.items()}
        yield BatchPart(part, (stop - start) / length, start == 0, stop == length)


class Memory(Protocol):
    """What a model remembers of earlier batches."""

    def state_dict(self) -> dict[str, Any]:
        """It, on the CPU."""
        ...

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Remember what `state_dict` gave, on `device`."""
        ...


class BaseModel(ModelOptions, ABC):
    """A model owns `networks`, `optimizers`, `pools` and other `memories` by name; derived classes fill them in
    `__init__`.

    A new model is a file `models/<name>_model.py` with a class `<Name>Model`; see `template_model.py`.
    """

    # Which visuals show which photo: the batch's key of its path -> their names; test.py saves them under it.
    visuals_of: ClassVar[dict[str, tuple[str, ...]]]

    def __init__(self, opt: Options):
        self.opt = opt
        self.isTrain: bool = opt.isTrain
        self.device = torch.device(opt.device)
        self.dtype = computing_dtype(opt.precision, self.device)
        self.part = BatchPart()
        self.save_dir = run_folder(opt.checkpoints_dir, opt.name)
        self.networks: dict[str, nn.Module] = {}
        self.averages: dict[str, WeightAverage] = {}
        self.optimizers: dict[str, Optimizer] = {}
        self.scalers: dict[str, torch.amp.GradScaler] = {}
        self.pools: dict[str, ImagePool] = {}
        self.memories: dict[str, Memory] = {}
        self.schedulers: dict[str, LRScheduler | ReduceLROnPlateau] = {}

    @abstractmethod
    def set_input(self, batch: dict[str, Any]) -> None:
        """Take a batch from the loader onto the device."""

    @abstractmethod
    def optimize_parameters(self) -> Losses:
        """Losses of what `set_input` took, minimised by `step`; returns them, scalars on the device."""

    @abstractmethod
    def compute_visuals(self) -> Visuals:
        """Inputs and results of the last batch by name, each `[B,C,H,W] in [-1,1]`, masks mapped there too."""

    @contextmanager
    def generator(self) -> Iterator[Generator]:
        """The generator from A to B as a function from photo to photo, in evaluation mode as long as it is used.

        With `--ema` it has the averaged weights.
        """
        name = "G_A" if "G_A" in self.networks else "G"
        net = self.networks[name]
        with self.averages[name].in_use() if name in self.averages else nullcontext():
            try:
                yield Generator(cast(GeneratorNet, net), self.device)
            finally:
                net.train()

    @abstractmethod
    def test(self) -> None:
        """Run the generators on the batch, without gradients and losses."""

    def train_step(self, batch: dict[str, Any]) -> Losses:
        """One training step on `batch`, in parts with `--accumulate`; returns its losses, scalars on the device."""
        if self.opt.cuda_graphs:
            # What graphs of the step before gave is used no more: their memory is taken again.
            torch.compiler.cudagraph_mark_step_begin()
        means: Losses = {}
        for part in split_batch(batch, self.opt.accumulate):
            self.part = part
            self.set_input(part.batch)
            with autocast(self.device, self.dtype):
                losses = self.optimize_parameters()
            for name, loss in losses.items():
                means[name] = means.get(name, 0.0) + part.share * loss.detach()
        for average in self.averages.values():
            average.update()
        return means

    def step(self, name: str, loss: torch.Tensor) -> None:
        """Minimise `loss` by a step of the optimizer called `name`; of several parts of a batch the last one steps.

        Gradients are means over the parts, and over all ranks.
        """
        optimizer, scaler = self.optimizers[name], self.scalers[name]
        if self.part.first:
            optimizer.zero_grad()
        with torch.autocast(self.device.type, enabled=False):
            scaler.scale(self.part.share * loss).backward()
        if self.part.last:
            average_gradients(parameter for group in optimizer.param_groups for parameter in group["params"])
            scaler.step(optimizer)
            scaler.update()

    def add_generator(self, name: str, input_nc: int, output_nc: int) -> GeneratorNet:
        """Make and register generator `name`: fresh in training, from its checkpoint at test."""
        opt = self.opt
        if self.isTrain:
            net = Architecture.of_options(opt, input_nc, output_nc).build()
            init_weights(net, opt.init_type, opt.init_gain)
            net.load_pretrained(opt)
            if opt.checkpoint_activations:
                net.checkpoint_activations()
            net = place(net, Acceleration.of_options(opt), self.device)
        else:
            settings = GeneratorSettings.of_options(opt)
            net = load_generator(self.save_dir, opt.epoch, name, self.device, settings=settings).net
        self.networks[name] = net
        if self.isTrain and opt.ema > 0:
            self.averages[name] = WeightAverage(net, opt.ema)
        return net

    def add_discriminator(self, name: str, input_nc: int) -> nn.Module:
        """Make and register discriminator `name`; only training has any."""
        opt = self.opt
        net = init_weights(
            DiscriminatorArchitecture.of_options(opt, input_nc).build(), opt.init_type, opt.init_gain
        )
        self.networks[name] = place(net, Acceleration.of_options(opt), self.device)
        return self.networks[name]

    def add_optimizer(self, name: str, nets: Iterable[nn.Module]) -> Optimizer:
        """Make and register Adam over the weights of `nets`."""
        parameters = [parameter for net in nets for parameter in net.parameters()]
        optimizer = torch.optim.Adam(
            parameters,
            lr=self.opt.lr,
            betas=(self.opt.beta1, 0.999),
            fused=self.device.type in ("cpu", "cuda"),
        )
        self.optimizers[name] = optimizer
        self.scalers[name] = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)
        return optimizer

    def setup(self) -> None:
        """Make the schedulers; call once, after `__init__` and before `restore` and training."""
        self.schedulers = {
            name: get_scheduler(optimizer, self.opt) for name, optimizer in self.optimizers.items()
        }

    def describe(self) -> str:
        """One line per network with its number of weights; whole networks with `--verbose`."""
        lines = []
        for name, net in self.networks.items():
            count = sum(parameter.numel() for parameter in net.parameters())
            lines.append(f"net{name}: {type(net).__name__}, {count / 1e6:.2f} M weights")
            if self.opt.verbose:
                lines.append(str(net))
        return "\n".join(lines)

    @property
    def lr(self) -> float:
        """Learning rate of the next step."""
        return next(iter(self.optimizers.values())).param_groups[0]["lr"]

    def update_learning_rate(self, metric: float) -> None:
        """End an epoch for the schedulers; `metric`, its mean generator loss, is what `plateau` watches."""
        for scheduler in self.schedulers.values():
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(metric)
            else:
                scheduler.step()

    def save_networks(self, epoch: str) -> None:
        """Write `<epoch>_net_<name>.pth` for every network, and `..._ema.pth` for every average.

        Raises:
            UserError: a weight is not finite, the disk is full, or the folder can't be written.
        """
        for name, net in self.networks.items():
            if not all(bool(torch.isfinite(parameter).all()) for parameter in net.parameters()):
                raise UserError(
                    f"net{name} has weights that are not finite; training stops. "
                    + way_on(self.save_dir, "a lower --lr or other weights of the losses")
                )
        for name, net in self.networks.items():
            file = checkpoint_file(self.save_dir, epoch, name)
            save_weights(net.state_dict(), file)
            if name in self.averages:
                save_weights(self.averages[name].weights, averaged_name(file))
            else:
                # Of an earlier run with --ema: test.py must not take it for this one's.
                averaged_name(file).unlink(missing_ok=True)

    def load_networks(self, epoch: str) -> None:
        """Load `<epoch>_net_<name>.pth` into every network.

        Raises:
            UserError: a file is missing, unreadable, or of another architecture (the message names the flags).
        """
        for name, net in self.networks.items():
            path = checkpoint_file(self.save_dir, epoch, name)
            load_into(net, load_state_dict(path), path)
        for average in self.averages.values():
            average.restart()


def total(losses: Losses) -> torch.Tensor:
    """Sum of the weighted `losses`, a scalar on their device."""
    return reduce(operator.add, losses.values())


def set_requires_grad(nets: Iterable[nn.Module], requires_grad: bool) -> None:
    """Switch gradients of all weights of `nets`, so that no time is spent on those a step does not use."""
    for net in nets:
        net.requires_grad_(requires_grad)
