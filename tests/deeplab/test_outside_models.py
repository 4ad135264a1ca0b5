"""Segmenters from ONNX files and from the package rembg."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.extras import need

onnx = need("onnx")
need("onnxruntime")

from onnx import TensorProto, helper

from deeplab import inference
from deeplab.mask_sources import mask_source
from deeplab.segmenter import InputSize
from deeplab.segmenters import create_segmenter
from util.errors import UserError

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def write_onnx(path, side, op="Sigmoid", channels=3, metadata=None):
    """Sigmoid of the mean over the channels."""
    size = ["n", channels, side or "h", side or "w"]
    x = helper.make_tensor_value_info("photo", TensorProto.FLOAT, size)
    y = helper.make_tensor_value_info("mask", TensorProto.FLOAT, None)
    nodes = [helper.make_node("ReduceMean", ["photo"], ["mean"], axes=[1] if op == "Sigmoid" else [1, 2])]
    nodes.append(helper.make_node("Sigmoid", ["mean"], ["mask"]))
    opset = [helper.make_opsetid("", 13)]
    model = helper.make_model(helper.make_graph(nodes, "g", [x], [y]), opset_imports=opset, ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
    return path


def truth(photo, mean, std):
    return 1 / (1 + np.exp(-((photo / 255 - mean) / std).mean(-1)))


@pytest.mark.parametrize("side", [8, None])
@pytest.mark.parametrize("metadata", [{}, {"mean": "0.5 0.4 0.3", "std": "1 1 2"}])
def test_onnx_file_gets_normalised_photos_of_its_size(tmp_path, side, metadata):
    file = write_onnx(tmp_path / "m.onnx", side, metadata=metadata)
    segmenter = create_segmenter(f"onnx:{file}", input_size=12)
    assert segmenter.input_size == (InputSize(8, False) if side else InputSize(12, True))
    photos = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    mean, std = (np.array([0.5, 0.4, 0.3]), np.array([1, 1, 2])) if metadata else (MEAN, STD)
    np.testing.assert_allclose(segmenter.predict(photos), truth(photos, mean, std), atol=1e-5)
    assert segmenter(np.zeros((1, 10, 20, 3), np.uint8)).shape == (1, 10, 20)


def test_onnx_files_that_can_not_work(tmp_path):
    (tmp_path / "no.onnx").write_bytes(b"no model")
    cases = {
        tmp_path / "no.onnx": "not a model that onnxruntime can run",
        tmp_path / "missing.onnx": "no such file",
        write_onnx(tmp_path / "gray.onnx", 8, channels=1): r"one of floats \[N,3,h,w\]",
        write_onnx(tmp_path / "odd.onnx", 8, metadata={"std": "1 0 1"}): "std is '1 0 1'; three numbers",
    }
    for file, message in cases.items():
        with pytest.raises(UserError, match=message):
            create_segmenter(f"onnx:{file}")
    rows = create_segmenter(f"onnx:{write_onnx(tmp_path / 'rows.onnx', 8, op='rows')}")
    with pytest.raises(UserError, match="one probability for each pixel"):
        rows(np.zeros((1, 8, 8, 3), np.uint8))


def test_rembg_gives_the_union_of_a_models_masks(monkeypatch):
    left, right = np.zeros((2, 4, 6), np.uint8)
    left[:, :2], right[:, 4:] = 255, 51
    session = SimpleNamespace(predict=lambda photo: [Image.fromarray(left), Image.fromarray(right)])
    asked = []
    module = SimpleNamespace(new_session=lambda model: asked.append(model) or session)
    monkeypatch.setitem(sys.modules, "rembg", module)
    mask = create_segmenter("rembg:u2net_human_seg")(np.zeros((1, 4, 6, 3), np.uint8))[0]
    assert asked == ["u2net_human_seg"]
    np.testing.assert_allclose(mask, [[1, 1, 0, 0, 0.2, 0.2]] * 4, atol=1e-6)


def test_rembg_that_is_missing_or_fails_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "rembg", None)
    with pytest.raises(UserError, match=r'needs the package rembg .*pip install "rembg\[cpu\]"'):
        create_segmenter("rembg:u2net")

    def fails(model):
        raise ValueError(f"No session class found for model '{model}'")

    monkeypatch.setitem(sys.modules, "rembg", SimpleNamespace(new_session=fails))
    with pytest.raises(UserError, match=r"rembg can't load it .No session class found for model 'unet'"):
        create_segmenter("rembg:unet")


def test_flags_say_what_an_onnx_file_does_not(tmp_path, capsys):
    photo = np.random.default_rng(0).integers(0, 256, (10, 20, 3), dtype=np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(photo).save(tmp_path / "in/a.png")

    def mask(file: Path, *words: str) -> np.ndarray:
        common = ["--input", str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--overwrite", "--soft"]
        inference.main(
            [*common, "--threshold", "0.01", "--segmenter", f"onnx:{file}", "--num_workers", "0", *words]
        )
        return np.asarray(Image.open(tmp_path / "out/a.png"), int)

    flags = ["--onnx_mean", "0.5", "0.4", "0.3", "--onnx_std", "1", "1", "2", "--input_size", "20"]
    silent = write_onnx(tmp_path / "silent.onnx", None)
    told = np.round(255 * truth(photo[None], np.array([0.5, 0.4, 0.3]), np.array([1, 1, 2]))[0])
    assert np.abs(mask(silent, *flags) - told).max() <= 1
    assert np.abs(mask(silent, *flags[-2:]) - told).max() > 1
    # What the file says counts.
    says = write_onnx(tmp_path / "says.onnx", None, metadata={"mean": "0.5 0.4 0.3", "std": "1 1 2"})
    assert np.abs(mask(says, "--onnx_mean", "0", "0", "0", *flags[-2:]) - told).max() <= 1
    for words in (["selfie", "--onnx_mean", "0", "0", "0"], [f"onnx:{says}", "--onnx_std", "1", "0", "1"]):
        with pytest.raises(SystemExit):
            inference.main(["--input", "in", "--output", "out", "--segmenter", *words])
        assert "--onnx_" in capsys.readouterr().err


def test_masks_at_test_take_the_same_flags(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (10, 20, 3), dtype=np.uint8)
    silent = write_onnx(tmp_path / "silent.onnx", None)
    mean, std = (0.5, 0.4, 0.3), (1.0, 1.0, 2.0)
    mask = mask_source(f"onnx:{silent}", 20, mean, std)(tmp_path / "a.png", photo)
    np.testing.assert_allclose(mask, truth(photo, np.array(mean), np.array(std)), atol=1e-5)
    smaller = mask_source(f"onnx:{silent}", 8)(tmp_path / "a.png", photo)
    assert np.abs(smaller - mask).max() > 0.05
