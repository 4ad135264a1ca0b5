"""Where a run computes: `--device`, and `--gpu_ids` of old commands."""

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from util.distributed import local_rank
from util.errors import UserError
from util.present import present

if TYPE_CHECKING:
    import torch


def device_of_gpu_ids(value: str) -> str:
    """`--gpu_ids 1` -> `cuda:1`, `-1` -> `cpu`; the name of a device stays, for `--device` to judge."""
    try:
        ids = [int(part) for part in value.split(",")]
    except ValueError:
        return value
    if len(ids) > 1:
        raise ArgumentTypeError(
            "one GPU per process; for several run: torchrun --nproc_per_node=N train.py ..."
        )
    return "cpu" if ids[0] < 0 else f"cuda:{ids[0]}"


def resolve_device(name: str) -> "torch.device":
    """The device that `name` means: `auto` is the first GPU where PyTorch sees one, else the CPU.

    Started by torchrun, each process takes the GPU of its own number.

    Raises:
        UserError: no such device here.
    """
    import torch

    try:
        found = "cuda" if torch.cuda.is_available() else "cpu"
        device = torch.device(found if name == "auto" else name)
    except RuntimeError:
        raise UserError(f"--device {name}: not a device; use auto, cpu, cuda or cuda:N") from None
    if device == torch.device("cuda") and local_rank() is not None:
        device = torch.device("cuda", present(local_rank()))
    if name != "auto" and device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"--device {name}: PyTorch sees {torch.cuda.device_count()} GPUs here; use --device cpu"
        )
    return device
