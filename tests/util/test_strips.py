"""Rows of enlarged pictures, against PyTorch's interpolation of the whole."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from util.strips import enlarged_rows, over_threads, padded, shrunk, spans


@pytest.mark.parametrize("size", [(70, 33), (9, 8), (61, 130)])
def test_rows_are_those_of_the_enlarged_picture(size):
    small = np.random.default_rng(0).random((5, 9, 8), dtype=np.float32)
    whole = F.interpolate(torch.from_numpy(small)[None], size, mode="bilinear", align_corners=False)[0]
    strips = [enlarged_rows(small, top, bottom, size) for top, bottom in spans(size[0], 16)]
    assert np.allclose(np.concatenate(strips, axis=1), whole, atol=1e-6)


def test_shrinking_takes_means_with_zeros_beyond_the_border():
    planes = np.arange(2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5)
    expected = F.avg_pool2d(F.pad(torch.from_numpy(planes), (0, 1, 0, 1)), 2)
    assert np.allclose(shrunk(padded(planes, 2), 2), expected)


def test_every_row_is_done_once_and_errors_come_out():
    count = np.zeros(130, int)

    def add(top, bottom):
        count[top:bottom] += 1

    over_threads(add, 130)
    assert count.tolist() == [1] * 130
    with pytest.raises(ZeroDivisionError):
        over_threads(lambda top, bottom: 1 // 0, 130)
