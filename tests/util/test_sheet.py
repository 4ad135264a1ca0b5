"""Contact sheets: what is where."""

import numpy as np
from PIL import Image

from util.sheet import CAPTION_HEIGHT, GAP, contact_sheet
from util.visualizer import pictures_of_first_photo

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def test_pictures_stand_in_rows_fitted_and_centred():
    pictures = [
        Image.new("RGB", (200, 200), RED),
        Image.new("RGB", (400, 200), GREEN),
        Image.new("L", (100, 100), 7),
    ]
    sheet = np.asarray(contact_sheet(pictures, columns=2, cell=200))
    assert sheet.shape == (2 * 200 + GAP, 2 * 200 + GAP, 3)
    assert tuple(sheet[0, 0]) == RED
    right = sheet[:200, 200 + GAP :]
    assert tuple(right[100, 0]) == tuple(right[51, 199]) == GREEN  # 400x200 scaled to 200x100
    assert tuple(right[48, 0]) == (255, 255, 255)
    assert np.argwhere((sheet == 7).all(2)).min(0).tolist() == [200 + GAP + 50, 50]  # never enlarged


def test_captions_take_room_only_in_rows_that_have_them():
    pictures = [Image.new("RGB", (100, 100), color) for color in (RED, GREEN, BLUE, RED)]
    sheet = np.asarray(contact_sheet(pictures, columns=2, captions=["one", "two"], cell=300))
    assert sheet.shape == (CAPTION_HEIGHT + 2 * 100 + GAP, 2 * 100 + GAP, 3)  # no picture fills 300
    assert (sheet[:CAPTION_HEIGHT, :100] < 128).any()
    assert tuple(sheet[CAPTION_HEIGHT + 100 + GAP, 0]) == BLUE


def test_a_row_is_what_belongs_to_one_photo():
    assert pictures_of_first_photo(["real_A", "fake_B", "mask_A", "real_B", "fake_A", "mask_B"]) == 3
    assert pictures_of_first_photo(["real_A", "fake_B"]) == 2
