"""One process among several that train or test together, as torchrun starts them.

    torchrun --nproc_per_node=4 train.py ...                                            # 4 GPUs, or 4 CPU processes
    torchrun --nnodes=2 --nproc_per_node=8 --rdzv_backend=c10d --rdzv_endpoint=HOST:29500 train.py ...  # 2 machines

Gradients are averaged over ranks once per optimizer step, after the backward pass, in one flat tensor, and not by
DistributedDataParallel. Its hooks presume one forward through a network per backward, and no `autograd.grad`; here a
generator step goes through each generator three times and through frozen discriminators, and gradient penalties
differentiate twice. Without torchrun everything here is the identity.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

# Imported where a process needs it: a rank's number is known without, and options are read before.
if TYPE_CHECKING:
    import torch
    from torch import nn


def rank() -> int:
    """This process's number; 0 without torchrun."""
    return int(os.environ.get("RANK", 0))


def world_size() -> int:
    """How many processes there are; 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", 1))


def local_rank() -> int | None:
    """This process's number on its own machine, which is that of its GPU; None without torchrun."""
    return int(os.environ["LOCAL_RANK"]) if "LOCAL_RANK" in os.environ else None


def is_first() -> bool:
    """Whether this process writes files and talks to the user."""
    return rank() == 0


def print0(text: str) -> None:
    """Print `text` once, whatever the number of ranks."""
    if is_first():
        print(text)


@contextmanager
def process_group(device: "torch.device | str") -> Iterator[None]:
    """Join the other ranks for the length of the block; NCCL carries tensors between GPUs, gloo everything else.

    A rank that leaves by an error says no goodbye: torchrun then ends the others, after 30 seconds by force.
    """
    if world_size() == 1:
        yield
        return
    import torch
    import torch.distributed as dist

    device = torch.device(device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # Others wait while the first rank validates and saves; torchrun, not this limit, sees to ranks that have died.
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=timedelta(days=1))
    yield
    dist.barrier()
    dist.destroy_process_group()


def is_distributed() -> bool:
    """Whether this process has joined other ranks."""
    import torch.distributed as dist

    return dist.is_initialized() and dist.get_world_size() > 1


def average_gradients(parameters: "Iterable[nn.Parameter]") -> None:
    """Replace gradients by their mean over all ranks; a batch of one each then equals one batch of all."""
    if not is_distributed():
        return
    import torch
    import torch.distributed as dist

    with torch.no_grad():
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients]).div_(dist.get_world_size())
        dist.all_reduce(flat)
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view(gradient.shape))


def mean_over_ranks(losses: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """Losses of all ranks' photos together, on the device; every rank then logs and decides the same."""
    if not is_distributed():
        return losses
    import torch
    import torch.distributed as dist

    values = torch.stack([loss.float() for loss in losses.values()]).div_(dist.get_world_size())
    dist.all_reduce(values)
    return dict(zip(losses, values.unbind(), strict=True))


def any_rank(value: bool) -> bool:
    """Whether `value` is true on some rank; all ranks get the same answer. Runs on the CPU, beside the GPU's work."""
    if not is_distributed():
        return value
    import torch
    import torch.distributed as dist

    flag = torch.tensor(int(value))
    dist.all_reduce(flag, op=dist.ReduceOp.MAX)
    return bool(flag)


def gathered(value: object) -> list | None:
    """The values of all ranks in order on the first rank, None on the others."""
    if not is_distributed():
        return [value]
    import torch.distributed as dist

    values = [None] * dist.get_world_size() if dist.get_rank() == 0 else None
    dist.gather_object(value, values)
    return values
