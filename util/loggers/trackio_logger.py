"""Trackio: a database on this machine (TRACKIO_DIR), for `trackio show`; with TRACKIO_SPACE_ID, one in a Space."""

import os
from typing import Any

from PIL import Image

from util.loggers.base import SAMPLES, LoggedRun, Logger, curves_of
from util.run_log import Row

# Where these point the database is another machine's, and nothing can be deleted in it.
REMOTE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")


def start(run: LoggedRun) -> "TrackioLogger":
    """The logger of a run.

    Trackio can delete runs but no points. A resumed run takes the place of the earlier one: it has its curves from
    `losses.csv` and its pictures, up to the step that it goes on from. On another machine it gets a name of its own.
    """
    remote = any(os.environ.get(name) for name in REMOTE)
    name = f"{run.name}, from {run.resume_iters}" if remote and run.resume_iters else run.name
    pictures = [] if remote else _take_out(run)
    logger = TrackioLogger(run, name)
    for row in run.rows:
        logger.add_row(row)
    for step, picture in pictures:
        if step <= run.resume_iters:
            logger.log({SAMPLES: picture}, step)
    return logger


def _take_out(run: LoggedRun) -> list[tuple[int, Any]]:
    """Delete the runs of this name; returns the steps and the pictures that they had."""
    from trackio import Api

    # The one door to what a run has logged; pictures are in there as the paths of their files.
    from trackio.sqlite_storage import SQLiteStorage

    pictures = []
    if SQLiteStorage.get_project_db_path(run.project).exists():
        for earlier in [known for known in Api().runs(run.project) if known.name == run.name]:
            logs = SQLiteStorage.get_logs(run.project, earlier.name, run_id=earlier.id)
            pictures += [(entry["step"], entry[SAMPLES]) for entry in logs if SAMPLES in entry]
            earlier.delete()
    return pictures


class TrackioLogger(Logger):
    """Sends to one run of trackio, from a thread of its own."""

    def __init__(self, run: LoggedRun, name: str) -> None:
        import trackio

        self._image: Any = trackio.Image
        self._run = trackio.init(project=run.project, name=name, config=dict(run.options))

    def log(self, values: dict[str, Any], step: int) -> None:
        """Send values of any kind."""
        self._run.log(values, step=step)

    def add_row(self, row: Row) -> None:
        self.log(curves_of(row), int(row["total_iters"]))

    def show_picture(self, picture: Image.Image, title: str, total_iters: int) -> None:
        self.log({SAMPLES: self._image(picture, caption=title)}, total_iters)

    def close(self) -> None:
        self._run.finish()
