"""The studio in a real browser, judged by what test.py's generator makes of the same photos."""

import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, save
from PIL import Image, ImageCms

import deeplab.browser_models
from models.inference.generator import Generator
from models.lens.generator import LensGenerator
from models.lens.settings import LensChanges, LensSettings
from models.nets.base import GeneratorNet
from scripts import studio, studio_runtime
from tests.conftest import small_photo
from util.files import cache_folder
from util.images import read_photo

pytestmark = pytest.mark.browser

# Apertures and settings with which blurred copies of all sizes are made: sharp ones, full size, half and quarter.
SETTINGS = LensSettings((0.6, 8.0, 30.0), 48, (0.15, 0.6), linear_light=True, soft_range=(0.001, 0.02))


class TinyNet(GeneratorNet):
    """Weights by the mask and the colours around each place, in focus and of three radii."""

    divisor = 4

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = torch.nn.Conv2d(4, 4, 5, padding=2)
        with torch.no_grad():
            self.conv.weight.mul_(2)
            self.conv.weight[:, 3] = torch.tensor([0.08, -0.02, -0.02, -0.02]).view(4, 1, 1)

    def forward(self, x):
        return self.conv(x).tanh()


def told_generator():
    """A lens generator told the subject."""
    return Generator(LensGenerator(TinyNet(), SETTINGS), file=Path("told/latest_net_G.pth"))


