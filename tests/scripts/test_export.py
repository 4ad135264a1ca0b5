"""Exported generators against the checkpoint they come from."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.extras import need

onnxruntime = need("onnxruntime")
need("onnx")
need("onnxscript")

from models import load_generator
from models.lens.generator import LensGenerator
from models.lens.radius import RadiusNet, load_radius_net
from models.lens.settings import LensSettings
from models.networks import define_G, init_weights
from scripts import export
from util.checkpoint import save_network

ROOT = Path(export.__file__).parents[1]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Checkpoints of a small random generator; one block, because tracing takes seconds for each."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("checkpoints")
    save_network(define_G(3, 3, 4, "resnet_1blocks"), folder / "run" / "latest_net_G_A.pth")
    return folder


def run_export(trained, output, *extra):
    export.main(["--checkpoints_dir", str(trained), "--name", "run", "--output", str(output), *extra])


@pytest.fixture(scope="module")
def onnx_file(trained):
    run_export(trained, trained / "run.onnx")
    return trained / "run.onnx"


@pytest.mark.parametrize("size", [(1, 3, 64, 64), (3, 3, 33, 47), (1, 3, 1, 9), (2, 3, 130, 18)])
def test_onnx_equals_the_checkpoint(trained, onnx_file, size):
    image = np.random.default_rng(1).uniform(-1, 1, size).astype(np.float32)
    result = onnxruntime.InferenceSession(onnx_file).run(["result"], {"image": image})[0]
    expected = load_generator(trained / "run").translate(torch.from_numpy(image)).numpy()
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-4)
    assert expected.std() > 0.01


def test_example_of_use_gives_what_test_py_gives(trained, onnx_file, tmp_path):
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (21, 34, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    photo.save(tmp_path / "photo.png", exif=exif)
    command = [sys.executable, ROOT / "scripts" / "use_onnx.py", onnx_file, "photo.png", "result.png"]
    subprocess.run(command, cwd=tmp_path, check=True)
    with Image.open(tmp_path / "result.png") as result:
        with Image.open(tmp_path / "photo.png") as stored:
            expected = np.asarray(load_generator(trained / "run")(stored), dtype=int)
        assert np.abs(np.asarray(result, dtype=int) - expected).max() <= 1


def test_half_precision_halves_the_weights(trained, tmp_path):
    run_export(trained, tmp_path / "half.pt2", "--half")
    program = torch.export.load(tmp_path / "half.pt2")
    weights = torch.load(trained / "run" / "latest_net_G_A.pth")
    whole, half = (sum(value.nbytes for value in state.values()) for state in (weights, program.state_dict))
    assert half * 2 == whole
    image = torch.rand(1, 3, 45, 31) * 2 - 1
    expected = load_generator(trained / "run").translate(image)
    torch.testing.assert_close(program.module()(image), expected, atol=5e-2, rtol=0)


@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
def test_u_nets_take_any_size(tmp_path, suffix):
    """Below 128 pixels the innermost level is one pixel, above it is not; the program must not be traced for either."""
    torch.manual_seed(0)
    net = init_weights(define_G(3, 3, 2, "unet_128", "none"), "kaiming")
    save_network(net, tmp_path / "run" / "latest_net_G.pth")
    run_export(tmp_path, tmp_path / f"run{suffix}")
    exported = export.FORMATS[suffix][1](tmp_path / f"run{suffix}")
    for size in ((1, 3, 64, 64), (2, 3, 33, 129), (1, 3, 257, 100)):
        image = torch.rand(size) * 2 - 1
        expected = load_generator(tmp_path / "run").translate(image)
        np.testing.assert_allclose(exported(image.numpy()), expected.numpy(), atol=1e-4)
        assert expected.std() > 0.01


def test_a_file_that_differs_is_not_written(trained, tmp_path, monkeypatch, capsys):
    """A stand-in for an exporter that goes wrong: everything comes out as 0."""
    monkeypatch.setattr(export, "export_program", lambda net, channels: b"wrong")
    monkeypatch.setitem(
        export.FORMATS, ".onnx", (lambda program, path: path.write_bytes(program), lambda path: np.zeros_like)
    )
    (tmp_path / "old.onnx").write_bytes(b"an export of last week")
    for name in ("wrong.onnx", "old.onnx"):
        with pytest.raises(SystemExit):
            run_export(trained, tmp_path / name)
    assert "its results differ from the checkpoint's" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["old.onnx"]
    assert (tmp_path / "old.onnx").read_bytes() == b"an export of last week"


def test_unknown_format_is_one_line(trained, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_export(trained, tmp_path / "run.tflite")
    assert "must end in .onnx or .pt2" in capsys.readouterr().err


def test_of_a_lens_its_weights_network(tmp_path):
    """A picture of the network's own size gets the weights that the generator decides."""
    torch.manual_seed(0)
    net = LensGenerator(define_G(4, 3, 4, "resnet_1blocks"), LensSettings((2.0, 4.0), weights_size=32))
    save_network(net, tmp_path / "run" / "latest_net_G.pth")
    run_export(tmp_path, tmp_path / "run.pt2")
    exported = export.run_pt2(tmp_path / "run.pt2")
    lens = load_generator(tmp_path / "run").net
    x, mask = torch.rand(2, 3, 32, 48) * 2 - 1, torch.rand(2, 1, 32, 48)
    with torch.inference_mode():
        expected = lens.logits(x, mask).softmax(dim=1).numpy()
    found = exported(torch.cat([x, 2 * mask - 1], dim=1).numpy())
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert expected.std() > 0.01
    assert exported(np.zeros((1, 4, 21, 30), np.float32)).shape == (1, 3, 21, 30)


def test_of_a_lens_its_radius_network(tmp_path):
    """A picture whose shorter side is 64 gets the levels that the network is asked for."""
    torch.manual_seed(0)
    save_network(RadiusNet(8), tmp_path / "run" / "latest_net_P.pth")
    run_export(tmp_path, tmp_path / "run.onnx", "--generator", "P")
    exported = export.run_onnx(tmp_path / "run.onnx")
    net = load_radius_net(tmp_path / "run" / "latest_net_P.pth")
    for size in ((64, 90), (70, 64)):
        x, mask = torch.rand(2, 3, *size) * 2 - 1, (torch.rand(2, 1, *size) > 0.5).float()
        with torch.inference_mode():
            expected = torch.cat(net.ask(x, mask), dim=1).numpy()
        found = exported(torch.cat([x, 2 * mask - 1], dim=1).numpy())
        np.testing.assert_allclose(found, expected, atol=1e-4)
        assert expected.std() > 0.01


def test_a_missing_radius_network_is_one_line(trained, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_export(trained, tmp_path / "run.onnx", "--generator", "P")
    assert "latest_net_P.pth" in (said := capsys.readouterr().err) and said.count("\n") == 1
