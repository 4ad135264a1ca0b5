"""The command lines of the published shell scripts, word for word: all are accepted, and run at a tiny size."""

import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import test as test_program
import train
from options import TestOptions, TrainOptions

COMMANDS = (Path(__file__).parent / "published_commands.txt").read_text().splitlines()
SMALL = ["--gpu_ids", "-1", "--nThreads", "0", "--max_dataset_size", "1"]
SMALL_TRAINING = [
    *("--ngf", "2", "--ndf", "2", "--niter", "1", "--niter_decay", "0", "--display_id", "0", "--no_html"),
    *("--print_freq", "1"),
]


def parse(command):
    _, program, *arguments = shlex.split(command)
    options = TrainOptions() if program == "train.py" else TestOptions()
    return options.parse([*arguments, "--gpu_ids", "-1"])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_published_line_is_accepted(command):
    opt = parse(command)
    words = shlex.split(command)
    assert opt.name == words[words.index("--name") + 1]
    assert opt.add_mask == ("--add_mask" in words)
    assert opt.direction == ("BtoA" if "BtoA" in words else "AtoB")


def test_published_words_have_their_meaning():
    train_lines = [parse(command) for command in COMMANDS if "train.py" in command]
    assert [opt.lambda_mask for opt in train_lines if opt.model == "cycle_gan"] == [0, 1, 0, 0.5]
    pix2pix = next(opt for opt in train_lines if opt.model == "pix2pix")
    assert (pix2pix.lambda_L1, pix2pix.netG, pix2pix.gan_mode, pix2pix.norm) == (
        100,
        "unet_256",
        "vanilla",
        "batch",
    )


@pytest.fixture
def published_data(dataroot, tmp_path, monkeypatch):
    """`./datasets/selfie2bokeh` with masks, and `./datasets/facades` with pairs and a folder of single photos."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(dataroot, "datasets/selfie2bokeh")
    rng = np.random.default_rng(0)
    for phase, width in (("train", 512), ("test", 512), ("testB", 256)):
        folder = Path("datasets/facades", phase)
        folder.mkdir(parents=True)
        photo = rng.integers(0, 256, (256, width, 3), dtype=np.uint8)
        Image.fromarray(photo).save(folder / "1.png")


def test_published_lines_run(published_data, vgg19_file):
    for command in COMMANDS:
        _, program, *arguments = shlex.split(command)
        if program == "test.py":
            test_program.main([*arguments, *SMALL])
            continue
        small = [*SMALL, *SMALL_TRAINING]
        if "cycle_gan" in arguments:
            small += ["--loadSize", "36", "--fineSize", "32"]
        if "--vgg19_loss" in arguments:
            small += ["--vgg19_weights", str(vgg19_file)]
        train.main([*arguments, *small])
    overlay = Path("results/selfie2bokeh_cyclegan_mask_added/test_latest/images")
    real, mask, fake = (
        np.asarray(Image.open(path).convert("RGB"))
        for path in (
            Path("datasets/selfie2bokeh/testA/test_0.png"),
            Path("datasets/selfie2bokeh/maskA/test_0.png"),
            overlay / "test_0_fake_B.png",
        )
    )
    assert np.array_equal(fake[mask > 0], real[mask > 0])
    assert Path("results/facades_pix2pix/test_latest/images/1_fake.png").exists()
