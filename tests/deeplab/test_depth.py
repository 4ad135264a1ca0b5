"""Depth from files and from a network of Depth Anything's interface, and the camera that uses it."""

import hashlib

import cv2
import numpy as np
import pytest
from PIL import Image

from deeplab import depth_maps
from deeplab.depth import main as depth_main
from deeplab.depth_maps import DepthEstimator, DepthSource, fitted, read_depth
from deeplab.inference import main
from tests.extras import need
from tests.local_server import Reply, local_server
from util.errors import UserError
from util.images import read_image, read_pixels, write_pixels


@pytest.fixture
def network(tmp_path):
    """An ONNX file `[1,3,h,w]` -> `[1,h,w]`: the mean of the channels that it sees."""
    need("onnxruntime")
    onnx = need("onnx")
    helper, TensorProto = onnx.helper, onnx.TensorProto
    node = helper.make_node("ReduceMean", ["pixel_values", "axes"], ["predicted_depth"], keepdims=0)
    graph = helper.make_graph(
        [node],
        "depth",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("predicted_depth", TensorProto.FLOAT, [1, "h", "w"])],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "depth.onnx")
    return tmp_path / "depth.onnx"


def ramp(height: int = 40, width: int = 60) -> np.ndarray:
    """uint8 `[H,W,3]`, from dark on the left to bright on the right."""
    return np.repeat(np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))[..., None], 3, axis=2)


def test_files_of_all_kinds_hold_the_same_depth(tmp_path):
    depth = np.random.default_rng(0).random((20, 30), dtype=np.float32)
    depth = (depth - depth.min()) / (depth.max() - depth.min())
    np.save(tmp_path / "a.npy", 3 * depth + 7)
    cv2.imwrite(str(tmp_path / "b.pfm"), depth)
    write_pixels((depth[..., None] * 65535).round().astype(np.uint16), tmp_path / "c.png")
    write_pixels((depth[..., None] * 255).round().astype(np.uint8), tmp_path / "d.png")
    for name, error in (("a.npy", 1e-5), ("b.pfm", 1e-5), ("c.png", 1e-4), ("d.png", 3e-3)):
        assert np.abs(read_depth(tmp_path / name) - depth).max() < error, name
        assert np.abs(read_depth(tmp_path / name, far_is_bright=True) - (1 - depth)).max() < error, name


def test_arrays_with_a_batch_or_channels_and_both_orders_of_bytes(tmp_path):
    depth = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    np.save(tmp_path / "batch.npy", depth[None])
    np.save(tmp_path / "channels.npy", np.repeat(depth[..., None], 3, axis=2))
    for order, scale in ((">", b"1.0"), ("<", b"-1.0")):
        # The rows of a PFM go from bottom to top.
        rows = depth[::-1].astype(f"{order}f4").tobytes()
        (tmp_path / f"{'big' if order == '>' else 'little'}.pfm").write_bytes(
            b"Pf\n4 3\n" + scale + b"\n" + rows
        )
    for name in ("batch.npy", "channels.npy", "big.pfm", "little.pfm"):
        assert np.abs(read_depth(tmp_path / name) - depth).max() < 1e-6, name


def test_maps_that_cannot_be_used(tmp_path):
    np.save(tmp_path / "empty.npy", np.zeros((0, 4)))
    np.save(tmp_path / "words.npy", np.array([["near", "far"]]))
    for name, words in (("empty", "this is"), ("words", "numbers")):
        with pytest.raises(UserError, match=words):
            read_depth(tmp_path / f"{name}.npy")
    np.save(tmp_path / "constant.npy", np.ones((4, 4)))
    np.save(tmp_path / "nan.npy", np.array([[0, np.nan], [1, 2]]))
    (tmp_path / "text.npy").write_text("no")
    for name, words in (("constant", "same depth"), ("nan", "finite"), ("text", "array"), ("none", "array")):
        with pytest.raises(UserError, match=words):
            read_depth(tmp_path / f"{name}.npy")
    with pytest.raises(UserError, match="no such file"):
        read_depth(tmp_path / "none.png")
    with pytest.raises(UserError, match="proportions"):
        fitted(np.zeros((40, 40), np.float32), ramp(), "map")


