"""Copies by OpenCV against those by PyTorch, and strips against the whole."""

import pytest
import torch
import torch.nn.functional as F

from util.optics.copies import Enlarged, by_rows, enlarged, halved, is_plain, shrunk
from util.strips import ROWS


def noise(*size: int) -> torch.Tensor:
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (7, 9), (8, 10), (33, 64)])
def test_halves(size):
    x = noise(*size)
    assert torch.allclose(halved(x), F.avg_pool2d(x, 2, ceil_mode=True), atol=1e-6)
    # A part of a larger picture, whose rows don't follow one another in memory.
    part = noise(40, 70)[:, 1:, 3 : 3 + size[0], 5 : 5 + size[1]]
    assert torch.allclose(halved(part), F.avg_pool2d(part, 2, ceil_mode=True), atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (14, 18), (13, 31)])
def test_larger(size):
    x = noise(7, 9)
    truth = F.interpolate(x, size, mode="bilinear", align_corners=False)
    assert torch.allclose(enlarged(x, size), truth, atol=1e-5)


def test_smaller_by_whole_factors_is_the_mean():
    x = noise(12, 20)
    assert torch.allclose(shrunk(x, (3, 4)), F.avg_pool2d(x, (4, 5)), atol=1e-6)
    # 2.5 pixels each: two and a half.
    row = torch.tensor([[[[1.0, 2, 3, 4, 5]]]])
    assert torch.allclose(shrunk(row, (1, 2)), torch.tensor([[[[(1 + 2 + 1.5) / 2.5, (1.5 + 4 + 5) / 2.5]]]]))


def test_rows():
    x, weight = noise(3 * ROWS + 5, 20), noise(3 * ROWS + 5, 20)[:, :1]

    def function(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return torch.cat([x * weight, weight.sqrt()], dim=1)

    truth = function(x, weight)
    assert torch.equal(by_rows(function, x, weight), truth)
    y = x.clone()
    assert by_rows(lambda x, weight: 2 * x + weight, y, weight, into=y) is y
    assert torch.allclose(y, 2 * x + weight)
    half = by_rows(lambda x: halved(x.square()), x, shrink=2)
    assert torch.allclose(half, F.avg_pool2d(x.square(), 2, ceil_mode=True), atol=1e-6)


@pytest.mark.parametrize("with_gradient", [False, True])
def test_rows_of_a_small_picture_made_larger(with_gradient):
    """As large as twice its size, cut by one row and column; and one that has its size already."""
    small, x = noise(ROWS, 12), noise(2 * ROWS - 1, 23)
    small.requires_grad_(with_gradient)
    truth = F.interpolate(small, (2 * ROWS, 24), mode="bilinear", align_corners=False)[..., :-1, :-1] * x
    assert torch.allclose(
        by_rows(torch.mul, Enlarged(small, (2 * ROWS, 24), x.shape[-2:]), x), truth, atol=1e-5
    )
    assert torch.allclose(by_rows(torch.mul, Enlarged(small, small.shape[-2:]), noise(ROWS, 12)), small**2)


def test_gradients_reach_what_goes_in():
    x = noise(9, 11).requires_grad_()
    assert not is_plain(x) and is_plain(x.detach()) and not is_plain(x.detach().double())
    for function in (
        halved,
        lambda x: enlarged(x, (20, 20)),
        lambda x: shrunk(x, (3, 3)),
        lambda x: by_rows(torch.exp, x),
    ):
        (gradient,) = torch.autograd.grad(function(x).sum(), x)
        assert gradient.abs().min() > 0
    with torch.no_grad():
        assert is_plain(x)
