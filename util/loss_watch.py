"""Watch over an epoch's losses on the device, without waiting for it in every step."""

import math
from pathlib import Path

import torch

from util.errors import UserError


class LossWatch:
    """Notes the first step at which each loss was not finite, and the mean of the generator's terms.

    Args:
        folder: where the last good checkpoints are, for the message.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._names: list[str] = []
        self._steps = 0
        self._first_bad = torch.zeros(0)
        self._sum: torch.Tensor | float = 0.0
        self._count = 0

    def add(self, losses: dict[str, torch.Tensor]) -> None:
        """Take in one step's `losses`, detached scalars of the same names in every step."""
        values = torch.stack([loss.float() for loss in losses.values()])
        if not self._names:
            self._names = list(losses)
            self._first_bad = torch.full_like(values, math.inf)
        self._steps += 1
        bad = torch.where(torch.isfinite(values), math.inf, float(self._steps))
        self._first_bad = torch.minimum(self._first_bad, bad)
        generator = [i for i, name in enumerate(self._names) if name.split("_")[0] != "D"]
        self._sum = self._sum + values[generator].sum()
        self._count += 1

    def check(self) -> None:
        """Raise if a loss was not finite at any step so far.

        Raises:
            UserError: names the terms that went wrong first, and what may help.
        """
        steps = self._first_bad.tolist()
        earliest = min(steps, default=math.inf)
        if earliest < math.inf:
            terms = ", ".join(name for name, step in zip(self._names, steps, strict=True) if step == earliest)
            raise UserError(
                f"loss {terms} is not finite; training stops. "
                + way_on(self.folder, "a lower --lr or a lower weight of that loss")
            )

    def end_epoch(self) -> float:
        """Mean over the epoch's steps of the sum of all generator terms; the next epoch starts at 0."""
        mean = float(self._sum) / max(self._count, 1)
        self._sum, self._count = 0.0, 0
        return mean

    def state_dict(self) -> dict[str, float]:
        """The running epoch's sum and count, for the training state."""
        return {"sum": float(self._sum), "count": self._count}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Restore `state_dict`."""
        self._sum, self._count = state["sum"], int(state["count"])


def way_on(folder: Path, changes: str) -> str:
    """How to train on with `changes` after numbers that are not finite: from the last save, if there is one."""
    if (folder / "latest_state.pth").exists():
        return (
            f"The last good checkpoint is kept in {folder}: go on from it with --continue_train and {changes}"
        )
    return f"Nothing was saved before, so begin again with {changes}; --save_latest_freq saves more often"
