"""In-focus weights as pictures, held against what test.py leaves alone."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

import test as testing
from scripts.in_focus import main

SIDE = 192


@pytest.fixture
def photos(tmp_path):
    """One photo, and a mask of what is left in it of a person."""
    photo = Image.fromarray(data.astronaut()).resize((SIDE, SIDE))
    y, x = np.mgrid[:SIDE, :SIDE]
    mask = np.where((y > 0.55 * SIDE) & (abs(x - 0.45 * SIDE) < 0.3 * SIDE), np.uint8(255), np.uint8(0))
    for folder, picture in (("photos", photo), ("masks", Image.fromarray(mask))):
        (tmp_path / folder).mkdir()
        picture.save(tmp_path / folder / "a.png")
    return tmp_path


def words(folder, output, *more):
    told = ["--checkpoints_dir", "pretrained", "--name", "portrait_mask", "--masks", str(folder / "masks")]
    return ["--input", str(folder / "photos"), "--output", str(folder / output), *told, *more]


def read(path):
    return np.asarray(Image.open(path))


@pytest.mark.parametrize("matting", ["auto", "off"])
def test_what_is_white_is_left_alone_and_what_is_black_is_blurred(photos, matting):
    more = ["--matting", matting, "--aperture", "3", "--radius", "none"]
    main(words(photos, "weights", *more))
    testing.main(words(photos, "soft", *more))
    weights, photo, soft = (read(photos / name / "a.png") for name in ("weights", "photos", "soft"))
    changed = (photo != soft).any(axis=2)
    assert weights.shape == (SIDE, SIDE)
    assert (weights == 255).mean() > 0.1 and (weights == 0).mean() > 0.1
    # A weight that rounds to white may still change the last bit.
    assert abs(photo.astype(int) - soft)[weights == 255].max() <= 1
    assert changed[weights < 128].mean() > 0.8


def test_what_cannot_be_said_is_one_line(photos, capsys):
    for wrong, line in (
        (["--input", "", "--output", ""], "--input"),
        (words(photos, "weights", "--masks", ""), "give --masks auto"),
    ):
        with pytest.raises(SystemExit):
            main(wrong)
        assert line in capsys.readouterr().err.strip().splitlines()[-1]
