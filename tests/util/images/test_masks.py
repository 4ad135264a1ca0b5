"""Masks in the forms that programs write them in: the subject is what their makers meant by it."""

import numpy as np
import pytest
from PIL import Image

from util.images import ImageError, read_mask

SUBJECT = np.zeros((12, 16), bool)
SUBJECT[3:9, 4:10] = True
GRAY = np.where(SUBJECT, 255, 0).astype(np.uint8)


def picture(subject: tuple[int, int, int], rest: tuple[int, int, int]) -> Image.Image:
    return Image.fromarray(np.where(SUBJECT[..., None], subject, rest).astype(np.uint8))


def opaque(mode: str) -> Image.Image:
    image = Image.fromarray(GRAY).convert(mode)
    image.putalpha(255)
    return image


def palette() -> Image.Image:
    """PASCAL's form: class numbers with its palette, here person (15) on background (0) with a void edge (255)."""
    numbers = np.where(SUBJECT, 15, 0).astype(np.uint8)
    image = Image.fromarray(numbers, "P")
    colours = np.zeros((256, 3), np.uint8)
    colours[15], colours[255] = (192, 128, 128), (224, 224, 192)
    image.putpalette(colours.tobytes())
    return image


def of_alpha() -> Image.Image:
    image = picture((10, 20, 30), (200, 100, 50))
    image.putalpha(Image.fromarray(GRAY))
    return image


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(Image.fromarray(GRAY), id="gray"),
        pytest.param(opaque("RGB"), id="opaque RGBA"),
        pytest.param(opaque("L"), id="opaque LA"),
        pytest.param(of_alpha(), id="cut-out"),
        pytest.param(palette(), id="PASCAL palette"),
        pytest.param(picture((192, 128, 128), (0, 0, 0)), id="PASCAL colours"),
        pytest.param(picture((255, 0, 0), (0, 0, 0)), id="two colours"),
    ],
)
def test_subject_is_white_and_all_else_black(image, tmp_path):
    image.save(tmp_path / "mask.png")
    assert np.array_equal(np.asarray(read_mask(tmp_path / "mask.png")), GRAY)


def test_other_people_of_pascal_are_not_the_subject(tmp_path):
    pixels = np.zeros((12, 16, 3), np.uint8)
    pixels[SUBJECT], pixels[:2], pixels[-1] = (192, 128, 128), (128, 0, 0), (224, 224, 192)
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    assert np.array_equal(np.asarray(read_mask(tmp_path / "mask.png")), GRAY)


def test_soft_edges_stay(tmp_path):
    soft = np.linspace(0, 255, 16).astype(np.uint8)[None].repeat(12, 0)
    Image.fromarray(soft).convert("RGB").save(tmp_path / "mask.png")
    assert np.array_equal(np.asarray(read_mask(tmp_path / "mask.png")), soft)


def test_a_photo_is_no_mask(tmp_path):
    Image.effect_mandelbrot((16, 12), (-3, -2.5, 2, 2.5), 20).convert("RGB").save(tmp_path / "gray.png")
    photo = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    with pytest.raises(ImageError, match=r"photo\.png: a picture in colours, not a mask"):
        read_mask(tmp_path / "photo.png")
