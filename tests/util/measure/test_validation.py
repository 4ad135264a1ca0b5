"""Validation: figures of known generators, and the choice of the best epoch."""

import csv
import shutil

import numpy as np
import pytest
import torch
from PIL import ImageFilter

import train
from util.errors import UserError
from util.measure.validation import Validation
from util.options import Options


@pytest.fixture
def valroot(dataroot, tmp_path):
    root = shutil.copytree(dataroot, tmp_path / "d")
    for domain in "AB":
        (root / f"test{domain}").rename(root / f"val{domain}")
    return root


def options(root, **changes):
    values = {"dataroot": str(root), "direction": "AtoB", "best_metric": "blur_match", "load_size": 286}
    return Options(**{**values, **changes})


def test_figures_of_the_identity_and_of_a_blur(valroot):
    validation = Validation(options(valroot))
    same = validation.measure(lambda image: image)
    assert (same["subject_psnr"], same["gradient_left"], same["color_error"]) == (float("inf"), 1, 0)
    blurred = validation.measure(lambda image: image.filter(ImageFilter.GaussianBlur(3)))
    assert blurred["gradient_left"] < 0.9
    assert 10 < blurred["subject_psnr"] < 60
    assert "background_gradient" not in same


def test_large_photos_are_measured_at_the_training_size(valroot):
    sizes = set()

    def generate(image):
        sizes.add(image.size)
        return image

    Validation(options(valroot, load_size=32)).measure(generate)
    assert sizes == {(32, 32)}


def test_best_is_strictly_better_than_all_before(valroot):
    up, down = (Validation(options(valroot, best_metric=name)) for name in ("subject_psnr", "halo"))
    assert up.is_best({"subject_psnr": 30}, [])
    assert up.is_best({"subject_psnr": 30}, [29, 28])
    assert not up.is_best({"subject_psnr": 30}, [29, 30])
    assert up.is_best({"subject_psnr": 30}, [float("nan"), 29])
    assert not up.is_best({"subject_psnr": float("nan")}, [])
    assert down.is_best({"halo": 0.1}, [0.2])
    assert not down.is_best({"halo": 0.1}, [0.05])
    assert not Validation(options(valroot, best_metric="")).is_best({"halo": 0.1}, [])


def test_what_is_missing_is_named_before_training(valroot):
    for path in (valroot / "valB").iterdir():
        path.unlink()
    (valroot / "valB").rmdir()
    Validation(options(valroot, best_metric="halo"))
    with pytest.raises(UserError, match=r"--best_metric blur_match: .*valB is missing"):
        Validation(options(valroot))
    with pytest.raises(UserError, match=r"valB: no such folder"):
        Validation(options(valroot, direction="BtoA"))


def rows(folder):
    with (folder / "losses.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row.get("val_halo")]


def test_training_validates_keeps_the_best_and_is_not_changed_by_it(valroot, run_flags, tmp_path, capsys):
    flags = [*run_flags, "--dataroot", str(valroot), "--n_epochs", "1", "--save_epoch_freq", "1"]
    train.main([*flags, "--val_freq", "1", "--best_metric", "halo"])
    train.main([*flags, "--name", "without"])
    folder = tmp_path / "checkpoints/run"
    found = rows(folder)
    assert [row["total_iters"] for row in found] == ["4", "8"]
    assert "val_blur_match" in found[0]
    assert "validation) subject_psnr" in capsys.readouterr().out

    def weights(name, epoch):
        return torch.load(tmp_path / f"checkpoints/{name}/{epoch}_net_G_A.pth", weights_only=True)

    def equal(one, other):
        return all(torch.equal(one[name], other[name]) for name in other)

    best = 1 + int(np.argmin([float(row["val_halo"]) for row in found]))
    assert equal(weights("run", "best"), weights("run", best))
    assert equal(weights("run", "latest"), weights("without", "latest"))
