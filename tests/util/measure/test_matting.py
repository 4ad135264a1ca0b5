"""Figures of alphas against the benchmark's formulas written out pixel by pixel."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from util.measure.matting import connectivity_error, figures_of_alpha, gradient_error, mse, sad


@pytest.fixture(scope="module")
def alphas():
    """A soft blob with a hole, and an estimate with noise, a shift and an island."""
    y, x = np.mgrid[:40, :50]
    truth = np.clip(1.5 - np.hypot(y - 18, x - 22) / 9, 0, 1)
    truth[17:20, 20:24] = 0.4
    noise = np.random.default_rng(0).normal(0, 0.05, truth.shape)
    estimate = np.clip(np.roll(truth, 2, axis=1) + noise, 0, 1)
    estimate[30:35, 40:45] = 0.8
    return estimate, truth


def test_sums_and_means(alphas):
    estimate, truth = alphas
    total = squares = 0.0
    for a, t in zip(estimate.ravel(), truth.ravel(), strict=True):
        total += abs(a - t)
        squares += (a - t) ** 2
    assert sad(estimate, truth) == pytest.approx(total / 1000)
    assert mse(estimate, truth) == pytest.approx(squares / truth.size)
    region = np.zeros(truth.shape, bool)
    region[:, :20] = True
    assert sad(estimate, truth, region) == pytest.approx(np.abs(estimate - truth)[:, :20].sum() / 1000)


def test_gradient_with_the_benchmark_s_two_dimensional_filter(alphas):
    sigma, reach = 1.4, 5
    x = np.arange(-reach, reach + 1)
    gauss = np.exp(-(x**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    along = np.outer(gauss, -x * gauss / sigma**2)
    along /= np.sqrt((along**2).sum())

    def magnitude(alpha):
        return np.hypot(*(ndimage.correlate(alpha, kernel, mode="nearest") for kernel in (along, along.T)))

    expected = ((magnitude(alphas[0]) - magnitude(alphas[1])) ** 2).sum() / 1000
    assert gradient_error(*alphas) == pytest.approx(expected, rel=1e-6)


def test_connectivity_pixel_by_pixel(alphas):
    estimate, truth = alphas
    level = np.full(truth.shape, -1.0)
    steps = [0.1 * n for n in range(11)]
    for before, threshold in pairwise(steps):
        both = (estimate >= threshold) & (truth >= threshold)
        labels, count = ndimage.label(both)
        sizes = [(labels == n).sum() for n in range(1, count + 1)]
        largest = labels == 1 + int(np.argmax(sizes)) if sizes else both
        for place in zip(*np.nonzero((level == -1) & ~largest), strict=True):
            level[place] = before
    level[level == -1] = 1
    total = 0.0
    for a, t, held in zip(estimate.ravel(), truth.ravel(), level.ravel(), strict=True):
        phi = [1 - (value - held) * (value - held >= 0.15) for value in (a, t)]
        total += abs(phi[0] - phi[1])
    assert connectivity_error(estimate, truth) == pytest.approx(total / 1000)


def test_truth_is_perfect_and_an_island_is_not_connected(alphas):
    _, truth = alphas
    hair = np.zeros_like(truth)
    hair[5, 5] = 0.5
    assert set(figures_of_alpha(truth, truth, hair).values()) == {0.0}
    island = truth.copy()
    island[30:35, 40:45] = 0.8
    assert connectivity_error(island, truth) == pytest.approx(25 * 0.8 / 1000)
    off = truth.copy()
    off[3:8, 3:8] += 0.1  # all of it within two pixels of the hair
    assert figures_of_alpha(off, truth, hair)["alpha_sad_hair"] == pytest.approx(25 * 0.1 / 1000)
