import subprocess
import zipfile

import pytest

from deeplab import weights
from deeplab.segmenters import create_segmenter
from tests.extras import need
from util.errors import UserError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BOKEH_CYCLEGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def make_wheel(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(weights.SELFIE_MEMBER, content)


def test_selfie_model_comes_out_of_the_wheel_once(cache, monkeypatch):
    calls = []

    def pip(command, **_):
        calls.append(command)
        folder = next(word for word in command if word.startswith("--dest=")).removeprefix("--dest=")
        make_wheel(f"{folder}/mediapipe.whl", b"model")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    monkeypatch.setattr(  # sha256sum of "model"
        weights, "SELFIE_SHA256", "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4"
    )
    assert weights.selfie_model() == weights.selfie_model() == b"model"
    assert len(calls) == 1 and "--no-deps" in calls[0] and "mediapipe==0.10.21" in calls[0]
    (cache / "selfie_segmentation.tflite").write_bytes(b"damaged")
    assert weights.selfie_model() == b"model"
    assert len(calls) == 2
    assert [path.name for path in cache.iterdir()] == ["selfie_segmentation.tflite"]


def test_offline_is_one_line_that_says_what_to_do(cache, monkeypatch):
    def pip(command, **_):
        return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: No such wheel\n")

    monkeypatch.setattr(subprocess, "run", pip)
    with pytest.raises(UserError, match=r"No such wheel.*go online once, or give --weights") as error:
        weights.selfie_model()
    assert "\n" not in str(error.value)
    assert not cache.exists()


def test_wheels_and_files_that_are_not_the_model_are_refused(tmp_path):
    need("ai_edge_litert")
    make_wheel(tmp_path / "other.whl", b"another model")
    with pytest.raises(UserError, match="not the one of mediapipe"):
        weights.selfie_model(tmp_path / "other.whl")
    (tmp_path / "broken.whl").write_bytes(b"PK")
    with pytest.raises(UserError, match="no selfie model in there"):
        weights.selfie_model(tmp_path / "broken.whl")
    (tmp_path / "x.tflite").write_bytes(b"no model")
    with pytest.raises(UserError, match="not a model that LiteRT can run"):
        create_segmenter("selfie", tmp_path / "x.tflite")
    with pytest.raises(UserError, match="no such file"):
        create_segmenter("selfie", tmp_path / "y.tflite")
