"""Photos and masks of every kind of file, against values that the tests put there themselves."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from util.errors import UserError
from util.images import (
    ImageError,
    find_by_stem,
    image_size,
    is_cut_short,
    list_images,
    read_image,
    read_mask,
    read_pixels,
    to_gray,
    write_image,
    write_pixels,
)

UPRIGHT = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3) * 3  # 4 wide, 6 high

# EXIF 2.32, tag 0x0112: which edge of the scene the first row and the first column of the file show.
STORED_FOR_ORIENTATION = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x.swapaxes(0, 1)[::-1],
    7: lambda x: x.swapaxes(0, 1)[::-1, ::-1],
    8: lambda x: x.swapaxes(0, 1)[:, ::-1],
}


def save(path: Path, array: np.ndarray, mode: str | None = None, **options: object) -> Path:
    image = Image.fromarray(np.ascontiguousarray(array))
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def insert_orientation(path: Path, orientation: int, at: int) -> None:
    """Put an eXIf chunk into the PNG at `path`, at byte `at`."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    chunk = struct.pack(">I", len(tiff)) + b"eXIf" + tiff + struct.pack(">I", zlib.crc32(b"eXIf" + tiff))
    content = path.read_bytes()
    path.write_bytes(content[:at] + chunk + content[at:])


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
@pytest.mark.parametrize("orientation", STORED_FOR_ORIENTATION)
def test_exif_orientation_is_applied(tmp_path, orientation, suffix):
    stored = STORED_FOR_ORIENTATION[orientation](UPRIGHT)
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    path = save(tmp_path / f"x.{suffix}", stored, exif=exif(orientation), **options)
    assert (np.asarray(read_image(path)) == UPRIGHT).all()
    assert (read_pixels(path) == UPRIGHT).all()
    assert image_size(path) == (4, 6)
    mask = save(tmp_path / f"m.{suffix}", stored[..., 0], exif=exif(orientation), **options)
    assert (np.asarray(read_mask(mask)) == UPRIGHT[..., 0]).all()


def test_orientation_of_a_jpeg_changes_its_size_without_decoding(tmp_path):
    photo = np.zeros((20, 30, 3), np.uint8)
    photo[:, :15] = 255
    path = save(tmp_path / "x.jpg", photo, exif=exif(6))  # to be turned clockwise: left becomes top
    assert image_size(path) == (20, 30)
    upright = np.asarray(read_image(path))
    assert upright[:14].min() > 240 and upright[16:].max() < 15


def test_orientation_behind_the_pixels_of_a_png(tmp_path):
    path = save(tmp_path / "x.png", UPRIGHT.swapaxes(0, 1)[::-1])
    insert_orientation(path, 6, at=-12)
    assert (np.asarray(read_image(path)) == UPRIGHT).all()
    assert image_size(path) == (6, 4) and image_size(path, decode=True) == (4, 6)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_gray_is_scaled_not_cut(tmp_path, suffix):
    gray = np.array([[0, 1, 128, 256, 32767], [32768, 40000, 65000, 65534, 65535]], np.uint16)
    path = save(tmp_path / f"x.{suffix}", gray)
    eight = np.round(gray / 257).astype(np.uint8)
    assert (np.asarray(read_image(path)) == eight[..., None]).all()
    assert (np.asarray(read_mask(path)) == eight).all()
    deep = read_pixels(path, 1)
    assert deep.dtype == np.uint16 and (deep[..., 0] == gray).all()
    assert (read_pixels(path, 3) == gray[..., None]).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_colour_keeps_its_depth(tmp_path, suffix):
    colour = np.random.default_rng(0).integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    path = tmp_path / f"x.{suffix}"
    cv2.imwrite(str(path), colour[..., ::-1])
    deep = read_pixels(path)
    assert deep.dtype == np.uint16 and (deep == colour).all()
    assert np.abs(np.asarray(read_image(path)).astype(float) - colour / 257).max() <= 1
    luma = colour @ np.array([0.299, 0.587, 0.114])
    assert np.abs(read_pixels(path, 1)[..., 0] - luma).max() < 2


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("orientation", STORED_FOR_ORIENTATION)
def test_16_bit_colour_is_turned_upright(tmp_path, orientation, suffix):
    deep = UPRIGHT.astype(np.uint16) * 300
    stored = np.ascontiguousarray(STORED_FOR_ORIENTATION[orientation](deep))
    path = tmp_path / f"x.{suffix}"
    if suffix == "png":
        cv2.imwrite(str(path), stored[..., ::-1])
        insert_orientation(path, orientation, at=33)  # right behind the header
    else:
        tags = [(0x0112, "H", 1, orientation, True)]
        tifffile.imwrite(path, stored, photometric="rgb", extratags=tags)
    pixels = read_pixels(path)
    assert pixels.dtype == np.uint16 and (pixels == deep).all()


