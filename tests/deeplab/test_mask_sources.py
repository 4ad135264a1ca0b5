"""Masks at test: read by stem and scaled, or a plain message."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from deeplab import mask_sources
from deeplab.mask_sources import mask_source
from deeplab.segmenter import InputSize, Segmenter
from util.errors import UserError


def test_folder_of_masks(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "me.png")
    masks = mask_source(str(tmp_path))
    mask = masks(Path("photos/me.jpg"), np.zeros((2, 2, 3), np.uint8))
    assert mask.tolist() == [[0, 1], [0, 1]]
    with pytest.raises(UserError, match="no mask for you"):
        masks(Path("you.jpg"), np.zeros((2, 2, 3), np.uint8))


def test_missing_folder(tmp_path):
    with pytest.raises(UserError, match="give one with masks, auto, or one of rvm"):
        mask_source(str(tmp_path / "nothing"))


class Constant(Segmenter):
    input_size = InputSize(4, keep_aspect=True)

    def __init__(self, value):
        self.value = value

    def predict(self, images):
        return np.full(images.shape[:3], self.value, np.float32)


def made_by(monkeypatch, offline=()):
    """Segmenters whose masks tell which one it was."""
    values = {"rvm": 0.25, "selfie": 0.5, "onnx:m.onnx": 0.75}

    def create(name, **_):
        if name in offline:
            raise UserError(f"{name} can't be fetched")
        return Constant(values[name])

    monkeypatch.setattr(mask_sources, "create_segmenter", create)
    return lambda masks, **others: mask_source(masks, **others)(Path("a.png"), np.zeros((3, 5, 3), np.uint16))


def test_segmenters_by_name(monkeypatch, capsys):
    mask = made_by(monkeypatch)
    for name, value in {"auto": 0.25, "rvm": 0.25, "selfie": 0.5, "onnx:m.onnx": 0.75}.items():
        assert mask(name).tolist() == [[value] * 5] * 3
    assert capsys.readouterr().err == ""


def test_auto_takes_selfie_where_rvm_can_not_be_had_and_says_so(monkeypatch, capsys):
    mask = made_by(monkeypatch, offline=["rvm"])
    assert (mask("auto") == 0.5).all()
    assert "rvm can't be fetched. The segmenter selfie takes its place" in capsys.readouterr().err
    with pytest.raises(UserError, match="rvm can't be fetched"):
        mask("rvm")


def sure(photo):
    return np.ones(photo.shape[:2], np.float32)


def detecting(monkeypatch, boxes=(), error=None):
    """A detector that finds these boxes, or can't be had."""

    def make():
        if error:
            raise error
        return lambda photo: np.array(boxes, float).reshape(-1, 4)

    monkeypatch.setitem(sys.modules, "deeplab.detector", SimpleNamespace(PeopleDetector=make))


def test_auto_asks_others_for_whom_rvm_passes_over(monkeypatch, capsys):
    mask = made_by(monkeypatch)
    detecting(monkeypatch, [[0, 0, 1, 1]])
    assert mask("auto", finder=sure).min() == 1
    assert mask("auto", finder=lambda photo: 0 * sure(photo)).max() == 0.25
    detecting(monkeypatch)
    assert mask("auto", finder=sure).max() == 0.25
    detecting(monkeypatch, error=AssertionError("asked"))
    for alone in ("rvm", "selfie", "onnx:m.onnx"):
        assert (mask(alone, finder=sure) == mask(alone)).all()
    assert capsys.readouterr().err == ""


def test_auto_does_without_others_where_the_detector_can_not_be_had(monkeypatch, capsys):
    mask = made_by(monkeypatch)
    detecting(monkeypatch, error=UserError("nanodet can't be fetched"))
    assert (mask("auto", finder=sure) == 0.25).all()
    assert "nanodet can't be fetched. Nobody is asked whom rvm passes over" in capsys.readouterr().err
    mask = made_by(monkeypatch, offline=["rvm"])
    assert (mask("auto", finder=sure) == 0.5).all()


class LeftOf(Segmenter):
    """Takes for subject what lies left of a column, whatever the photo shows."""

    input_size = InputSize(20, keep_aspect=True)

    def __init__(self, column):
        self.column = column

    def predict(self, images):
        masks = np.zeros(images.shape[:3], np.float32)
        masks[..., : self.column] = 1
        return masks


@pytest.mark.parametrize(("column", "share"), [(10, 1), (15, 0.5), (19, 0.1), (20, 0), (0, 0)])
def test_photos_whose_mirror_image_is_seen_differently_are_listed(column, share, capsys):
    # Of 20 columns the mirrored look takes the last: together 2 * (20 - column) are in one mask alone.
    mask = mask_sources.masks_by(LeftOf(column))(Path("me.png"), np.zeros((5, 20, 3), np.uint8))
    assert (mask == (np.arange(20) < column)).all()
    lines = capsys.readouterr().out
    assert ("look at this one: me.png" in lines) == (share > 0.1)
    if share > 0.1:
        assert f"disagree on {share:.0%}" in lines


def test_large_photos_are_looked_at_as_the_segmenter_sees_them():
    class Brightness(Segmenter):
        input_size = InputSize(16, keep_aspect=False)

        def predict(self, images):
            assert images.shape[1:3] == (16, 16)
            return images[..., 0].astype(np.float32) / 255

    photo = np.random.default_rng(0).integers(0, 256, (50, 90, 3), dtype=np.uint8)
    mask = mask_sources.masks_by(Brightness())(Path("me.png"), photo)
    assert np.array_equal(mask, Brightness()(photo[None])[0])


def test_disagreement_is_the_share_that_one_mask_alone_has():
    first, second = np.array([[1, 1, 0.6, 0]]), np.array([[1, 0.4, 0.9, 0]])
    assert mask_sources.disagreement(first, second) == pytest.approx(1 / 3)
