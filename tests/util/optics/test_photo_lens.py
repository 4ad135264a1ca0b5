"""`--lens auto`: EXIF that the tests write, and the thin lens in closed form."""

import math

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, TiffImagePlugin

import test as test_program
from deeplab.lens import LensBlur
from tests.models.inference.test_depth_at_test import save_lens
from util.errors import PhotoError
from util.images import read_image
from util.optics.camera import Camera, render
from util.optics.photo_lens import lens_of_photo
from util.optics.presets import RADIUS_OF_APERTURE

Base = ExifTags.Base
Rational = TiffImagePlugin.IFDRational

PHONE = {Base.FocalLength: Rational(57, 10), Base.FocalLengthIn35mmFilm: 26, Base.FNumber: Rational(18, 10)}
# 22.2 x 14.8 mm, whose diagonal is 26.68 mm: 5184 x 3456 pixels, told in pixels for each inch.
CANON = {
    Base.FocalLength: Rational(50, 1),
    Base.FNumber: Rational(18, 10),
    Base.ExifImageWidth: 5184,
    Base.ExifImageHeight: 3456,
    Base.FocalPlaneXResolution: Rational(5184 * 254, 222),
    Base.FocalPlaneYResolution: Rational(3456 * 254, 148),
    Base.FocalPlaneResolutionUnit: 2,
}


def save(path, told, size=(64, 48)):
    """A photo of noise with `told` in the EXIF's own directory; returns its path."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif).update(told)
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise).save(path, exif=exif.tobytes())
    return path


def radius(focal: float, f_number: float, distance: float) -> float:
    """Of a point at infinity, in pixels where 24 mm are 256: the thin lens, all lengths in millimetres."""
    image_of_focus = 1 / (1 / focal - 1 / (1000 * distance))
    opening = focal / f_number
    # The cone from the opening, cut where the subject is sharp, which is behind the image of infinity.
    return opening * (image_of_focus - focal) / focal / 2 / 24 * 256


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "heic"])
def test_equivalent_focal_length_and_distance(tmp_path, suffix):
    path = save(tmp_path / f"a.{suffix}", PHONE | {Base.SubjectDistance: Rational(15, 10)})
    assert lens_of_photo(path).radius() == pytest.approx(radius(26, 1.8, 1.5), rel=1e-6)


def test_a_sensor_told_by_the_density_of_its_pixels(tmp_path):
    equivalent = 50 * math.hypot(24, 36) / math.hypot(22.2, 14.8)
    lens = lens_of_photo(save(tmp_path / "a.jpg", CANON | {Base.SubjectDistance: Rational(3, 1)}))
    assert lens.radius() == pytest.approx(radius(equivalent, 1.8, 3), rel=1e-4)
    centimetres = {
        Base.FocalPlaneResolutionUnit: 3,
        Base.FocalPlaneXResolution: Rational(5184 * 100, 222),
        Base.FocalPlaneYResolution: Rational(3456 * 100, 148),
    }
    assert lens_of_photo(save(tmp_path / "b.jpg", CANON | centimetres)).focal == pytest.approx(lens.focal)


@pytest.mark.parametrize("distance", [None, (0, 1), (0, 0), (0xFFFFFFFF, 1), (1, 100)])
def test_without_a_distance_a_person_fills_the_frame_from_the_waist_up(tmp_path, distance):
    """Not told, 0, unknown, infinite, within the lens: two metres for 50 mm, as the lenses by name have it."""
    told = {} if distance is None else {Base.SubjectDistance: Rational(*distance)}
    lens = lens_of_photo(save(tmp_path / "a.jpg", PHONE | {Base.FocalLengthIn35mmFilm: 50} | told))
    assert lens.distance == pytest.approx(2) and lens.radius() == pytest.approx(radius(50, 1.8, 2))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "no focal length and no f-number"),
        ({Base.FocalLengthIn35mmFilm: 26}, "no f-number"),
        ({Base.FNumber: Rational(2, 1)}, "no focal length"),
        (
            {Base.FNumber: Rational(2, 1), Base.FocalLength: Rational(4, 1)},
            "no 35 mm equivalent of the focal length",
        ),
        ({Base.FNumber: Rational(0, 0), Base.FocalLengthIn35mmFilm: 26}, "no f-number"),
    ],
)
def test_a_photo_that_tells_too_little_is_one_line(tmp_path, told, said):
    path = save(tmp_path / "a.jpg", told)
    with pytest.raises(
        PhotoError, match=f"a.jpg: its EXIF has {said} for --lens auto; name a lens"
    ) as refused:
        lens_of_photo(path)
    assert "\n" not in str(refused.value)


def test_smoothing_takes_each_photos_lens(tmp_path):
    """Nobody in focus nor out of it but the wall: its radius is that of the formula."""
    path = save(tmp_path / "a.png", PHONE)
    photo, mask = np.asarray(read_image(path)), np.zeros((48, 64), np.float32)
    mask[20:30, 20:30] = 1
    result = LensBlur(Camera(), radius_at_256=None)(path, photo, mask)
    x = torch.tensor(photo).permute(2, 0, 1)[None] / 127.5 - 1
    alpha = torch.from_numpy(mask)[None, None]
    truth = render(x, alpha, -(1 - alpha) * radius(26, 1.8, 1.04) * 48 / 256)
    assert np.abs(result - (255 * (truth[0].permute(1, 2, 0).numpy() + 1) / 2)).max() <= 1


def test_a_trained_lens_blurs_by_each_photos_own(tmp_path, capsys):
    """Of three photos of one batch: twice the f-number is what half the aperture is; the one without EXIF is listed."""
    save_lens(tmp_path, radius=40.0)
    for name, told in (
        ("a", PHONE),
        ("b", PHONE | {Base.FNumber: Rational(36, 10)}),
        ("c", {}),
    ):
        save(tmp_path / f"photos/{name}.png", told)
    flags = [
        *("--checkpoints_dir", str(tmp_path / "checkpoints"), "--name", "run", "--device", "cpu"),
        *("--input", str(tmp_path / "photos"), "--grain", "0", "--batch_size", "3"),
    ]
    with pytest.raises(SystemExit) as end:
        test_program.main([*flags, "--output", str(tmp_path / "auto"), "--lens", "auto"])
    message = capsys.readouterr().err
    assert end.value.code == 1 and "1 of 3 photos could not be done" in message
    assert "c.png: its EXIF has no focal length" in message and not (tmp_path / "auto/c.png").exists()
    for name, f_number in (("a", 1.8), ("b", 3.6)):
        aperture = radius(26, f_number, 1.04) / RADIUS_OF_APERTURE
        told = ["--camera", "--aperture", str(aperture), "--output", str(tmp_path / f"by_hand_{name}")]
        test_program.main([*flags, *told])
        expected, found = (
            np.asarray(Image.open(tmp_path / f"{folder}/{name}.png")).astype(int)
            for folder in (f"by_hand_{name}", "auto")
        )
        assert np.abs(expected - found).max() <= 1
    with pytest.raises(SystemExit) as end:
        test_program.main([*flags[:6], "--dataroot", str(tmp_path), "--lens", "auto"])
    assert end.value.code == 2 and "--lens auto goes with --input" in capsys.readouterr().err
