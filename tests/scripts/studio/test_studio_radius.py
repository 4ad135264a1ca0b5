"""Blur that grows with distance in the studio, judged by what test.py's generator makes of the same photos."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from models.lens.radius import Blur, RadiusNet
from tests.scripts.studio.parts import expected, photo, pixels_of, placing_generator, psnr

pytestmark = pytest.mark.browser

RADII = """async ([width, height, said, wide, high, subject, farthest]) => {
  const { radiiOf } = await import("./radii.js");
  const picture = (width, height, data) => ({ width, height, data: Float32Array.from(data) });
  return [...radiiOf(picture(width, height, said), picture(wide, high, subject), farthest).data];
}"""


class Said(RadiusNet):
    """Says levels and errors by chance."""

    def ask(self, x, mask):
        drawn = torch.Generator().manual_seed(0)
        return Blur(*(torch.randn(1, 1, 16, 21, generator=drawn) + 1 for _ in range(2)))


def of_astronaut(path, side):
    """Write a portrait of that size; returns its pixels."""
    pixels = np.array(Image.fromarray(data.astronaut()).resize((side, side), Image.Resampling.LANCZOS))
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.mark.parametrize("farthest", [0, 40])
@pytest.mark.parametrize("feet", [180, 256])
def test_radii_are_made_of_what_the_network_says_as_elsewhere(modules, feet, farthest):
    """A subject that stands on ground, and one that the photo cuts off."""
    subject = torch.zeros(1, 1, 256, 336)
    subject[..., 60:feet, 100:180] = 1
    net = Said(8)
    said = torch.cat(net.ask(subject, subject), dim=1)
    words = [21, 16, said.flatten().tolist(), 336, 256, subject.flatten().tolist(), farthest]
    found = modules.evaluate(RADII, words)
    radii = net.radii(subject, subject, farthest)
    assert (float(radii.max()) == pytest.approx(40)) == (farthest == 40)
    assert found == pytest.approx(radii.flatten().tolist(), abs=1e-4)


@pytest.mark.parametrize("side", [200, 384])
def test_saved_photos_equal_what_test_py_makes_of_them(shop_by_place, tmp_path, side):
    shop, pixels = shop_by_place, of_astronaut(tmp_path / "one.png", side)
    shop.open(tmp_path / "one.png")
    for aperture in (1.0, 2.5):
        shop.slide("aperture", aperture)
        truth = expected(pixels, aperture, placing_generator)
        assert psnr(truth, pixels) < 32
        assert psnr(pixels_of(shop.save()), truth) > 40
    shop.slide("aperture", 0)
    assert np.array_equal(pixels_of(shop.save()), pixels)


def test_tiles_meet_without_seams(shop_by_place, tmp_path):
    shop, pixels = shop_by_place, photo(tmp_path / "wide.png", (1200, 90))
    shop.open(tmp_path / "wide.png")
    shop.slide("aperture", 3)
    result, truth = pixels_of(shop.save()), expected(pixels, 3, placing_generator)
    # They meet in column 1024.
    assert psnr(result, truth) > 40
    assert psnr(result[:, 1000:1050], truth[:, 1000:1050]) > 40


def test_where_nobody_was_found_what_is_marked_is_blurred_alike(shop_by_place, tmp_path):
    shop, pixels = shop_by_place, photo(tmp_path / "nobody.png", red=40)
    shop.open(tmp_path / "nobody.png")
    assert np.array_equal(pixels_of(shop.save()), pixels)
    shop.slide("size", 20)
    shop.choose("blur")
    shop.drawn(lambda: shop.page.locator("#view").click())
    marked = np.abs(pixels_of(shop.save()).astype(int) - pixels)
    assert marked[50:60, 70:80].mean() > 2
    assert marked[:20, :40].max() == 0
