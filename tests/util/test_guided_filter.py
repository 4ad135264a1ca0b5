"""The guided filter against its equations, solved window by window in numpy."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from util.guided_filter import (
    apply_coefficients,
    box_mean,
    guided_coefficients,
    guided_filter,
)


def windows(height, width, radius):
    for y in range(height):
        for x in range(width):
            rows = slice(max(0, y - radius), y + radius + 1)
            yield y, x, (rows, slice(max(0, x - radius), x + radius + 1))


def plain_guided_filter(guide, target, radius, eps):
    """He et al. 2013, equations 5 to 8: ridge regression in each window, then the mean over windows.

    `guide` `[H,W,G]`, `target` `[H,W]`, float64.
    """
    height, width, channels = guide.shape
    a, b = np.zeros((height, width, channels)), np.zeros((height, width))
    for y, x, window in windows(height, width, radius):
        inside, values = guide[window].reshape(-1, channels), target[window].reshape(-1)
        centred = inside - inside.mean(0)
        gram = centred.T @ centred / len(values) + eps * np.eye(channels)
        a[y, x] = np.linalg.inv(gram) @ (centred.T @ (values - values.mean()) / len(values))
        b[y, x] = values.mean() - a[y, x] @ inside.mean(0)
    result = np.zeros((height, width))
    for y, x, window in windows(height, width, radius):
        result[y, x] = a[window].reshape(-1, channels).mean(0) @ guide[y, x] + b[window].mean()
    return result


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("radius", [1, 3])
def test_filter_is_the_regression_of_the_paper(channels, radius):
    rng = np.random.default_rng(0)
    guide, target = rng.uniform(-1, 1, (11, 14, channels)), rng.uniform(-1, 1, (11, 14, 2))
    expected = np.stack([plain_guided_filter(guide, target[..., c], radius, 0.01) for c in range(2)])
    tensors = [torch.from_numpy(x).permute(2, 0, 1)[None] for x in (guide, target)]
    np.testing.assert_allclose(guided_filter(*tensors, radius, 0.01)[0].numpy(), expected, atol=1e-10)
    found = guided_filter(*(x.float() for x in tensors), radius, 0.01)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_box_mean_counts_only_pixels_inside():
    x = torch.rand(1, 2, 5, 9, dtype=torch.float64)
    found = box_mean(x, 3)
    for row, column, window in windows(5, 9, 3):
        assert torch.allclose(found[..., row, column], x[(..., *window)].mean((-2, -1)))


def test_a_linear_function_of_the_guide_comes_back_at_full_size():
    """Where the target is linear in the guide, small copies lose nothing, whatever detail the guide has."""
    guide = torch.rand(2, 3, 48, 36, dtype=torch.float64)
    weights = torch.tensor([[0.5, -0.2, 0.1], [0.0, 0.3, 0.9]], dtype=torch.float64)
    target = torch.einsum("cg,bghw->bchw", weights, guide) + 0.25
    assert torch.allclose(guided_filter(guide, target, 4, 1e-12, subsample=4), target, atol=1e-6)
    small = [F.interpolate(x, size=(12, 9), mode="area") for x in (guide, target)]
    coefficients = guided_coefficients(*small, 2, 1e-12)
    assert torch.allclose(apply_coefficients(coefficients, guide), target, atol=1e-6)


def test_an_edge_of_the_guide_sharpens_a_soft_mask():
    guide = torch.full((1, 3, 32, 32), -0.6)
    guide[..., 15:] = 0.7
    soft = torch.linspace(-1, 2, 32).clamp(0, 1).expand(1, 1, 32, 32)
    found = guided_filter(guide, soft, 8, 1e-4)
    assert (found[..., 15] - found[..., 14]).min() > 0.5 > 4 * (soft[..., 15] - soft[..., 14]).max()


def test_strips_equal_the_whole():
    guide, target = torch.rand(1, 3, 50, 31), torch.rand(1, 3, 13, 8)
    coefficients = guided_coefficients(F.interpolate(guide, size=(13, 8), mode="area"), target, 2, 1e-3)
    enlarged = F.interpolate(coefficients.flatten(1, 2), size=(50, 31), mode="bilinear")
    a, b = enlarged.unflatten(1, (3, 4)).split([3, 1], dim=2)
    expected = (a * guide[:, None]).sum(2) + b[:, :, 0]
    assert torch.allclose(apply_coefficients(coefficients, guide), expected, atol=1e-6)
    strips = [
        apply_coefficients(coefficients, guide[..., top : top + 7, :], top, 50) for top in range(0, 50, 7)
    ]
    assert torch.allclose(torch.cat(strips, dim=2), expected, atol=1e-5)


def test_gradients_by_finite_differences():
    torch.manual_seed(0)
    guide, target = (torch.rand(1, 3, 3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda i, p: guided_filter(i, p, 1, 0.01), (guide, target))
