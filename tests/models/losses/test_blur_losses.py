"""Losses of levels of blur: against sums by hand, and against SciPy's Wasserstein distance."""

import math

import torch
from scipy.stats import wasserstein_distance

from models.losses.blur import CLOSE, DistributionMatch, laplace_nll, ranking


def test_laplace_nll_is_least_at_the_true_scale():
    error = torch.tensor(0.5)
    scales = torch.tensor([0.25, 0.5, 1.0])
    found = laplace_nll(error, scales.log())
    assert found.argmin() == 1
    torch.testing.assert_close(found[1], torch.tensor(1 + math.log(0.5)))


def test_evened_errors_count_alike_whatever_is_expected():
    """At 1 an error has the gradient of the mean absolute error, 1; at 0.5 that of the likelihood, 1 / b, times
    the root of b. The best scale stays the error itself."""
    for evened in (0.5, 1.0):
        error = torch.tensor([0.2, 0.2], requires_grad=True)
        log_scale = torch.tensor([0.25, 4.0]).log().requires_grad_()
        laplace_nll(error, log_scale, evened).sum().backward()
        torch.testing.assert_close(error.grad, torch.tensor([0.25, 4.0]) ** (evened - 1))
        at_error = torch.tensor([0.2]).log().requires_grad_()
        laplace_nll(torch.tensor([0.2]), at_error, evened).sum().backward()
        torch.testing.assert_close(at_error.grad, torch.zeros(1), atol=1e-6, rtol=0)


def test_ranking_asks_for_the_order_and_not_for_the_amount():
    measured = torch.tensor([0.0, 1.0, 3.0, 2.0]).view(1, 1, 2, 2)
    everywhere = torch.ones_like(measured)
    torch.manual_seed(0)
    right, wrong = (ranking(sign * 9 + sign * 5 * measured, measured, everywhere) for sign in (1, -1))
    assert right < 0.01 and wrong > 5 / CLOSE
    # Nothing is known of pairs without a weight, and nothing said of levels that are the same.
    assert ranking(measured, measured, 0 * everywhere) == 0
    torch.testing.assert_close(ranking(everywhere, measured, everywhere), torch.tensor(math.log(2)))


def test_distribution_match_is_the_wasserstein_distance():
    torch.manual_seed(0)
    ours, real = torch.rand(200, 1, 8, 8), 0.5 + 1.5 * torch.rand(200, 1, 8, 8)
    places = torch.ones_like(ours, dtype=torch.bool)
    places[:, :, :3] = False
    ours[:, :, :3], real[:, :, :3] = 9.0, -9.0
    found = DistributionMatch()(ours, places, real, places)
    truth = wasserstein_distance(ours[places], real[places])
    assert abs(float(found) - truth) < 0.03


def test_distribution_match_moves_ours_towards_the_real_ones_it_remembers():
    torch.manual_seed(0)
    match, everywhere = DistributionMatch(), torch.ones(4, 1, 4, 4, dtype=torch.bool)
    nowhere = torch.zeros_like(everywhere)
    level = torch.zeros(4, 1, 4, 4, requires_grad=True)
    assert match(level, everywhere, torch.ones(4, 1, 4, 4), nowhere) == 0
    match(level, nowhere, torch.full((4, 1, 4, 4), 2.0), everywhere)
    loss = match(level, everywhere, torch.ones(4, 1, 4, 4), nowhere)
    torch.testing.assert_close(loss, torch.tensor(2.0))
    loss.backward()
    assert (level.grad <= 0).all() and level.grad.sum() < 0
