"""What makes steps faster or smaller and leaves their formulas alone: precision, compilation, memory, averages."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from util.options import Options

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class Acceleration:
    """How networks compute: `--precision`, `--channels_last`, `--compile`, `--cuda_graphs`."""

    precision: str = "fp32"
    channels_last: bool = False
    compile: bool = False
    cuda_graphs: bool = False

    @classmethod
    def of_options(cls, opt: Options) -> "Acceleration":
        """What the options of training or testing state."""
        return cls(opt.precision, opt.channels_last, opt.compile, opt.isTrain and opt.cuda_graphs)


def computes_bf16(device: torch.device) -> bool:
    """Whether `device` has instructions for bfloat16; without them it is emulated, and slow."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


def computing_dtype(precision: str, device: torch.device) -> torch.dtype:
    """What `--precision` means on `device`."""
    if precision == "auto":
        return torch.bfloat16 if computes_bf16(device) else torch.float32
    return DTYPES[precision]


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager:
    """Within the block convolutions compute in `dtype`; weights stay float32."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def place(net: Net, how: Acceleration, device: torch.device) -> Net:
    """Put `net` on `device`, in the memory format and form that `how` asks for; keys stay as they are."""
    layout = torch.channels_last if how.channels_last else torch.contiguous_format
    # The memory format is not in PyTorch's own types.
    net = net.to(device, memory_format=layout)  # type: ignore[call-overload]
    if how.compile or how.cuda_graphs:
        # PyTorch's name for the mode that records kernels, and starts them all as one.
        net.compile(mode="reduce-overhead" if how.cuda_graphs else None)
    return net


class WeightAverage:
    """Exponential moving average of the weights of `net`, which starts as a copy of them.

    The decay of update number t is at most `(1 + t) / (10 + t)`, so that the first weights are soon forgotten.
    PyTorch's `AveragedModel` asks for the value of a tensor in every update; here a step never waits for one.
    """

    def __init__(self, net: nn.Module, decay: float):
        self.net = net
        self.decay = decay
        self.updates = 0
        self.restart()

    @torch.no_grad()
    def restart(self) -> None:
        """Begin anew at the current weights."""
        self.updates = 0
        self.weights = {key: value.detach().clone() for key, value in self.net.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the current weights; counters, such as batch norm's, are copied."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        current = self.net.state_dict()
        floating = [key for key, value in current.items() if value.is_floating_point()]
        averages, values = [self.weights[key] for key in floating], [current[key] for key in floating]
        torch._foreach_lerp_(averages, values, 1 - decay)
        for key in current.keys() - set(floating):
            self.weights[key].copy_(current[key])

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Within the block the network has the averaged weights."""
        current = {key: value.clone() for key, value in self.net.state_dict().items()}
        self.net.load_state_dict(self.weights)
        try:
            yield
        finally:
            self.net.load_state_dict(current)

    def state_dict(self) -> dict:
        """Average and number of updates, for the training state."""
        return {"weights": self.weights, "updates": self.updates}

    def load_state_dict(self, state: dict) -> None:
        """Restore `state_dict`."""
        for key, value in state["weights"].items():
            self.weights[key].copy_(value)
        self.updates = state["updates"]
