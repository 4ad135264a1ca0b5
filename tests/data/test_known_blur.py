"""Photos behind known blurs: the blur is what the levels say."""

import numpy as np
import torch
from skimage.data import chelsea

from data.known_blur import (
    RADII,
    TOP_LEVEL,
    blur_by_levels,
    draw_levels,
    with_known_blur,
)
from util.optics.blur import disc_blur
from util.optics.levels import level_of_radius, radius_of_level
from util.optics.light import linear_to_srgb, srgb_to_linear

PHOTO = torch.from_numpy(chelsea()[50:114, 100:180]).permute(2, 0, 1).float() / 127.5 - 1


def test_levels_are_log_radii_both_ways():
    radius = torch.tensor([0.0, 1.0, 3.0, 7.0])
    assert level_of_radius(radius).tolist() == [0, 1, 2, 3]
    assert torch.allclose(radius_of_level(level_of_radius(radius)), radius)
    assert radius_of_level(torch.tensor([-1.0])).item() == 0


def test_level_of_a_disc_is_that_disc_in_linear_light():
    radius = RADII[4]
    levels = torch.full((1, 64, 80), float(np.log2(1 + radius)))
    light = srgb_to_linear((PHOTO[None] + 1) / 2)
    expected = linear_to_srgb(disc_blur(light, torch.ones(1, 1, 64, 80), radius).clamp(0, 1))[0] * 2 - 1
    assert torch.allclose(blur_by_levels(PHOTO, levels), expected, atol=1e-4)
    assert torch.allclose(blur_by_levels(PHOTO, torch.zeros(1, 64, 80)), PHOTO, atol=1e-5)


def test_subject_stays_sharp_and_gives_no_light():
    mask = torch.zeros(1, 64, 80)
    mask[:, 20:50, 30:60] = 1
    white = torch.where(mask > 0, 1.0, -1.0).expand(3, -1, -1)
    out = blur_by_levels(white, torch.full((1, 64, 80), 2.5), mask)
    assert torch.allclose(out, white, atol=1e-4)


def test_draws_are_repeatable_cover_the_range_and_name_the_subject_sharp():
    mask = torch.zeros(1, 32, 32)
    mask[:, 8:24, 8:24] = 1
    found, kept = [], 0
    for seed in range(60):
        first, level = with_known_blur(PHOTO[:, :32, :32], mask, np.random.default_rng(seed))
        again, same = with_known_blur(PHOTO[:, :32, :32], mask, np.random.default_rng(seed))
        assert torch.equal(first, again) and torch.equal(level, same)
        assert first.shape == (3, 32, 32) and first.min() >= -1 and first.max() <= 1
        kept += bool((level[:, 9:23, 9:23] == 0).all())
        found.append(draw_levels(32, 32, np.random.default_rng(seed)))
    levels = torch.stack(found)
    assert levels.min() == 0 and levels.max() == TOP_LEVEL
    # Even blurs and uneven ones, both often.
    spread = levels.flatten(1).std(dim=1)
    assert 10 < (spread < 1e-3).sum() < 40
    assert 30 < kept < 60
