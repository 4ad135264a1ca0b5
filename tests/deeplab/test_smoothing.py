"""The blurs against direct sums written from their definitions."""

import cv2
import numpy as np
import pytest
from skimage import data

from deeplab.smoothing import SMOOTHINGS, disc_blur, gaussian_blur, mean_blur, smooth
from util.optics.arrays import disc_kernel, linear_to_srgb, srgb_to_linear


@pytest.fixture
def photo() -> np.ndarray:
    return np.ascontiguousarray(data.astronaut()[40:104, 180:260])


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((64, 80), np.float32)
    mask[20:50, 30:60] = 1
    mask[20:50, 29] = 0.4
    return mask


def windows(image: np.ndarray, n: int) -> np.ndarray:
    """All windows [H,W,C,2n+1,2n+1] of `image` mirrored at its border without repeating the edge."""
    padded = np.pad(image.astype(np.float64), ((n, n), (n, n), (0, 0)), mode="reflect")
    return np.lib.stride_tricks.sliding_window_view(padded, (2 * n + 1, 2 * n + 1), axis=(0, 1))


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal to rounding: at most one grey level apart."""
    return a.dtype == np.uint8 and np.abs(a.astype(int) - np.rint(b)).max() <= 1


def test_mean_is_the_mean_with_the_subject_pasted_back(photo, mask):
    blurred = windows(photo, 2).mean(axis=(-1, -2))
    assert close(mean_blur(photo, mask), mask[..., None] * photo + (1 - mask[..., None]) * blurred)


def test_gaussian_matches_the_direct_sum(photo, mask):
    x = np.arange(-4, 5)
    g = np.exp(-(x**2) / (2 * 1.7**2))
    kernel = np.outer(g, g) / g.sum() ** 2
    blurred = (windows(photo, 4) * kernel).sum(axis=(-1, -2))
    assert close(gaussian_blur(photo, mask), mask[..., None] * photo + (1 - mask[..., None]) * blurred)


@pytest.mark.parametrize("radius", [2.5, 6])  # OpenCV sums small kernels directly and large ones by a DFT
def test_disc_is_the_normalised_sum_in_linear_light(photo, mask, radius):
    light, weight = srgb_to_linear(photo / 255), 1 - mask[..., None]
    kernel = disc_kernel(radius)
    n = kernel.shape[0] // 2
    total = (windows(light * weight, n) * kernel).sum(axis=(-1, -2))
    share = (windows(weight, n) * kernel).sum(axis=(-1, -2))
    blurred = np.where(share > 1e-4, total / np.maximum(share, 1e-4), light)
    expected = mask[..., None] * photo + weight * 255 * linear_to_srgb(blurred)
    assert close(disc_blur(photo, mask, radius), expected)


def test_no_colour_of_the_subject_bleeds_through_the_disc(mask):
    mask = (mask == 1).astype(np.float32)
    photo = np.where(mask[..., None] > 0, np.array([255, 0, 0]), np.array([40, 90, 160])).astype(np.uint8)
    result = disc_blur(photo, mask, 7)
    assert (result[mask == 0] == [40, 90, 160]).all()
    assert (mean_blur(photo, mask)[mask == 0] != [40, 90, 160]).any()  # the published blur does bleed


@pytest.mark.parametrize("kind", SMOOTHINGS)
def test_subject_is_exact_and_an_empty_mask_blurs_everything(photo, mask, kind):
    assert (smooth(photo, mask, kind, 3)[mask == 1] == photo[mask == 1]).all()
    assert (smooth(photo, np.ones_like(mask), kind, 3) == photo).all()
    everywhere = smooth(photo, np.zeros_like(mask), kind, 3)
    assert cv2.Laplacian(everywhere, cv2.CV_32F).std() < cv2.Laplacian(photo, cv2.CV_32F).std() / 2


def test_published_sizes_are_the_defaults(photo, mask):
    assert (smooth(photo, mask, "mean") == mean_blur(photo, mask, 5)).all()
    assert (smooth(photo, mask, "gaussian") == gaussian_blur(photo, mask, 9)).all()
    assert (smooth(photo, mask, "mean", 3) == mean_blur(photo, mask, 7)).all()
