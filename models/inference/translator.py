"""What turns photos into results, and what it may be told of them besides their pixels."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

# From a photo's file and its pixels, [H,W,3] uint8 or uint16, to its mask or inverse depth: float32 [H,W] in [0,1].
MapSource = Callable[[Path, np.ndarray], np.ndarray]


class Told(NamedTuple):
    """What is known of photos, one entry for each; None: nothing.

    Attributes:
        masks: `[H,W] in [0,1]`, 1 = subject, for a generator that was trained with `--mask_input` and for the overlay.
        depths: inverse depths `[H,W]`, near is large, for a generator of `--output_mode lens`.
        apertures: factors of the radii of its blur, for such a generator.
    """

    masks: list[np.ndarray] | None = None
    depths: list[np.ndarray] | None = None
    apertures: list[float] | None = None


class Sources(NamedTuple):
    """Where that comes from, photo by photo; None: it isn't asked for."""

    mask_of: MapSource | None = None
    depth_of: MapSource | None = None
    aperture_of: Callable[[Path], float] | None = None


NOTHING, NOWHERE = Told(), Sources()


class Translator(Protocol):
    """What turns photos of one size into results, in one go or in parts: `Generator`, `Tiled`, `FullResolution`."""

    @property
    def at_once(self) -> int:
        """How many calls of `batch` may run beside each other."""
        ...

    def batch(self, photos: list[np.ndarray], told: Told = NOTHING) -> list[np.ndarray]:
        """Results `[H,W,C']` of photos `[H,W,3]` (RGB) of one size, uint8 or uint16, each as many bits as its photo."""
        ...
