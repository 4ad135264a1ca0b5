"""Masks at test: read by stem and scaled, or a plain message."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deeplab.mask_sources import mask_source
from util.errors import UserError


def test_folder_of_masks(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "me.png")
    masks = mask_source(str(tmp_path))
    mask = masks(Path("photos/me.jpg"), np.zeros((2, 2, 3), np.uint8))
    assert mask.tolist() == [[0, 1], [0, 1]]
    with pytest.raises(UserError, match="no mask for you"):
        masks(Path("you.jpg"), np.zeros((2, 2, 3), np.uint8))


def test_missing_folder(tmp_path):
    with pytest.raises(UserError, match="or auto"):
        mask_source(str(tmp_path / "nothing"))
