"""How fast a training goes, what it waits for, and how long it will take."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Of the photos since the last line of the log.

    Args:
        images_per_s: photos a second.
        loading_s: seconds spent waiting for photos to be read; more `--num_threads` or `--cache` shorten them.
        computing_s: all other seconds.
        left_s: seconds to the end of the whole run at this pace; NaN: unknown.
    """

    images_per_s: float
    loading_s: float = 0.0
    computing_s: float = 0.0
    left_s: float = math.nan

    def text(self) -> str:
        """For a line of the log."""
        spent = f"loading {self.loading_s:.3g} s, computing {self.computing_s:.3g} s"
        left = f", {duration(self.left_s)} left" if math.isfinite(self.left_s) else ""
        return f"{self.images_per_s:.3g} images/s, {spent}{left}"


def duration(seconds: float) -> str:
    """Its two largest units: `3 d 4 h`, `2 h 5 min`, `1 min 40 s`, `8 s`."""
    rest = round(seconds)
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        number, rest = divmod(rest, length)
        if number or parts:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"
