"""Help and wrong options are told before PyTorch is imported, which takes seconds."""

import subprocess
import sys
from pathlib import Path

import pytest

import data.options
import models.options
from data import find_dataset_using_name
from deeplab import inference, smoothing
from models import find_model_using_name
from models.acceleration import DTYPES
from models.losses import diffaugment
from models.options import acceleration, adversary

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "tensorflow", "cv2", "numpy", "PIL", "scipy", "httpx", "tqdm")
RUN = """
import runpy, sys
program, sys.argv = sys.argv[1], sys.argv[1:]
try:
    runpy.run_path(program, run_name="__main__")
except SystemExit as end:
    print(f"status {end.code}; imported:", *(name for name in %r if name in sys.modules))
"""


def run(*words: str) -> tuple[str, str]:
    """What a program prints, and the last line: its status and which heavy libraries it imported."""
    command = [sys.executable, "-c", RUN % (HEAVY,), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    *_, last = done.stdout.splitlines()
    return done.stdout + done.stderr, last


@pytest.mark.parametrize(
    ("program", "option"),
    [
        ("train.py", "--lambda_A"),
        ("test.py", "--results_dir"),
        ("deeplab/inference.py", "--segmenter"),
        ("scripts/evaluate.py", "--results"),
        ("scripts/studio.py", "--serve"),
    ],
)
def test_help_comes_without_pytorch(program, option):
    said, last = run(program, "--help")
    assert option in said
    assert last == "status 0; imported:"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["train.py", "--dataroot", "D", "--lr", "-1"], "--lr -1.0: must not be negative"),
        (["train.py", "--dataroot", "D", "--model", "cut", "--nce_layers", "99"], "--nce_layers 99"),
        (["train.py", "--dataroot", "D", "--model", "nothing"], "no file models/nothing_model.py"),
        (["train.py", "--dataroot", "D", "--preprocess", "squeeze"], "--preprocess squeeze: use one of none"),
        (["test.py", "--dataroot", "D", "--blades", "2"], "blades 2: must be 0"),
        (["test.py", "--dataroot", "D", "--focus", "here"], "--focus here: give subject"),
        (["test.py", "--input", "photos"], "--input and --output belong together"),
        (["deeplab/inference.py", "--input", "in", "--segmenter", "all"], "--segmenter all: unknown"),
        (["scripts/evaluate.py", "--results", "DIR"], "give either --dataroot or --pairs"),
    ],
)
def test_errors_of_options_come_without_pytorch(words, error):
    said, last = run(*words)
    assert error in said
    assert last == "status 2; imported:"


def test_models_and_datasets_have_the_options_that_are_listed_for_them():
    for name, options in models.options.OPTIONS.items():
        assert issubclass(find_model_using_name(name), options)
    for name, options in data.options.OPTIONS.items():
        assert issubclass(find_dataset_using_name(name), options)


def test_options_know_what_the_code_that_they_stand_for_can_do():
    assert set(adversary.AUGMENTATIONS) == set(diffaugment.BY_NAME)
    assert set(acceleration.PRECISIONS) == {"auto", *DTYPES}
    assert set(inference.SMOOTHINGS) == {*smoothing.SMOOTHINGS, "lens"}
