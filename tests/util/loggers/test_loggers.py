"""What TensorBoard, wandb and trackio hold of a run that is stopped and goes on, read back from what they keep."""

import argparse
import json
import os
import re
import struct
import sys
import tempfile
import time
from collections import defaultdict

import pytest
import torch
from PIL import Image

from options import TrainOptions
from tests.util.loggers.stand_ins import TrackioDatabase, WandbServer, is_number
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


class Kept:
    """Where a logger keeps runs, to read them back."""

    def later(self):
        """Between two runs."""


class TensorBoard(Kept):
    name = "tensorboard"

    def __init__(self, folder, monkeypatch):
        pytest.importorskip("tensorboard")
        self.folder = folder / "run" / "tensorboard"

    def read(self):
        from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
        from tensorboard.util.tensor_util import make_ndarray

        # What the pages of TensorBoard read from: the events that no restart has purged.
        events = EventAccumulator(
            str(self.folder), tensor_size_guidance={"scalars": 0, "images": 0, "text": 0}
        )
        events.Reload()
        points = {
            tag: [(event.step, make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)]
            for tag in events.Tags()["tensors"]
        }
        texts = points.pop("options/text_summary")
        assert len({step for step, _ in texts}) == len(texts)
        pictures = [(step, int(value[0]), int(value[1])) for step, value in points.pop("samples", [])]
        curves = {tag: [(step, value.item()) for step, value in values] for tag, values in points.items()}
        return curves, pictures, texts[-1][1].item().decode()


class Wandb(Kept):
    """The real one, in offline mode: what its transaction logs say, one after the other."""

    name = "wandb"

    def __init__(self, folder, monkeypatch):
        pytest.importorskip("wandb")
        monkeypatch.setenv("WANDB_MODE", "offline")
        monkeypatch.setenv("WANDB_SILENT", "true")
        self.folder = folder / "run" / "wandb"

    def later(self):
        """Its folders are named by the second; two of one run can't be in the same but in tests."""
        time.sleep(1.1)

    def read(self):
        import wandb
        from wandb.proto import wandb_internal_pb2

        # Its service has written all by then.
        wandb.teardown()
        history, config = defaultdict(dict), {}
        # By the time that they were begun, which is no part of the name for two in one second.
        files = sorted(self.folder.glob("offline-run-*/*.wandb"), key=lambda file: file.stat().st_mtime_ns)
        ids = set()
        for file in files:
            for content in transaction_log(file.read_bytes()):
                record = wandb_internal_pb2.Record()
                record.ParseFromString(content)
                if record.HasField("run"):
                    ids.add(record.run.run_id)
                    config = {item.key: item.value_json for item in record.run.config.update} or config
                    if record.run.HasField("branch_point"):
                        point = record.run.branch_point
                        assert (point.run, point.metric) == (record.run.run_id, "_step")
                        for step in [step for step in history if step > point.value]:
                            del history[step]
                if record.HasField("history"):
                    for item in record.history.item:
                        name = item.key or "/".join(item.nested_key)
                        assert name not in history[record.history.step.num]
                        history[record.history.step.num][name] = json.loads(item.value_json)
        assert len(ids) == 1
        for values in history.values():
            size = [values.pop(f"samples/{side}", None) for side in ("width", "height")]
            if all(size):
                values["samples"] = ("image", size)
        return (*of_history(history), config["lens_radii"])


def transaction_log(data):
    """Records of a file of wandb: LevelDB's log format behind 7 bytes of header."""
    at, record = 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        record += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield record
            record = b""


def of_history(history):
    curves, pictures = defaultdict(list), []
    for step, values in sorted(history.items()):
        for name, value in values.items():
            if is_number(value) and not name.startswith(("_", "samples/")):
                curves[name].append((step, value))
            elif name == "samples":
                pictures.append((step, *value[1]))
    return dict(curves), pictures


class WandbStandIn(Kept):
    name = "wandb"

    def __init__(self, folder, monkeypatch):
        self.server, self.project = WandbServer(), folder.name
        monkeypatch.setitem(sys.modules, "wandb", self.server.module())

    def read(self):
        (run,) = self.server.runs.values()
        assert (run["project"], run["name"]) == (self.project, "run")
        return (*of_history(run["history"]), str(run["config"]["lens_radii"]))


class Trackio(Kept):
    """The real one, with a database in a folder that all these tests share: it reads the name once."""

    name = "trackio"
    folder = tempfile.mkdtemp()

    def __init__(self, folder, monkeypatch):
        os.environ.setdefault("TRACKIO_DIR", self.folder)
        pytest.importorskip("trackio")
        self.project = folder.name

    def read(self):
        from trackio import Api
        from trackio.sqlite_storage import SQLiteStorage

        (run,) = Api().runs(self.project)
        assert run.name == "run"
        from trackio.utils import MEDIA_DIR

        curves, pictures = defaultdict(list), []
        for entry in SQLiteStorage.get_logs(self.project, run.name, run_id=run.id):
            for name, value in entry.items():
                if name == "samples":
                    picture = Image.open(MEDIA_DIR / value["file_path"])
                    pictures.append((entry["step"], *picture.size))
                elif name not in ("step", "timestamp"):
                    curves[name].append((entry["step"], value))
        return {name: sorted(points) for name, points in curves.items()}, sorted(pictures), str(run.config)


class TrackioStandIn(Kept):
    name = "trackio"

    def __init__(self, folder, monkeypatch):
        self.database, self.project = TrackioDatabase(folder), folder.name
        for name, module in self.database.modules().items():
            monkeypatch.setitem(sys.modules, name, module)

    def read(self):
        ((project, name, config),) = self.database.runs.values()
        assert (project, name) == (self.project, "run")
        curves, pictures = defaultdict(list), []
        for row in self.database.rows:
            for key, value in row.items():
                if key == "samples":
                    pictures.append((row["step"], *value["size"]))
                elif key not in ("run", "step"):
                    curves[key].append((row["step"], value))
        return {name: sorted(points) for name, points in curves.items()}, sorted(pictures), str(config)


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
    pytest.importorskip("tensorboard")
    board, stand_in = TensorBoard(tmp_path, monkeypatch), WandbStandIn(tmp_path, monkeypatch)
    monkeypatch.setitem(sys.modules, "trackio", None)
    train(options(tmp_path, "wandb", "tensorboard", "wandb"), (100, 200))
    check(board, (100, 200))
    check(stand_in, (100, 200))


def test_a_new_run_in_the_folder_of_an_old_one_begins_anew(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
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
