"""What a training run shows: the logs, the page of sample pictures, the visdom dashboard and the loggers."""

import re
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch
from PIL import Image
from tqdm import tqdm

from util.dashboard import Dashboard, connect
from util.errors import missing_package
from util.html import ResultPage
from util.images import write_image
from util.loggers.started import Loggers
from util.options import Options
from util.pace import Pace
from util.run_log import Row, RunLog
from util.sheet import contact_sheet
from util.tensors import tensor_to_image


class Visualizer:
    """Shows a run in `checkpoints/<name>/`: `loss_log.txt`, `losses.csv`, `web/index.html`; in visdom and in loggers.

    Args:
        opt: `checkpoints_dir`, `name`, `no_html`, `display_*` (`display_id` 0 or less: no visdom), `logger`.
        resume_iters: the step that the run continues from. What was logged after it is dropped, because it
            will come again; 0 begins anew.
    """

    def __init__(self, opt: Options, resume_iters: int = 0) -> None:
        folder = Path(opt.checkpoints_dir, opt.name)
        self._log = RunLog(folder, resume_iters)
        self._samples = None if opt.no_html else SamplePage(folder / "web", opt.name)
        self._columns, self._cell = max(opt.display_ncols, 0), opt.display_winsize
        self._loggers = Loggers(opt, str(folder), self._log.rows, resume_iters) if opt.logger else None
        self._dashboard = start_dashboard(opt, self._log.rows) if opt.display_id > 0 else None

    def print_current_losses(
        self, epoch: int, total_iters: int, losses: dict[str, float], pace: Pace, lr: float
    ) -> str:
        """Log and plot the losses of a step; returns them as one line of text for the caller to print."""
        line = self._log.add_losses(epoch, total_iters, losses, pace, lr)
        self._plot()
        return line

    def print_validation(self, epoch: int, total_iters: int, figures: dict[str, float]) -> str:
        """Log and plot the figures of a validation; returns them as one line of text."""
        line = self._log.add_validation(epoch, total_iters, figures)
        self._plot()
        return line

    def validations(self, figure: str, before: int) -> list[float]:
        """All values that a validation's figure had at steps before `before`, in this run and those it continues."""
        return self._log.validations(figure, before)

    def _plot(self) -> None:
        if self._dashboard:
            self._dashboard.add_row(self._log.rows[-1])
        if self._loggers:
            self._loggers.add_row(self._log.rows[-1])

    def display_current_results(
        self, visuals: dict[str, torch.Tensor], epoch: int, total_iters: int, save_html: bool
    ) -> None:
        """Show sample pictures, and keep them on the page if `save_html`.

        Args:
            visuals: label -> `[B,C,H,W] in [-1,1]`, C 1 or 3; the first of the batch is shown.
        """
        pictures = {label: tensor_to_image(batch[0]) for label, batch in visuals.items()}
        if self._dashboard or self._loggers:
            columns = self._columns or pictures_of_first_photo(list(pictures))
            sheet = contact_sheet(list(pictures.values()), columns, list(pictures), self._cell)
            title = f"epoch {epoch}, {total_iters} photos"
            if self._dashboard:
                self._dashboard.show_picture(sheet, title)
            if self._loggers:
                self._loggers.show_picture(sheet, title, total_iters)
        if save_html and self._samples:
            self._samples.write(pictures, epoch)

    def close(self) -> None:
        """End the run's displays; what could not be shown in visdom by then is in the logs."""
        if self._dashboard:
            self._dashboard.close()
        if self._loggers:
            self._loggers.close()


class SamplePage:
    """`web/index.html`: the latest sample pictures of each epoch, a row per photo, the newest epoch on top."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name

    def write(self, pictures: dict[str, Image.Image], epoch: int) -> None:
        """Write label -> picture as `images/epoch<NNN>_<label>.png`, and the page anew."""
        for label, picture in pictures.items():
            write_image(picture, self._folder / "images" / f"epoch{epoch:03d}_{label}.png")
        page = ResultPage(self._folder, f"{self._name}: samples of training")
        for shown_epoch, files in sorted(self._files_by_epoch().items(), reverse=True):
            if shown_epoch > epoch:
                # Left by an earlier run that went further than the one now continued.
                continue
            order = {label: place for place, label in enumerate(pictures)}
            labels = sorted(files, key=lambda label: order.get(label, len(order)))
            first = pictures_of_first_photo(labels)
            for of_photo in filter(None, (labels[:first], labels[first:])):
                name = f"epoch {shown_epoch}" + (f", {of_photo[0]}" if first < len(labels) else "")
                page.add(name, {label: files[label] for label in of_photo})
        page.save()

    def _files_by_epoch(self) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {}
        for path in sorted(self._folder.glob("images/epoch*_*.png")):
            if match := re.fullmatch(r"epoch(\d+)_(.+)\.png", path.name):
                found.setdefault(int(match[1]), {})[match[2]] = f"images/{path.name}"
        return found


def pictures_of_first_photo(labels: list[str]) -> int:
    """How many of the labels come before the second photo's, which starts with `real_` again; all if it doesn't."""
    starts = [place for place, label in enumerate(labels) if label.startswith("real_")]
    return starts[1] if len(starts) > 1 else len(labels)


def start_dashboard(opt: Options, rows: list[Row]) -> Dashboard | None:
    """The dashboard of the run that `opt` describes, with the curves of the earlier `rows`; None without visdom."""
    if find_spec("visdom") is None:
        tqdm.write(f"{missing_package('visdom')}, to watch the run in the browser; or give --display_id 0")
        return None
    address = f"{opt.display_server}:{opt.display_port}"
    env = opt.display_env or opt.name
    dashboard = Dashboard(partial(connect, opt.display_server, opt.display_port, env), address, tqdm.write)
    dashboard.show_options(vars(opt))
    for row in rows:
        dashboard.add_row(row)
    return dashboard
