"""One process among several that train or test together, as torchrun starts them.

    torchrun --nproc_per_node=4 train.py ...                                            # 4 GPUs, or 4 CPU processes
    torchrun --nnodes=2 --nproc_per_node=8 --rdzv_backend=c10d --rdzv_endpoint=HOST:29500 train.py ...

Gradients are averaged over ranks once per optimizer step, after the backward pass, in one flat tensor, and not by
DistributedDataParallel. Its hooks presume one forward through a network per backward, and no `autograd.grad`; here a
generator step goes through each generator three times and through frozen discriminators, and gradient penalties
differentiate twice. Without torchrun everything here is the identity.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class Ranks:
    """This process's number, how many there are, and its number on its own machine."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0

    @classmethod
    def from_environment(cls) -> "Ranks":
        """What torchrun, or a scheduler that sets the same variables, says."""
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        return cls(
            *(int(os.environ.get(name, default)) for name, default in zip(names, (0, 1, 0), strict=True))
        )

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and talks to the user."""
        return self.rank == 0

    def share(self, items: list) -> list:
        """This rank's part of `items`: every `world_size`-th."""
        return items[self.rank :: self.world_size]


@contextmanager
def process_group(device: torch.device | str) -> Iterator[Ranks]:
    """Join the other ranks for the length of the block; NCCL carries tensors between GPUs, gloo everything else.

    A rank that leaves by an error does not say goodbye: torchrun then ends the others.
    """
    ranks = Ranks.from_environment()
    if ranks.world_size == 1:
        yield ranks
        return
    device = torch.device(device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    yield ranks
    dist.barrier()
    dist.destroy_process_group()


def is_distributed() -> bool:
    """Whether there are other ranks."""
    return dist.is_initialized() and dist.get_world_size() > 1


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace gradients by their mean over all ranks; a batch of one each then equals one batch of all."""
    if not is_distributed():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients]).div_(dist.get_world_size())
    dist.all_reduce(flat)
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view(gradient.shape))


def mean_over_ranks(losses: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Losses of all ranks' photos together, on the device; every rank then logs and decides the same."""
    if not is_distributed():
        return losses
    values = torch.stack([loss.float() for loss in losses.values()]).div_(dist.get_world_size())
    dist.all_reduce(values)
    return dict(zip(losses, values.unbind(), strict=True))


def any_rank(value: bool) -> bool:
    """Whether `value` is true on some rank; all ranks get the same answer. Runs on the CPU, beside the GPU's work."""
    if not is_distributed():
        return value
    flag = torch.tensor(int(value))
    dist.all_reduce(flag, op=dist.ReduceOp.MAX)
    return bool(flag)


def synchronize(nets: Iterable[nn.Module]) -> None:
    """Give all ranks the weights and statistics of the first."""
    if is_distributed():
        for net in nets:
            for value in net.state_dict().values():
                dist.broadcast(value, src=0)


def gathered(value: object) -> list | None:
    """The values of all ranks in order on the first rank, None on the others."""
    if not is_distributed():
        return [value]
    values = [None] * dist.get_world_size() if dist.get_rank() == 0 else None
    dist.gather_object(value, values)
    return values
