"""Large photos in parts against the same photos in one pass."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch

from models.inference.generator import Generator
from models.inference.large_photos import (
    OVERLAP,
    FullResolution,
    Tiled,
    fixed_statistics,
    join,
    shrink,
    tile_spans,
)
from models.nets.base import GeneratorNet
from models.networks import define_G, init_weights
from util.errors import UserError


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return Generator(init_weights(define_G(3, 3, 4, "resnet_6blocks"), "kaiming"))


def smooth_photo(height, width, dtype=np.uint8):
    coarse = np.random.default_rng(0).uniform(0, 1, (height // 16, width // 16, 3))
    photo = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.round(photo * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("length", [100, 400, 401, 500, 799, 4096])
def test_tiles_cover_overlap_and_lie_on_the_strides(length):
    spans = tile_spans(length, 400, 4)
    assert spans[0][0] == 0
    assert spans[-1][1] == length
    assert all(start % 4 == 0 for start, _ in spans)
    assert all(stop - start <= 403 for start, stop in spans)
    assert all(one[1] - two[0] >= OVERLAP for one, two in pairwise(spans))


def test_parts_of_one_picture_join_to_it():
    picture = torch.rand(3, 5, 1000)
    parts = ((start, picture[:, :, start:stop]) for start, stop in tile_spans(1000, 400, 4))
    assert torch.allclose(torch.cat(list(join(parts, 1000, axis=2)), dim=2), picture, atol=1e-6)


def test_fixed_statistics_repeat_the_pass_they_come_from(generator):
    x = torch.rand(1, 3, 64, 64)
    plain = generator.translate(x)
    with fixed_statistics(generator.net, lambda: generator.translate(x)):
        assert torch.allclose(generator.translate(x), plain, atol=1e-5)
        part = generator.translate(x[..., :32])
    assert not torch.allclose(generator.translate(x[..., :32]), part, atol=1e-3)
    assert torch.equal(generator.translate(x), plain)


def test_tiles_of_any_size_give_what_one_pass_would(generator):
    """One pass with the same statistics; nothing of a seam is left."""
    photo = smooth_photo(500, 900)
    small = shrink(photo, 512 / (500 * 900) ** 0.5)
    with fixed_statistics(generator.net, lambda: generator.batch([small])):
        whole = generator.batch([photo])[0].astype(int)
    for tile in (384, 512):
        found = Tiled(generator, tile).batch([photo])[0].astype(int)
        assert found.shape == photo.shape
        assert np.abs(found - whole).max() <= 1


def test_full_resolution_keeps_size_depth_and_detail(generator):
    """A generator that darkens by half: the guided filter must give the same function at full size."""

    class Darken(GeneratorNet):
        divisor = 4
        input_nc = 3

        def forward(self, x):
            return 0.5 * x - 0.25

    for dtype in (np.uint8, np.uint16):
        photo = smooth_photo(600, 410, dtype)
        result = FullResolution(Generator(Darken()), 100).batch([photo])[0]
        assert (result.shape, result.dtype) == (photo.shape, dtype)
        limit = np.iinfo(dtype).max
        expected = ((photo / limit * 2 - 1) * 0.5 - 0.25 + 1) / 2
        assert np.abs(result / limit - expected).max() < 0.02


def test_what_can_not_be_tiled_is_refused(generator):
    with pytest.raises(UserError, match="at least 384"):
        Tiled(generator, 256)
    with pytest.raises(UserError, match="ResNet generators alone"):
        Tiled(Generator(define_G(3, 3, 4, "unet_128")), 512)