def red_segmenter(path):
    """Write a segmenter with a state: the subject is where twice the red is above one half after two passes."""
    value = partial(helper.make_tensor_value_info, elem_type=TensorProto.FLOAT)
    nodes = [
        helper.make_node("Slice", ["image", "zero", "one", "last"], ["red"]),
        helper.make_node("Mul", ["red", "state"], ["mask"]),
        helper.make_node("Add", ["state", "step"], ["next"]),
    ]
    integers = {"zero": 0, "one": 1, "last": 3}
    graph = helper.make_graph(
        nodes,
        "red",
        [value("image", shape=[1, "h", "w", 3]), value("state", shape=None), value("step", shape=[])],
        [value("mask", shape=[1, "h", "w", 1]), value("next", shape=None)],
        [helper.make_tensor(name, TensorProto.INT64, [1], [number]) for name, number in integers.items()],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def red_mask(pixels):
    """What `red_segmenter` finds in `[H,W,3]` uint8."""
    return np.clip(2 * (pixels[..., 0] / np.float32(255)), 0, 1)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A studio with the generator of `told_generator`."""
    archive = cache_folder() / Path(studio_runtime.URL).name
    if not archive.is_file():
        pytest.skip("onnxruntime-web is not in the cache; get it with: python scripts/studio_runtime.py")
    folder = tmp_path_factory.mktemp("studio")

    def write_segmenter(name, path):
        red_segmenter(path)
        return {
            "side": 4096,
            "keep_aspect": True,
            "passes": 3,
            "license": "none",
            "input": "image",
            "output": "mask",
            "states": [("state", "next")],
            "constants": {"step": 1.0},
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deeplab.browser_models, "write_segmenter", write_segmenter)
        patch.setattr(studio, "load_generator", lambda *_, **__: told_generator())
        studio.main(["--output", str(folder), "--name", "told", "--masks", "selfie"])
    return folder


@pytest.fixture(scope="session")
def address(built):
    """Where the studio is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(studio.Handler, directory=str(built))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def page(web_page, address):
    """The studio, ready; the test fails if it asks any other host for anything."""
    web_page.set_default_timeout(60_000)
    asked = []
    web_page.on("request", lambda request: asked.append(request.url))
    web_page.goto(address + "?device=cpu")
    said(web_page, "ready")
    yield web_page
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []


def said(page, text):
    """Wait until the page says `text`."""
    page.locator("#status", has_text=text).wait_for()


def drawn(page, action):
    """Do `action` and wait until the preview has come to rest."""
    before = int(page.locator("body").get_attribute("data-drawn") or 0)
    action()
    page.locator(f"body:not([data-drawn='{before}'])").wait_for()


def opened(page, *files):
    page.set_input_files("#files", [str(file) for file in files])
    said(page, files[0].name)


def saved(page, folder, kind="image/png"):
    """Save what is shown; returns the file."""
    page.select_option("#format", kind)
    with page.expect_download() as download:
        page.click("#save")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def slide(page, name, value):
    """Move a slider as a user does, with the events that come of it."""
    drawn(page, lambda: page.locator(f"#{name}").fill(str(value)))


def photo(path, size=(150, 110), **options):
    """Write a photo with a red subject at `path`; returns its pixels."""
    image, mask = small_photo(np.random.default_rng(1), max(size))
    pixels = np.array(image)
    pixels[..., 0] = np.where(np.asarray(mask) > 0, 220, pixels[..., 0] // 3)
    # A texture, so that the background is not soft already.
    pixels[..., 1:] ^= np.random.default_rng(2).integers(0, 64, (*pixels.shape[:2], 2), dtype=np.uint8)
    Image.fromarray(pixels[: size[1], : size[0]]).save(path, **options)
    return read_photo(path)[0]


def expected(pixels, aperture=1.0):
    """What test.py makes of a photo at that aperture."""
    generator = told_generator()
    generator.net.change(LensChanges(aperture=aperture))
    return generator.batch([pixels], [red_mask(pixels)])[0]


def psnr(a, b):
    """Of two pictures, dB."""
    error = np.square(np.asarray(a, np.float64) - np.asarray(b, np.float64)).mean()
    return 10 * np.log10(255**2 / max(error, 1e-9))


def pixels_of(path):
    """`[H,W,3]` uint8."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_saved_photos_equal_what_test_py_makes_of_them(page, tmp_path):
    pixels = photo(tmp_path / "one.png")
    opened(page, tmp_path / "one.png")
    assert psnr(expected(pixels), pixels) < 35  # there is something to see
    for aperture in (1.0, 2.5):
        slide(page, "aperture", aperture)
        assert psnr(pixels_of(saved(page, tmp_path)), expected(pixels, aperture)) > 45
    slide(page, "aperture", 0)
    assert np.array_equal(pixels_of(saved(page, tmp_path)), pixels)


def test_what_is_marked_is_kept_or_blurred(page, tmp_path):
    pixels = photo(tmp_path / "one.png")
    opened(page, tmp_path / "one.png")
    slide(page, "aperture", 2)
    slide(page, "size", 20)
    plain = pixels_of(saved(page, tmp_path)).astype(int)
    box = page.locator("#view").bounding_box()

    def dab(tool, x, y):
        page.locator(f"input[value={tool}]").check(force=True)
        place = (box["x"] + box["width"] * x / 150, box["y"] + box["height"] * y / 110)
        drawn(page, lambda: page.mouse.click(*place))

    dab("keep", 20, 20)
    dab("blur", 75, 95)
    marked = pixels_of(saved(page, tmp_path)).astype(int)
    assert np.array_equal(marked[17:24, 17:24], pixels[17:24, 17:24])
    assert np.abs(plain[17:24, 17:24] - pixels[17:24, 17:24]).mean() > 2
    assert np.abs(marked - pixels)[92:99, 72:79].mean() > 2 * np.abs(plain - pixels)[92:99, 72:79].mean()
    assert np.array_equal(marked[:10, 130:], plain[:10, 130:])
    for _ in range(2):
        drawn(page, lambda: page.click("#undo"))
    assert np.array_equal(pixels_of(saved(page, tmp_path)), plain)


def test_a_saved_photo_is_upright_and_keeps_its_profile_and_exif(page, tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    pixels = photo(tmp_path / "turned.jpg", quality=95, icc_profile=profile, exif=exif)
    assert pixels.shape == (150, 110, 3)
    opened(page, tmp_path / "turned.jpg")
    for kind, least in (("image/png", 45), ("image/jpeg", 36)):
        path = saved(page, tmp_path, kind)
        with Image.open(path) as image:
            assert image.size == (110, 150)
            assert image.info["icc_profile"] == profile
            assert image.getexif()[0x010F] == "a camera"
            assert image.getexif().get(0x0112, 1) == 1
        assert psnr(pixels_of(path), expected(pixels)) > least


def test_broken_files_are_named_and_the_next_photos_work(page, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
    photo(tmp_path / "first.png")
    page.set_input_files("#files", [str(tmp_path / "broken.jpg"), str(tmp_path / "first.png")])
    said(page, "first.png, 150 x 110")
    page.set_input_files("#files", str(tmp_path / "broken.jpg"))
    page.locator("#error", has_text="broken.jpg: not a photo").wait_for()
    pixels = photo(tmp_path / "second.png", (90, 140))
    opened(page, tmp_path / "second.png")
    assert psnr(pixels_of(saved(page, tmp_path)), expected(pixels)) > 45
    assert page.locator("#strip button").count() == 4
