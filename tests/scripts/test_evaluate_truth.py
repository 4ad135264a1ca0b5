"""evaluate.py where the true result is known: of photos, of pairs and of the lab, and at several strengths."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from skimage import data

from datasets.make_lab import main as make_lab
from deeplab.smoothing import disc_blur
from scripts.evaluate import main
from tests.scripts.compared import evaluate, make_compared


@pytest.fixture
def dataroot(tmp_path):
    return make_compared(tmp_path / "d")


def test_truth_and_outputs_of_another_size(dataroot, capsys):
    small = dataroot / "small"
    small.mkdir()
    for path in (dataroot / "testA").iterdir():
        Image.open(path).resize((56, 48), Image.Resampling.BICUBIC).save(small / path.name)
    evaluate(dataroot, "--results", f"half={small}", "--truth", dataroot / "testA")
    assert "half: 3 of 3 results have another size than their photos (a 0#: 56 x 48, not 112 x 96)" in (
        capsys.readouterr().out
    )
    stored = json.loads((dataroot / "out/figures.json").read_text())["methods"]["half"]["median"]
    assert stored["psnr"]["median"] == "Infinity"  # the truth is scaled by the same filter
    assert stored["gradient_left"]["median"] == pytest.approx(1)


def test_truth_of_some_photos_counts_for_those(dataroot, capsys):
    truth = dataroot / "truth"
    truth.mkdir()
    shutil.copy(dataroot / "testA/a 2#.png", truth)  # not the first photo
    evaluate(dataroot, "--baselines", "--truth", truth)
    stored = json.loads((dataroot / "out/figures.json").read_text())["methods"]
    assert stored["input"]["median"]["psnr"]["median"] == "Infinity"
    assert "1 of 3 photos have a truth" in capsys.readouterr().out


def test_best_strength_of_each_photo_and_controllability(dataroot):
    """A method at three strengths; truth is that of the first photo at the first, of the others at the last."""
    truth = dataroot / "truth"
    truth.mkdir()
    for strength in (1, 2, 4):
        folder = dataroot / f"disc{strength}"
        folder.mkdir()
        for number, path in enumerate(sorted((dataroot / "testA").iterdir())):
            soft = Image.fromarray(disc_blur(np.asarray(Image.open(path)), np.zeros((96, 112)), strength))
            soft.save(folder / path.name)
            if strength == (1 if number == 0 else 4):
                soft.save(truth / path.name)
    arguments = [f"lens@{strength}={dataroot}/disc{strength}" for strength in (1, 2, 4)]
    evaluate(dataroot, "--truth", truth, "--results", *arguments, f"other={dataroot}/disc2")
    apart = json.loads((dataroot / "out/figures.json").read_text())["methods"]
    assert apart["lens@2"]["set"]["controllability"] > 0.98
    assert "controllability" not in apart["other"]["set"]
    radii = [apart[f"lens@{strength}"]["median"]["blur_radius"]["median"] for strength in (2, 4)]
    assert radii == pytest.approx(np.array([2, 4]) * 256 / 96, rel=0.1)
    evaluate(dataroot, "--truth", truth, "--results", *arguments, "--best_of", "psnr")
    merged = json.loads((dataroot / "out/figures.json").read_text())["methods"]
    assert set(merged) == {"lens"} and merged["lens"]["median"]["psnr"]["low"] == "Infinity"
    with (dataroot / "out/figures.csv").open(newline="") as file:
        chosen = [float(row["blur_radius"]) for row in csv.DictReader(file)]
    assert chosen[0] < 4 < chosen[1]


def test_pairs_have_a_truth_and_no_masks(tmp_path, capsys):
    pairs, results = tmp_path / "pairs", tmp_path / "results"
    pairs.mkdir()
    results.mkdir()
    photo = data.astronaut()[:96, 100:212]
    for name in ("p1_allinfocus", "p1_near", "p2_allinfocus"):
        Image.fromarray(photo).save(pairs / f"{name}.png")
    Image.fromarray(photo // 2).save(results / "p1_allinfocus.png")
    shared = ("--output", str(tmp_path / "out"), "--num_threads", "0")
    main(["--pairs", str(pairs), "--results", f"dark={results}", *shared])
    median = json.loads((tmp_path / "out/figures.json").read_text())["methods"]["dark"]["median"]
    error = np.mean((np.float64(photo) - photo // 2) ** 2)
    assert set(median) == {"psnr", "ssim"}
    assert median["psnr"]["median"] == pytest.approx(10 * np.log10(255**2 / error), abs=1e-3)
    several = [f"dark@{strength}={results}" for strength in (1, 2, 4)]
    main(["--pairs", str(pairs), "--results", *several, "--best_of", "psnr", *shared])
    assert json.loads((tmp_path / "out/figures.json").read_text())["methods"]["dark"]["median"] == median
    for arguments, message in (
        (["--pairs", str(results)], "no photo there is named NAME_allinfocus"),
        (["--pairs", str(pairs), "--baselines"], "have no masks to blur behind"),
        (["--baselines"], "give either --dataroot or --pairs"),
    ):
        with pytest.raises(SystemExit):
            main([*arguments, *shared])
        assert message in capsys.readouterr().err


def test_lab_tells_more(tmp_path, capsys):
    lab = tmp_path / "lab"
    sizes = ("--size", "128", "--n_val", "0", "--n_test", "1", "--num_workers", "0")
    make_lab(["--dataroot", str(lab), *sizes])
    wide, same = lab / "truth/wide", f"same={lab / 'testA'}"
    arguments = ["--truth", str(wide), "--results", same, f"true={wide}", "--alphas", f"true={lab / 'maskA'}"]
    evaluate(lab, *arguments, "--output", tmp_path / "out")
    methods = json.loads((tmp_path / "out/figures.json").read_text())["methods"]
    assert methods["true"]["median"]["psnr_edge"]["median"] == "Infinity"
    assert methods["true"]["median"]["alpha_sad"]["median"] == 0
    assert methods["true"]["median"]["focus"]["median"] == 0 < methods["same"]["median"]["focus"]["median"]
    assert "alpha_sad" not in methods["same"]["median"]
    with pytest.raises(SystemExit):
        evaluate(lab, *arguments[:-1], f"gone={lab / 'maskA'}")
    assert "--alphas gone: no --results of this name" in capsys.readouterr().err
