"""The figures of a training run on disk: `loss_log.txt` to read, `losses.csv` to plot."""

import csv
import io
import re
from pathlib import Path

from util.files import write_text
from util.pace import Pace

FIRST_COLUMNS = ("epoch", "total_iters", "lr", "images_per_s")
VALIDATION_PREFIX = "val_"

Row = dict[str, float]


class RunLog:
    """Writes the logs of one run and knows all its rows, those of the runs it continues included.

    `losses.csv` has one row per printed step (`epoch, total_iters, lr, images_per_s`, a column per loss) and
    one per validation (columns `val_*`); a cell without a figure is empty, columns are added as they appear.
    """

    def __init__(self, folder: Path, resume_iters: int = 0) -> None:
        """Take up the logs in `folder`, less every row after step `resume_iters` (0: begin anew)."""
        self._text_path = folder / "loss_log.txt"
        self._csv_path = folder / "losses.csv"
        folder.mkdir(parents=True, exist_ok=True)
        earlier = _read_rows(self._csv_path)
        self.rows: list[Row] = [row for row in earlier if row["total_iters"] <= resume_iters]
        self._columns = list(dict.fromkeys([*FIRST_COLUMNS, *(name for row in self.rows for name in row)]))
        self._rewrite_csv()
        write_text(self._text_path, "".join(_lines_until(self._text_path, resume_iters)))

    def add_losses(
        self, epoch: int, total_iters: int, losses: dict[str, float], pace: Pace, lr: float
    ) -> str:
        """Log one step's losses and return them as one line of text."""
        self._add_row({"lr": lr, "images_per_s": pace.images_per_s, **losses}, epoch, total_iters)
        start = f"(epoch: {epoch}, iters: {total_iters}, {pace.text()}, lr: {lr:.3g})"
        return self._add_line(start, losses)

    def add_validation(self, epoch: int, total_iters: int, figures: dict[str, float]) -> str:
        """Log the figures of a validation, in columns `val_<figure>`, and return them as one line of text."""
        named = {VALIDATION_PREFIX + name: value for name, value in figures.items()}
        # A run that was stopped between its validation and its save comes back to the same step.
        known = [
            row for row in self.rows if row["total_iters"] != total_iters or not named.keys() & row.keys()
        ]
        if len(known) < len(self.rows):
            self.rows[:] = known
            self._rewrite_csv()
        self._add_row(named, epoch, total_iters)
        return self._add_line(f"(epoch: {epoch}, iters: {total_iters}, validation)", figures)

    def validations(self, figure: str, before: int) -> list[float]:
        """All values of a validation's figure at steps before `before`."""
        column = VALIDATION_PREFIX + figure
        return [row[column] for row in self.rows if column in row and row["total_iters"] < before]

    def _add_row(self, figures: Row, epoch: int, total_iters: int) -> None:
        row = {"epoch": epoch, "total_iters": total_iters, **figures}
        self.rows.append(row)
        new_columns = [name for name in row if name not in self._columns]
        if new_columns:
            self._columns += new_columns
            self._rewrite_csv()
            return
        with self._csv_path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, self._columns).writerow(row)

    def _add_line(self, start: str, figures: dict[str, float]) -> str:
        line = " ".join([start, *(f"{name}: {value:.3f}" for name, value in figures.items())])
        with self._text_path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        return line

    def _rewrite_csv(self) -> None:
        buffer = io.StringIO(newline="")
        writer = csv.DictWriter(buffer, self._columns)
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(self._csv_path, buffer.getvalue())


def _read_rows(path: Path) -> list[Row]:
    """Rows of a `losses.csv`, empty cells left out; a last line that a crash cut short is left out too."""
    if not path.exists():
        return []
    rows: list[Row] = []
    with path.open(encoding="utf-8", newline="") as file:
        for cells in csv.DictReader(file, restval=None):
            if None in cells.values() or None in cells:
                continue
            try:
                row = {name: float(cell) for name, cell in cells.items() if cell}
                row |= {name: int(row[name]) for name in ("epoch", "total_iters")}
            except (KeyError, ValueError):
                continue
            rows.append(row)
    return rows


def _lines_until(path: Path, last_iters: int) -> list[str]:
    """Lines of a `loss_log.txt` that belong to steps up to `last_iters`."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    steps = [re.search(r"iters: (\d+),", line) for line in lines]
    return [line for line, step in zip(lines, steps, strict=True) if step and int(step[1]) <= last_iters]
