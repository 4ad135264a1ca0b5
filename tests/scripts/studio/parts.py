"""A studio small enough for tests, what it should give, and what a user does with it."""

import base64
import io
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from models.inference.generator import Generator
from models.inference.translator import Told
from models.lens.generator import LensGenerator
from models.lens.radius import load_radius_net
from models.lens.settings import LensChanges, LensSettings
from models.nets.base import GeneratorNet
from options.test_options import PRETRAINED
from tests.conftest import small_photo
from util.images import read_photo

# At 110 pixels one copy stays sharp, one is blurred at full size, one at half; with wider apertures at a quarter.
SETTINGS = LensSettings(
    (0.6, 8.0, 30.0), 48, (0.15, 0.6), linear_light=True, soft_range=(0.001, 0.02), matting=True
)


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


def placing_generator():
    """That generator with the radius network that comes with the code."""
    generator = told_generator()
    generator.net.radius_net = load_radius_net(PRETRAINED / "radius" / "latest_net_P.pth")
    generator.net.change(LensChanges(soft_range=(0.0, 0.0)))
    return generator


def write_red_segmenter(_, path):
    """Write a segmenter with a state: in its third pass the subject's probability is twice the red."""
    from onnx import TensorProto, helper, save

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
    return {
        "side": 4096,
        "keep_aspect": True,
        "coarse": None,
        "passes": 3,
        "license": "none",
        "input": "image",
        "output": "mask",
        "states": [("state", "next")],
        "constants": {"step": 1.0},
    }


def red_mask(pixels):
    """What that segmenter finds in `[H,W,3]` uint8."""
    return np.clip(2 * (pixels[..., 0] / np.float32(255)), 0, 1)


def expected(pixels, aperture=1.0, of=told_generator):
    """What test.py makes of a photo at that aperture, with that generator."""
    generator = of()
    generator.net.change(LensChanges(aperture=aperture))
    return generator.batch([pixels], Told([red_mask(pixels)]))[0]


def photo(path, size=(150, 110), red=220, **options):
    """Write a photo of that width and height with a subject that is so red; returns its upright pixels."""
    image, mask = small_photo(np.random.default_rng(1), 150)
    pixels = np.array(image)
    pixels[..., 0] = np.where(np.asarray(mask) > 0, red, pixels[..., 0] // 3)
    pixels = np.array(Image.fromarray(pixels[:110]).resize(size, Image.Resampling.BICUBIC))
    # A texture, so that the background is not soft already.
    pixels[..., 1:] ^= np.random.default_rng(2).integers(0, 64, (*pixels.shape[:2], 2), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return read_photo(path)[0]


def psnr(a, b):
    """Of two pictures, dB."""
    error = np.square(np.asarray(a, np.float64) - np.asarray(b, np.float64)).mean()
    return 10 * np.log10(255**2 / max(error, 1e-9))


def picture(values):
    """`[H,W]` or `[H,W,C]` as the page's modules take pictures: width, height and planes, one after the other."""
    planes = np.moveaxis(np.atleast_3d(values), -1, 0)
    return [values.shape[1], values.shape[0], planes.ravel().tolist()]


def as_rgba(pixels):
    """`[H,W,3]` uint8 as a list of the numbers that a canvas has."""
    return np.dstack([pixels, np.full_like(pixels[..., :1], 255)]).ravel().tolist()


def pixels_of(path):
    """`[H,W,3]` uint8."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


class Studio:
    """The page as a user has it before him."""

    def __init__(self, page, folder):
        self.page, self.folder = page, folder

    def said(self, text):
        """Wait until the page says `text`."""
        self.page.locator("#status", has_text=text).wait_for()

    def drawn(self, action):
        """Do `action` and wait until the preview has come to rest."""
        before = self.page.locator("body").get_attribute("data-drawn") or ""
        action()
        self.page.locator(f"body[data-drawn]:not([data-drawn='{before}'])").wait_for()

    def open(self, *files):
        """Choose files, the first of them good."""
        self.drawn(lambda: self.page.set_input_files("#files", [str(file) for file in files]))
        self.said(Path(files[0]).name)

    def save(self, kind="image/png"):
        """Save what is shown; returns the file."""
        self.page.select_option("#format", kind)
        with self.page.expect_download() as download:
            self.page.click("#save")
        path = self.folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def slide(self, name, value):
        """Move a slider."""
        self.drawn(lambda: self.page.locator(f"#{name}").fill(str(value)))

    def choose(self, tool):
        """Take a tool in hand."""
        self.drawn(lambda: self.page.locator(f"input[value={tool}]").check(force=True))

    def shown(self):
        """What is on the canvas, `[H,W,3]` uint8."""
        data = self.page.evaluate("() => document.getElementById('view').toDataURL()")
        return pixels_of(io.BytesIO(base64.b64decode(data.partition(",")[2])))
