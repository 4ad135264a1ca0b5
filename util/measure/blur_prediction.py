"""How well levels of blur that were predicted agree with those that were measured, inside a photo's background."""

import numpy as np
from scipy.stats import spearmanr, wasserstein_distance

# Levels are log2(1 + radius). A photo's blur varies where nine tenths and one tenth of its background differ by this.
VARYING = 0.8

# Fewer places than these say nothing.
FEWEST = 40

# Parts of a background, see `regions`.
REGIONS = ("feet", "beside", "far")

# Shares of the subject's height: how far around its lowest part the ground at its feet reaches, and what is beside it.
FEET, BESIDE = 0.12, 0.25


def agreement(
    predicted: np.ndarray, measured: np.ndarray, certainty: np.ndarray, mask: np.ndarray
) -> dict[str, float] | None:
    """Figures of one photo, at the surer half of its background's places; None if there are too few of them.

    Args:
        predicted, measured: levels `[h,w]`.
        certainty: of the measured ones, `[h,w] in [0,1]`.
        mask: `[h,w] in [0,1]`, 1 = subject.

    Returns:
        `rank` and `rank_of_height`, rank correlation (Spearman) of the measured levels with the predicted ones and with
        the height in the picture; `error`, mean absolute difference of levels; `spread` of the measured levels.
    """
    places = (mask < 0.05) & (certainty >= np.median(certainty))
    if places.sum() < FEWEST:
        return None
    height = -np.broadcast_to(np.arange(len(mask), dtype=np.float64)[:, None], mask.shape)
    truth = measured[places]
    return {
        "rank": _rank_correlation(predicted[places], truth),
        "rank_of_height": _rank_correlation(height[places], truth),
        "error": float(np.abs(predicted[places] - truth).mean()),
        "spread": float(np.quantile(truth, 0.9) - np.quantile(truth, 0.1)),
    }


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """0 where one of both does not vary."""
    return 0.0 if np.ptp(x) < 1e-6 or np.ptp(y) < 1e-6 else float(spearmanr(x, y).statistic)


def regions(mask: np.ndarray) -> dict[str, np.ndarray]:
    """Boolean maps `[h,w]` of parts of the background of `mask` `[h,w] in [0,1]`; all empty without a subject.

    `feet`: around the subject's lowest part, from there down; `beside`: near its box elsewhere; `far`: the rest.
    """
    inside = mask > 0.5
    background = mask < 0.05
    if not inside.any():
        return {name: np.zeros_like(inside) for name in REGIONS}
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    top, bottom, left, right = rows[0], rows[-1], columns[0], columns[-1]
    tall = bottom - top + 1
    y, x = np.indices(mask.shape)
    near = (x >= left - BESIDE * tall) & (x <= right + BESIDE * tall) & (y >= top - BESIDE * tall)
    feet = background & near & (y >= bottom - FEET * tall)
    beside = background & near & ~feet
    return dict(zip(REGIONS, (feet, beside, background & ~feet & ~beside), strict=True))


def distance_and_floor(
    ours: list[np.ndarray], real: list[np.ndarray], rng: np.random.Generator, halves: int = 20
) -> tuple[float, float]:
    """Wasserstein distance between the levels of our photos and of real ones, each photo with the same weight; and the
    mean of that between random halves of the real photos, which is what chance alone gives.

    Args:
        ours, real: levels of a photo each, of any shape.
        halves: how often the real photos are halved.
    """
    floor = []
    for _ in range(halves):
        order = rng.permutation(len(real))
        first, second = order[: len(real) // 2], order[len(real) // 2 :]
        floor.append(_distance([real[i] for i in first], [real[i] for i in second]))
    return _distance(ours, real), float(np.mean(floor))


def _distance(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    weights = [np.concatenate([np.full(x.size, 1 / x.size) for x in group]) for group in (first, second)]
    values = [np.concatenate([x.ravel() for x in group]) for group in (first, second)]
    return float(wasserstein_distance(*values, *weights))
