"""Figures of predicted blur, on levels whose agreement is known."""

import numpy as np
import pytest

from util.measure.blur_prediction import agreement, distance_and_floor, regions


@pytest.fixture
def scene():
    """Levels that fall from 3 in the top row to 0 in the last, and no subject."""
    levels = np.repeat(np.linspace(3, 0, 20)[:, None], 10, axis=1)
    return levels, np.ones((20, 10)), np.zeros((20, 10))


def test_rank_sees_order_alone_and_error_sees_the_amount(scene):
    levels, certainty, mask = scene
    figures = agreement(levels**2 + 0.5, levels, certainty, mask)
    assert figures["rank"] == pytest.approx(1) and figures["rank_of_height"] == pytest.approx(1)
    assert figures["error"] == pytest.approx(np.abs(levels**2 + 0.5 - levels).mean())
    assert figures["spread"] == pytest.approx(0.8 * 3, abs=0.1)
    assert agreement(-levels, levels, certainty, mask)["rank"] == pytest.approx(-1)
    assert agreement(np.ones_like(levels), levels, certainty, mask)["rank"] == 0


def test_subject_and_unsure_places_have_no_part(scene):
    levels, certainty, mask = scene
    wrong = levels.copy()
    wrong[:, :3], mask[:, :3] = 9, 1
    wrong[:, 9], certainty[:, 9] = 9, 0.1
    assert agreement(wrong, levels, certainty, mask)["error"] == 0
    assert agreement(levels, levels, certainty, np.ones_like(mask)) is None


def test_regions_of_a_standing_person_part_the_background():
    mask = np.zeros((100, 80))
    mask[30:80, 35:45] = 1
    found = regions(mask)
    assert (sum(found.values()) == (mask == 0)).all()
    assert (
        found["feet"][85, 40] and found["feet"][78, 30] and found["beside"][50, 30] and found["far"][10, 40]
    )
    assert found["far"][50, 75] and not found["feet"][50, 30]
    assert not any(region.any() for region in regions(np.zeros((5, 5))).values())


def test_distance_of_levels_that_are_one_apart():
    """Photos count alike however large they are; halves of photos from one source are near each other."""
    rng = np.random.default_rng(0)
    real = [rng.normal(1, 0.1, size=50) for _ in range(200)]
    distance, floor = distance_and_floor([x + 1 for x in real], real, rng)
    assert distance == pytest.approx(1) and floor < 0.02
    few_and_many = [np.zeros(10), np.ones(1000)]
    assert distance_and_floor(few_and_many, [np.zeros(3), np.ones(1)], rng)[0] == pytest.approx(0)
