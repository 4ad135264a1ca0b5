"""The benchmark's reference takes the same step as the model it is compared with."""

import json

import pytest
import torch

from models import create_model
from scripts import benchmark


def test_reference_and_model_take_the_same_step():
    arguments = benchmark.parse(["--small", "--device", "cpu"])
    small = ["--ngf", "4", "--ndf", "4", "--crop_size", "32", "--precision", "fp32", "--pool_size", "0"]
    opt = benchmark.train_options(arguments, *benchmark.RECIPES["combined"], *small)
    batch = benchmark.random_batch(opt)
    losses = []
    for make in (benchmark.ReferenceModel, create_model):
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
    assert "| step a fp32 | 1 | 1 | 0.25 |" in benchmark.table(rows)
    assert json.dumps(rows)
