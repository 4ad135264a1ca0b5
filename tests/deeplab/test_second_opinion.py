"""People whom a segmenter passes over, whom another sees where a detector sees somebody."""

import numpy as np
import pytest

from deeplab.second_opinion import inside, with_detected

HEIGHT, WIDTH = 200, 300
PHOTO = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def map_of(rows, columns, value=1.0):
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[slice(*rows), slice(*columns)] = value
    return mask


def box(rows, columns):
    """Around these rows and columns, as the detector tells it."""
    return [columns[0] / WIDTH, rows[0] / HEIGHT, columns[1] / WIDTH, rows[1] / HEIGHT]


THERE, HERE = ((60, 200), (180, 260)), ((40, 200), (40, 120))
FOUND, PASSED_OVER = map_of(*HERE), map_of(*THERE)


def together(*maps):
    return np.maximum.reduce(maps)


def said(mask, seen, *boxes):
    return with_detected(PHOTO, mask, lambda _: seen, lambda _: np.array(boxes).reshape(-1, 4))


def test_who_is_seen_in_a_box_comes_back_as_seen():
    seen = together(FOUND, 0.8 * PASSED_OVER)
    assert said(FOUND, seen, box(*HERE), box(*THERE)) == pytest.approx(seen)


@pytest.mark.parametrize(("thickness", "comes"), [(8, False), (12, True)])
def test_slivers_beside_somebody_do_not(thickness, comes):
    """Thicker than a thirtieth of 300 pixels they are an arm."""
    sliver = map_of((60, 120), (140, 140 + thickness))
    assert said(FOUND, together(FOUND, sliver), box((40, 200), (40, 160)))[90, 144] == comes


def test_what_is_seen_in_no_box_does_not():
    assert np.array_equal(said(FOUND, together(FOUND, PASSED_OVER), box(*HERE)), FOUND)
    assert np.array_equal(said(FOUND, together(FOUND, PASSED_OVER)), FOUND)


def test_a_box_alone_brings_nobody():
    assert np.array_equal(said(FOUND, FOUND, box(*HERE), box(*THERE)), FOUND)


def test_an_arm_reaches_out_of_the_box():
    arm = map_of((70, 110), (260, 298))
    seen = together(FOUND, PASSED_OVER, arm)
    assert said(FOUND, seen, box(*HERE), box(*THERE)) == pytest.approx(seen)


def test_of_a_table_that_somebody_sits_at_the_end_in_the_box_comes():
    """Where a box holds enough of it to be somebody; more of it than a soft edge does not."""
    table = map_of((150, 200), (0, 300))
    assert np.array_equal(said(FOUND, together(FOUND, table), box(*HERE)), FOUND)
    found = said(FOUND, together(FOUND, table), box((40, 200), (40, 160)))
    assert found[160, 120:166].min() == 1 and found[:, 168:].max() == 0


def test_somebody_before_a_wall_that_is_seen_comes_without_it():
    wall = map_of((30, 200), (120, 300))
    found = said(FOUND, together(FOUND, wall), box(*HERE), box(*THERE))
    assert found[60:200, 180:260].min() == 1 and found[:, 267:].max() == 0


def test_strangers_far_behind_do_not_come_back():
    """Two fifths as tall as the tallest they do."""
    for rows, there in (((100, 163), 0), ((100, 165), 1)):
        stranger = map_of(rows, (200, 220))
        assert said(FOUND, together(FOUND, stranger), box(*HERE), box(rows, (200, 220)))[130, 210] == there


def test_gaps_within_somebody_close():
    """Whom the mask has in part, too, and up to a thirtieth of 300 pixels."""
    torn = FOUND.copy()
    torn[100:110, 40:120] = 0.4
    torn[140:149, 40:120] = 0
    assert np.array_equal(said(torn, FOUND, box(*HERE)), FOUND)


def test_somebody_is_found_where_the_mask_is_empty():
    assert np.array_equal(said(np.zeros_like(FOUND), FOUND, box(*HERE)), FOUND)


def test_soft_edges_come_with_the_arm():
    arm, edge = map_of((70, 80), (260, 290)), map_of((68, 82), (260, 292), 0.25)
    found = said(FOUND, together(FOUND, PASSED_OVER, arm, edge), box(*HERE), box(*THERE))
    assert found[69, 275] == found[75, 291] == pytest.approx(0.25)


def test_the_mask_is_as_large_as_it_was_whatever_the_size_of_what_is_seen():
    small = np.zeros((20, 30), np.float32)
    small[6:20, 18:26] = 1
    found = said(FOUND, small, box(*THERE))
    assert found.shape == FOUND.shape and (found >= FOUND).all()
    assert found[80:190, 190:250].min() > 0.99 and found[:40].max() == 0


def test_boxes_at_the_border_end_there():
    held = inside(np.array([[0, 0, 0.5, 1], [0.9, 0, 1, 1]]), (40, 60))
    assert held.shape == (40, 60) and held[:, :30].all() and held[:, 54:].all() and not held[:, 33:52].any()
