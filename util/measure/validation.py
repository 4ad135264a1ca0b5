"""Figures of the generator on photos it does not learn from, while it learns; and which epoch was best."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from util.domains import domains
from util.errors import UserError
from util.images import read_image
from util.measure.better import BETTER
from util.measure.distributions import blur_match
from util.measure.evaluation import ComparedPhoto, as_array, find_sources, read_source
from util.measure.metrics import background_gradient, figures_of_output
from util.options import Options
from util.present import present


class Validation:
    """Measures generators on `valA` with its masks; the blur match also needs `valB` with masks.

    Photos whose shorter side is above `load_size` pixels are scaled down to it, to bound time and memory.
    """

    def __init__(self, opt: Options) -> None:
        """Raises:
        UserError: there is no `valA`, or a mask is missing; or `best_metric` can't be had from what there is.
        """
        dataroot = Path(opt.dataroot)
        inputs, real = domains(opt.direction)
        self._photos = find_sources(dataroot / f"val{inputs}", dataroot / f"mask{inputs}")
        self._side = opt.load_size
        self.best_metric: str = opt.best_metric
        self._real_gradients: list[float] = []
        if (dataroot / f"val{real}").is_dir():
            for photo in find_sources(dataroot / f"val{real}", dataroot / f"mask{real}"):
                source, regions = read_source(photo, self._size(photo))
                self._real_gradients.append(background_gradient(source, regions.background))
        elif self.best_metric == "blur_match":
            raise UserError(
                f"--best_metric blur_match: {dataroot / f'val{real}'} is missing; choose another figure"
            )

    def measure(self, generate: Callable[[Image.Image], Image.Image]) -> dict[str, float]:
        """Medians over the photos of the figures in `util.measure.metrics`, and `blur_match` where there is a `valB`.

        Args:
            generate: 8-bit RGB photo -> result of the same size.
        """
        found = []
        for photo in tqdm(self._photos, "validation", leave=False, disable=None):
            size = self._size(photo)
            image = read_image(photo.source).resize(size, Image.Resampling.BICUBIC)
            source, regions = read_source(photo, size)
            found.append(figures_of_output(as_array(generate(image).convert("RGB")), source, regions))
        figures = {name: median([of_photo[name] for of_photo in found]) for name in found[0]}
        gradients = [of_photo["background_gradient"] for of_photo in found]
        del figures["background_gradient"]
        if self._real_gradients:
            figures["blur_match"] = blur_match(gradients, self._real_gradients)
        return figures

    def is_best(self, figures: dict[str, float], earlier: Iterable[float]) -> bool:
        """Whether the chosen figure is better than all `earlier` values of it; never without a choice."""
        if not self.best_metric or np.isnan(figures[self.best_metric]):
            return False
        sign = BETTER[self.best_metric]
        return all(not sign * value >= sign * figures[self.best_metric] for value in earlier)

    def _size(self, photo: ComparedPhoto) -> tuple[int, int]:
        # This reads no more than the header of a mask, which is upright and as big as the photo.
        with Image.open(present(photo.mask)) as mask:
            width, height = mask.size
        scale = min(1, self._side / min(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))


def median(values: list[float]) -> float:
    """Median of the values that are not NaN; NaN if none is."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.median(known)) if known else float("nan")