def test_edges_of_a_coarse_map_move_to_the_photos():
    """The photo's edge is at column 300, that of the map, a third as large, three columns beside it and soft."""
    photo = np.zeros((600, 600, 3), np.uint8)
    photo[:, 300:] = 255
    depth = np.zeros((200, 200), np.float32)
    depth[:, 101:] = 1
    depth[:, 101] = 0.5
    moved = fitted(depth, photo, "map")[300]
    assert moved[:300].max() < 0.1 and moved[300:].min() > 0.3
    assert moved[310] > 0.8
    # Before, the middle of the step was at 304.
    assert cv2.resize(depth, (600, 600))[300, 300] < 0.2


def test_the_network_sees_what_depth_anything_expects(network):
    """Shorter side 518, multiples of 14, ImageNet's mean and deviation; its values come back scaled to [0,1]."""
    estimate = DepthEstimator(network)
    seen = []
    session = estimate._session

    class Recorder:
        get_inputs = staticmethod(session.get_inputs)

        @staticmethod
        def run(names, feed):
            seen.append(next(iter(feed.values())))
            return session.run(names, feed)

    estimate._session = Recorder()
    photo = ramp()
    depth = estimate(photo)
    assert seen[0].shape == (1, 3, 518, 784)
    assert seen[0][0, :, 0, 0] == pytest.approx(
        -np.array([0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225], abs=1e-5
    )
    assert depth.shape == (40, 60) and depth.min() == pytest.approx(0, abs=0.01)
    assert np.abs(depth - photo[..., 0] / 255).max() < 0.02


def test_weights_are_fetched_checked_and_kept(network, tmp_path, monkeypatch):
    monkeypatch.setenv("BOKEH_CYCLEGAN_CACHE", str(tmp_path / "cache"))
    content = network.read_bytes()
    with local_server(lambda _: Reply(content)) as server:
        monkeypatch.setattr(depth_maps, "URL", f"{server.url}/model.onnx")
        monkeypatch.setattr(depth_maps, "SHA256", hashlib.sha256(content).hexdigest())
        DepthEstimator()
        DepthEstimator()
        assert len(server.requests) == 1
    assert (tmp_path / "cache" / depth_maps.NAME).read_bytes() == content


def test_wrong_weights_are_one_line(tmp_path):
    need("onnxruntime")
    (tmp_path / "no.onnx").write_text("no network")
    for name, words in (("no.onnx", "not an ONNX"), ("none.onnx", "no such file")):
        with pytest.raises(UserError, match=f"--depth_weights.*{words}"):
            DepthEstimator(tmp_path / name)


def test_depth_of_a_dataroot_lies_beside_its_masks(network, tmp_path):
    write_pixels(ramp(), tmp_path / "root/trainA/a.png")
    write_pixels(ramp()[:, ::-1], tmp_path / "root/valB/b.png")
    depth_main(["--dataroot", str(tmp_path / "root"), "--depth_weights", str(network)])
    depth = read_pixels(tmp_path / "root/depthA/a.png", channels=1)
    assert depth.dtype == np.uint16 and depth[20, 50, 0] > 50_000 > 15_000 > depth[20, 9, 0]
    made = (tmp_path / "root/depthB/b.png").stat().st_mtime_ns
    depth_main(["--dataroot", str(tmp_path / "root"), "--depth_weights", str(network)])
    assert (tmp_path / "root/depthB/b.png").stat().st_mtime_ns == made


def test_a_folder_has_the_map_by_the_stem(tmp_path):
    np.save(tmp_path / "a.npy", ramp()[..., 0])
    depth_of = DepthSource(str(tmp_path))
    assert depth_of(tmp_path / "photos/a.jpg", ramp())[20, 55] > 0.8
    with pytest.raises(UserError, match=r"no map for b\.jpg"):
        depth_of(tmp_path / "photos/b.jpg", ramp())


def test_lens_smoothing_follows_depth_and_focus(tmp_path, capsys):
    """Blur grows with the distance from the focus; the subject is the photo's; another focus, another sharp place."""
    photo = np.random.default_rng(1).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    write_pixels(photo, tmp_path / "root/testA/a.png")
    mask = np.zeros((64, 96, 1), np.uint8)
    mask[20:50, 60:80] = 255
    write_pixels(mask, tmp_path / "root/maskA/a.png")
    np.save(tmp_path / "a.npy", np.where(mask[..., 0] > 0, 0.95, np.linspace(0, 1, 96)[None]))
    sharpness = {}
    for focus in ("subject", "far"):
        main(
            [
                *(
                    "--dataroot",
                    str(tmp_path / "root"),
                    "--smooth",
                    "lens",
                    "--radius",
                    "5",
                    "--num_workers",
                    "0",
                ),
                *("--depth", str(tmp_path / "a.npy"), "--focus", focus, "--grain", "0"),
                *("--output", str(tmp_path / focus)),
            ]
        )
        out = np.asarray(read_image(tmp_path / focus / "testA/a.png")).astype(float)
        if focus == "subject":
            assert (out[mask[..., 0] > 0] == photo[mask[..., 0] > 0]).all()
        sharpness[focus] = [np.abs(np.diff(out[:, left : left + 8], axis=1)).mean() for left in (2, 40, 85)]
    assert sharpness["subject"][0] < sharpness["subject"][1] < sharpness["subject"][2]
    assert sharpness["far"][0] > sharpness["far"][1] > sharpness["far"][2]
    flags = ["--dataroot", str(tmp_path / "root"), "--smooth", "lens", "--output", str(tmp_path / "out")]
    with pytest.raises(SystemExit):
        main([*flags, "--num_workers", "0", "--focus", "900,10"])
    assert "testA/a.png: --focus 900,10: outside the photo of 96 x 64 pixels" in capsys.readouterr().err


def test_a_photo_that_can_not_be_read_is_listed_and_the_others_are_done(network, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(b"no photo")
    write_pixels(ramp(), tmp_path / "in/b.png")
    flags = ["--input", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as end:
        depth_main([*flags, "--depth_weights", str(network)])
    assert end.value.code == 1
    assert (
        "1 of 2 photos could not be done" in (said := capsys.readouterr().err)
        and "a.png: not an image" in said
    )
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


def test_auto_takes_the_photos_own_depth_and_estimates_the_others(network, tmp_path):
    """The photo is brighter to the right, and so the network takes that for near; its own depth says the left."""
    photo = Image.fromarray(ramp())
    photo.putalpha(Image.fromarray(255 - ramp()[..., 0]))
    photo.save(tmp_path / "own.heic", quality=100)
    content = (tmp_path / "own.heic").read_bytes()
    # An auxiliary image of alpha becomes one of depth.
    (tmp_path / "own.heic").write_bytes(content.replace(b"2015:auxid:1", b"2015:auxid:2"))
    write_pixels(ramp(), tmp_path / "none.png")
    own, none = tmp_path / "own.heic", tmp_path / "none.png"
    depth_of = DepthSource("auto", weights=network)
    assert depth_of(own, ramp())[20, 4] > 0.9 > 0.1 > depth_of(own, ramp())[20, 55]
    assert depth_of(none, ramp())[20, 4] < 0.1 < 0.9 < depth_of(none, ramp())[20, 55]
    # Cropped since then: the map has other proportions than the photo.
    assert depth_of(own, ramp()[:, :30])[20, 2] < 0.1


def test_the_network_is_loaded_before_the_work_and_only_where_it_is_needed(tmp_path, capsys):
    need("onnxruntime")
    write_pixels(ramp(), tmp_path / "in/a.png")
    with pytest.raises(SystemExit) as end:
        depth_main(
            [
                *("--input", str(tmp_path / "in"), "--output", str(tmp_path / "out")),
                *("--depth_weights", str(tmp_path / "none.onnx")),
            ]
        )
    assert end.value.code == 2 and "error: --depth_weights" in capsys.readouterr().err
    photo = Image.fromarray(ramp())
    photo.putalpha(Image.fromarray(255 - ramp()[..., 0]))
    photo.save(tmp_path / "in/b.heic")
    content = (tmp_path / "in/b.heic").read_bytes().replace(b"2015:auxid:1", b"2015:auxid:2")
    (tmp_path / "in/b.heic").write_bytes(content)
    DepthSource("auto", weights=tmp_path / "none.onnx").prepare([tmp_path / "in/b.heic"])
