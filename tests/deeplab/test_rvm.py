"""Robust Video Matting: its weights out of a package once, and what it is shown, by a graph of known output."""

import hashlib
import io
import json
import tarfile
from contextlib import contextmanager

import numpy as np
import pytest

from deeplab import weights
from deeplab.segmenters import create_segmenter
from tests.extras import need
from tests.local_server import Reply, local_server
from util.errors import UserError

FLOAT = {"type": "DT_FLOAT"}


def counting_graph():
    """alpha = mean of the colours times the state; state = state before + downsample_ratio."""
    names = ("src", "downsample_ratio", "r1i", "r2i", "r3i", "r4i")
    unknown = {"shape": {"unknownRank": True}}
    nodes = [
        {"name": name, "op": "Placeholder", "attr": {"dtype": FLOAT, "shape": unknown}} for name in names
    ]
    axis = {"dtype": {"type": "DT_INT32"}, "value": {"tensor": {"dtype": "DT_INT32", "tensorShape": {}}}}
    nodes.append({"name": "axis", "op": "Const", "attr": axis})
    mean = {"T": FLOAT, "Tidx": {"type": "DT_INT32"}, "keep_dims": {"b": True}}
    nodes.append({"name": "mean", "op": "Mean", "input": ["src", "axis"], "attr": mean})
    add, alpha = ["r1i", "downsample_ratio"], ["mean", "Identity_2"]
    nodes.append({"name": "Identity_2", "op": "AddV2", "input": add, "attr": {"T": FLOAT}})
    nodes.append({"name": "Identity_1", "op": "Mul", "input": alpha, "attr": {"T": FLOAT}})
    for number, state in ((3, "r2i"), (4, "r3i"), (5, "r4i")):
        node = {"name": f"Identity_{number}", "op": "Identity", "input": [state], "attr": {"T": FLOAT}}
        nodes.append(node)
    entries = [{"name": "axis", "shape": [], "dtype": "int32"}]
    model = {"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": entries}]}
    return json.dumps(model).encode(), np.int32(3).tobytes()


FILES = dict(zip(("rvm.json", "rvm.bin"), counting_graph(), strict=True))
OF_THE_DETECTOR = {"nanodet.json": b"{}", "nanodet.bin": b"weights"}
ALL = FILES | OF_THE_DETECTOR


def package(files):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"package/models/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return content.getvalue()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BOKEH_CYCLEGAN_CACHE", str(tmp_path / "cache"))
    sums = {
        model: {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        for model, files in (("rvm", FILES), ("nanodet", OF_THE_DETECTOR))
    }
    monkeypatch.setattr(weights, "PEOPLE_SHA256", sums)
    return tmp_path / "cache"


@contextmanager
def npm(monkeypatch, body):
    """A server that has this for the package."""
    with local_server(lambda request: Reply(body)) as server:
        monkeypatch.setattr(weights, "PEOPLE_URL", f"{server.url}/human-models.tgz")
        yield server


@pytest.mark.parametrize(("size", "ratio"), [((40, 30), 1), ((30, 1024), 0.5), ((2000, 20), 0.32)])
def test_a_photo_is_shown_three_times_at_its_own_size_up_to_1600(tmp_path, size, ratio):
    need("tensorflow")
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    photo = np.full((size[1], size[0], 3), 51, np.uint8)  # 0.2 of white
    mask = create_segmenter("rvm", tmp_path / "rvm.json")(photo[None])
    assert mask.shape == (1, size[1], size[0])
    np.testing.assert_allclose(mask, 0.2 * 3 * ratio, rtol=1e-5)


def test_all_files_are_taken_out_of_the_package_at_once(cache, monkeypatch, capsys):
    with npm(monkeypatch, package(ALL | {"other.bin": b"x"})) as server:
        topology, content = weights.rvm_files()
        assert weights.rvm_files() == (topology, content)
        boxes = weights.detector_files()
    assert server.paths() == ["/human-models.tgz"]
    assert topology.read_bytes() == FILES["rvm.json"] and content.read_bytes() == FILES["rvm.bin"]
    assert [path.read_bytes() for path in boxes] == list(OF_THE_DETECTOR.values())
    there = sorted(path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file())
    assert there == ["nanodet/nanodet.bin", "nanodet/nanodet.json", "rvm/rvm.bin", "rvm/rvm.json"]
    said = capsys.readouterr().err
    assert said.count("GPL-3.0") == 1 and "(rvm and nanodet): 12 MB" in said


def test_of_two_models_only_the_one_that_is_missing_is_fetched(cache, monkeypatch, capsys):
    for name, data in FILES.items():
        (cache / "rvm").mkdir(parents=True, exist_ok=True)
        (cache / "rvm" / name).write_bytes(data)
    with npm(monkeypatch, package(OF_THE_DETECTOR)) as server:
        weights.rvm_files()
        assert server.paths() == []
        weights.detector_files()
    assert server.paths() == ["/human-models.tgz"]
    said = capsys.readouterr().err
    assert "(nanodet): 8 MB" in said and "GPL" not in said


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            package(ALL | {"rvm.bin": b"other"}),
            "rvm.bin in it is missing or not the one",
        ),
        (package(FILES), "nanodet.json in it is missing"),
        (package(ALL)[:-30], "damaged"),
        (b"<html>", "damaged"),
    ],
)
def test_what_is_not_the_package_leaves_nothing_behind(cache, monkeypatch, body, message):
    with npm(monkeypatch, body):
        with pytest.raises(UserError, match=f"rvm can't be fetched .*{message}.*take --segmenter selfie"):
            weights.rvm_files()
        with pytest.raises(UserError, match=f"detector nanodet can't be fetched .*{message}"):
            weights.detector_files()
    assert list(cache.rglob("*.*")) == []


def test_files_given_are_looked_for(tmp_path):
    need("tensorflow")
    (tmp_path / "rvm.json").write_bytes(b"{}")
    with pytest.raises(UserError, match=r"rvm.bin: no such file"):
        create_segmenter("rvm", tmp_path / "rvm.json")
    (tmp_path / "rvm.bin").write_bytes(b"")
    with pytest.raises(UserError, match=r"rvm.json: not a TensorFlow.js graph model"):
        create_segmenter("rvm", tmp_path / "rvm.json")
