"""Files as cameras, editors and broken disks leave them: read, or refused by one line, never a traceback."""

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from util.images import (
    ImageError,
    Metadata,
    find_images,
    image_size,
    left_out,
    list_images,
    read_image,
    read_mask,
    read_photo,
    read_pixels,
    write_pixels,
)

PIXELS = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)


def exif_block(kind: int, count: int, value: bytes, tag: int = 0x0112) -> bytes:
    """A JPEG's EXIF with one entry, orientation by default, of any type, count and four bytes of value or offset."""
    entry = struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")[:4]
    return b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + b"\0\0\0\0"


@pytest.mark.parametrize(
    ("block", "size"),
    [
        (exif_block(3, 1, struct.pack("<H", 6)), (20, 30)),
        (exif_block(4, 1, struct.pack("<I", 6)), (20, 30)),
        (exif_block(3, 1, struct.pack("<H", 9)), (30, 20)),
        (exif_block(5, 1, b"\xff\xff\xff\x7f"), (30, 20)),
        (exif_block(2, 4, b"six\0"), (30, 20)),
        (b"Exif\0\0II*\0\xff\xff\xff\x7f", (30, 20)),
        (b"Exif\0\0nothing", (30, 20)),
    ],
    ids=["short", "long", "nine", "rational", "text", "offset", "garbage"],
)
def test_orientation_counts_as_an_integer_from_1_to_8_alone(block, size, tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.jpg", exif=block)
    assert read_image(tmp_path / "a.jpg").size == image_size(tmp_path / "a.jpg") == size
    pixels, metadata = read_photo(tmp_path / "a.jpg")
    write_pixels(pixels, tmp_path / "b.jpg", metadata)
    # Upright pixels are not turned a second time.
    assert read_image(tmp_path / "b.jpg").size == size


def test_exif_that_a_jpeg_can_not_hold_is_left_out_with_a_word(tmp_path, capsys):
    long = Metadata(exif=b"Exif\0\0" + b"x" * 70_000)
    write_pixels(PIXELS, tmp_path / "a.jpg", long)
    assert read_pixels(tmp_path / "a.jpg").shape == PIXELS.shape
    assert "a.jpg: its EXIF can't be written" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".avif", ".heic"])
def test_phones_and_browsers_names_are_read(suffix, tmp_path):
    smooth = Image.fromarray(PIXELS[:2, :2]).resize((64, 48), Image.Resampling.BICUBIC)
    form = {".avif": "AVIF", ".heic": "HEIF"}.get(suffix, "JPEG")
    smooth.save(tmp_path / f"a{suffix}", form, quality=95, exif=exif_block(3, 1, struct.pack("<H", 3)))
    (tmp_path / "raw.cr2").write_bytes(b"II")
    images, others = find_images(tmp_path)
    assert [path.name for path in images] == [f"a{suffix}"]
    assert left_out(others) == "1 other file is left out: 1 .cr2"
    found = read_pixels(images[0]).astype(int)
    # HEIF and AVIF hold their own turn, which their readers apply; in a JPEG it is EXIF's.
    turned = np.asarray(smooth)[::-1, ::-1].astype(int)
    assert min(np.abs(found - turned).mean(), np.abs(found - np.asarray(smooth)).mean()) < 12


def test_each_folder_is_visited_once(tmp_path):
    (tmp_path / "in/deep").mkdir(parents=True)
    Image.fromarray(PIXELS).save(tmp_path / "in/deep/a.png")
    (tmp_path / "in/deep/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/self").symlink_to("self")
    (tmp_path / "in/again").symlink_to("deep")
    (tmp_path / "in/parent").symlink_to("..")
    assert list_images(tmp_path / "in") == [tmp_path / "in/deep/a.png"]


def test_a_png_with_megabytes_of_text_is_a_good_photo(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "x" * 3_000_000)
    Image.fromarray(PIXELS).save(tmp_path / "a.png", pnginfo=info)
    assert np.array_equal(read_pixels(tmp_path / "a.png"), PIXELS)


def encoded(form: str, mode: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """`content` cut short, with wrong bytes, with a part twice, or nothing but garbage."""
    kind, place = rng.integers(5), int(rng.integers(len(content)))
    if kind == 0:
        return content[:place]
    if kind == 1:
        return content[:place] + content[place // 2 :]
    if kind == 2:
        return rng.bytes(place % 200)
    changed = bytearray(content)
    # The header is where readers decide.
    reach = len(content) if kind == 3 else min(64, len(content))
    for index in rng.integers(0, reach, 1 + int(rng.integers(8))):
        changed[index] = int(rng.integers(256))
    return bytes(changed)


def refusal(reader: Callable[[Path], object], path: Path) -> str:
    """What `reader` says against `path`; empty if it reads it."""
    try:
        reader(path)
    except ImageError as error:
        return str(error)
    return ""


def test_thousands_of_broken_files_give_a_picture_or_one_line(tmp_path):
    """Formats and modes, whole, cut short and with wrong bytes, and EXIF of every type, count and offset."""
    rng = np.random.default_rng(0)
    sources = [
        encoded(form, mode)
        for form, modes in {
            "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
            "JPEG": ("L", "RGB", "CMYK"),
            "TIFF": ("1", "L", "LAB", "P", "RGB", "RGBA", "CMYK", "F", "I;16"),
            "WEBP": ("RGB", "RGBA"),
            "BMP": ("1", "L", "P", "RGB"),
            "GIF": ("P",),
            "PPM": ("L", "RGB"),
        }.items()
        for mode in modes
        if not (mode == "I;16" and form == "PNG")
    ]
    jpeg = Image.fromarray(PIXELS[:8, :8])
    path, read, refused = tmp_path / "file.png", 0, 0
    for number in range(3200):
        if number % 3 == 0:
            buffer = io.BytesIO()
            tag = int(rng.choice([0x0112, 0x8769, 0x8825, 0x010F, 0x829A, 0xA005]))
            jpeg.save(
                buffer,
                "JPEG",
                exif=exif_block(int(rng.integers(20)), int(rng.integers(2**31)), rng.bytes(4), tag),
            )
            content = buffer.getvalue()
        else:
            source = sources[int(rng.integers(len(sources)))]
            content = source if number % 30 == 1 else mutated(source, rng)
        path.write_bytes(content)
        for reader in (image_size, read_photo, read_mask):
            message = refusal(reader, path)
            assert "\n" not in message and (not message or os.fspath(path) in message)
            read, refused = read + (not message), refused + bool(message)
    assert read > 2000 and refused > 2000
