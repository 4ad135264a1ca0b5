"""Figures against scikit-image and scipy, and against closed forms."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.ndimage import binary_dilation, binary_erosion
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from util.measure.metrics import (
    Regions,
    background_gradient,
    color_error,
    figures_of_output,
    grid_amplitude,
    psnr,
    ssim,
)
from util.optics.arrays import linear_to_srgb

EVERYWHERE = np.ones((128, 160), dtype=bool)
COLUMNS = np.arange(160, dtype=np.float32)


@pytest.fixture(scope="module")
def photo():
    return np.float32(data.astronaut()[40:168, 100:260]) / 255


@pytest.fixture(scope="module")
def noisy(photo):
    return np.clip(photo + np.random.default_rng(0).normal(0, 0.1, photo.shape), 0, 1).astype(np.float32)


def gray(rows: np.ndarray) -> np.ndarray:
    """`[W]` -> `[128,W,3]`."""
    return np.repeat(np.broadcast_to(rows, (128, len(rows)))[..., None], 3, axis=2).astype(np.float32)


def test_psnr_and_ssim_agree_with_scikit_image_on_a_rectangle(photo, noisy):
    rectangle = np.zeros_like(EVERYWHERE)
    rectangle[20:100, 30:140] = True
    cut = np.s_[20:100, 30:140]
    expected = peak_signal_noise_ratio(photo[cut], noisy[cut], data_range=1)
    assert psnr(noisy, photo, rectangle) == pytest.approx(expected, abs=1e-4)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}
    whole, similarity = structural_similarity(photo, noisy, channel_axis=2, full=True, **options)
    assert ssim(noisy, photo, rectangle) == pytest.approx(similarity[cut].mean(), abs=1e-5)
    # scikit-image's mean leaves out the border, which the window overlaps
    inner = np.zeros_like(EVERYWHERE)
    inner[5:-5, 5:-5] = True
    assert ssim(noisy, photo, inner) == pytest.approx(whole, abs=1e-5)


def test_equal_pictures_are_perfect(photo):
    assert psnr(photo, photo) == float("inf")
    assert ssim(photo, photo) == pytest.approx(1)


def test_gradient_of_a_ramp_is_its_slope_in_any_direction():
    y, x = np.mgrid[:128, :160]
    ramp = np.repeat((0.2 + 0.003 * x + 0.004 * y)[..., None], 3, axis=2).astype(np.float32) / 2
    inner = np.zeros_like(EVERYWHERE)
    inner[1:-1, 1:-1] = True
    assert background_gradient(ramp, inner) == pytest.approx(0.005 / 2, rel=1e-4)


def test_gradient_of_a_step_edge_is_its_height_over_the_width():
    step = gray(np.where(COLUMNS < 80, 0.25, 0.75))
    assert background_gradient(step, EVERYWHERE) == pytest.approx(0.5 / 160)


def test_gradient_left_of_a_wave_behind_a_gaussian():
    # A Gaussian of sigma s leaves exp(-(s*w)^2 / 2) of a wave's amplitude, and so of its gradient.
    wave, frequency, sigma = np.sin(2 * np.pi * COLUMNS / 16), 2 * np.pi / 16, 2.0
    source = gray(0.5 + 0.4 * wave)
    output = gray(0.5 + 0.4 * np.exp(-((sigma * frequency) ** 2) / 2) * wave)
    mask = np.zeros((128, 160), dtype=np.float32)
    mask[:, 60:70] = 1
    figures = figures_of_output(output, source, Regions.of_mask(mask))
    assert figures["gradient_left"] == pytest.approx(np.exp(-((sigma * frequency) ** 2) / 2), rel=1e-4)


def test_color_error_is_of_linear_light():
    light = gray(np.full(160, 0.2))
    shift = np.array([0.02, -0.04, 0.0], dtype=np.float32)
    base = linear_to_srgb(light)
    assert color_error(linear_to_srgb(light + shift), base, EVERYWHERE) == pytest.approx(0.02, rel=1e-4)
    wave = 0.2 * np.sin(2 * np.pi * COLUMNS / 40)
    inner = np.zeros_like(EVERYWHERE)
    inner[:, 60:100] = True  # one wavelength, far enough from the border
    expected = 0.2 * np.exp(-((12 * 2 * np.pi / 40) ** 2) / 2) * 2 / np.pi
    assert color_error(linear_to_srgb(light + gray(wave)), base, inner) == pytest.approx(expected, rel=0.01)


def test_a_lens_makes_no_color_error():
    # Stripes of one pixel, black and white, seen out of focus: half the light, which sRGB shows as 188 of 255.
    stripes = gray(COLUMNS % 2)
    soft = np.full_like(stripes, linear_to_srgb(0.5))
    assert color_error(soft, stripes, EVERYWHERE) < 1e-3
    assert color_error(np.full_like(stripes, 0.5), stripes, EVERYWHERE) > 0.25


def test_halo_is_the_error_between_subject_and_background():
    mask = np.zeros((128, 160), dtype=np.float32)
    mask[40:90, 50:110] = 1
    regions = Regions.of_mask(mask)
    base = gray(np.full(160, 0.5))
    output = base.copy()
    output[regions.ring] += 0.125
    figures = figures_of_output(output, base, regions)
    assert figures["halo"] == pytest.approx(0.125)
    assert figures["subject_psnr"] == float("inf")


def test_regions_agree_with_binary_morphology_and_cover_the_photo():
    mask = np.random.default_rng(1).random((128, 160)) > 0.9995
    y, x = np.mgrid[-20:21, -20:21]
    mask = binary_dilation(mask, x**2 + y**2 <= 15**2)
    regions = Regions.of_mask(mask.astype(np.float32))

    def disc(radius):
        return x**2 + y**2 <= radius**2

    assert np.array_equal(regions.subject, binary_erosion(mask, disc(3), border_value=1))
    assert np.array_equal(regions.background, ~binary_dilation(mask, disc(8)))
    total = regions.subject.astype(int) + regions.ring + regions.background
    assert (total == 1).all()
    assert 0 < regions.subject.sum() < mask.sum()


def test_background_figures_of_a_colour_photo_agree_with_scipy(photo, noisy):
    mask = np.zeros((128, 160), dtype=np.float32)
    mask[40:, 30:90] = 1
    regions = Regions.of_mask(mask)

    def gradient(image):
        luma = image @ [0.299, 0.587, 0.114]
        across, down = (ndimage.sobel(luma, axis=axis, mode="mirror") / 8 for axis in (1, 0))
        return np.hypot(across, down)[regions.background].mean()

    noisy_light, light = ((np.maximum(x, 0) + 0.055) / 1.055 for x in (noisy, photo**2))
    noisy_light, light = (
        np.where(x <= 0.04045, x / 12.92, y**2.4) for x, y in ((noisy, noisy_light), (photo**2, light))
    )
    difference = ndimage.gaussian_filter(noisy_light - light, (12, 12, 0), mode="mirror")
    figures = figures_of_output(noisy, photo**2, regions)
    assert figures["background_gradient"] == pytest.approx(gradient(noisy), rel=1e-5)
    assert figures["gradient_left"] == pytest.approx(gradient(noisy) / gradient(photo**2), rel=1e-5)
    expected = np.abs(difference)[regions.background].mean()
    assert figures["color_error"] == pytest.approx(expected, rel=1e-3)


def test_figures_of_empty_regions_are_nan(photo, noisy):
    nobody = figures_of_output(noisy, photo, Regions.of_mask(np.zeros((128, 160))))
    assert np.isnan(nobody["subject_psnr"]) and np.isnan(nobody["subject_ssim"])
    assert np.isfinite(nobody["gradient_left"])
    everybody = figures_of_output(noisy, photo, Regions.of_mask(np.ones((128, 160))))
    assert np.isnan(everybody["gradient_left"]) and np.isnan(everybody["color_error"])


def test_grid_is_the_amplitude_of_patterns_of_period_2_and_4():
    y, x = np.mgrid[:48, :64]
    for pattern in ((-1.0) ** (x + y), (-1.0) ** x, np.sign((x % 4) - 1.5) * (-1.0) ** y):
        image = np.repeat((0.5 + 0.01 * pattern)[..., None], 3, axis=2)
        assert grid_amplitude(image, np.ones((48, 64), bool)) == pytest.approx(0.01, rel=1e-6)
    slope = np.repeat((0.2 + 0.01 * x + 0.005 * y)[..., None], 3, axis=2)
    inner = np.zeros((48, 64), bool)
    inner[2:-2, 2:-2] = True
    assert grid_amplitude(slope, inner) == pytest.approx(0, abs=1e-12)
    assert np.isnan(grid_amplitude(slope, np.zeros((48, 64), bool)))


def test_grid_of_noise_averages_out():
    noise = np.random.default_rng(0).normal(0.5, 0.1, (256, 256, 1)).repeat(3, axis=2)
    assert grid_amplitude(noise) == pytest.approx(0.1 / 64, rel=0.5)
