"""Learning to measure blur: trained on a few photos, resumed, and asked about known blurs."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import train
from models.inference.blur_meter import BlurMeter, load_blur_meter
from models.nets.defocus import DefocusNet
from scripts import measure_blur
from util.blur_maps import BlurMap, read_blur_map, write_blur_map
from util.errors import UserError


@pytest.fixture
def sharp(tmp_path):
    """A dataroot with three sharp photos, one with a mask."""
    for name, photo in (("a", data.chelsea()), ("b", data.astronaut()), ("c", data.coffee())):
        image = Image.fromarray(photo).resize((96, 80))
        (tmp_path / "D/trainA").mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / f"D/trainA/{name}.png")
    (tmp_path / "D/maskA").mkdir()
    mask = np.zeros((80, 96), np.uint8)
    mask[20:60, 30:60] = 255
    Image.fromarray(mask).save(tmp_path / "D/maskA/b.png")
    return tmp_path / "D"


def flags(sharp, epochs):
    return [
        *("--dataroot", str(sharp), "--checkpoints_dir", str(sharp.parent / "checkpoints"), "--name", "E"),
        *("--model", "defocus", "--nef", "8", "--crop_size", "64", "--batch_size", "2", "--device", "cpu"),
        *(
            "--n_epochs",
            str(epochs),
            "--n_epochs_decay",
            "0",
            "--num_threads",
            "0",
            "--display_id",
            "0",
            "--no_html",
        ),
    ]


def test_a_resumed_training_equals_an_uninterrupted_one(sharp):
    train.main(flags(sharp, 2))
    folder = sharp.parent / "checkpoints"
    (folder / "E").rename(folder / "whole")
    train.main(flags(sharp, 1))
    train.main([*flags(sharp, 2), "--continue_train"])
    whole, resumed = (
        torch.load(folder / name / "latest_net_E.pth", weights_only=True) for name in ("whole", "E")
    )
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    meter = load_blur_meter(folder / "E/latest_net_E.pth")
    assert meter(data.chelsea()).radius.shape == (64, 97)


class Told(DefocusNet):
    """Stands in for a network: a level of 2, that is 3 pixels, in the upper four fifths, sharp and unsure below."""

    def forward(self, x):
        level = x.new_zeros(len(x), 1, x.shape[-2] // 4, x.shape[-1] // 4)
        level[..., : level.shape[-2] * 4 // 5, :] = 2
        log_scale = torch.where(level > 0, -20.0, 20.0)
        return level, log_scale


def test_radii_are_those_of_a_photo_of_256_pixels():
    """A photo of any size is measured at 256 pixels, a smaller one at its own size and scaled up."""
    meter = BlurMeter(Told(width=8))
    for side, radius in ((512, 3.0), (256, 3.0), (128, 6.0)):
        blur = meter(np.zeros((side, side, 3), np.uint8))
        assert blur.radius.shape == (min(side, 256) // 4,) * 2
        assert blur.radius[0, 0] == pytest.approx(radius) and blur.radius[-1, 0] == 0
        assert blur.certainty[0, 0] == pytest.approx(1) and blur.certainty[-1, 0] == pytest.approx(0)


def test_maps_survive_their_file(tmp_path):
    rng = np.random.default_rng(0)
    blur = BlurMap(
        rng.uniform(0, 60, (20, 30)).astype(np.float32), rng.uniform(0, 1, (20, 30)).astype(np.float32)
    )
    write_blur_map(blur, tmp_path / "x/blur.png")
    read = read_blur_map(tmp_path / "x/blur.png")
    assert np.abs(read.radius - blur.radius).max() <= 0.5 / 1024 + 1e-6
    assert np.abs(read.certainty - blur.certainty).max() < 1e-5
    assert np.allclose(read.level, np.log2(1 + read.radius))
    Image.new("L", (4, 4)).save(tmp_path / "mask.png")
    for name, message in (("mask.png", "not a blur map"), ("none.png", "no such blur map")):
        with pytest.raises(UserError, match=message):
            read_blur_map(tmp_path / name)


def test_report_and_maps_of_a_dataroot(sharp, monkeypatch, capsys):
    monkeypatch.setattr(measure_blur, "load_blur_meter", lambda *_: BlurMeter(Told(width=8)))
    report = sharp.parent / "blur.csv"
    weights = sharp.parent / "weights.pth"
    weights.touch()
    arguments = ["--dataroot", str(sharp), "--report", str(report), "--weights", str(weights)]
    measure_blur.main([*arguments, "--visualize", str(sharp.parent / "seen")])
    assert sorted(path.name for path in (sharp / "blurA").iterdir()) == ["a.png", "b.png", "c.png"]
    assert Image.open(sharp.parent / "seen/trainA/a.png").size == (2 * 96, 80)
    with report.open() as file:
        lines = {line["photo"].rpartition("/")[2]: line for line in csv.DictReader(file)}
    # What is unsure has no part, and 3 pixels of 80 are 9.6 of 256.
    assert {line["kind"] for line in lines.values()} == {"soft"}
    assert float(lines["a.png"]["median"]) == pytest.approx(3 * 256 / 80, abs=0.01)
    assert float(lines["b.png"]["background"]) == pytest.approx(3 * 256 / 80, abs=0.01)
    measure_blur.main(arguments)
    assert "0 measured, 3 up to date" in capsys.readouterr().out
    with report.open() as file:
        assert {line["photo"].rpartition("/")[2]: line for line in csv.DictReader(file)} == lines


@pytest.mark.parametrize(("side", "said"), [(255, True), (256, False)])
def test_photos_too_small_to_show_their_blur_are_told(tmp_path, monkeypatch, capsys, side, said):
    monkeypatch.setattr(measure_blur, "load_blur_meter", lambda *_: BlurMeter(Told(width=8)))
    Image.new("RGB", (300, side)).save(tmp_path / "photo.png")
    measure_blur.main(["--input", str(tmp_path / "photo.png"), "--output", str(tmp_path / "maps")])
    assert ("1 have fewer than 256 pixels" in capsys.readouterr().out) == said


def test_a_photo_that_can_not_be_read_is_listed_and_the_others_are_done(sharp, monkeypatch, capsys):
    monkeypatch.setattr(measure_blur, "load_blur_meter", lambda *_: BlurMeter(Told(width=8)))
    (sharp / "trainA/b.png").write_bytes(b"no photo")
    maps = sharp.parent / "maps"
    with pytest.raises(SystemExit) as end:
        measure_blur.main(["--input", str(sharp / "trainA"), "--output", str(maps)])
    assert end.value.code == 1
    assert (
        "1 of 3 photos could not be done" in (said := capsys.readouterr().err)
        and "b.png: not an image" in said
    )
    assert sorted(path.name for path in maps.iterdir()) == ["a.png", "c.png"]


def test_check_measures_the_error_against_known_blurs(sharp, monkeypatch):
    """A network that always says 'sharp' errs by the mean level itself."""

    class Sharp(DefocusNet):
        def forward(self, x):
            zeros = x.new_zeros(len(x), 1, x.shape[-2] // 4, x.shape[-1] // 4)
            return zeros, zeros

    levels = []
    real = measure_blur.with_known_blur
    monkeypatch.setattr(
        measure_blur, "with_known_blur", lambda *a: (lambda r: levels.append(r[1].mean()) or r)(real(*a))
    )
    jobs = [measure_blur.BlurJob(path, None, None, None) for path in sorted((sharp / "trainA").iterdir())]
    found = measure_blur.check(BlurMeter(Sharp(width=8)), jobs)
    assert found["error"] == pytest.approx(float(torch.stack(levels).mean()), rel=1e-4)


def test_contradictions_are_one_line(sharp, capsys):
    cases = [
        (["--dataroot", str(sharp), "--output", "x"], "--output"),
        (["--input", str(sharp / "trainA")], "say what you want"),
        (["--input", str(sharp / "trainA"), "--output", str(sharp / "trainA/x")], "lies inside"),
        (
            ["--input", str(sharp / "trainA"), "--report", "x.csv", "--weights", "none.pth"],
            "none.pth: no such file",
        ),
    ]
    for arguments, message in cases:
        with pytest.raises(SystemExit):
            measure_blur.main(arguments)
        assert message in capsys.readouterr().err
