"""What the studio saves, judged by what test.py's generator makes of the same photos."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from deeplab.segmenter import InputSize, resize_photo
from tests.extras import need
from tests.scripts.studio.parts import expected, photo, pixels_of, psnr

pytestmark = pytest.mark.browser


def test_saved_photos_equal_what_test_py_makes_of_them(shop, tmp_path):
    pixels = photo(tmp_path / "one.png")
    shop.open(tmp_path / "one.png")
    assert psnr(expected(pixels), pixels) < 35  # there is something to see
    for aperture in (1.0, 2.5):
        shop.slide("aperture", aperture)
        assert psnr(pixels_of(shop.save()), expected(pixels, aperture)) > 45
    # The preview of a small photo has its size: before the line the photo, behind it the result.
    assert np.array_equal(shop.shown()[:, :73], pixels[:, :73])
    assert psnr(shop.shown()[:, 77:], expected(pixels, 2.5)[:, 77:]) > 45
    shop.slide("aperture", 0)
    assert np.array_equal(pixels_of(shop.save()), pixels)


def test_a_photo_of_several_tiles_has_no_seams(shop, tmp_path):
    pixels = photo(tmp_path / "wide.png", (1200, 90))
    shop.open(tmp_path / "wide.png")
    shop.slide("aperture", 3)
    result, truth = pixels_of(shop.save()), expected(pixels, 3)
    assert psnr(result, truth) > 40
    # Its tiles meet in column 1024.
    assert psnr(result[:, 1000:1050], truth[:, 1000:1050]) > 40


def test_a_saved_photo_is_upright_and_keeps_its_profile_and_exif(shop, tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    for name in ("turned.jpg", "turned.webp", "turned.png"):
        options = {} if name.endswith("png") else {"quality": 95}
        pixels = photo(tmp_path / name, icc_profile=profile, exif=exif, **options)
        assert pixels.shape == (150, 110, 3)
        shop.open(tmp_path / name)
        as_jpeg = io.BytesIO()
        # The browser halves colour both ways.
        Image.fromarray(expected(pixels)).save(as_jpeg, "JPEG", quality=95, subsampling="4:2:0")
        for kind, truth in (("image/png", expected(pixels)), ("image/jpeg", pixels_of(as_jpeg))):
            path = shop.save(kind)
            with Image.open(path) as image:
                assert image.size == (110, 150)
                assert image.info["icc_profile"] == profile
                assert image.getexif()[0x010F] == "a camera"
                assert image.getexif().get(0x0112, 1) == 1
            assert psnr(pixels_of(path), truth) > 40


def test_numbers_of_another_profile_are_not_converted(shop, tmp_path):
    # A gamma of 1 in place of sRGB's: converted to the canvas's colours, the photo would be much brighter.
    curve = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    profile = curve[:16] + b"RGB " + curve[20:]
    pixels = photo(tmp_path / "other.png", icc_profile=profile)
    shop.open(tmp_path / "other.png")
    shop.slide("aperture", 0)
    assert np.array_equal(pixels_of(shop.save()), pixels)


def test_what_is_marked_is_kept_or_blurred(shop, tmp_path):
    pixels = photo(tmp_path / "one.png")
    shop.open(tmp_path / "one.png")
    shop.slide("aperture", 2)
    shop.slide("size", 20)
    plain = pixels_of(shop.save()).astype(int)
    box = shop.page.locator("#view").bounding_box()
    for tool, x, y in (("keep", 20, 20), ("blur", 75, 95)):
        shop.choose(tool)
        place = box["x"] + box["width"] * x / 150, box["y"] + box["height"] * y / 110
        shop.drawn(lambda place=place: shop.page.mouse.click(*place))
    marked = pixels_of(shop.save()).astype(int)
    kept, blurred = np.s_[17:24, 17:24], np.s_[92:99, 72:79]
    assert np.array_equal(marked[kept], pixels[kept])
    assert np.abs(plain - pixels)[kept].mean() > 2
    assert np.abs(marked - pixels)[blurred].mean() > 2 * np.abs(plain - pixels)[blurred].mean()
    assert np.array_equal(marked[:10, 130:], plain[:10, 130:])
    for _ in range(2):
        shop.drawn(lambda: shop.page.click("#undo"))
    assert np.array_equal(pixels_of(shop.save()), plain)


def test_a_photo_without_a_subject_is_left_until_something_is_marked(shop, tmp_path):
    pixels = photo(tmp_path / "nobody.png", red=40)
    shop.open(tmp_path / "nobody.png")
    shop.said("nobody was found")
    assert np.array_equal(pixels_of(shop.save()), pixels)
    shop.slide("size", 20)
    shop.choose("spot")
    shop.drawn(lambda: shop.page.locator("#view").click())
    shop.drawn(lambda: shop.page.get_by_label("Only on what I mark").check())
    marked = pixels_of(shop.save()).astype(int)
    assert np.abs(marked - pixels)[52:58, 72:78].mean() < 1 < np.abs(marked - pixels)[:20, :20].mean()


def test_broken_files_are_named_and_other_photos_work(shop, tmp_path):
    broken, first, second = (tmp_path / name for name in ("broken.jpg", "first.png", "second.png"))
    broken.write_bytes(b"\xff\xd8\xff\xe0 no photo")
    photo(first)
    pixels = photo(second, (90, 140))
    shop.page.set_input_files("#files", [str(broken), str(first)])
    shop.said("first.png, 150 x 110")
    shop.page.set_input_files("#files", str(broken))
    shop.page.locator("#error", has_text="broken.jpg: not a photo").wait_for()
    shop.open(second)
    assert psnr(pixels_of(shop.save()), expected(pixels)) > 45
    assert shop.page.locator("#strip button").count() == 4
    assert shop.page.locator("#strip button:disabled").count() == 2


SEEN = """async ([bytes, how]) => {
  const { Photo } = await import("./decoding.js");
  const { seenBy } = await import("./networks.js");
  const { width, height, pixels } = seenBy(how, await Photo.read(new File([Uint8Array.from(bytes)], "one.png")));
  return [width, height, [...pixels]];
}"""


@pytest.mark.parametrize(
    ("side", "keep_aspect", "coarse"),
    [(4096, True, None), (120, True, None), (64, False, None), (4096, True, 47), (120, True, 47)],
)
def test_the_segmenter_sees_the_pixels_that_it_sees_in_test_py(modules, tmp_path, side, keep_aspect, coarse):
    """RVM's graph shrinks photos itself and does not antialias; in other pixels it finds other people."""
    pixels = photo(tmp_path / "one.png")
    how = {"side": side, "keep_aspect": keep_aspect, "coarse": coarse}
    width, height, found = modules.evaluate(SEEN, [list((tmp_path / "one.png").read_bytes()), how])
    size = InputSize(side, keep_aspect, enlarge=False).of(150, 110)
    wanted = resize_photo(Image.fromarray(pixels), size).astype(np.float32) / 255
    if coarse:
        tf = need("tensorflow")
        ratio = np.float32(coarse / max(size))
        coarse_size = (np.float32(size[::-1]) * ratio).astype(int)
        wanted = tf.image.resize(wanted[None], coarse_size, antialias=False).numpy()[0]
    assert (height, width) == wanted.shape[:2]
    # Pillow rounds after each of its two passes.
    np.testing.assert_allclose(np.reshape(found, wanted.shape), wanted, atol=1.01 / 255)