def test_16_bit_colour_in_separate_planes_is_refused(tmp_path):
    """8 bits in separate planes are read."""
    planes = np.ascontiguousarray(np.moveaxis(UPRIGHT, 2, 0))
    for pixels, name in ((planes, "8.tif"), (planes.astype(np.uint16) * 257, "16.tif")):
        tifffile.imwrite(tmp_path / name, pixels, photometric="rgb", planarconfig="separate")
    assert (np.asarray(read_image(tmp_path / "8.tif")) == UPRIGHT).all()
    for read in (read_image, read_pixels, image_size):
        with pytest.raises(
            ImageError, match=r"16\.tif: a TIFF of 16 bits with separate planes; save it again"
        ):
            read(tmp_path / "16.tif")


def test_16_bit_colour_that_opencv_can_not_decode_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    cv2.imwrite(str(path), UPRIGHT.astype(np.uint16))
    monkeypatch.setattr(cv2, "imdecode", lambda *_: None)
    with pytest.raises(ImageError, match=r"x\.png: can't be decoded with its 16 bits"):
        read_pixels(path)


def test_floating_point_is_taken_as_zero_to_one(tmp_path):
    values = np.array([[0, 0.25, 1, 2, -1, np.nan]], np.float32)
    path = save(tmp_path / "x.tif", values)
    assert np.asarray(read_image(path))[0, :, 0].tolist() == [0, 64, 255, 255, 0, 0]


def test_gray_and_palette_and_bilevel(tmp_path):
    gray = np.arange(24, dtype=np.uint8).reshape(6, 4) * 10
    path = save(tmp_path / "gray.png", gray)
    assert (read_pixels(path) == gray[..., None]).all() and (read_pixels(path, 1)[..., 0] == gray).all()
    palette = Image.fromarray(UPRIGHT).quantize(24, dither=Image.Dither.NONE)
    palette.save(tmp_path / "palette.png")
    colours = np.array(palette.getpalette()).reshape(-1, 3)
    assert (np.asarray(read_image(tmp_path / "palette.png")) == colours[np.asarray(palette)]).all()
    bilevel = save(tmp_path / "bilevel.png", gray > 100)
    assert (np.asarray(read_image(bilevel))[..., 1] == np.where(gray > 100, 255, 0)).all()


def test_transparent_parts_are_white(tmp_path):
    alpha = np.full((6, 4, 1), 51, np.uint8)  # a fifth
    path = save(tmp_path / "x.png", np.concatenate([UPRIGHT, alpha], axis=2))
    expected = 0.2 * UPRIGHT + 0.8 * 255
    assert np.abs(np.asarray(read_image(path)) - expected).max() <= 1
    assert (np.asarray(read_mask(path)) == 51).all()


def test_transparent_palette_entry_is_white(tmp_path):
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), mode="P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.save(tmp_path / "x.png", transparency=0)
    assert np.asarray(read_image(tmp_path / "x.png")).tolist() == [[[255, 255, 255], [40, 50, 60]]]
    assert np.asarray(read_mask(tmp_path / "x.png")).tolist() == [[0, 255]]


