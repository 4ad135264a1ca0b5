"""Random numbers and kernels of a run: the same seed gives the same run."""

import os
import random
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed the generators that training draws from: torch's, numpy's and python's."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global generator
    torch.manual_seed(seed)


def choose_kernels(deterministic: bool, one_size: bool) -> None:
    """Take kernels that are `deterministic`, slower on a GPU, or try which are fastest where photos have `one_size`."""
    torch.backends.cudnn.benchmark = one_size and not deterministic
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)


def rng_state() -> dict[str, Any]:
    """State of all random number generators that training draws from, in types that `util.checkpoint.load` accepts."""
    numpy_state: Any = np.random.get_state()  # noqa: NPY002
    algorithm, keys, position, has_gauss, gauss = numpy_state
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": (algorithm, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss),
        "python": random.getstate(),
    }


def set_rng_state(state: dict[str, Any]) -> None:
    """Restore what `rng_state` returned; cards that are not there any more are passed over."""
    torch.set_rng_state(state["torch"])
    for device in range(min(len(state["cuda"]), torch.cuda.device_count())):
        torch.cuda.set_rng_state(state["cuda"][device], device)
    algorithm, keys, *rest = state["numpy"]
    np.random.set_state((algorithm, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
