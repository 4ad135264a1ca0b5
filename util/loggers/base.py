"""What a logger is told of a run, and what it must do."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from util.dashboard import DISCRIMINATOR, GENERATOR, MASK, RATE, window_of
from util.run_log import VALIDATION_PREFIX, Row

# The windows of visdom as folders of curves.
_FOLDERS = {GENERATOR: "generator", DISCRIMINATOR: "discriminator", MASK: "mask", RATE: "pace"}
SAMPLES = "samples"


@dataclass(frozen=True)
class LoggedRun:
    """A run that is about to begin or to go on.

    Args:
        name: of the experiment.
        project: what wandb and trackio file it under.
        folder: `checkpoints/<name>`.
        options: all options of the run.
        rows: earlier rows of `losses.csv`, up to step `resume_iters`.
        resume_iters: photos seen at the step that the run goes on from; 0: it begins.
    """

    name: str
    project: str
    folder: str
    options: Mapping[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    resume_iters: int = 0


class Logger(ABC):
    """A dashboard that a run sends figures and pictures to.

    After a restart at step N it shows nothing newer than N but what the restarted run sends, and nothing twice.
    """

    @abstractmethod
    def add_row(self, row: Row) -> None:
        """Send the figures of a row of `losses.csv`."""

    @abstractmethod
    def show_picture(self, picture: Image.Image, title: str, total_iters: int) -> None:
        """Send a sheet of sample pictures."""

    @abstractmethod
    def close(self) -> None:
        """Send what is left and end."""


def curves_of(row: Row) -> dict[str, float]:
    """The figures of a row by the name of their curve: `G_A` is `generator/G_A`, `val_fid` is `validation/fid`."""
    figures = {name: value for name, value in row.items() if name not in ("epoch", "total_iters")}
    return {_curve(name): value for name, value in figures.items()}


def _curve(column: str) -> str:
    if column.startswith(VALIDATION_PREFIX):
        return f"validation/{column.removeprefix(VALIDATION_PREFIX)}"
    return f"{_FOLDERS[window_of(column)]}/{column}"
