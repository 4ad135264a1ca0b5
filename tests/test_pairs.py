"""Paired photos from the command line: pix2pix and the templates, in colour and in gray."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image

import test as test_program
import train
from data.transforms import image_to_tensor
from models import load_generator

SIDE = 64


def edge_and_photo(rng: np.random.Generator) -> np.ndarray:
    """A picture [SIDE, 2 SIDE, 3]: left the outlines of discs and boxes, right the same filled, discs orange."""
    edges = np.zeros((SIDE, SIDE), bool)
    photo = np.full((SIDE, SIDE, 3), (20, 60, 230), np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE]
    for colour, norm in (((230, 140, 40), 2), ((40, 160, 60), np.inf)):
        center, radius = rng.uniform(16, SIDE - 16, 2), rng.uniform(8, 14)
        distance = np.linalg.norm([y - center[0], x - center[1]], norm, axis=0)
        photo[distance < radius] = colour
        edges |= np.abs(distance - radius) < 1
    return np.concatenate([np.repeat(edges[..., None] * np.uint8(255), 3, 2), photo], axis=1)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """40 pairs to train on and 3 to test."""
    root = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for phase, count in (("train", 40), ("test", 3)):
        (root / phase).mkdir()
        for number in range(count):
            Image.fromarray(edge_and_photo(rng)).save(root / phase / f"{number:02}.png")
    return root


def flags(pairs, tmp_path):
    return [
        *("--dataroot", str(pairs), "--checkpoints_dir", str(tmp_path / "checkpoints"), "--name", "run"),
        *("--num_threads", "0", "--device", "cpu"),
    ]


SMALL = [
    *("--netG", "resnet_6blocks", "--ndf", "4", "--load_size", "64", "--crop_size", "64", "--n_epochs_decay", "0"),
    *("--display_id", "0", "--no_html"),
]  # fmt: skip


def logged(tmp_path, column):
    with (tmp_path / "checkpoints" / "run" / "losses.csv").open() as file:
        return [float(row[column]) for row in csv.DictReader(file)]


def test_pix2pix_learns_edges_to_photos(pairs, tmp_path):
    """The L1 loss falls below a third of its start within 160 steps, and unseen pairs come out close."""
    training = [
        "--model",
        "pix2pix",
        "--ngf",
        "8",
        "--norm",
        "instance",
        "--lr",
        "0.002",
        "--print_freq",
        "1",
    ]
    train.main([*flags(pairs, tmp_path), *SMALL, *training, "--n_epochs", "4"])
    L1 = logged(tmp_path, "L1")
    assert len(L1) == 160
    assert np.mean(L1[-20:]) < L1[0] / 3

    test_program.main([*flags(pairs, tmp_path), "--results_dir", str(tmp_path / "results")])
    images = tmp_path / "results" / "run" / "test_latest" / "images"
    labels = ("real_A", "fake_B", "real_B")
    assert {path.name for path in images.iterdir()} == {
        f"0{n}_{label}.png" for n in range(3) for label in labels
    }
    pair = np.asarray(Image.open(pairs / "test" / "00.png"))
    fake = np.asarray(Image.open(images / "00_fake_B.png"), dtype=int)
    assert np.array_equal(np.asarray(Image.open(images / "00_real_A.png")), pair[:, :SIDE])
    assert (
        np.abs(fake - pair[:, SIDE:]).mean() < np.abs(pair[:, :SIDE].astype(int) - pair[:, SIDE:]).mean() / 3
    )


@pytest.mark.parametrize(("input_nc", "output_nc"), [(1, 3), (3, 1)])
def test_template_model_from_gray_and_to_gray(pairs, tmp_path, input_nc, output_nc):
    """One step with lr 0: the loss in the log is that of the saved generator, by hand."""
    training = [
        "--model",
        "template",
        "--lambda_regression",
        "2",
        "--ngf",
        "4",
        "--lr",
        "0",
        "--print_freq",
        "1",
    ]
    training += [
        "--input_nc",
        str(input_nc),
        "--output_nc",
        str(output_nc),
        "--max_dataset_size",
        "1",
        "--no_flip",
    ]
    train.main([*flags(pairs, tmp_path), *SMALL, *training, "--n_epochs", "1", "--no_dropout"])
    pair = Image.open(pairs / "train" / "00.png")
    A, B = (
        image_to_tensor(np.atleast_3d(np.asarray(pair.crop(box).convert("L" if channels == 1 else "RGB"))))
        for box, channels in (((0, 0, SIDE, SIDE), input_nc), ((SIDE, 0, 2 * SIDE, SIDE), output_nc))
    )
    generator = load_generator(tmp_path / "checkpoints" / "run")
    expected = 2 * (generator.translate(A[None])[0] - B).abs().mean().item()
    assert logged(tmp_path, "regression") == pytest.approx([expected], rel=1e-4)
    result = generator(pair)
    assert (result.mode, result.size) == ("RGB" if output_nc == 3 else "L", pair.size)


def test_template_dataset_posterises(dataroot, tmp_path):
    """`--tones 2` leaves black and white in each channel, where the photo is darker or brighter than the middle."""
    training = ["--model", "pix2pix", "--dataset_mode", "template", "--tones", "2", "--max_dataset_size", "2"]
    common = [*flags(dataroot, tmp_path), *SMALL, "--load_size", "40", "--crop_size", "36", "--ngf", "2"]
    train.main([*common, *training, "--n_epochs", "1", "--print_freq", "1"])
    assert len(logged(tmp_path, "L1")) == 2
    test_program.main(
        [*flags(dataroot, tmp_path), "--tones", "2", "--results_dir", str(tmp_path / "results")]
    )
    images = tmp_path / "results" / "run" / "test_latest" / "images"
    real_A, real_B = (
        torch.tensor(np.asarray(Image.open(images / f"test_0_{x}.png"))) for x in ("real_A", "real_B")
    )
    assert torch.equal(real_A, (real_B > 127).byte() * 255)
