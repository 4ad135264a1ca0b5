"""Photos in strips against the same photos as tensors."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import chelsea

from data.transforms import image_to_tensor
from models.inference.generator import Generator
from models.inference.side_by_side import side_by_side, threads_for
from models.lens.developing import can_develop, develop
from models.lens.generator import LensGenerator
from models.lens.radius import RadiusNet
from models.lens.settings import LensChanges, LensSettings
from models.nets.base import GeneratorNet
from util.optics.camera import Camera
from util.tensors import tensor_to_pixels


class ByColour(GeneratorNet):
    """Stands in for a network: red fur is in focus, and what is told to be; the greener, the larger the blur."""

    divisor = 4

    def __init__(self, channels: int = 3):
        super().__init__()
        self.conv = torch.nn.Conv2d(channels, 3, 1)
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.bias.copy_(torch.tensor([-0.4, -0.1, 0.1]))
            self.conv.weight[:, :3, 0, 0] = torch.tensor([[3.0, -1, -2], [-2, 1, 1], [-1, 3, -2]])
            self.conv.weight[0, 3:] = 1.0

    def forward(self, x):
        return self.conv(x).tanh()


def lens(channels: int = 3, **changes) -> LensGenerator:
    settings = LensSettings(
        (4.0, 24.0), weights_size=64, focus_range=(0.3, 0.6), soft_range=(0.001, 0.008), **changes
    )
    return LensGenerator(ByColour(channels), settings).eval()


def photo(height: int, width: int, dtype: type = np.uint8) -> np.ndarray:
    """A photograph of a cat at some size, with 8 or 16 bits."""
    scaled = np.asarray(Image.fromarray(chelsea()).resize((width, height), Image.Resampling.BICUBIC))
    noise = np.random.default_rng(0).integers(0, 256, scaled.shape) if dtype == np.uint16 else 0
    return (scaled.astype(int) * (257 if dtype == np.uint16 else 1) // 2 + noise).astype(dtype)


def check(
    net: LensGenerator, pixels: np.ndarray, mask: np.ndarray | None = None, agreeing: float = 0.999
) -> None:
    """Strips and tensors agree to a tenth of a level in the mean; in focus, strips have the photo's pixels."""
    strips = develop(net, pixels, mask)
    x = image_to_tensor(pixels)[None]
    told = None if mask is None else torch.from_numpy(mask)[None, None]
    with torch.inference_mode():
        tensors = tensor_to_pixels(net(x, told)[0], pixels.dtype)
        in_focus = net.decide(x, told).weights[0, 0].numpy() == 1
    assert strips.dtype == pixels.dtype
    assert strips.shape == pixels.shape
    level = np.iinfo(pixels.dtype).max / 255
    assert np.abs(tensors.astype(float) - pixels)[~in_focus].mean() > level
    error = np.abs(strips.astype(float) - tensors) / level
    assert error.mean() < 0.1
    assert np.quantile(error, agreeing) <= 2
    assert 0.02 < in_focus.mean() < 0.9
    assert np.array_equal(strips[in_focus], pixels[in_focus])


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("size", [(420, 601), (301, 222), (64, 31)])
def test_strips_give_what_tensors_give(size, linear):
    check(lens(linear_light=linear), photo(*size))


def test_sixteen_bits_and_a_wide_aperture():
    check(lens(aperture=1.6), photo(210, 333, np.uint16))


def test_a_mask_is_told():
    mask = np.zeros((200, 300), np.float32)
    mask[:, 120:] = 1
    net, pixels = lens(4), photo(200, 300)
    check(net, pixels, mask)
    assert np.abs(develop(net, pixels, mask).astype(int) - develop(net, pixels, 1 - mask)).max() > 5


@pytest.mark.parametrize("farthest", [0.0, 30.0])
def test_radii_that_differ_from_place_to_place(farthest):
    net = lens(farthest=farthest)
    torch.manual_seed(0)
    net.radius_net = RadiusNet().eval()
    with torch.no_grad():
        net.radius_net.last[-1].bias.copy_(torch.tensor([3.5, -1.0]))
    check(net, photo(300, 402))


@pytest.mark.parametrize("matting", [True, False])
def test_where_blur_grows_is_asked_without_the_aperture(matting, monkeypatch):
    """The wider it is, the sharper is what is half in focus; the radius network is told the same at any aperture."""
    told = []
    monkeypatch.setattr(
        RadiusNet, "ask", lambda self, x, mask, ask=RadiusNet.ask: told.append(mask) or ask(self, x, mask)
    )
    for aperture in (1.0, 3.0):
        net = lens(aperture=aperture, matting=matting)
        net.radius_net = RadiusNet().eval()
        develop(net, photo(200, 300))
        with torch.inference_mode():
            net(image_to_tensor(photo(200, 300))[None])
    strips, tensors = told[:2]
    assert 0.1 < strips.mean() < 0.9
    small = torch.nn.functional.interpolate(tensors, strips.shape[-2:], mode="area")
    assert (strips - small).abs().mean() < 0.01
    for wide, plain in zip(told[2:], told[:2], strict=True):
        assert torch.allclose(wide, plain, atol=1e-6)


@pytest.mark.parametrize("linear", [True, False])
def test_mattes(linear):
    mask = np.zeros((200, 300), np.float32)
    mask[:, 120:] = 1
    # Where colours tell nothing, alpha depends on what the network sees, which is scaled in two ways.
    check(lens(4, linear_light=linear, matting=True), photo(200, 300), mask, agreeing=0.995)


@pytest.mark.parametrize("matting", [True, False])
def test_no_aperture_no_change(matting):
    net = lens(matting=matting)
    net.change(LensChanges(aperture=0.0))
    pixels = photo(200, 300)
    assert np.array_equal(develop(net, pixels), pixels)


def test_generators_take_this_way_where_it_gives_the_same():
    net = lens()
    pixels = photo(100, 120)
    assert np.array_equal(Generator(net).batch([pixels])[0], develop(net, pixels))
    net.change(LensChanges(camera=Camera()))
    assert not can_develop(net, torch.device("cpu"))
    assert not can_develop(lens(), torch.device("cuda"))
    assert not can_develop(ByColour(), torch.device("cpu"))


def test_photos_beside_each_other_are_as_one_after_another():
    generator = Generator(lens())
    photos = [photo(240 + 16 * number, 320) for number in range(6)]
    with threads_for(3) as pool:
        waiting = side_by_side(
            pool, 3, lambda pixels: generator.batch([pixels])[0], photos, lambda pixels: pixels.size
        )
        together = [result() for _, result in waiting]
    for result, pixels in zip(together, photos, strict=True):
        # PyTorch may sum in another order on one thread.
        assert np.abs(result.astype(int) - generator.batch([pixels])[0]).max() <= 1
        assert not np.array_equal(result, pixels)
