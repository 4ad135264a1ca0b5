"""Which photos make an item, by the coordinates and numbers that their pixels carry."""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from data import create_dataset, find_dataset_using_name
from tests.data.coordinate_photos import coordinates, options, save
from util.errors import UserError
from util.options import Options


def pixels(image: torch.Tensor) -> np.ndarray:
    """[C,H,W] in [-1,1] as integers [C,H,W] of 0 to 255."""
    return ((image + 1) * 127.5).round().int().numpy()


def items(opt: Options, epoch: int = 1) -> list[dict]:
    dataset = create_dataset(opt).dataset
    return [dataset[epoch, index] for index in range(len(dataset))]


def test_image_and_mask_have_the_same_geometry(dataroot):
    for epoch in range(1, 6):
        for item in items(options(dataroot), epoch):
            for letter in "AB":
                red, green, _ = pixels(item[letter])
                mask = (item[f"mask_{letter}"][0] * 255).round().int().numpy()
                assert (mask == red // 2 + 150).all()
                assert abs(np.diff(red, axis=1).mean()) == 1 and (np.diff(green, axis=0) == 1).all()


@pytest.mark.parametrize("preprocess", ["resize_and_crop", "scale_shortside", "none"])
def test_scaled_image_and_mask_stay_together(dataroot, preprocess):
    for item in items(options(dataroot, preprocess=preprocess, load_size=72)):
        red = pixels(item["A"])[0]
        mask = (item["mask_A"][0] * 255).numpy()
        assert mask.shape == red.shape
        # The mask holds half of the red's steps and is scaled by area: within a step of it.
        assert np.abs(mask - (red / 2 + 150)).max() <= 2


def test_a_comes_in_order_and_the_shorter_folder_again(dataroot):
    found = items(options(dataroot, serial_batches=True))
    assert [pixels(item["A"])[2, 0, 0] for item in found] == [10, 11, 12, 13, 14]
    assert [pixels(item["B"])[2, 0, 0] for item in found] == [20, 21, 22, 20, 21]
    assert [item["A_paths"] for item in found] == [
        str(dataroot / f"trainA/A{number}.png") for number in range(5)
    ]


def test_b_is_drawn_anew_in_every_epoch(dataroot):
    drawn = [
        [int(pixels(item["B"])[2, 0, 0]) for item in items(options(dataroot), epoch)] for epoch in range(12)
    ]
    assert {number for epoch in drawn for number in epoch} == {20, 21, 22}
    assert len({tuple(epoch) for epoch in drawn}) > 8  # of 243 that are possible


def test_direction_swaps_photos_masks_and_channels(dataroot):
    item = items(options(dataroot, direction="BtoA", input_nc=1, serial_batches=True))[0]
    assert item["A_paths"].endswith("trainB/B0.png") and item["B_paths"].endswith("trainA/A0.png")
    assert item["A"].shape == (1, 32, 32) and item["B"].shape == (3, 32, 32)
    # Gray of (red, green, blue 20) and the mask tell the same place.
    red = 2 * ((item["mask_A"][0] * 255).round().int().numpy() - 150)
    gray = pixels(item["A"])[0]
    green = gray[:, :1] - gray[0, 0]
    assert np.abs((gray - green) - (0.299 * red + gray[0, 0] - 0.299 * red[0, 0])).max() <= 2


def test_max_dataset_size(dataroot):
    assert len(items(options(dataroot, max_dataset_size=2))) == 2


def test_test_time_is_not_random(dataroot):
    opt = options(dataroot, isTrain=False)
    for first, second in zip(items(opt, 1), items(opt, 2), strict=True):
        assert torch.equal(first["A"], second["A"]) and torch.equal(first["B"], second["B"])
        assert first["A"][0, 0, 0] < first["A"][0, 0, -1]  # not mirrored


@pytest.fixture
def pairs(tmp_path):
    """Four pairs, A with blue 50 and B the same scene with blue 200, and masks of A."""
    for number in range(4):
        halves = [coordinates(48, 40, blue) for blue in (50 + number, 200 + number)]
        save(np.concatenate(halves, axis=1), tmp_path / "train" / f"{number}.png")
        save(halves[0][..., 0] + 150, tmp_path / "maskA" / f"{number}.png")
        save(halves[0][..., 0] + 180, tmp_path / "maskB" / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize("cache", ["none", "ram"])
@pytest.mark.parametrize(
    ("direction", "blue", "mask_offset"), [("AtoB", (50, 200), 150), ("BtoA", (200, 50), 180)]
)
def test_halves_show_the_same_place(pairs, direction, blue, mask_offset, cache):
    opt = options(pairs, dataset_mode="aligned", direction=direction, cache=cache)
    for epoch in (1, 2, 2):
        for number, item in enumerate(items(opt, epoch)):
            half_A, half_B = pixels(item["A"]), pixels(item["B"])
            assert (half_A[:2] == half_B[:2]).all()
            assert (half_A[2] == blue[0] + number).all() and (half_B[2] == blue[1] + number).all()
            assert ((item["mask_A"][0] * 255).round().int().numpy() == half_A[0] + mask_offset).all()
            assert "mask_B" not in item and item["A_paths"] == item["B_paths"]


def test_a_pair_is_decoded_once(pairs, monkeypatch):
    import data.aligned_dataset as module

    read = []
    read_pixels = module.read_pixels
    monkeypatch.setattr(module, "read_pixels", lambda path: read.append(path) or read_pixels(path))
    items(options(pairs, dataset_mode="aligned", output_nc=1))
    assert len(read) == 4


def test_masks_of_pairs_are_half_as_wide_and_widths_even(pairs):
    save(np.full((40, 96), 255, np.uint8), pairs / "maskA" / "0.png")
    save(coordinates(95, 40), pairs / "train" / "1.png")
    save(np.full((40, 47), 255, np.uint8), pairs / "maskA" / "1.png")
    with pytest.raises(UserError) as error:
        create_dataset(options(pairs, dataset_mode="aligned"))
    assert "96 x 40 px, but its photo" in str(error.value) and "has 48 x 40" in str(error.value)
    assert "1.png: 95 px wide" in str(error.value) and "combine_A_and_B.py" in str(error.value)


@pytest.mark.parametrize(("direction", "masks"), [("AtoB", "maskA"), ("BtoA", "maskB")])
def test_missing_masks_of_pairs_are_made_of_their_photos(pairs, direction, masks):
    """The command of an unpaired dataroot finds no photos in one of pairs."""
    (pairs / masks / "0.png").unlink()
    save(np.zeros((40, 48), np.uint8), pairs / masks / "1.png")
    with pytest.raises(UserError) as error:
        create_dataset(options(pairs, dataset_mode="aligned", direction=direction))
    message = str(error.value)
    assert f"deeplab/inference.py --input FOLDER --output {pairs}/{masks}" in message
    assert "remove pairs without a subject" in message and "--dataroot" not in message


def test_single_takes_a_folder_or_a_phase(dataroot):
    opt = options(dataroot, dataset_mode="single", isTrain=False, mask_policy="optional")
    opt = opt.replace(phase="train")
    by_phase = items(opt)
    opt = opt.replace(dataroot=str(dataroot / "trainA"))
    by_folder = items(opt)
    assert len(by_phase) == len(by_folder) == 5
    for first, second in zip(by_phase, by_folder, strict=True):
        assert first.keys() == {"A", "A_paths", "mask_A"} and first["A_paths"] == second["A_paths"]
        assert torch.equal(first["A"], second["A"]) and torch.equal(first["mask_A"], second["mask_A"])
    opt = opt.replace(dataroot=str(dataroot / "trainB"))
    assert (items(opt)[0]["mask_A"] * 255).round().max() == (40 - 4 - 1) // 2 + 150  # the middle 32 of 40
    opt = opt.replace(dataroot=str(dataroot), direction="BtoA")
    assert items(opt)[0]["A_paths"].endswith("trainB/B0.png")


def test_16_bit_photos_keep_their_depth(dataroot):
    deep = (np.arange(36 * 40, dtype=np.uint16) * 45).reshape(36, 40)
    cv2.imwrite(str(dataroot / "trainA" / "A0.png"), deep)
    opt = options(dataroot, input_nc=1, isTrain=False, preprocess="none", mask_policy="none")
    image = items(opt)[0]["A"]
    assert image.shape == (1, 36, 40)
    assert np.abs(image[0].double().numpy() - (deep / 32767.5 - 1)).max() < 1e-6


def test_template_leaves_so_many_tones(dataroot):
    opt = options(dataroot, dataset_mode="template", tones=4)
    for item in items(opt):
        assert set(np.unique(pixels(item["A"]))) <= {0, 85, 170, 255}
        assert (item["A"] - item["B"]).abs().max() <= 1 / 3 + 1e-6
        assert item["A_paths"] == item["B_paths"]


def test_options_of_datasets():
    parser = argparse.ArgumentParser()
    parser = find_dataset_using_name("template").modify_commandline_options(parser, is_train=True)
    cache = {"cache": "none", "cache_size": 4.0}
    assert vars(parser.parse_args([])) == {"tones": 4, "shard_cache_size": 20.0, **cache}
    parser = find_dataset_using_name("single").modify_commandline_options(argparse.ArgumentParser(), False)
    assert vars(parser.parse_args([])) == {"shard_cache_size": 20.0}


@pytest.fixture
def depths(dataroot):
    """Depths of A: 16 bits, 400 for each column and 3 for each row; of B, 8 bits, 4 for each column."""
    y, x = np.mgrid[:48, :60]
    for number in range(5):
        path = save((400 * x + 3 * y + number).astype(np.uint16), dataroot / f"depthA/A{number}.png")
    for number in range(3):
        save((4 * np.mgrid[:56, :40][1] + number).astype(np.uint8), dataroot / f"depthB/B{number}.png")
    return path.parent


@pytest.mark.parametrize("is_train", [True, False])
def test_depth_gets_the_geometry_of_its_photo(dataroot, depths, is_train):
    """Crop and mirror: each pixel's red and green say where it was, and so does its depth."""
    opt = options(dataroot, reads_depth=True, isTrain=is_train)
    mirrored = 0
    for epoch in (1, 2):
        for item in items(opt, epoch):
            red, green, _ = pixels(item["A"])
            number = int(Path(item["A_paths"]).stem[1:])
            assert item["depth_A"].shape == (1, 32, 32)
            depth = (65535 * item["depth_A"][0].double()).round().numpy()
            assert (depth == 400 * red + 3 * green + number).all()
            assert ((255 * item["depth_B"][0]).round().numpy() // 4 == pixels(item["B"])[0]).all()
            mirrored += red[0, 0] > red[0, -1]
    assert (mirrored > 0) == is_train


def test_depth_is_scaled_with_its_photo(dataroot, depths):
    """Half as large, each value is the mean of those it covers; a copy in the cache of photos does not mix with it."""
    opt = options(
        dataroot, reads_depth=True, isTrain=False, preprocess="scale_shortside", load_size=24, cache="ram"
    )
    for epoch in (1, 2):
        depth = 65535 * items(opt, epoch)[0]["depth_A"][0].double().numpy()
        y, x = np.mgrid[:24, :30]
        assert np.abs(depth - (400 * (2 * x + 0.5) + 3 * (2 * y + 0.5))).max() <= 1


def test_depths_beside_a_folder_of_photos(dataroot, depths):
    opt = options(dataroot, dataset_mode="single", isTrain=False, reads_depth=True)
    opt = opt.replace(dataroot=str(dataroot / "trainA"))
    assert items(opt)[3]["depth_A"].shape == (1, 32, 32)
    opt = opt.replace(reads_depth=False)
    assert "depth_A" not in items(opt)[3]
