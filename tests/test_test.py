"""test.py from the command line's point of view: a trained model over dataroots and folders."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

import test as test_program
from datasets import demo_scenes
from models import load_generator
from models.networks import define_G
from util.checkpoint import save_network
from util.images import read_mask


@pytest.fixture
def flags(tmp_path):
    """Random generators under `checkpoints/run`, and the flags that name them."""
    torch.manual_seed(0)
    for name in ("G_A", "G_B"):
        net = define_G(3, 3, 4, "resnet_6blocks", "batch")
        save_network(net, tmp_path / "checkpoints" / "run" / f"latest_net_{name}.pth")
    return [
        *("--checkpoints_dir", str(tmp_path / "checkpoints"), "--name", "run", "--device", "cpu"),
        *("--results_dir", str(tmp_path / "results"), "--num_threads", "0"),
    ]


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=int)


def test_dataroot_gives_a_page_with_every_photo_of_both_domains(flags, dataroot, tmp_path):
    """Unequal folders, odd sizes: all photos once, at their own size, named by their own stem."""
    root = tmp_path / "dataroot"
    shutil.copytree(dataroot, root)
    for number in range(1, 4):
        (root / "testA" / f"test_{number}.png").unlink()
    Image.fromarray(np.full((37, 41, 3), 90, np.uint8)).save(root / "testA" / "odd.png")
    test_program.main([*flags, "--dataroot", str(root)])
    folder = tmp_path / "results" / "run" / "test_latest"
    names = {path.name for path in (folder / "images").iterdir()}
    of_A = {f"{stem}_{label}.png" for stem in ("test_0", "odd") for label in ("real_A", "fake_B", "rec_A")}
    labels_B = ("real_B", "fake_A", "rec_B", "mask_B", "mask_real_B", "mask_fake_A")
    of_B = {f"test_{n}_{label}.png" for n in range(4) for label in labels_B}
    assert names == of_A | of_B | {
        f"test_0_{label}.png" for label in ("mask_A", "mask_real_A", "mask_fake_B")
    }
    page = (folder / "index.html").read_text()
    assert all(name in page for name in names)
    assert f" dataroot: {root}\n" in (folder / "test_opt.txt").read_text()

    assert np.array_equal(pixels(folder / "images" / "odd_real_A.png"), pixels(root / "testA" / "odd.png"))
    generator = load_generator(tmp_path / "checkpoints" / "run")
    with Image.open(root / "testA" / "odd.png") as image:
        expected = np.asarray(generator(image), dtype=int)
    assert np.array_equal(pixels(folder / "images" / "odd_fake_B.png"), expected)
    mask = pixels(folder / "images" / "test_0_mask_A.png")
    assert np.array_equal(mask, pixels(root / "maskA" / "test_0.png"))


def test_overlay_at_test_pastes_the_subject_only_when_asked(flags, dataroot, tmp_path):
    results = {}
    for extra in ([], ["--add_mask"]):
        test_program.main([*flags, "--dataroot", str(dataroot), *extra])
        folder = tmp_path / "results" / "run" / "test_latest" / "images"
        results[len(extra)] = pixels(folder / "test_0_fake_B.png")
    real, mask = (pixels(dataroot / kind / "test_0.png") for kind in ("testA", "maskA"))
    assert np.array_equal(results[1], np.where(mask > 0, real, results[0]))
    assert not np.array_equal(results[0], results[1])


def test_overlay_of_a_folder_takes_its_masks(flags, dataroot, tmp_path):
    """8 and 16 bits: the photo's own values where the mask is 1, the generator's where it is 0."""
    photos, masks = tmp_path / "photos", str(dataroot / "maskA")
    photos.mkdir()
    shutil.copy(dataroot / "testA" / "test_0.png", photos)
    deep = cv2.imread(str(dataroot / "testA" / "test_1.png")).astype(np.uint16) * 257
    cv2.imwrite(str(photos / "test_1.png"), deep)
    for folder, extra in (("own", []), ("pasted", ["--add_mask", "--masks", masks])):
        words = ["--matting", "off", *extra]
        test_program.main([*flags, "--input", str(photos), "--output", str(tmp_path / folder), *words])
    for name in ("test_0.png", "test_1.png"):
        real, own, pasted = (
            cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED)
            for folder in (photos, tmp_path / "own", tmp_path / "pasted")
        )
        mask = pixels(dataroot / "maskA" / name) > 0
        assert pasted.dtype == real.dtype
        assert np.array_equal(pasted, np.where(mask, real, own))
        assert not np.array_equal(pasted, own)


def test_one_way_model_on_a_single_folder(flags, dataroot, tmp_path):
    test_program.main([*flags, "--dataroot", str(dataroot / "testA"), "--model", "test", "--num_test", "3"])
    folder = tmp_path / "results" / "run" / "test_latest" / "images"
    expected = {f"test_{n}_{label}.png" for n in range(3) for label in ("real", "fake")}
    assert {path.name for path in folder.iterdir()} >= expected
    assert not (folder / "test_3_fake.png").exists()


def test_direction_chooses_the_generator_for_a_folder(flags, dataroot, tmp_path):
    for direction, name in (("AtoB", "G_A"), ("BtoA", "G_B")):
        output = tmp_path / direction
        arguments = ["--input", str(dataroot / "testA" / "test_0.png"), "--output", str(output)]
        test_program.main([*flags, *arguments, "--direction", direction])
        generator = load_generator(tmp_path / "checkpoints" / "run", name=name)
        with Image.open(dataroot / "testA" / "test_0.png") as image:
            assert np.array_equal(pixels(output / "test_0.png"), np.asarray(generator(image), dtype=int))


def test_without_a_name_the_model_that_comes_along_blurs_a_photo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # A person whose alpha is known; below these rows the demo's matte ends.
    real, alpha = demo_scenes.data.astronaut()[:448], np.asarray(read_mask(demo_scenes.ALPHA))
    Image.fromarray(real).save("me.png")
    test_program.main(["--input", "me.png", "--output", "soft", "--device", "cpu"])
    change = np.abs(pixels("soft/me.png") - real.astype(int)).mean(axis=2)
    assert np.median(change[alpha == 255]) == 0
    assert 3 * change[alpha == 255].mean() < change[alpha == 0].mean()


def test_one_photo_becomes_the_file_that_is_named(flags, dataroot, tmp_path, capsys):
    photo = dataroot / "testA" / "test_0.png"
    test_program.main([*flags, "--input", str(photo), "--output", str(tmp_path / "new" / "me.png")])
    test_program.main([*flags, "--input", str(photo), "--output", str(tmp_path / "soft")])
    assert (tmp_path / "new" / "me.png").is_file()
    assert np.array_equal(pixels(tmp_path / "new" / "me.png"), pixels(tmp_path / "soft" / "test_0.png"))
    copy = shutil.copy(photo, tmp_path)
    for source, target, said in (
        (photo.parent, tmp_path / "all.png", "is not one photo; give a folder"),
        (copy, copy, "is the photo itself"),
    ):
        with pytest.raises(SystemExit):
            test_program.main([*flags, "--input", str(source), "--output", str(target)])
        assert said in capsys.readouterr().err
    assert Path(copy).read_bytes() == photo.read_bytes()


def test_photos_whose_results_would_overwrite_each_other_are_named(flags, dataroot, tmp_path, capsys):
    for domain in "AB":
        for name in ("x/img.png", "y/img.png") if domain == "A" else ("img.png",):
            path = tmp_path / "d" / f"test{domain}" / name
            path.parent.mkdir(parents=True)
            shutil.copy(dataroot / "testA" / "test_0.png", path)
    with pytest.raises(SystemExit):
        test_program.main([*flags, "--dataroot", str(tmp_path / "d")])
    message = capsys.readouterr().err
    for name in ("x/img.png", "y/img.png"):
        assert f"testA/{name}: has the same name as another photo, and so the same result" in message
    assert "testB" not in message
    assert not (tmp_path / "results").exists()


def test_options_that_a_painting_generator_ignores_are_named(flags, dataroot, tmp_path, capsys):
    photo = ["--input", str(dataroot / "testA" / "test_0.png"), "--output", str(tmp_path / "soft")]
    lens = ["--aperture", "2", "--focus_range", "0.1", "0.9"]
    test_program.main([*flags, *photo, *lens, "--masks", str(dataroot / "maskA")])
    shown = capsys.readouterr().out
    assert "--aperture, --focus_range: no effect; this generator paints" in shown
    assert "--masks: no effect" in shown
    test_program.main([*flags, *photo, "--masks", str(dataroot / "maskA"), "--add_mask", "--overwrite"])
    assert "no effect" not in capsys.readouterr().out
    test_program.main([*flags, "--dataroot", str(dataroot), "--num_test", "1", "--camera"])
    assert capsys.readouterr().out.count("--camera: no effect") == 1


def test_missing_checkpoint_is_one_line(dataroot, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        run = ["--checkpoints_dir", str(tmp_path), "--name", "none"]
        test_program.main([*run, "--input", str(dataroot), "--output", str(tmp_path / "o")])
    assert caught.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    assert "none/latest_net_G_A.pth: no such checkpoint" in message
