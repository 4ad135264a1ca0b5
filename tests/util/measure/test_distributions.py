"""Figures of sets against closed forms."""

import numpy as np
import pytest

from util.measure.distributions import blur_match, blur_match_of_halves, median_with_interval


def test_interval_covers_the_median_of_a_known_distribution():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        estimate = median_with_interval(rng.normal(5, 2, 60))
        hits += estimate.low <= 5 <= estimate.high
    assert 0.90 <= hits / 200 <= 0.99


def test_width_of_the_interval_is_that_of_a_median():
    # The median of n normal values has a standard deviation of sigma*sqrt(pi/2n).
    estimate = median_with_interval(np.random.default_rng(1).normal(0, 1, 2000))
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * np.sqrt(np.pi / 4000), rel=0.25)


def test_nan_does_not_count_and_infinity_does():
    assert median_with_interval([1.0, float("nan"), 3.0]).median == 2
    exact = median_with_interval([float("inf")] * 9 + [40.0])
    assert (exact.median, exact.low, exact.high) == (float("inf"),) * 3
    assert np.isnan(median_with_interval([float("nan")]).median)


def test_blur_match_of_a_scaled_set_is_the_log_of_the_scale():
    real = np.random.default_rng(2).lognormal(-4, 0.5, 50)
    assert blur_match(real, real) == 0
    assert blur_match(real * 0.6, real) == pytest.approx(-np.log(0.6))
    assert blur_match([*real, 0.0, float("nan")], real) == 0
    assert np.isnan(blur_match([float("nan")], real))


def test_halves_of_a_set_differ_as_two_samples_do():
    rng = np.random.default_rng(3)
    real = rng.lognormal(-4, 0.5, 80)
    samples = [blur_match(rng.lognormal(-4, 0.5, 40), rng.lognormal(-4, 0.5, 40)) for _ in range(500)]
    median, high = blur_match_of_halves(real)
    assert median == pytest.approx(np.median(samples), rel=0.3)
    assert high == pytest.approx(np.quantile(samples, 0.95), rel=0.3)