def test_cmyk_without_profile_and_with_a_broken_one(tmp_path):
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, :8, 0] = 255  # cyan takes the red away
    image = Image.fromarray(inks, mode="CMYK")
    for name, options in {"plain.jpg": {}, "broken.jpg": {"icc_profile": b"no profile"}}.items():
        image.save(tmp_path / name, quality=100, **options)
        photo = np.asarray(read_image(tmp_path / name)).astype(int)
        assert np.abs(photo[4, 2] - [0, 255, 255]).max() < 5
        assert np.abs(photo[4, 13] - [255, 255, 255]).max() < 5


def test_profile_of_rgb_photos_is_kept_and_numbers_are_not_converted(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = save(tmp_path / "x.png", UPRIGHT, icc_profile=profile)
    photo = read_image(path)
    assert photo.info["icc_profile"] == profile and (np.asarray(photo) == UPRIGHT).all()


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "x.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert np.asarray(read_image(tmp_path / "x.webp"))[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such file"), (b"", "the file is empty"), (b"<html>404</html>", "not an image")],
)
def test_files_that_are_no_images(tmp_path, content, said):
    path = tmp_path / "x.jpg"
    if content is not None:
        path.write_bytes(content)
    for read in (read_image, read_mask, read_pixels, image_size):
        with pytest.raises(ImageError, match=said) as error:
            read(path)
        assert str(path) in str(error.value)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_file_cut_short_is_noticed_by_its_end(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = save(tmp_path / f"x.{suffix}", noise)
    assert not is_cut_short(path)
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0\0\0")  # some programs fill up blocks
    assert not is_cut_short(path)
    path.write_bytes(whole[: len(whole) // 2])
    assert is_cut_short(path)
    with pytest.raises(ImageError, match="can't be decoded"):
        read_image(path)


def test_decompression_bombs_are_refused(tmp_path):
    path = tmp_path / "x.png"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\1IDAT\0")
    with pytest.raises(ImageError, match="megapixels"):
        read_image(path)


def test_gray_is_pillows(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    expected = np.asarray(ImageOps.grayscale(Image.fromarray(noise)))
    assert (to_gray(noise)[..., 0] == expected).all()
    assert (read_pixels(save(tmp_path / "x.png", noise), 1)[..., 0] == expected).all()
    assert to_gray(np.full((1, 1, 3), 65535, np.uint16)).item() == 65535


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_written_pixels_are_read_back(tmp_path, dtype, channels):
    high = np.iinfo(dtype).max + 1
    pixels = np.random.default_rng(0).integers(0, high, (5, 7, channels), dtype=dtype)
    write_pixels(pixels, tmp_path / "x.png")
    read = read_pixels(tmp_path / "x.png", channels)
    assert read.dtype == dtype and (read == pixels).all()


def test_depth_and_format_must_go_together(tmp_path):
    with pytest.raises(UserError, match=r"\.png and \.tif"):
        write_pixels(np.zeros((2, 2, 3), np.uint16), tmp_path / "x.jpg")
    with pytest.raises(UserError, match="can't write images of this kind"):
        write_image(Image.new("RGB", (2, 2)), tmp_path / "x.xyz")


def test_listing_leaves_out_what_is_hidden_or_no_image(tmp_path):
    for name in ("b.PNG", "a.jpeg", "notes.txt", ".a.123.tmp.png", "sub/c.webp", ".cache/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in list_images(tmp_path)] == [
        "a.jpeg",
        "b.PNG",
        "sub/c.webp",
    ]


def test_png_wins_where_a_stem_occurs_twice(tmp_path):
    for name in ("a.jpg", "a.png", "a.webp", "b.jpg"):
        (tmp_path / name).touch()
    assert find_by_stem(tmp_path) == {"a": tmp_path / "a.png", "b": tmp_path / "b.jpg"}
