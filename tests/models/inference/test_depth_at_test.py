"""test.py with depth and focus: what it reads, what it refuses, and that it renders what was read."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import test as test_program
from deeplab.depth_maps import DepthSource
from models import load_generator
from models.inference.generator import GeneratorSettings
from models.inference.translator import Told
from models.lens.generator import LensGenerator
from models.lens.settings import LensSettings
from models.networks import define_G
from options import TestOptions
from util.checkpoint import save_network
from util.images import read_pixels, write_pixels


def save_lens(folder: Path, radius: float) -> None:
    """A lens that finds nobody and blurs by `radius` pixels at 256."""
    lens = LensGenerator(define_G(3, 2, 4, "resnet_6blocks"), LensSettings((radius,), 32))
    last = lens.net.model[-2]
    last.weight.data.zero_()
    last.bias.data = torch.tensor([-2.0, 2.0])
    save_network(lens, folder / "checkpoints/run/latest_net_G.pth")


@pytest.fixture
def flags(tmp_path):
    """A lens, two photos of different sizes with their depths, and the flags that name them."""
    save_lens(tmp_path, radius=40.0)
    (tmp_path / "photos").mkdir()
    (tmp_path / "depths").mkdir()
    rng = np.random.default_rng(0)
    for name, height, width in (("a", 48, 64), ("b", 60, 40)):
        Image.fromarray(rng.integers(0, 255, (height, width, 3), dtype=np.uint8)).save(
            tmp_path / f"photos/{name}.png"
        )
        np.save(
            tmp_path / f"depths/{name}.npy", np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
        )
    return [
        *("--checkpoints_dir", str(tmp_path / "checkpoints"), "--name", "run", "--device", "cpu"),
        *("--input", str(tmp_path / "photos"), "--output", str(tmp_path / "out"), "--grain", "0"),
    ]


def result(tmp_path, name: str) -> np.ndarray:
    return np.asarray(Image.open(tmp_path / f"out/{name}.png"))


def test_depth_and_focus_reach_the_camera(flags, tmp_path):
    """Without --camera too: only a camera can do what they ask for."""
    more = ["--depth", str(tmp_path / "depths"), "--focus", "far"]
    test_program.main([*flags, *more])
    settings = GeneratorSettings.of_options(TestOptions().parse([*flags, *more]))
    generator = load_generator(tmp_path / "checkpoints/run", settings=settings)
    path = tmp_path / "photos/a.png"
    photo = np.asarray(Image.open(path))
    depth = DepthSource(str(tmp_path / "depths"))(path, photo)
    assert depth[20, 2] < 0.1 and depth[20, 60] > 0.9
    assert np.array_equal(result(tmp_path, "a"), generator.batch([photo], Told(depths=[depth]))[0])
    # Far, to the left, is sharp.
    change = np.abs(result(tmp_path, "a").astype(int) - photo).mean(axis=(0, 2))
    assert 4 * change[:4].mean() < change[32:].mean()
    test_program.main([*flags, *more, "--depth_far_bright", "--overwrite"])
    change = np.abs(result(tmp_path, "a").astype(int) - photo).mean(axis=(0, 2))
    assert 4 * change[-4:].mean() < change[:32].mean()


def refused(capsys, argv: list[str], code: int) -> str:
    with pytest.raises(SystemExit) as end:
        test_program.main(argv)
    assert end.value.code == code
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message


def test_a_photo_whose_depth_can_not_be_used_is_listed_and_the_others_are_done(flags, tmp_path, capsys):
    for depth, said in (
        (np.ones((60, 40)), "the same depth everywhere"),
        (np.eye(40), "40 x 40 has not the proportions of the photo, 40 x 60"),
    ):
        np.save(tmp_path / "depths/b.npy", depth)
        message = refused(capsys, [*flags, "--depth", str(tmp_path / "depths"), "--overwrite"], code=1)
        assert "1 of 2 photos could not be done" in message and said in message and "b.npy" in message
        assert result(tmp_path, "a").shape == (48, 64, 3)


def test_a_focus_outside_one_photo_is_listed_with_it(flags, tmp_path, capsys):
    message = refused(capsys, [*flags, "--focus", "50,20"], code=1)
    assert "photos/b.png: --focus 50,20: outside the photo of 40 x 60 pixels" in message
    assert result(tmp_path, "a").shape == (48, 64, 3) and not (tmp_path / "out/b.png").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--depth", "none/there"], "--depth none/there: no such file or folder"),
        (["--focus", "middle"], "--focus middle: give subject, near, far"),
        (["--focus=-1,4"], "--focus -1,4: give subject, near, far"),
        (["--depth_far_bright"], "--depth_far_bright and --depth_weights: need --depth"),
    ],
)
def test_options_that_can_not_be_are_one_line(flags, capsys, more, said):
    message = refused(capsys, [*flags, *more], code=2)
    assert f"error: {said}" in message and message.count("\n") == 1


def test_radii_far_larger_than_the_photo(flags, tmp_path):
    """All of what is out of focus becomes one colour, in the memory that a photo needs."""
    save_lens(tmp_path, radius=1e9)
    test_program.main([*flags, "--depth", str(tmp_path / "depths"), "--focus", "far"])
    assert result(tmp_path, "a")[4:-4, 32:].reshape(-1, 3).std(axis=0).max() < 8


def test_a_painting_generator_says_that_it_does_not_look_at_them(flags, tmp_path, capsys):
    save_network(define_G(3, 3, 4, "resnet_6blocks"), tmp_path / "checkpoints/run/latest_net_G.pth")
    test_program.main([*flags, "--depth", str(tmp_path / "depths"), "--focus", "near"])
    assert "--depth, --focus: no effect; this generator paints" in capsys.readouterr().out


@pytest.mark.parametrize("model", ["lens", "test"])
def test_a_dataroots_depth_is_rendered(flags, tmp_path, capsys, model):
    """depthA is read where it is, with a camera and unless told not to; results are those of the function."""
    root = tmp_path / "root"
    for folder in ("testA", "testB"):
        shutil.copytree(tmp_path / "photos", root / folder)
    for name in ("a", "b"):
        depth = (65535 * np.load(tmp_path / f"depths/{name}.npy")).round().astype(np.uint16)
        write_pixels(depth[..., None], root / f"depthA/{name}.png")
    argv = [*flags[:6], "--grain", "0", "--dataroot", str(root), "--model", model, "--num_threads", "0"]
    argv += ["--results_dir", str(tmp_path / "results"), "--camera"]
    made = tmp_path / f"results/run/test_latest/images/a_{'fake_B' if model == 'lens' else 'fake'}.png"
    results = {}
    for more in ([], ["--depth", "none"]):
        test_program.main([*argv, *more])
        results[len(more)] = np.asarray(Image.open(made))
    settings = GeneratorSettings.of_options(TestOptions().parse(argv))
    generator = load_generator(tmp_path / "checkpoints/run", settings=settings)
    photo = np.asarray(Image.open(tmp_path / "photos/a.png"))
    depth = read_pixels(root / "depthA/a.png", channels=1)[..., 0] / np.float32(65535)
    assert np.array_equal(results[0], generator.batch([photo], Told(depths=[depth]))[0])
    assert np.array_equal(results[2], generator.batch([photo])[0])
    assert not np.array_equal(results[0], results[2])
    (root / "depthA/b.png").unlink()
    assert "testA/b.png: no depth" in refused(capsys, argv, code=2)
    for more in (["--depth", "auto"], ["--depth_far_bright"]):
        assert "--depth_weights go with --input" in refused(capsys, [*argv, *more], code=2)
