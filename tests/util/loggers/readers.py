"""What TensorBoard, wandb and trackio keep of a run, read back: of the real ones, and of stand-ins."""

import json
import os
import struct
import sys
import tempfile
import time
from collections import defaultdict

from PIL import Image

from tests.extras import need
from tests.util.loggers.stand_ins import TrackioDatabase, WandbServer, is_number


class Kept:
    """Where a logger keeps runs, to read them back."""

    def later(self):
        """Between two runs."""


class TensorBoard(Kept):
    name = "tensorboard"

    def __init__(self, folder, monkeypatch):
        need("tensorboard")
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
        need("wandb")
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
        need("trackio")
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
