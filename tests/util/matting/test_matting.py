"""Mattes against the formulas they come from and composites whose parts are known."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch

from datasets.composites import as_jpeg
from util.guided_filter import apply_coefficients, guided_coefficients
from util.matting import alpha_of, colors_behind, enlarging, laplacian, matte, mattes, solve, subject_colors
from util.matting.band import connected, sure_parts, without_islands
from util.matting.enlarging import enlarged_alpha
from util.matting.laplacian import band_system
from util.matting.solve import descended, solve_alpha

SUBJECT = np.array([0.7, 0.3, 0.2], np.float32)
BEHIND = np.array([0.1, 0.4, 0.6], np.float32)


def dense_laplacian(photo: np.ndarray, epsilon: float) -> np.ndarray:
    """Equation 12 of Levin et al., a window at a time."""
    height, width, _ = photo.shape
    number = np.arange(height * width).reshape(height, width)
    result = np.zeros((height * width,) * 2)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            window = number[y - 1 : y + 2, x - 1 : x + 2].ravel()
            colors = photo.reshape(-1, 3)[window].astype(np.float64)
            mean = colors.mean(0)
            inverse = np.linalg.inv(np.cov(colors.T, bias=True) + epsilon / 9 * np.eye(3))
            for i, a in enumerate(window):
                for j, b in enumerate(window):
                    result[a, b] += (a == b) - (1 + (colors[i] - mean) @ inverse @ (colors[j] - mean)) / 9
    return result


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_band_system_is_the_laplacian_of_the_paper(share, monkeypatch):
    monkeypatch.setattr(laplacian, "ROWS", 3)
    monkeypatch.setattr(laplacian, "BLOCK", 4)
    monkeypatch.setattr(laplacian, "EQUATIONS", 5)
    rng = np.random.default_rng(0)
    photo, unknown = rng.random((7, 9, 3), np.float32), rng.random((7, 9)) < share
    band = band_system(photo, unknown, 1e-3)
    found = np.zeros((63, 63))
    found[np.ix_(band.places, band.places)] = np.concatenate([part.toarray() for part in band.parts])
    expected = np.where(unknown.reshape(-1, 1), dense_laplacian(photo, 1e-3), 0)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    np.testing.assert_array_equal(band.unknown, unknown.ravel()[band.places])
    np.testing.assert_allclose(band.diagonal[band.unknown], expected.diagonal()[unknown.ravel()], atol=2e-6)
    alpha = rng.random(63).astype(np.float32)
    with ThreadPoolExecutor(2) as pool:
        times = band.times(alpha[band.places], pool)
    np.testing.assert_allclose(times, (expected @ alpha)[band.places], atol=1e-5)


def test_descent_ends_at_the_solution(monkeypatch):
    monkeypatch.setattr(solve, "TOLERANCE", 1e-6)
    photo, alpha, mask = (x[20:48, 20:52] for x in composite(96))
    rng = np.random.default_rng(0)
    photo = photo + 0.02 * rng.standard_normal(photo.shape, np.float32)
    unknown = rng.random(alpha.shape) < 0.7
    band = band_system(photo, unknown)
    known = np.where(unknown, 0, alpha).astype(np.float32)
    found = descended(band, known.ravel()[band.places], mask.ravel()[band.places], 500)
    inside = unknown.ravel()
    dense = dense_laplacian(photo, laplacian.EPSILON)[inside]
    right = solve.HOLD * mask[unknown] - dense[:, ~inside] @ alpha[~unknown]
    expected = np.linalg.solve(dense[:, inside] + solve.HOLD * np.eye(inside.sum()), right)
    np.testing.assert_allclose(found[band.unknown], expected, atol=1e-4)
    np.testing.assert_array_equal(found[~band.unknown], known.ravel()[band.places][~band.unknown])


def composite(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photo, its exact alpha, and a coarse mask: a square with a soft edge, and strands of hair that stand off it."""
    place = np.abs(np.mgrid[:side, :side] - side / 2 + 0.5).max(0)
    alpha = np.clip((side / 4 - place) / 3 + 0.5, 0, 1).astype(np.float32)
    mask = (place < side / 4).astype(np.float32)
    for column in range(side // 2 - 12, side // 2 + 12, 6):
        strand = alpha[side // 4 - 3 : side // 4 + 3, column]
        np.maximum(0.6, strand, out=strand)
    photo = alpha[..., None] * SUBJECT + (1 - alpha[..., None]) * BEHIND
    return photo.astype(np.float32), alpha, mask


def test_alpha_and_colours_of_a_composite_are_found():
    photo, alpha, mask = composite(96)
    assert np.abs(mask - alpha).max() > 0.4
    found = matte(photo, mask)
    # What is nearly 0 or 1 becomes it.
    stretched = np.clip((alpha - mattes.LOW) / (mattes.HIGH - mattes.LOW), 0, 1)
    assert np.abs(found.alpha - stretched).max() < 0.05
    mixed = (found.alpha > 0.3) & (found.alpha < 1)
    assert mixed.sum() > 100
    assert np.abs(found.foreground[mixed] - SUBJECT).max() < 0.1
    assert np.abs(photo[mixed] - SUBJECT).max() > 0.2
    sure = found.alpha == 1
    assert sure.sum() > 1500 and np.array_equal(found.foreground[sure], photo[sure])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_whole_numbers_are_shares_of_their_largest(dtype):
    photo, _, mask = composite(48)
    levels = np.round(photo * np.iinfo(dtype).max).astype(dtype)
    shares = levels.astype(np.float32) / np.iinfo(dtype).max
    of_levels, of_shares = matte(levels, mask), matte(shares, mask)
    assert np.array_equal(of_levels.alpha, of_shares.alpha)
    assert of_levels.foreground.dtype == dtype
    colors = of_levels.foreground / np.iinfo(dtype).max
    np.testing.assert_allclose(colors, of_shares.foreground, atol=0.5 / np.iinfo(dtype).max + 1e-6)
    assert np.abs(matte(levels, mask).alpha - matte(photo, mask).alpha).mean() < 0.03


def test_large_photos_are_solved_small_and_get_their_own_edges(monkeypatch):
    photo, _, mask = composite(192)
    exact = alpha_of(photo, mask)
    monkeypatch.setattr(mattes, "SIDE", 96)
    small = alpha_of(photo, mask)
    assert small.shape == mask.shape
    assert np.abs(small - exact).mean() < 0.01
    assert (small[64:128, 64:128] == 1).all() and (small[:30] == 0).all()


def test_alpha_is_enlarged_by_the_guided_filter(monkeypatch):
    """Part by part and pixel by pixel, as by the whole filter of `util.guided_filter`."""
    monkeypatch.setattr(enlarging, "ROWS", 7)
    rng = np.random.default_rng(0)
    photo = cv2.resize(rng.random((12, 16, 3)), (151, 112), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    small = cv2.resize(photo, (61, 45), interpolation=cv2.INTER_AREA).astype(np.float32)
    alpha = np.zeros((45, 61), np.float32)
    alpha[:, 40:43] = rng.random((45, 3))
    alpha[:9, :5] = rng.random((9, 5))
    alpha[9:, :4] = 1
    found = enlarged_alpha(photo, small, alpha)
    guide, target, whole = (
        torch.from_numpy(x).double().permute(2, 0, 1)[None] for x in (small, alpha[..., None], photo)
    )
    coefficients = guided_coefficients(guide, target, enlarging.RADIUS, enlarging.EPS)
    expected = apply_coefficients(coefficients, whole)[0, 0].numpy()
    around = np.ones((2 * enlarging.RADIUS + 1,) * 2)
    bounds = (extreme(alpha, around) for extreme in (cv2.erode, cv2.dilate))
    low, high = (cv2.resize(bound, (151, 112), interpolation=cv2.INTER_NEAREST) for bound in bounds)
    np.testing.assert_allclose(found, np.clip(expected, low, high), atol=1e-5)
    assert ((low < found) & (found < high)).sum() > 1000
    assert (found[low == high] == low[low == high]).all()


def test_what_is_sure_stays_and_the_band_lies_between():
    photo, _, mask = composite(96)
    foreground, background = sure_parts(mask)
    assert not (foreground & background).any()
    assert (mask[foreground] == 1).all() and (mask[background] == 0).all()
    alpha = solve_alpha(photo, mask, foreground, background)
    assert (alpha[foreground] == 1).all() and (alpha[background] == 0).all()
    _, soft_background = sure_parts(np.clip(mask + 0.3 * (mask == 0) * (np.arange(96) > 60), 0, 1))
    assert soft_background.sum() < background.sum()


def test_islands_go_and_what_touches_stays():
    mask = np.zeros((400, 600), np.float32)
    mask[100:300, 100:200] = 1  # a body
    mask[100:300, 204:210] = 1  # touches it
    mask[50:60, 500:510] = 1  # touches nothing
    mask[:, 560:] = 0.3  # nothing for sure
    mask[310:380, 400:430] = mask[310:380, 433:460] = 1  # two that are a body together
    kept = without_islands(mask)
    expected = mask.copy()
    expected[50:60, 500:510] = 0
    expected[:, 560:] = 0
    assert np.array_equal(kept, expected)
    assert not without_islands(np.zeros((8, 8), np.float32)).any()


def test_alpha_that_hangs_on_nothing_goes():
    alpha = np.zeros((20, 60), np.float32)
    alpha[:, :20] = 1
    alpha[10, 20:40] = 0.3  # a strand
    alpha[10, 30:32] = 0  # with a gap
    alpha[10, 50:55] = 0.4  # a twig
    expected = alpha.copy()
    expected[10, 50:55] = 0
    assert np.array_equal(connected(alpha, alpha == 1), expected)


@pytest.mark.parametrize("value", [0, 1])
def test_all_or_nothing_stays(value):
    photo = np.random.default_rng(0).random((40, 50, 3), np.float32)
    found = matte(photo, np.full((40, 50), value, np.float32))
    assert (found.alpha == value).all()
    if value:
        assert np.array_equal(found.foreground, photo)


def test_colours_fit_the_photo_behind_any_background():
    """Where the true subject has one colour and the background a texture, that colour is found in mixed pixels."""
    rng = np.random.default_rng(0)
    texture = BEHIND + rng.uniform(-0.1, 0.1, (192, 192, 1)).astype(np.float32)
    alpha = np.clip((np.arange(192) - 90) / 12, 0, 1).astype(np.float32)[None].repeat(192, 0)
    photo = alpha[..., None] * SUBJECT + (1 - alpha[..., None]) * texture
    colors = subject_colors(photo, alpha)
    half = (alpha > 0.3) & (alpha < 0.9)
    assert np.abs(colors[half] - SUBJECT).mean() < 0.05 < np.abs(photo[half] - SUBJECT).mean()
    behind = colors_behind(photo, alpha)
    mixed = alpha[..., None] * colors + (1 - alpha[..., None]) * behind
    below = alpha < 0.95
    assert np.abs(mixed - photo)[below].mean() < 1e-3
    assert np.array_equal(behind[alpha == 0], photo[alpha == 0])
    assert np.abs(behind - texture)[half].mean() < 0.1 < np.abs(photo - texture)[half].mean()


def test_blocks_of_a_jpeg_beside_the_subject_are_no_haze():
    """A plain wall has little but the blocks of the JPEG: what the mask leaves out there stays out."""
    rng = np.random.default_rng(0)
    photo, _, mask = composite(256)
    photo = photo + 0.02 * np.linspace(-1, 1, 256)[:, None, None] + 0.01 * rng.standard_normal(photo.shape)
    levels = as_jpeg(np.uint8(255 * np.clip(photo, 0, 1)))
    alpha = alpha_of(levels, mask)
    far = cv2.dilate(np.uint8(mask), np.ones((21, 21))) == 0
    assert alpha[far].mean() < 1e-3 and (alpha[far] > 0.1).sum() == 0
