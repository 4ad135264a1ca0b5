"""Every column of evaluate.py: truth itself gets the ideal figure, and wrong results are ranked as a person would.

One run of the command on scenes of the lab, with two mattes as real photos have them and with the true photos as the
other domain's, and one on the same scenes as pairs. Columns that need weights which don't come with the code, or
several strengths, are held against closed forms elsewhere (tests/util/measure/test_perceptual.py, test_radius.py).
"""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.make_lab import main as make_lab
from deeplab.smoothing import disc_blur
from scripts.evaluate import main
from util.measure.lab import read_truth
from util.measure.report import TITLES

SIZE, SCENES = 192, 4
SHIFT = 2  # pixels: 6 of 512
NEAR = 2.0  # pixels of radius below which a place is in focus, whoever it belongs to
EXACT = np.inf

# Column -> truth's figure, and its tolerance.
IDEAL = {
    **{f"psnr{band}": (EXACT, 0) for band in ("", "_background", "_edge", "_hair")},
    **{f"ssim{band}": (1, 1e-6) for band in ("", "_background", "_edge", "_hair")},
    **{f"alpha_{name}": (0, 1e-9) for name in ("sad", "sad_hair", "mse", "grad", "conn")},
    "light_energy": (0, 1e-9),
    "light_shape": (1, 1e-9),
    "grain": (1, 1e-9),
    "focus": (0, 0),
    "subject_blurred": (0, 0.002),
    "background_sharp": (0, 0.03),
    "blur_match": (0, 1e-9),
    # A lens leaves what it is focused on as it was.
    "subject_ssim": (1, 0.001),
    "seen_subject": (0, 0.1),
    # It keeps the light, but for what the photo clipped, and prints no patterns.
    "color_error": (0, 0.005),
    "grid": (0, 0.001),
}
# Column -> methods from the best to the worst, as one sees them. What was not blurred at all has the best figure where
# the photo itself is the reference: subject, halo, colours.
RANKED = {
    "psnr": ["truth", "disc", "shifted", "nothing", "all"],
    "ssim": ["truth", "disc", "shifted", "nothing", "all"],
    "psnr_background": ["truth", "disc", "nothing"],
    "ssim_background": ["truth", "disc", "nothing"],
    "psnr_edge": ["truth", "disc", "shifted", "all"],
    "ssim_edge": ["truth", "disc", "shifted", "all"],
    "psnr_hair": ["truth", "disc", "shifted", "all"],
    "ssim_hair": ["truth", "disc", "shifted", "all"],
    "alpha_sad": ["truth", "shifted", "all", "nothing"],
    "alpha_sad_hair": ["truth", "shifted", "nothing"],
    "alpha_mse": ["truth", "shifted", "all", "nothing"],
    "alpha_grad": ["truth", "shifted", "nothing"],
    "alpha_conn": ["truth", "shifted", "all", "nothing"],
    "light_energy": ["truth", "disc", "nothing"],
    "light_shape": ["truth", "disc", "nothing"],
    "focus": ["truth", "all", "nothing"],
    "subject_psnr": ["nothing", "truth", "shifted", "all"],
    "subject_ssim": ["nothing", "truth", "shifted", "all"],
    "subject_blurred": ["truth", "shifted", "all"],
    "background_sharp": ["truth", "nothing"],
    "gradient_left": ["truth", "nothing"],
    "halo": ["truth", "shifted", "all"],
    "blur_match": ["truth", "disc", "nothing"],
    "seen_subject": ["truth", "all"],
}
# Columns that tell what was done, not how well: compared with the truth's own.
NEAR_TRUTH = {"blur_radius": 0.35, "seen_background": 0.35}
HIGHER = ("psnr", "ssim", "subject_psnr", "subject_ssim", "light_shape")
ELSEWHERE = {"subject_lpips", "fid", "kid", "controllability"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Path:
    """Scenes with the other domain, and with two mattes: one takes all that is in focus for the subject."""
    folder = tmp_path_factory.mktemp("lab")
    counts = ("--size", str(SIZE), "--n_val", "0", "--n_test", str(SCENES))
    make_lab(["--dataroot", str(folder), *counts, "--num_workers", "0"])
    shutil.copytree(folder / "maskA", folder / "matteA")
    shutil.copytree(folder / "maskA", folder / "maskB")
    shutil.copytree(folder / "truth/wide", folder / "testB")
    (folder / "matteA_2").mkdir()
    for path in (folder / "maskA").iterdir():
        truth = read_truth(folder, path.stem, "wide")
        in_focus = np.maximum(truth.alpha, np.abs(truth.radius) < NEAR)
        Image.fromarray(np.uint8(255 * in_focus + 0.5)).save(folder / "matteA_2" / path.name)
    return folder


@pytest.fixture(scope="module")
def results(lab, tmp_path_factory) -> Path:
    """A folder of results for each method, and one of its alphas."""
    folder = tmp_path_factory.mktemp("results")
    for path in (lab / "testA").iterdir():
        photo = np.asarray(Image.open(path))
        truth = read_truth(lab, path.stem, "wide")
        radius = float(np.median(np.abs(truth.radius[truth.alpha == 0])))
        alphas = {
            "disc": truth.alpha,
            "shifted": np.roll(truth.alpha, SHIFT, axis=1),
            "all": np.zeros_like(truth.alpha),
            "nothing": np.ones_like(truth.alpha),
        }
        pictures = {name: disc_blur(photo, alpha, radius) for name, alpha in alphas.items()}
        pictures["truth"] = np.asarray(Image.open(lab / "truth/wide" / path.name))
        for name, picture in pictures.items():
            alpha = np.uint8(255 * alphas.get(name, truth.alpha) + 0.5)
            for kind, content in ((name, picture), (f"alpha {name}", alpha)):
                (folder / kind).mkdir(exist_ok=True)
                Image.fromarray(content).save(folder / kind / path.name)
    return folder


def medians(output: Path, *arguments: str) -> dict[str, dict[str, float]]:
    """Column -> method -> figure."""
    main([*arguments, "--output", str(output), "--num_threads", "0"])
    methods = json.loads((output / "figures.json").read_text())["methods"]
    found: dict[str, dict[str, float]] = {}
    for method, figures in methods.items():
        of_photos = {name: each["median"] for name, each in figures["median"].items()}
        for name, value in (of_photos | figures["set"]).items():
            found.setdefault(name, {})[method] = float("nan" if value is None else value)
    return found


METHODS = ("truth", "disc", "shifted", "nothing", "all")


@pytest.fixture(scope="module")
def columns(lab, results, tmp_path_factory) -> dict[str, dict[str, float]]:
    """Everything that the command tells about the five results."""
    named = [f"{name}={results / name}" for name in METHODS]
    alphas = [f"{name}={results / f'alpha {name}'}" for name in METHODS]
    options = ["--truth", str(lab / "truth/wide"), "--results", *named, "--alphas", *alphas, "--blur_weights"]
    return medians(tmp_path_factory.mktemp("figures"), "--dataroot", str(lab), *options)


def test_every_column_is_here(columns):
    assert set(columns) & set(TITLES) == set(TITLES) - ELSEWHERE
    assert set(IDEAL) | set(RANKED) | set(NEAR_TRUTH) == set(TITLES) - ELSEWHERE


@pytest.mark.parametrize("name", IDEAL)
def test_truth_is_ideal(columns, name):
    ideal, tolerance = IDEAL[name]
    assert columns[name]["truth"] == pytest.approx(ideal, abs=tolerance)


@pytest.mark.parametrize("name", RANKED)
def test_wrong_results_are_ranked_as_a_person_would(columns, name):
    better = 1 if name.startswith(HIGHER) else -1
    values = [columns[name][method] for method in RANKED[name]]
    assert all(better * first > better * second for first, second in pairwise(values)), values


@pytest.mark.parametrize("name", NEAR_TRUTH)
def test_a_blur_of_the_true_strength_reads_as_the_truth_does(columns, name):
    found = columns[name]
    assert found["disc"] == pytest.approx(found["truth"], rel=NEAR_TRUTH[name])
    assert found["all"] == pytest.approx(found["truth"], rel=NEAR_TRUTH[name])
    assert found["nothing"] < 0.1


def test_grain_is_told_by_its_distance_from_one(columns):
    distance = {method: abs(np.log(value)) for method, value in columns["grain"].items()}
    assert distance["truth"] == 0 < min(distance["disc"], distance["nothing"], distance["all"])


def test_pairs_rank_as_scenes_do(lab, results, tmp_path):
    """The same scenes as pairs: photos all in focus, and through the lens."""
    pairs = tmp_path / "pairs"
    pairs.mkdir()
    for path in (lab / "testA").iterdir():
        shutil.copy(path, pairs / f"{path.stem}_allinfocus.png")
        shutil.copy(lab / "truth/wide" / path.name, pairs / f"{path.stem}_near.png")
    named = []
    for name in METHODS:
        (tmp_path / name).mkdir()
        for path in (results / name).iterdir():
            shutil.copy(path, tmp_path / name / f"{path.stem}_allinfocus.png")
        named.append(f"{name}={tmp_path / name}")
    found = medians(tmp_path / "out", "--pairs", str(pairs), "--results", *named)
    assert found["psnr"]["truth"] == EXACT and found["ssim"]["truth"] == pytest.approx(1)
    for name in ("psnr", "ssim"):
        values = [found[name][method] for method in RANKED[name]]
        assert all(first > second for first, second in pairwise(values)), values
