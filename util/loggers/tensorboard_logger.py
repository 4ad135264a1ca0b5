"""TensorBoard: event files in `checkpoints/<name>/tensorboard`, for `tensorboard --logdir checkpoints`."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from util.loggers.base import SAMPLES, LoggedRun, Logger, curves_of
from util.run_log import Row

FOLDER = "tensorboard"
FLUSH = 10  # seconds until a point shows


def start(run: LoggedRun) -> "TensorBoardLogger":
    """The logger of a run.

    Events newer than the step that the run goes on from are purged: the new file tells readers to drop them.
    """
    folder = Path(run.folder, FOLDER)
    files = list(folder.glob("events.out.tfevents.*"))
    if not run.resume_iters:
        for file in files:
            file.unlink()
    logger = TensorBoardLogger(folder, run.resume_iters)
    logger.show_options(run)
    if not files:
        for row in run.rows:
            logger.add_row(row)
    return logger


class TensorBoardLogger(Logger):
    """Writes an event file, from a thread of PyTorch's writer."""

    def __init__(self, folder: Path, resume_iters: int) -> None:
        # TensorBoard has all it needs from TensorFlow in a stub, and takes it where this module is; else it would
        # import the whole of TensorFlow, with its gigabyte, wherever that is installed.
        sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
        from torch.utils.tensorboard import SummaryWriter

        self._first_step = resume_iters + 1
        self._writer = SummaryWriter(
            str(folder), purge_step=self._first_step if resume_iters else None, flush_secs=FLUSH
        )

    def show_options(self, run: LoggedRun) -> None:
        """Write the options as a table."""
        lines = [f"| {name} | {value} |" for name, value in sorted(run.options.items())]
        self._writer.add_text(
            "options", "\n".join(["| option | value |", "|---|---|", *lines]), self._first_step
        )

    def add_row(self, row: Row) -> None:
        for curve, value in curves_of(row).items():
            self._writer.add_scalar(curve, value, int(row["total_iters"]))

    def show_picture(self, picture: Image.Image, title: str, total_iters: int) -> None:
        self._writer.add_image(SAMPLES, np.asarray(picture.convert("RGB")), total_iters, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()
