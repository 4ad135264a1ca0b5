"""Sizes, crops and scaling, against sizes worked out by hand and values known in closed form."""

import numpy as np
import pytest

from data.transforms import Preprocess, image_to_tensor, mask_to_tensor, resize_image, resize_mask, size_of
from tests.data.coordinate_photos import options
from util.errors import UserError

TALL, WIDE = (300, 500), (500, 300)


def preprocess(name: str, **changes) -> Preprocess:
    return Preprocess.of_options(
        options(".", preprocess=name, **{"load_size": 150, "crop_size": 100} | changes)
    )


@pytest.mark.parametrize(
    ("name", "size", "scaled"),
    [
        ("resize_and_crop", TALL, (150, 150)),
        ("resize,crop", TALL, (150, 150)),
        ("crop", TALL, TALL),
        ("scale_width_and_crop", TALL, (150, 250)),
        ("scale_width,crop", WIDE, (167, 100)),  # 150 x 90 would not cover the crop
        ("scale_shortside_and_crop", TALL, (150, 250)),
        ("scale_shortside_and_crop", WIDE, (250, 150)),
        ("crop", (50, 80), (100, 160)),
        # no crop: multiples of 4
        ("resize", TALL, (152, 152)),
        ("scale_width", WIDE, (152, 88)),
        ("scale_shortside", WIDE, (248, 152)),
        ("none", (301, 502), (300, 504)),
        ("none", (1, 3), (4, 4)),
    ],
)
def test_scaled_size(name, size, scaled):
    assert preprocess(name).scaled_size(size) == scaled


@pytest.mark.parametrize("name", ["crop_and_resize_and_zoom", "resize_and_scale_width", "none_and_crop", ""])
def test_unknown_preprocess_lists_the_known(name):
    with pytest.raises(UserError, match=r"use one of none, resize, .*scale_shortside_and_crop"):
        preprocess(name)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"crop_size": 200}, "--load_size 150 is smaller than --crop_size 200"),
        ({"crop_size": 98}, "multiple of 4"),
    ],
)
def test_sizes_that_can_not_work(changes, said):
    with pytest.raises(UserError, match=said):
        preprocess("resize_and_crop", **changes)


def test_every_corner_and_both_mirrorings_are_drawn():
    rng = np.random.default_rng(0)
    drawn = [preprocess("crop").draw((103, 101), rng) for _ in range(400)]
    assert {geometry.corner for geometry in drawn} == {(x, y) for x in range(4) for y in range(2)}
    assert 160 < sum(geometry.flip for geometry in drawn) < 240


def test_no_flip_and_test_time():
    rng = np.random.default_rng(0)
    assert not any(preprocess("crop", no_flip=True).draw((110, 110), rng).flip for _ in range(50))
    at_test = {preprocess("crop", isTrain=False).draw((110, 104), rng) for _ in range(50)}
    assert [(geometry.corner, geometry.flip) for geometry in at_test] == [((5, 2), False)]


def test_geometry_takes_the_same_part_of_images_and_masks():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    for seed in range(20):
        geometry = preprocess("crop", crop_size=12).draw((30, 20), np.random.default_rng(seed))
        (left, top), step = geometry.corner, -1 if geometry.flip else 1
        expected = pixels[top : top + 12, left : left + 12][:, ::step]
        assert (geometry.cut(pixels) == expected).all()
        assert (geometry.cut(pixels[..., 0]) == expected[..., 0]).all()


@pytest.mark.parametrize("size", [(50, 40), (90, 70), (37, 61)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_hard_edges_do_not_ring_out_of_the_range(size, dtype):
    limit = np.iinfo(dtype).max
    pixels = np.zeros((60, 70, 3), dtype)
    pixels[20:40, 20:50] = limit
    image, mask = resize_image(pixels, size), resize_mask(pixels[..., 0], size)
    assert image.dtype == mask.dtype == dtype and size_of(image) == size_of(mask) == size
    # A value wrapped around would turn black parts white: inside and outside stay what they were.
    for scaled in (image[..., 0], mask):
        assert scaled[: size[1] // 6].max() == 0
        assert scaled[size[1] // 2, size[0] // 2] == limit


def test_masks_shrink_by_area():
    mask = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    mean = mask.reshape(20, 2, 30, 2).mean(axis=(1, 3))
    assert np.abs(resize_mask(mask, (30, 20)) - mean).max() <= 1


def test_soft_masks_stay_soft_and_constant_ones_constant():
    assert (resize_mask(np.full((37, 53), 77, np.uint8), (44, 31)) == 77).all()
    ramp = np.tile(np.arange(0, 250, 5, dtype=np.uint8), (10, 1))
    enlarged = resize_mask(ramp, (100, 20)).astype(int)
    assert (np.diff(enlarged, axis=1) >= 0).all() and len(np.unique(enlarged)) == 50


def test_images_shrink_antialiased():
    y, x = np.mgrid[:64, :64]
    board = ((x + y) % 2 * 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    assert np.abs(resize_image(board, (16, 16))[2:-2, 2:-2].astype(int) - 127.5).max() < 4


def test_16_bits_are_scaled_as_8_bits_are():
    # Far enough from black and white for no overshoot to be cut off between Pillow's two passes.
    pixels = np.random.default_rng(0).integers(100, 150, (20, 30, 3), dtype=np.uint8)
    deep = resize_image(pixels.astype(np.uint16) * 257, (41, 17))
    assert np.abs(deep / 257 - resize_image(pixels, (41, 17))).max() < 2  # 8 bits are rounded twice


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tensors_span_their_range(dtype):
    limit = np.iinfo(dtype).max
    pixels = np.array([[[0, limit // 5, limit]]], dtype)  # 255 and 65535 are multiples of 5
    image = image_to_tensor(pixels)
    assert image.shape == (3, 1, 1) and image.flatten().tolist() == pytest.approx([-1, -0.6, 1], abs=1e-6)
    assert image.min() == -1 and image.max() == 1
    mask = mask_to_tensor(pixels[0])
    assert mask.shape == (1, 1, 3) and mask.flatten().tolist() == pytest.approx([0, 0.2, 1], abs=1e-7)
