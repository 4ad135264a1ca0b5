"""Sizes of plain JPEGs are those that Pillow tells, and files that are not plain are left to it."""

import numpy as np
import pytest
from PIL import Image

from tests.hard_photos import scene, write_bad_photos, write_good_photos
from util.images import image_size, plain_jpeg_size


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"icc_profile": b"x" * 40_000}, {"comment": b"hello"}, {"dpi": (72, 72)}],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_size_of_what_programs_write(tmp_path, mode, options):
    path = tmp_path / "x.jpg"
    scene(83, 61).convert(mode).save(path, **options)
    assert plain_jpeg_size(path) == (83, 61) == image_size(path)


def test_odd_files_are_left_to_pillow_or_have_its_size(tmp_path):
    sizes = write_good_photos(tmp_path)
    found = {name: plain_jpeg_size(tmp_path / name) for name in sizes}
    assert (
        found["plain.jpg"] == sizes["plain.jpg"] and found["turned.jpg"] is None and found["cmyk.jpg"] is None
    )
    assert all(size in (None, sizes[name]) for name, size in found.items())


def test_what_is_broken_or_cut_short_has_no_size(tmp_path):
    for name in write_bad_photos(tmp_path):
        assert plain_jpeg_size(tmp_path / name) is None, name
    whole = tmp_path / "whole.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)).save(
        whole, quality=99
    )
    content = whole.read_bytes()
    assert len(content) > 1 << 16 and plain_jpeg_size(whole) == (300, 200)
    for length in (0, 3, 12, 100, 1 << 16, len(content) - 1):
        whole.write_bytes(content[:length])
        assert plain_jpeg_size(whole) is None, length
    assert plain_jpeg_size(tmp_path / "none.jpg") is None


def test_a_bomb_is_left_to_pillow(tmp_path):
    path = tmp_path / "x.jpg"
    scene(83, 61).save(path)
    content = path.read_bytes()
    place = content.index(b"\xff\xc0") + 5
    path.write_bytes(content[:place] + b"\xff\xdc\xff\xdc" + content[place + 4 :])
    assert plain_jpeg_size(path) is None
