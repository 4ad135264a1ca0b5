"""The benchmark's reference takes the same step as the model it is compared with."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from models import create_model
from scripts import benchmark, benchmark_machine
from scripts import benchmark_training as training
from scripts.benchmark_photos import command, photo, taken
from scripts.peer_blur import soft_behind
from util.errors import UserError
from util.images import read_pixels, write_pixels


def test_reference_and_model_take_the_same_step():
    arguments = benchmark.parse(["--small", "--device", "cpu"])
    small = ["--ngf", "4", "--ndf", "4", "--crop_size", "32", "--precision", "fp32", "--pool_size", "0"]
    opt = training.train_options(arguments, *training.RECIPES["combined"], *small)
    batch = training.random_batch(opt)
    losses = []
    for make in (training.ReferenceModel, create_model):
        torch.manual_seed(0)
        model = make(opt)
        steps = [model.train_step(batch) for _ in range(2)][-1]
        losses.append({name: float(value) for name, value in steps.items()})
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_ratios_are_to_the_reference_of_the_same_recipe():
    times = {"step a reference": 4.0, "step a fp32": 1.0, "step b reference": 2.0, "step b fp32": 1.0}
    rows = [{"case": name, "seconds": value, "cpu_seconds": value} for name, value in times.items()]
    benchmark.add_ratios(rows)
    assert [row["ratio"] for row in rows] == [1, 0.25, 1, 0.5]
    assert "| step a fp32 | 1 | 1 | 0.25 |" in benchmark_machine.table(rows)
    assert json.dumps(rows)


def test_table_is_written_between_the_marks_alone(tmp_path):
    page = tmp_path / "speed.md"
    page.write_text(f"before\n{benchmark_machine.BEGIN}\nold\n{benchmark_machine.END}\nafter\n")
    for text in ("new", "newer"):
        benchmark_machine.write_table(page, text)
        lines = page.read_text().split("\n")
        assert [line for line in lines if line] == [
            "before",
            benchmark_machine.BEGIN,
            text,
            benchmark_machine.END,
            "after",
        ]
    page.write_text("no marks")
    with pytest.raises(UserError, match="between which the table goes"):
        benchmark_machine.write_table(page, "new")


def test_medians_of_rounds_after_one_to_warm_up():
    """Cases take turns; what they return is measured too."""
    calls = []

    def case():
        calls.append("a")
        return {"peak_MiB": [100.0, 1.0, 3.0, 2.0][calls.count("a") - 1]}

    arguments = benchmark.parse(["--repetitions", "3", "--device", "cpu"])
    rows = benchmark.run({"a": case, "b": lambda: calls.append("b")}, arguments)
    assert calls == ["a", "b"] * 4
    assert [row["case"] for row in rows] == ["a", "b"]
    assert rows[0]["peak_MiB"] == 2
    assert rows[1]["fastest"] <= rows[1]["seconds"] <= rows[1]["slowest"]


def test_lens_step_takes_the_recipes_options(tmp_path):
    """What the shell makes of the recipe."""
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", str(training.PORTRAIT), str(tmp_path), "name"]
    ran = subprocess.run(command, env=os.environ | {"PATH": path}, check=True, capture_output=True, text=True)
    place = ["train.py", "--dataroot", str(tmp_path), "--name", "name"]
    assert ran.stdout.splitlines() == [*place, *training.portrait_words()]


def test_folders_of_a_benchmark_go_with_it():
    code = "from scripts.benchmark_machine import scratch_folder as f; print(f().is_dir(), f())"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    was_there, folder = ran.stdout.split()
    assert was_there == "True" and not Path(folder).exists()


def test_peers_paste_the_photo_before_its_blur(tmp_path):
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    mask = np.zeros((40, 50), np.float32)
    mask[:, 25:] = 1
    for blur in ("disc", "gaussian"):
        soft = soft_behind(picture, mask, blur, 6.0)
        assert np.array_equal(soft[:, 25:], picture[:, 25:])
        # A mean over a hundred pixels of noise.
        assert soft[8:-8, 8:17].std() < 0.2 * picture.std()


def test_commands_are_whole_programs_whose_cpu_and_memory_are_measured(tmp_path):
    (tmp_path / "photos").mkdir()
    pixels = photo(32, 48)
    write_pixels(pixels, tmp_path / "photos" / "0.png")
    case = command(
        ["scripts/peer_blur.py", "--segmenter", "none", "--blur", "none"], tmp_path / "photos", tmp_path
    )
    figures = case()
    assert figures["cpu_seconds"] > 0.05
    # Not the memory of this process, which has imported PyTorch.
    assert 20 < figures["peak_MiB"] < 0.8 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert figures["seconds_a_photo"] > 0.05
    assert np.array_equal(read_pixels(tmp_path / "results" / "0.png"), pixels)
    with pytest.raises(RuntimeError, match="no such folder"):
        command(["scripts/peer_blur.py", "--segmenter", "none"], tmp_path / "nothing", tmp_path)()


def test_photos_are_scaled_to_megapixels(tmp_path):
    left = np.zeros((30, 40, 3), np.uint8)
    left[:, 20:] = 200
    write_pixels(left, tmp_path / "a.png")
    large = taken(tmp_path / "a.png", 1)
    assert large.shape == (866, 1155, 3)
    assert np.all(large[:, :500] == 0)
    assert np.all(large[:, 650:] == 200)
