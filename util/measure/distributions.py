"""Figures of a set of photos: medians with their uncertainty, and distances between distributions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A median and the bounds of its 95% interval."""

    median: float
    low: float
    high: float


def median_with_interval(values: Sequence[float], seed: int = 0) -> Estimate:
    """Median of the values that are not NaN, with its 95% percentile bootstrap interval; inf is a value."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if known.size == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    draws = np.random.default_rng(seed).integers(known.size, size=(RESAMPLES, known.size))
    medians = np.median(known[draws], axis=1)
    low, high = np.quantile(medians, (0.025, 0.975), method="closest_observation")
    return Estimate(float(np.median(known)), float(low), float(high))


def blur_match(gradients: Sequence[float], real_gradients: Sequence[float]) -> float:
    """1-Wasserstein distance between the distributions over photos of log mean background gradient.

    Photos without background (NaN) or with a perfectly flat one (0) do not count.
    """
    log_outputs, log_real = _log(gradients), _log(real_gradients)
    if not log_outputs.size or not log_real.size:
        return float("nan")
    return wasserstein_distance(log_outputs, log_real)


def blur_match_of_halves(real_gradients: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Median and 95% quantile of the blur match between random halves of the real photos.

    They tell what distance chance alone makes; an output within them can't be told from real photos by it.
    """
    log_real = _log(real_gradients)
    half = log_real.size // 2
    if half == 0:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    orders = (rng.permutation(log_real) for _ in range(RESAMPLES))
    distances = [wasserstein_distance(order[:half], order[half:]) for order in orders]
    return float(np.median(distances)), float(np.quantile(distances, 0.95))


def wasserstein_distance(some: np.ndarray, others: np.ndarray) -> float:
    """1-Wasserstein distance of two samples `[N]` and `[M]`: the area between their cumulative distributions.

    SciPy has the same; its statistics take long to import.
    """
    values = np.sort(np.concatenate([some, others]))
    below = (np.searchsorted(np.sort(of), values[:-1], side="right") / len(of) for of in (some, others))
    return float(np.abs(np.subtract(*below)) @ np.diff(values))


def _log(gradients: Sequence[float]) -> np.ndarray:
    values = np.asarray(gradients, dtype=np.float64)
    # Leaves NaN out too.
    return np.log(values[values > 0])
