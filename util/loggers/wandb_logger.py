"""Weights & Biases. `wandb login` once, or WANDB_MODE=offline and `wandb sync` later; its other variables work too."""

import json
import uuid
from pathlib import Path
from typing import Any

from PIL import Image

from util.errors import UserError
from util.files import write_text
from util.loggers.base import SAMPLES, LoggedRun, Logger, curves_of
from util.run_log import Row

# Which run of wandb belongs to a run of ours: beside its checkpoints.
ID_FILE = "wandb_run.json"


def start(run: LoggedRun) -> "WandbLogger":
    """The logger of a run. A resumed one rewinds wandb's run to its step, which drops what was newer there.

    Raises:
        UserError: wandb can't start: nobody is logged in, no connection.
    """
    id_file = Path(run.folder, ID_FILE)
    known = _known_id(id_file) if run.resume_iters else ""
    if known:
        return WandbLogger(run, resume_from=f"{known}?_step={run.resume_iters}")
    new = uuid.uuid4().hex[:12]
    logger = WandbLogger(run, id=new)
    write_text(id_file, json.dumps({"id": new, "project": run.project}) + "\n")
    for row in run.rows:
        logger.add_row(row)
    return logger


def _known_id(file: Path) -> str:
    try:
        return json.loads(file.read_text(encoding="utf-8"))["id"]
    except FileNotFoundError:
        return ""
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{file}: can't be read; remove it, and wandb gets a run anew") from None


class WandbLogger(Logger):
    """Sends to one run of wandb, whose own steps are photos; it waits for no server once it has begun."""

    def __init__(self, run: LoggedRun, **which: str) -> None:
        import wandb

        self._image: Any = wandb.Image
        try:
            self._run = wandb.init(
                project=run.project,
                name=run.name,
                dir=run.folder,
                config=dict(run.options),
                # The lines of the run and its progress bar stay as they are.
                settings=wandb.Settings(console="off"),
                **which,
            )
        except wandb.Error as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(
                f"--logger wandb: {reason}; run: wandb login, or set WANDB_MODE=offline and run wandb sync later"
            ) from None

    def add_row(self, row: Row) -> None:
        self._run.log(curves_of(row), step=int(row["total_iters"]))

    def show_picture(self, picture: Image.Image, title: str, total_iters: int) -> None:
        self._run.log({SAMPLES: self._image(picture, caption=title)}, step=total_iters)

    def close(self) -> None:
        self._run.finish()
