"""The published recipes as shell scripts, at a tiny size: from any folder, with further options."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from options import TestOptions, TrainOptions

SCRIPTS = Path(__file__).parents[2] / "scripts"
PUBLISHED = {
    "model": "cycle_gan", "netG": "resnet_9blocks", "no_dropout": True, "batch_size": 1, "lr": 2e-4,
    "load_size": 286, "crop_size": 256, "n_epochs": 50, "n_epochs_decay": 25,
}  # fmt: skip
RECIPES = {
    "baseline": {"add_mask": False, "lambda_mask": 0.0, "vgg19_loss": False},
    "overlay": {"add_mask": True, "lambda_mask": 0.0, "vgg19_loss": False},
    "mask_loss": {"add_mask": False, "lambda_mask": 1.0, "vgg19_loss": True},
    "combined": {"add_mask": True, "lambda_mask": 0.5, "vgg19_loss": True},
}


def run(script, *arguments, cwd):
    """Run a script with this Python, from a folder that is not the project's."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", SCRIPTS / script, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=os.environ | {"PATH": path}, check=True, text=True)


def test_combined_recipe_from_photos_to_the_result_page(dataroot, vgg19_file, tmp_path):
    common = ["--checkpoints_dir", tmp_path / "checkpoints", "--num_threads", "0", "--device", "cpu"]
    small = ["--ngf", 2, "--ndf", 2, "--load_size", 36, "--crop_size", 32, "--n_epochs", 1]
    small += ["--n_epochs_decay", 0, "--max_dataset_size", 1, "--display_id", 0, "--print_freq", 1]
    run("train_combined.sh", dataroot, "mine", *common, *small, "--vgg19_weights", vgg19_file, cwd=tmp_path)
    with (tmp_path / "checkpoints" / "mine" / "losses.csv").open() as file:
        assert {"mask_A", "mask_B", "vgg_A", "vgg_B"} <= set(next(csv.reader(file)))

    results = ["--results_dir", tmp_path / "results", "--num_test", 1]
    run("test_combined.sh", dataroot, "mine", *common, *results, cwd=tmp_path)
    assert (tmp_path / "results" / "mine" / "test_latest" / "images" / "test_0_fake_B.png").exists()


@pytest.mark.parametrize("recipe", RECIPES)
def test_scripts_hold_the_published_numbers(recipe, tmp_path, dataroot, monkeypatch):
    """What the scripts hand to train.py and test.py, parsed by their own options."""
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$ARGUMENTS"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ARGUMENTS", str(tmp_path / "arguments"))
    found = {}
    for program, options in (("train", TrainOptions()), ("test", TestOptions())):
        subprocess.run(["bash", SCRIPTS / f"{program}_{recipe}.sh", dataroot], check=True)
        called, *arguments = (tmp_path / "arguments").read_text().splitlines()
        assert called == f"{program}.py"
        found[program] = options.parse([*arguments, "--device", "cpu"])
        assert (found[program].name, found[program].dataroot) == (recipe, str(dataroot))
    expected = PUBLISHED | RECIPES[recipe]
    assert {name: getattr(found["train"], name) for name in expected} == expected
