"""The loggers of one run, as one."""

from importlib import import_module

from PIL import Image

from util.loggers.base import LoggedRun, Logger
from util.options import Options
from util.run_log import Row


class Loggers:
    """All loggers that a run asked for."""

    def __init__(self, opt: Options, folder: str, rows: list[Row], resume_iters: int) -> None:
        """Start those of `opt.logger` for the run in `folder`, which continues earlier `rows` at step `resume_iters`.

        Raises:
            UserError: one that can't start; the line says what it wants.
        """
        options = {name: value for name, value in vars(opt).items() if value is not None}
        run = LoggedRun(opt.name, opt.logger_project, folder, options, list(rows), resume_iters)
        self._seen = {_key(row) for row in rows}
        self._loggers: list[Logger] = [
            import_module(f"util.loggers.{name}_logger").start(run) for name in dict.fromkeys(opt.logger)
        ]

    def add_row(self, row: Row) -> None:
        """Send the figures of a row of `losses.csv`."""
        # A run that was stopped between its validation and its save measures the same once more.
        if _key(row) in self._seen:
            return
        for logger in self._loggers:
            logger.add_row(row)

    def show_picture(self, picture: Image.Image, title: str, total_iters: int) -> None:
        """Send a sheet of sample pictures."""
        for logger in self._loggers:
            logger.show_picture(picture, title, total_iters)

    def close(self) -> None:
        """Send what is left."""
        for logger in self._loggers:
            logger.close()


def _key(row: Row) -> tuple[float | str, ...]:
    return (row["total_iters"], *sorted(row))
