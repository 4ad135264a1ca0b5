"""The bar that shows how far an epoch of training is."""

import time

from tqdm import tqdm


class EpochBar(tqdm):
    """Counts photos; knows the speed since it was last asked, and the losses that it was last told.

    Args:
        epoch: its number.
        photos: of the whole epoch.
        done: photos of an earlier call, before it was stopped.
        shown: False on all ranks but the first; a bar is never drawn into a file.
    """

    def __init__(self, epoch: int, photos: int, done: int, shown: bool) -> None:
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

    def count(self, photos: int) -> None:
        """Go on by `photos`."""
        self._photos += photos
        self.update(photos)

    def images_per_s(self) -> float:
        """Photos per second since the last call or the beginning."""
        now = time.perf_counter()
        speed = self._photos / (now - self._since)
        self._since, self._photos = now, 0
        return speed

    def show_losses(self, losses: dict[str, float], line: str) -> None:
        """Put `losses` behind the bar and `line` above it."""
        self.set_postfix({name: f"{value:.2f}" for name, value in losses.items()}, refresh=False)
        self.write(line)
