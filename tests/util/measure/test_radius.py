"""The radius of blur against discs that are known."""

import cv2
import numpy as np
import pytest
from skimage import data

from util.measure.radius import Ladder, controllability
from util.optics.arrays import disc_kernel, linear_to_srgb, srgb_to_linear


@pytest.fixture(scope="module")
def photo():
    return np.float32(data.astronaut()[:384, 100:484]) / 255


@pytest.fixture(scope="module")
def background():
    region = np.ones((384, 384), bool)
    region[200:, 100:250] = False
    return region


def behind(photo, radius):
    blurred = linear_to_srgb(np.clip(cv2.filter2D(srgb_to_linear(photo), -1, disc_kernel(radius)), 0, 1))
    return np.round(255 * blurred) / np.float32(255)


@pytest.mark.parametrize("radius", [1.1, 1.45, 2.8, 4.7, 8.5, 12.0])
def test_radius_of_a_known_disc(photo, background, radius):
    everywhere = np.ones_like(background)
    found = Ladder.of_photo(photo, everywhere).radius_of(behind(photo, radius))
    assert found == pytest.approx(radius * 256 / 384, rel=0.05)  # told for a photo of 256 pixels
    # A subject pasted over it changes little: what is told is of the background.
    pasted = np.where(background[..., None], behind(photo, radius), photo)
    assert Ladder.of_photo(photo, background).radius_of(pasted) == pytest.approx(found, rel=0.12)


def test_what_was_not_blurred_has_no_radius(photo, background):
    ladder = Ladder.of_photo(photo, background)
    assert ladder.radius_of(photo) == 0
    assert np.isnan(Ladder.of_photo(photo, ~np.ones_like(background)).radius_of(photo))
    twice = cv2.resize(photo, (768, 768), interpolation=cv2.INTER_CUBIC)
    assert ladder.radius_of(twice) < 0.4  # a result of another size


def test_controllability_is_a_correlation():
    assert controllability([1, 2, 3], [0.5, 1.0, 1.5]) == pytest.approx(1)
    assert controllability([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    strengths, radii = [0.5, 1, 2, 4], [0.1, 0.9, 1.2, 3.0]
    expected = np.cov(strengths, radii)[0, 1] / np.std(strengths, ddof=1) / np.std(radii, ddof=1)
    assert controllability(strengths, radii) == pytest.approx(expected)
    assert controllability([1, 2, 3], [1, 1, 1]) == 0
    assert np.isnan(controllability([1, 2], [1, 2])) and np.isnan(controllability([1, 2, 3], [1, 2, np.nan]))
