"""Files of weights and of training state: atomic to write, safe to read, forgiving of old forms."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import nn

from util.errors import UserError
from util.files import atomic_path

StateDict = dict[str, torch.Tensor]

_WRAPPERS = ("module.", "_orig_mod.")  # DistributedDataParallel, torch.compile
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def save(content: Any, path: str | os.PathLike) -> None:
    """`torch.save` that leaves either the old file or the whole new one.

    Raises:
        UserError: the disk is full or the folder can't be written.
    """
    with atomic_path(path) as temporary:
        try:
            torch.save(content, temporary)
        except RuntimeError as error:
            # PyTorch's zip writer reports a failed write without errno.
            raise UserError(
                f"{path}: can't be written ({str(error).splitlines()[0]}); is the disk full?"
            ) from error


# Files of tensors and text alone, without pickle.
SAFE = ".safetensors"

A_TRAINED_MODEL = "give --name and --epoch of a trained model"


def load(path: str | os.PathLike, advice: str = A_TRAINED_MODEL) -> Any:
    """Read what `save` or another program wrote, tensors and plain containers only, onto the CPU; safetensors too.

    `advice` is what to do about a file that is missing or no such file, for messages.

    Raises:
        UserError: no such file, or one that can't be read.
    """
    is_safe = Path(path).suffix == SAFE
    if is_safe:
        from safetensors.torch import load_file
    try:
        return load_file(path) if is_safe else torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {advice}") from None
    except Exception as error:
        # PyTorch raises a dozen kinds for broken or foreign files.
        reason = (str(error) or type(error).__name__).splitlines()[0].partition(". ")[0]
        raise UserError(f"{path}: can't be read as PyTorch weights ({reason}); {advice}") from None


def clean_state_dict(state: StateDict) -> StateDict:
    """Keys as a bare network of today has them.

    Drops the prefixes of wrappers, and the running statistics that instance norms of old PyTorch saved: those
    belong to a norm without weights, while batch norm's stand beside a `weight`.
    """
    bare: StateDict = {}
    for key, value in state.items():
        for wrapper in _WRAPPERS:
            key = key.replace(wrapper, "") if key.startswith(wrapper) or f".{wrapper}" in key else key
        bare[key] = value
    return {
        key: value
        for key, value in bare.items()
        if not (key.endswith(_STATISTICS) and f"{key.rpartition('.')[0]}.weight" not in bare)
    }


def load_state_dict(path: str | os.PathLike, advice: str = A_TRAINED_MODEL) -> StateDict:
    """Read a network's weights, cleaned by `clean_state_dict`; `advice` as of `load`.

    Raises:
        UserError: no such file, unreadable, or not a state_dict.
    """
    state = load(path, advice)
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise UserError(f"{path}: not the weights of a network (expected a bare state_dict)")
    return clean_state_dict(state)


def save_network(net: nn.Module, path: str | os.PathLike) -> None:
    """Write `net`'s bare state_dict, on the CPU, under the keys that users of other programs expect."""
    save_weights(net.state_dict(), path)


def save_weights(state: StateDict, path: str | os.PathLike) -> None:
    """Write a state_dict as `save_network` does."""
    save(clean_state_dict({key: value.detach().cpu().contiguous() for key, value in state.items()}), path)


def save_safetensors(state: StateDict, path: str | os.PathLike, metadata: dict[str, str]) -> None:
    """Write a state_dict as safetensors, under the keys and with the bits that `load_state_dict` gives back.

    Raises:
        UserError: the disk is full or the folder can't be written.
    """
    from safetensors.torch import save

    # Each tensor with memory of its own, as the format wants them.
    tensors = {key: value.detach().cpu().contiguous().clone() for key, value in state.items()}
    with atomic_path(path) as temporary:
        # The library's own writing of files lets nobody but the owner read them.
        temporary.write_bytes(save(tensors, metadata))


def checkpoint_file(folder: str | os.PathLike, epoch: str, name: str) -> Path:
    """`<folder>/<epoch>_net_<name>.pth`, with `name` one of G_A, G_B, D_A, D_B, G, D."""
    return Path(folder) / f"{epoch}_net_{name}.pth"
