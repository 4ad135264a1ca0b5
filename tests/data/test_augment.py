"""Augmentation: photo and mask go together, and every choice comes from the item's generator."""

import numpy as np
import torch

from data.augment import add_noise, augment, relight
from util.options import Options

KINDS = ("zoom", "light", "paste", "group", "hide", "noise")


def item(side: int = 48):
    """Two photos in which the subject is where red is 1, and nowhere else."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
    made = {}
    for domain, centre in (("A", 0.3), ("B", -0.3)):
        mask = ((x - centre) ** 2 + y**2 < 0.2).float()[None]
        made[domain] = torch.cat([2 * mask - 1, torch.full((2, side, side), -0.5)])
        made[f"mask_{domain}"] = mask
    return made


def options(**values):
    return Options(**{f"augment_{kind}": 0.0 for kind in KINDS} | values)


def test_off_changes_nothing():
    made = item()
    augmented = augment(made, options(), np.random.default_rng(0))
    assert all(torch.equal(augmented[key], made[key]) for key in made)


def test_mask_stays_on_the_subject():
    """After zoom, paste and hiding, red is 1 exactly where the mask is, up to interpolation at edges."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        augmented = augment(item(), options(augment_zoom=0.5, augment_paste=1.0, augment_hide=1.0), rng)
        for domain in "AB":
            red = (augmented[domain][0] + 1) / 2
            assert (red - augmented[f"mask_{domain}"][0]).abs().mean() < 0.02


def test_paste_adds_the_other_subject():
    made = item()
    augmented = augment(made, options(augment_paste=1.0), np.random.default_rng(3))
    assert (augmented["mask_A"] >= made["mask_A"]).all()
    assert augmented["mask_A"].sum() > made["mask_A"].sum()


def test_same_generator_same_choices():
    some = options(augment_zoom=0.5, augment_light=1.0, augment_paste=0.5)
    first, second = (augment(item(), some, np.random.default_rng(5)) for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_light_stays_in_range_and_changes_colour():
    image = item()["A"]
    lit = relight(image, 1.0, np.random.default_rng(0))
    assert lit.min() >= -1
    assert lit.max() <= 1
    assert not torch.equal(lit, image)


def test_a_group_has_people_before_and_behind_and_masks_of_all():
    """Whoever is added, before or behind, has the light of the subjects and not of the backgrounds."""
    rng = np.random.default_rng(2)
    grew, covered = [], []
    for _ in range(20):
        made = item()
        augmented = augment(made, options(augment_group=1.0), rng)
        for domain in "AB":
            mask, own = augmented[f"mask_{domain}"], made[f"mask_{domain}"]
            assert (mask >= own).all()
            grew.append(float(mask.sum() / own.sum()))
            covered.append(
                float(((augmented[domain] - made[domain]).abs().sum(0, keepdim=True) * own).sum()) > 1
            )
            added = ((mask == 1) & (own == 0))[0]
            if added.any():
                # Relit, red loses its exact value and stays far above the other two.
                assert (augmented[domain][0] - augmented[domain][1])[added].median() > 0.5
            outside = mask[0] == 0
            assert torch.equal(augmented[domain][:, outside], made[domain][:, outside])
    assert max(grew) > 2
    assert 0 < sum(covered) < len(covered)


def test_what_hides_the_subject_is_no_subject():
    rng = np.random.default_rng(4)
    lost = []
    for _ in range(20):
        made = item()
        augmented = augment(made, options(augment_hide=1.0), rng)
        assert (augmented["mask_A"] <= made["mask_A"]).all()
        lost.append(float(1 - augmented["mask_A"].sum() / made["mask_A"].sum()))
    assert max(lost) > 0.1
    assert min(lost) < 0.5


def test_noise_has_the_deviation_that_was_drawn():
    gray = torch.zeros(3, 64, 64)
    deviation = 0.1 * np.random.default_rng(7).random() ** 2
    noisy = add_noise(gray, 0.1, np.random.default_rng(7))
    assert abs(float(noisy.std()) / 2 / deviation - 1) < 0.03
    assert abs(float(noisy.mean())) < 0.01
