"""Photos brought to a square, to sRGB and to their size."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from datasets.photo_fit import Fit, fit_photo


def test_fit_cuts_the_centre_and_keep_aspect_cuts_nothing():
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[:, 50:250, 0] = 200
    image = Image.fromarray(pixels)
    fitted = np.asarray(fit_photo(image, Fit(100, keep_aspect=False)))
    assert fitted.shape == (100, 100, 3) and (fitted[:, 3:-3] == [200, 0, 0]).all()
    whole = np.asarray(fit_photo(image, Fit(100, keep_aspect=True)))
    assert whole.shape == (100, 150, 3)
    assert abs((whole[..., 0] > 100).mean() - 2 / 3) < 0.01
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    even = np.asarray(fit_photo(Image.fromarray(stripes), Fit(100, keep_aspect=False)))
    assert np.abs(even[:, 3:-3].astype(int) - 127).max() <= 2  # no aliasing


def swapped_profile() -> bytes:
    """An ICC profile whose red is sRGB's blue, and the other way round."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {bytes(content[o : o + 4]): o for o in range(132, 132 + 12 * content[131], 12)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    place = slice(red + 4, red + 12), slice(blue + 4, blue + 12)
    content[place[0]], content[place[1]] = content[place[1]], content[place[0]]
    return bytes(content)


def test_colours_are_brought_to_srgb():
    image = Image.new("RGB", (60, 60), (200, 30, 90))
    image.info["icc_profile"] = swapped_profile()
    fitted = fit_photo(image, Fit(30, keep_aspect=False))
    assert np.abs(np.asarray(fitted).astype(int) - [90, 30, 200]).max() <= 2
    assert "icc_profile" not in fitted.info
    image.info["icc_profile"] = b"broken"
    assert (np.asarray(fit_photo(image, Fit(30, keep_aspect=False))) == [200, 30, 90]).all()
    buffer = BytesIO()
    fitted.save(buffer, "PNG")
    assert b"iCCP" not in buffer.getvalue()
