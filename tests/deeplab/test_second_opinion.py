"""People whom a segmenter passes over and two others see."""

import numpy as np
import pytest

from deeplab.second_opinion import with_agreed

PHOTO = np.zeros((200, 300, 3), np.uint8)


def box(rows, columns, value=1.0):
    mask = np.zeros(PHOTO.shape[:2], np.float32)
    mask[rows, columns] = value
    return mask


FOUND = box(slice(40, 200), slice(40, 120))
PASSED_OVER = box(slice(60, 200), slice(180, 260))


def together(*maps):
    return np.maximum.reduce(maps)


def said(mask, first, second):
    return with_agreed(PHOTO, mask, lambda _: first, lambda _: second)


def test_whom_both_others_see_comes_back():
    everybody = together(FOUND, PASSED_OVER)
    found = said(FOUND, everybody, everybody)
    assert (found <= everybody).all()
    assert found[PASSED_OVER == 1].mean() > 0.99


@pytest.mark.parametrize(("first", "second"), [(1, 0), (0, 1), (1, 0.04), (0.4, 1)])
def test_what_one_of_them_alone_sees_does_not(first, second):
    opinions = (together(FOUND, PASSED_OVER * certainty) for certainty in (first, second))
    found = said(FOUND, *opinions)
    assert found[100, 220] == (first if first == 0.4 else 0)
    assert (found >= 0.5).sum() == FOUND.sum()


def test_whom_the_second_sees_in_the_main_comes_back_as_the_first_sees_them():
    most = box(slice(60, 150), slice(180, 260))
    found = said(FOUND, together(FOUND, PASSED_OVER), together(FOUND, most))
    assert found[PASSED_OVER == 1].mean() > 0.99
    assert (found <= together(FOUND, PASSED_OVER)).all()


def test_whom_the_second_sees_less_of_comes_back_in_that_part():
    less = box(slice(60, 120), slice(180, 260))
    found = said(FOUND, together(FOUND, PASSED_OVER), together(FOUND, less))
    assert found[70:110, 190:250].min() == 1
    assert found[125:, 180:260].max() == 0


def test_one_whom_both_see_does_not_bring_back_another():
    other = box(slice(0, 40), slice(200, 290))
    found = said(FOUND, together(FOUND, PASSED_OVER, other), together(FOUND, PASSED_OVER))
    assert found[PASSED_OVER == 1].mean() > 0.99
    assert found[other == 1].max() == 0


def test_what_they_see_wider_stays_as_the_mask_has_it():
    wider = box(slice(36, 200), slice(36, 124))
    assert (said(FOUND, wider, wider) == FOUND).all()


def test_gaps_between_people_close():
    torn = FOUND.copy()
    torn[100:110, 40:120] = 0
    closed = said(torn, FOUND, FOUND)
    assert closed[100:110, 50:110].min() == 1
    assert (closed <= FOUND).all()


def test_somebody_is_found_where_the_mask_is_empty():
    assert said(np.zeros_like(FOUND), FOUND, FOUND)[FOUND == 1].mean() > 0.99
    assert not said(np.zeros_like(FOUND), np.zeros_like(FOUND), FOUND).any()


def test_the_opinions_may_be_smaller():
    everybody = together(FOUND, PASSED_OVER)
    small = everybody[::4, ::4]
    found = said(FOUND, small, small)
    assert np.abs(found - everybody).mean() < 0.01
    assert (found[FOUND == 1] == 1).all()
