"""Results written by threads, while the next photos are computed: encoding takes as long as decoding."""

from collections import deque
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np

from util.failures import listed_in
from util.images import Metadata, write_pixels


class WriteBehind:
    """Hands results to `pool`; at most `waiting` of them are in memory besides.

    What can't be written becomes a line of `refused`, as in `listed_in`. Call `finish` at the end.
    """

    def __init__(self, pool: Executor, waiting: int, refused: list[str]):
        self.pool, self.waiting, self.refused = pool, waiting, refused
        self._running: deque[tuple[Path, Future[None]]] = deque()

    def write(self, photo: Path, result: np.ndarray, path: Path, metadata: Metadata) -> None:
        """Write the `result` of `photo` at `path`, sooner or later; see `write_pixels`.

        Raises:
            UserError: an earlier result could not be written for a reason that would stop every photo.
        """
        self._running.append((photo, self.pool.submit(write_pixels, result, path, metadata)))
        while len(self._running) > self.waiting:
            self._end_first()

    def finish(self) -> None:
        """Wait for all; raises as `write`."""
        while self._running:
            self._end_first()

    def _end_first(self) -> None:
        photo, future = self._running.popleft()
        with listed_in(self.refused, photo):
            future.result()
