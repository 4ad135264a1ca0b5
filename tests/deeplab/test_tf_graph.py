"""The frozen-graph segmenter on a graph whose answer is known: red is a person, green another class."""

import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from tests.extras import need

need("tensorflow")

from deeplab import inference, weights
from deeplab.segmenters import create_segmenter
from tests.local_server import Reply, local_server
from util.errors import UserError


@pytest.fixture(scope="module")
def graph() -> bytes:
    """A frozen graph with the published names: 15 where red, 8 where green; 0 unless the longer side is 513."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.uint8, [1, None, None, 3], "ImageTensor")
        fits = tf.cast(tf.equal(tf.reduce_max(tf.shape(image)), 513), tf.int64)
        bright = tf.cast(image > 127, tf.int64)
        tf.multiply(15 * bright[..., 0] + 8 * bright[..., 1], fits, "SemanticPredictions")
    return graph.as_graph_def().SerializeToString()


@pytest.fixture
def archive(graph, tmp_path):
    """The graph in a tarball as published."""
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, content in (("model/checkpoint", b"no"), ("model/frozen_inference_graph.pb", graph)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("size", [(900, 600), (60, 90), (513, 513), (1, 1)])
def test_person_is_brought_back_to_the_photos_size(archive, size):
    width, height = size
    photo = np.zeros((height, width, 3), np.uint8)
    photo[: height // 2, :, 1] = 255
    photo[height // 2 :, width // 3 :, 0] = 255
    mask = create_segmenter("deeplab", archive)(np.stack([photo, photo[:, ::-1]]))
    assert mask.shape == (2, height, width) and mask.dtype == np.float32
    truth = photo[..., 0] > 127
    for got, expected in zip(mask, (truth, truth[:, ::-1]), strict=True):
        got = got > 0.5
        inside = np.asarray(Image.fromarray(expected).resize(size))  # away from edges it is exact
        edge = np.zeros_like(expected)
        edge[:-1] |= expected[:-1] != expected[1:]
        edge[1:] |= expected[:-1] != expected[1:]
        edge[:, :-1] |= expected[:, :-1] != expected[:, 1:]
        edge[:, 1:] |= expected[:, :-1] != expected[:, 1:]
        assert (got == inside)[~edge].all()


def test_a_bare_graph_file_serves_too(graph, tmp_path):
    (tmp_path / "g.pb").write_bytes(graph)
    photo = np.full((1, 40, 40, 3), 255, np.uint8)  # red and green: class 23, no person
    photo[..., 20:, 1] = 0
    mask = create_segmenter("deeplab", tmp_path / "g.pb")(photo)
    assert mask[0, :, :18].max() == 0 and mask[0, :, 22:].min() == 1


def test_published_archives_are_fetched_once_and_resumed(archive, tmp_path, monkeypatch):
    content = archive.read_bytes()
    monkeypatch.setenv("BOKEH_CYCLEGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("util.download.random.uniform", lambda *_: 0)  # no waiting

    def answer(request):
        start = int(request.headers.get("range", "bytes=0-")[6:-1])
        headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        return Reply(content[start:], 206 if start else 200, headers, cut=None if start else 100)

    with local_server(answer) as server:
        monkeypatch.setattr(weights, "DEEPLAB_URL", server.url + "/models/")
        for _ in range(2):
            create_segmenter("deeplab", model="mobilenetv2_coco_voctrainaug")
    assert server.paths() == ["/models/deeplabv3_mnv2_pascal_train_aug_2018_01_29.tar.gz"] * 2
    assert server.requests[1].headers["range"] == "bytes=100-"


def test_a_damaged_archive_is_not_kept(archive, tmp_path, monkeypatch):
    content = bytearray(archive.read_bytes())
    content[-6] ^= 255  # the checksum
    monkeypatch.setenv("BOKEH_CYCLEGAN_CACHE", str(tmp_path / "cache"))
    with local_server(lambda _: Reply(bytes(content))) as server:
        monkeypatch.setattr(weights, "DEEPLAB_URL", server.url + "/")
        with pytest.raises(UserError, match=r"what came is damaged.*or give --weights FILE"):
            create_segmenter("deeplab")
    assert server.paths() == ["/deeplabv3_pascal_trainval_2018_01_04.tar.gz"]
    assert list((tmp_path / "cache").iterdir()) == []


def test_files_that_are_no_graph_are_refused(tmp_path):
    (tmp_path / "x.pb").write_bytes(b"\xff" * 50)
    (tmp_path / "x.tar.gz").write_bytes(b"\x1f\x8b nothing")
    with tarfile.open(tmp_path / "empty.tar.gz", "w:gz"):
        pass
    for name, message in (
        ("x.pb", "not a DeepLab graph"),
        ("x.tar.gz", "damaged"),
        ("empty.tar.gz", "holds no frozen_inference_graph.pb"),
        ("missing.pb", "no such file"),
    ):
        with pytest.raises(UserError, match=message) as error:
            create_segmenter("deeplab", tmp_path / name)
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="--model resnet: unknown; choose one of xception_coco_voctrainval"):
        create_segmenter("deeplab", model="resnet")


def test_input_size_is_what_the_graph_sees(archive, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (60, 90), "red").save(tmp_path / "photos/me.png")
    common = ["--input", str(tmp_path / "photos"), "--weights", str(archive), "--num_workers", "0"]
    for side, empty in ((513, 0), (256, 1)):  # the graph finds people at 513 alone
        inference.main([*common, "--output", str(tmp_path / str(side)), "--input_size", str(side)])
        assert f"{empty} without a person" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        inference.main(
            [*common, "--output", str(tmp_path / "m"), "--segmenter", "selfie", "--input_size", "256"]
        )
    assert "--input_size is for --segmenter deeplab and onnx:FILE; selfie has" in capsys.readouterr().err
