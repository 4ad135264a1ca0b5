"""The bar that shows how far an epoch of training is."""

import math
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from util.pace import Pace

T = TypeVar("T")


class EpochBar(tqdm):
    """Counts photos; knows the pace since it was last asked, and the losses that it was last told.

    Args:
        epoch: its number.
        photos: of the whole epoch.
        done: photos of an earlier call, before it was stopped.
        shown: False on all ranks but the first; a bar is never drawn into a file.
        epochs_after: how many epochs of the run come after this one.
    """

    def __init__(self, epoch: int, photos: int, done: int, shown: bool, epochs_after: int = 0) -> None:
        super().__init__(
            desc=f"epoch {epoch}",
            unit="photo",
            total=photos,
            initial=min(done, photos),
            disable=None if shown else True,
            dynamic_ncols=True,
        )
        self._since = time.perf_counter()
        self._photos = 0
        self._loading = 0.0
        self._seen = min(done, photos)
        self._of_epoch, self._after = photos, photos * epochs_after

    def timed(self, batches: Iterable[T]) -> Iterator[T]:
        """`batches`, with the time that is spent waiting for them taken."""
        waiting = iter(batches)
        while True:
            start = time.perf_counter()
            try:
                batch = next(waiting)
            except StopIteration:
                return
            self._loading += time.perf_counter() - start
            yield batch

    def count(self, photos: int) -> None:
        """Go on by `photos`."""
        self._photos += photos
        self._seen += photos
        self.update(photos)

    def pace(self) -> Pace:
        """That since the last call or the beginning."""
        now = time.perf_counter()
        spent = now - self._since
        speed, loading = self._photos / spent, self._loading
        self._since, self._photos, self._loading = now, 0, 0.0
        left = max(self._of_epoch - self._seen, 0) + self._after
        return Pace(speed, loading, spent - loading, left / speed if speed else math.nan)

    def show_losses(self, losses: dict[str, float], line: str) -> None:
        """Put `losses` behind the bar and `line` above it."""
        self.set_postfix({name: f"{value:.2f}" for name, value in losses.items()}, refresh=False)
        self.write(line)
