"""What mattes start from: the network's decision, or the mask that it was told."""

import torch
import torch.nn.functional as F

from models.lens.matting import told_prior


def square(side: int, first: int, last: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, side, side)
    mask[..., first:last, first:last] = 1
    return mask


def test_without_a_mask_it_is_the_networks_decision():
    small = torch.rand(1, 1, 6, 8, generator=torch.Generator().manual_seed(0))
    enlarged = F.interpolate(small, (60, 80), mode="bilinear", align_corners=False)
    assert torch.equal(told_prior(small, (60, 80), None), enlarged)


def test_a_network_that_sees_people_wider_than_they_are_adds_nothing_to_the_mask():
    mask = square(96, 33, 62)
    for wide in (square(12, 3, 9), torch.ones(1, 1, 12, 12)):
        assert torch.equal(told_prior(wide, (96, 96), mask), mask)


def test_a_mask_with_soft_edges_is_believed_no_further_than_they_are_wide():
    place = torch.arange(128.0)
    soft = ((place - 56) / 24).clamp(0, 1)[None, None, None].repeat(1, 1, 128, 1)
    everywhere = torch.ones(1, 1, 16, 16)
    prior = told_prior(everywhere, (128, 128), soft)
    # 24 pixels, three of the network's.
    assert (prior > soft)[(soft > 0.05) & (soft < 1)].all()
    assert (prior[..., 80:] == 1).all() and (prior[..., :24] == 0).all()
    assert torch.equal(told_prior(everywhere, (128, 128), soft.round()), soft.round())


def test_what_the_network_does_not_take_for_subject_goes():
    mask = square(96, 16, 80)
    decided = square(12, 2, 10)
    decided[..., 2:6] = 0
    prior = told_prior(decided, (96, 96), mask)
    assert torch.equal(prior[..., 56:], mask[..., 56:])
    assert (prior[..., 24:72, 24:40] == 0).all()


def test_large_photos_start_from_a_smaller_mask():
    assert told_prior(torch.ones(1, 1, 6, 12), (800, 3200), torch.ones(1, 1, 800, 3200)).shape == (
        1,
        1,
        400,
        1600,
    )
