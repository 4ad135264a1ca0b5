"""Blur that grows with distance in the studio, judged by what test.py's generator makes of the same photos."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from tests.scripts.studio.parts import expected, photo, pixels_of, placing_generator, psnr

pytestmark = pytest.mark.browser


def of_astronaut(path, side):
    """Write a portrait in whose upper half alone there is a subject, by its red; returns its pixels."""
    pixels = np.array(Image.fromarray(data.astronaut()).resize((side, side), Image.Resampling.LANCZOS))
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.mark.parametrize("side", [200, 512])
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
