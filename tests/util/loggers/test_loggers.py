"""What TensorBoard, wandb and trackio hold of a run that is stopped and goes on, read back from what they keep."""

import argparse
import re
import sys

import pytest
import torch

from options import TrainOptions
from tests.extras import need
from tests.util.loggers.readers import TensorBoard, Trackio, TrackioStandIn, Wandb, WandbStandIn
from util.errors import UserError
from util.loggers import LOGGERS
from util.pace import Pace
from util.visualizer import Visualizer

PACE = Pace(4, 1.0, 0.0)
# Two pictures of 32 pixels and what is between them, below their captions.
SHEET = (2 * 32 + 4, 32 + 24)


def options(folder, *logger):
    values = {
        "checkpoints_dir": str(folder),
        "name": "run",
        "no_html": True,
        "display_id": 0,
        "display_ncols": 0,
        "display_winsize": 32,
        "logger": list(logger),
        "logger_project": folder.name,
        "lens_radii": [2.0, 4.0],
    }
    return argparse.Namespace(**values)


def train(opt, steps, resume_iters=0, shift=0.0):
    """A run that logs, shows and validates at `steps`."""
    visualizer = Visualizer(opt, resume_iters)
    for step in steps:
        losses = {"G_A": step / 1000 + shift, "D_A": 0.5, "mask_A": 2.0}
        visualizer.print_current_losses(1, step, losses, PACE, 2e-4)
        visuals = {"real_A": torch.zeros(1, 3, 16, 24), "fake_B": torch.ones(1, 3, 16, 24)}
        visualizer.display_current_results(visuals, 1, step, save_html=False)
        if step % 200 == 0:
            visualizer.print_validation(1, step, {"subject_psnr": step / 10 + shift})
    visualizer.close()


@pytest.fixture(
    params=[TensorBoard, WandbStandIn, TrackioStandIn, Wandb, Trackio], ids=lambda kind: kind.__name__
)
def kept(request, tmp_path, monkeypatch):
    """Where one logger keeps a run, and how it is read back."""
    return request.param(tmp_path, monkeypatch)


def same_points(curve, expected):
    """Each step once, in order, at its value."""
    assert [step for step, _ in curve] == list(expected)
    assert [value for _, value in curve] == pytest.approx(list(expected.values()))


def check(kept, steps, changed_from=0):
    """What is kept is each of `steps` once, with the values of the second run from `changed_from` on."""
    curves, pictures, config = kept.read()
    shift = {step: 0.25 if changed_from and step >= changed_from else 0.0 for step in steps}
    assert curves.keys() == {
        "generator/G_A", "discriminator/D_A", "mask/mask_A", "pace/lr", "pace/images_per_s", "validation/subject_psnr",
    }  # fmt: skip
    same_points(curves["generator/G_A"], {step: step / 1000 + shift[step] for step in steps})
    validated = {step: step / 10 + shift[step] for step in steps if step % 200 == 0}
    same_points(curves["validation/subject_psnr"], validated)
    same_points(curves["pace/lr"], dict.fromkeys(steps, 2e-4))
    assert [step for step, *_ in pictures] == list(steps)
    assert {(width, height) for _, width, height in pictures} == {SHEET}
    assert re.search(r"\[2(\.0)?, ?4(\.0)?\]", config)


def test_a_stopped_run_that_goes_on_is_there_once(kept, tmp_path):
    opt = options(tmp_path, kept.name)
    train(opt, (100, 200, 300, 400))
    check(kept, (100, 200, 300, 400))
    kept.later()
    # Back to the state at 200, with the validation of that step to do again.
    opt = options(tmp_path, kept.name)
    resumed = Visualizer(opt, 200)
    resumed.print_validation(1, 200, {"subject_psnr": 20.0})
    resumed.close()
    kept.later()
    train(opt, (300, 400, 500), resume_iters=200, shift=0.25)
    check(kept, (100, 200, 300, 400, 500), changed_from=300)


def test_a_run_that_gets_a_logger_later_shows_its_past(kept, tmp_path):
    train(options(tmp_path), (100, 200))
    train(options(tmp_path, kept.name), (300,), resume_iters=200)
    curves, pictures, _ = kept.read()
    same_points(curves["generator/G_A"], {100: 0.1, 200: 0.2, 300: 0.3})
    assert [step for step, *_ in pictures] == [300]


def test_several_at_once_and_what_is_not_asked_for_is_not_imported(tmp_path, monkeypatch):
    need("tensorboard")
    board, stand_in = TensorBoard(tmp_path, monkeypatch), WandbStandIn(tmp_path, monkeypatch)
    monkeypatch.setitem(sys.modules, "trackio", None)
    train(options(tmp_path, "wandb", "tensorboard", "wandb"), (100, 200))
    check(board, (100, 200))
    check(stand_in, (100, 200))


def test_a_new_run_in_the_folder_of_an_old_one_begins_anew(tmp_path, monkeypatch):
    need("tensorboard")
    board, stand_in = TensorBoard(tmp_path, monkeypatch), WandbStandIn(tmp_path, monkeypatch)
    for shift in (0.5, 0.0):
        train(options(tmp_path, "wandb", "tensorboard"), (100, 200), shift=shift)
    check(board, (100, 200))
    assert len(stand_in.server.runs) == 2


def test_a_missing_package_is_told_before_the_run(monkeypatch):
    monkeypatch.setattr("util.loggers.find_spec", lambda name: None)
    for name in LOGGERS:
        with pytest.raises(UserError, match=rf"--logger {name}: {name} is not installed; .*\.\[{name}\]'"):
            TrainOptions().parse(["--dataroot", "photos", "--logger", name])
    assert TrainOptions().parse(["--dataroot", "photos", "--logger"]).logger == []


def test_wandb_that_lets_nobody_in_gives_one_line(tmp_path, monkeypatch):
    stand_in = WandbStandIn(tmp_path, monkeypatch)
    stand_in.server.refuses = "api_key not configured (no-tty)\nmore"
    with pytest.raises(
        UserError, match=r"--logger wandb: api_key .*; run: wandb login, or set WANDB_MODE"
    ) as caught:
        Visualizer(options(tmp_path, "wandb"))
    assert "\n" not in str(caught.value)
    (tmp_path / "run" / "wandb_run.json").write_text("{")
    with pytest.raises(UserError, match=r"wandb_run\.json: can't be read; remove it"):
        Visualizer(options(tmp_path, "wandb"), 100)


def test_on_another_machine_a_resumed_run_of_trackio_has_a_name_of_its_own(tmp_path, monkeypatch):
    stand_in = TrackioStandIn(tmp_path, monkeypatch)
    monkeypatch.setenv("TRACKIO_SPACE_ID", "me/space")
    train(options(tmp_path, "trackio"), (100, 200))
    train(options(tmp_path, "trackio"), (200,), resume_iters=100)
    runs = {name: number for number, (_, name, _) in stand_in.database.runs.items()}
    assert list(runs) == ["run", "run, from 100"]
    second = [row["step"] for row in stand_in.database.rows if row["run"] == runs["run, from 100"]]
    assert sorted(set(second)) == [100, 200]
