"""Differentiable augmentation against the paper's definitions, written down a second time."""

import pytest
import torch

from models.losses.diffaugment import augment, random_color, random_cutout, random_translation
from models.options.adversary import AUGMENTATIONS, parse_policy
from util.errors import UserError


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_color_of_a_gray_image_is_brightness_alone():
    """Gray has no saturation, one gray value no contrast: what is left is a shift, uniform in [-0.5,0.5]."""
    shifts = random_color(torch.full((4000, 3, 2, 2), 0.1)) - 0.1
    torch.testing.assert_close(shifts, shifts[:, :1, :1, :1].expand_as(shifts), atol=1e-6, rtol=0)
    shift = shifts[:, 0, 0, 0]
    assert shift.abs().max() <= 0.5 + 1e-6
    assert shift.mean().item() == pytest.approx(0, abs=0.02)
    assert shift.std().item() == pytest.approx(12**-0.5, rel=0.05)


def test_saturation_and_contrast_scale_what_they_should():
    """Differences between channels grow by saturation*contrast, those between pixels' means by contrast."""
    x = torch.rand(4000, 3, 4, 4) * 2 - 1
    y = random_color(x)
    means, new_means = x.mean(1), y.mean(1)
    contrast = (new_means[:, 0, 0] - new_means[:, 1, 1]) / (means[:, 0, 0] - means[:, 1, 1])
    product = (y[:, 0, 2, 2] - y[:, 1, 2, 2]) / (x[:, 0, 2, 2] - x[:, 1, 2, 2])
    sure = ((means[:, 0, 0] - means[:, 1, 1]).abs() > 0.1) & ((x[:, 0, 2, 2] - x[:, 1, 2, 2]).abs() > 0.1)
    contrast, saturation = contrast[sure], (product / contrast)[sure]
    assert contrast.min() > 0.5 - 1e-3 and contrast.max() < 1.5 + 1e-3
    assert contrast.mean().item() == pytest.approx(1, abs=0.02)
    assert saturation.min() > -1e-3 and saturation.max() < 2 + 1e-3
    assert saturation.mean().item() == pytest.approx(1, abs=0.04)


def test_translation_moves_each_image_by_whole_pixels():
    """Found again by trying all shifts of a zero-padded copy; up to 1/8 of the sides, all of them drawn."""
    x = torch.rand(300, 2, 16, 24) + 1
    seen = set()
    for image, moved in zip(x, random_translation(x), strict=True):
        padded = torch.nn.functional.pad(image, (3, 3, 2, 2))
        windows = {
            (2 - top, 3 - left): padded[:, top : top + 16, left : left + 24]
            for top in range(5)
            for left in range(7)
        }
        found = [shift for shift, window in windows.items() if torch.equal(window, moved)]
        assert len(found) == 1
        seen.update(found)
    assert seen == {(dy, dx) for dy in range(-2, 3) for dx in range(-3, 4)}


def test_cutout_is_a_rectangle_of_half_the_sides_around_any_pixel():
    x = torch.rand(300, 3, 8, 12) + 1
    tops = set()
    for image, y in zip(x, random_cutout(x), strict=True):
        hole = (y == 0).all(dim=0)
        assert torch.equal(y, image * ~hole)
        rows, columns = hole.any(dim=1).nonzero().flatten(), hole.any(dim=0).nonzero().flatten()
        assert hole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert len(rows) <= 4 and len(columns) <= 6
        assert len(rows) == 4 or rows[0] == 0 or rows[-1] == 7  # cut by the border only
        tops.add((rows[0].item(), len(rows)))
    assert tops == {(0, 2), (0, 3), (0, 4), (1, 4), (2, 4), (3, 4), (4, 4), (5, 3), (6, 2)}


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_gradients_are_those_of_finite_differences(name):
    x = torch.rand(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)

    def same_draw(x):
        torch.manual_seed(5)
        return augment(x, [name])

    assert torch.autograd.gradcheck(same_draw, (x,))


def test_policy_is_a_list_of_names():
    assert parse_policy("") == []
    assert parse_policy("color, cutout") == ["color", "cutout"]
    with pytest.raises(UserError, match="there is no colour; use some of color,translation,cutout"):
        parse_policy("colour")
