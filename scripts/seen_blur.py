"""The blur that a network sees in results and, beside them, in real photos (evaluate.py --blur_weights)."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from util.images import read_image
from util.measure.distributions import median_with_interval
from util.measure.evaluation import ComparedPhoto, read_source
from util.measure.radius import RadiusMap, seen_radii
from util.measure.report import Evaluation

REAL = "real photos"  # their row


def radius_map(weights: Path) -> RadiusMap:
    """The network of scripts/measure_blur.py as a function from photo to radius.

    Raises:
        UserError: no such file, or another network's.
    """
    # Here and not above: PyTorch is long to import, and only this needs it.
    from models.inference.blur_meter import load_blur_meter

    meter = load_blur_meter(weights)
    return lambda photo: meter(photo).radius


def add_seen_blur(
    per_photo: dict[str, dict[str, dict[str, float]]], photos: list[ComparedPhoto], see: RadiusMap
) -> None:
    """Add `seen_background` and `seen_subject` to the figures of every photo and method."""
    for photo in tqdm(photos, "blur seen", leave=False):
        for method, path in photo.outputs.items():
            per_photo[photo.stem][method] |= _seen(photo, path, see)


def add_real_row(evaluation: Evaluation, real: list[ComparedPhoto], see: RadiusMap) -> None:
    """Add a row of the real photos: what the network sees in them."""
    found = [_seen(photo, photo.source, see) for photo in tqdm(real, "blur of real photos", leave=False)]
    evaluation.medians[REAL] = {
        name: median_with_interval([each[name] for each in found]) for name in found[0]
    }
    evaluation.of_sets[REAL] = {}


def _seen(photo: ComparedPhoto, path: Path, see: RadiusMap) -> dict[str, float]:
    picture = read_image(path)
    _, regions = read_source(photo, picture.size)
    return seen_radii(np.asarray(picture), regions, see)
