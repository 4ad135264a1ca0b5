"""Boxes around people: what the detector is shown and how its maps are read, by hand; its weights out of a package."""

import numpy as np
import pytest

from tests.extras import need

need("tensorflow")

from deeplab import detector
from deeplab.detector import DISTANCES, SURE, PeopleDetector, boxes_of, distinct
from deeplab.quiet_tensorflow import tf
from util.errors import UserError


def exactly(*steps):
    """Logits `[44]` of distances to the left, upper, right and lower side that are certain."""
    logits = np.full((4, DISTANCES), -50.0)
    logits[range(4), steps] = 50
    return logits.ravel()


def maps(side, person=(), kind=0):
    """Kinds and distances of a map of `side` places a side; at each of `person` (place, score, distances) somebody."""
    kinds, distances = np.zeros((1, side * side, 80)), np.zeros((1, side * side, 4 * DISTANCES))
    for place, score, logits in person:
        kinds[0, place, kind], distances[0, place] = score, logits
    return kinds, distances


def test_a_box_reaches_as_many_steps_from_its_place_as_is_told():
    kinds, distances = maps(5, [(2 * 5 + 3, 0.8, exactly(3, 2, 5, 1)), (0, SURE - 0.01, exactly(1, 1, 1, 1))])
    boxes, scores = boxes_of(kinds[0, :, 0], distances[0], step=8)
    # The place in the middle of the fourth column and the third row: 28 and 20 pixels.
    assert boxes.tolist() == [[28 - 24, 20 - 16, 28 + 40, 20 + 8]] and scores.tolist() == [0.8]


def test_of_two_distances_that_are_as_likely_the_mean_counts():
    logits = np.full((4, DISTANCES), -50.0)
    logits[:, [2, 5]] = 0
    _, distances = maps(1, [(0, 1, logits.ravel())])
    boxes, _ = boxes_of(np.ones(1), distances[0], step=2)
    assert boxes[0] == pytest.approx([1 - 7, 1 - 7, 1 + 7, 1 + 7])


def test_of_boxes_that_nearly_equal_each_other_the_likeliest_remains():
    boxes = np.array([[0, 0, 100, 200], [4, 0, 104, 200], [60, 0, 160, 200.0]])
    assert sorted(distinct(boxes, np.array([0.5, 0.9, 0.4]))) == [1, 2]
    assert distinct(np.zeros((0, 4)), np.zeros(0)).tolist() == []


@pytest.fixture
def shown(monkeypatch):
    """What the network was shown, and maps by which it answers."""
    seen, answers = [], [maps(52), maps(26), maps(13)]

    def run(photo):
        seen.append(photo.numpy())
        return [
            tf.constant(part) for part in (*(kinds for kinds, _ in answers), *(far for _, far in answers))
        ]

    monkeypatch.setattr(detector, "detector_files", lambda: ("a.json", "a.bin"))
    monkeypatch.setattr(detector, "load_function", lambda *graph: run)
    return seen, answers


def test_boxes_are_shares_of_the_photo_whatever_its_size(shown):
    seen, answers = shown
    # In the coarse map the place in the middle, 208 pixels from either side, 3 and 4 steps of 32 to the sides.
    answers[2] = maps(13, [(6 * 13 + 6, 0.9, exactly(3, 4, 3, 10))])
    # A dog is nobody.
    answers[1] = maps(26, [(5, 0.9, exactly(3, 3, 3, 3))], kind=16)
    found = PeopleDetector()(np.zeros((300, 700, 3), np.uint8))
    assert found.tolist() == [pytest.approx([112 / 416, 80 / 416, 304 / 416, 1])]
    assert seen[0].shape == (1, 3, 416, 416)


def test_colours_are_shown_as_in_its_training(shown):
    """Blue first, in deviations from the mean."""
    seen, _ = shown
    photo = np.empty((40, 40, 3), np.uint8)
    photo[:] = (200, 100, 50)
    PeopleDetector()(photo)
    expected = [(50 - 103.53) / 57.375, (100 - 116.28) / 57.12, (200 - 123.675) / 58.395]
    assert seen[0][0, :, 7, 9] == pytest.approx(expected, abs=1e-5)


def test_nobody_is_no_box(shown):
    assert PeopleDetector()(np.zeros((30, 20, 3), np.uint8)).shape == (0, 4)


def test_what_is_no_graph_is_said(monkeypatch, tmp_path):
    (tmp_path / "nanodet.json").write_text("{}")
    (tmp_path / "nanodet.bin").write_bytes(b"")
    monkeypatch.setattr(
        detector, "detector_files", lambda: (tmp_path / "nanodet.json", tmp_path / "nanodet.bin")
    )
    with pytest.raises(UserError, match=r"nanodet\.json: not a TensorFlow\.js graph model"):
        PeopleDetector()
