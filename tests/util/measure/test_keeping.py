"""What is kept of detail: closed forms, and scipy's filters as a second implementation."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from util.measure.keeping import Agreement, at_side, detail, figures_of_keeping, kept, textured

HEIGHT, WIDTH = 120, 160
MATTE = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
MATTE[20:, 60:100] = 1


def waves(amplitude: float | np.ndarray) -> np.ndarray:
    """Vertical stripes of 6 pixels, as `[H,W,3]`."""
    wave = np.sin(2 * np.pi * np.arange(WIDTH) / 6) * np.broadcast_to(amplitude, (HEIGHT, WIDTH))
    return np.repeat((0.5 + wave)[..., None], 3, axis=2).astype(np.float32)


def figures(output: np.ndarray, source: np.ndarray, first=MATTE, second=MATTE) -> dict[str, float]:
    return figures_of_keeping(output, source, Agreement.of_mattes(first, second))


@pytest.mark.parametrize(
    ("of_subject", "of_background", "blurred", "sharp"),
    [(1, 0.3, 0, 0), (0.82, 0.72, 0, 1), (0.78, 0.68, 1, 0), (1, 1, 0, 1), (0.1, 0.1, 1, 0)],
)
def test_stripes_of_less_contrast(of_subject, of_background, blurred, sharp):
    # Amplitude is what detail is proportional to; at the edge of the subject each side counts for itself.
    output = waves(0.2 * np.where(MATTE > 0, of_subject, of_background))
    found = figures(output, waves(0.2))
    assert found == {"subject_blurred": blurred, "background_sharp": sharp}


def test_shares_are_areas():
    lost = np.where((MATTE > 0) & (np.arange(HEIGHT)[:, None] < 45), 0.1, 1)  # rows 20 to 44 of 20 to 119
    lost = np.where((MATTE == 0) & (np.arange(WIDTH) >= 60), 0.1, lost)  # what is right of the left edge
    found = figures(waves(0.2 * lost), waves(0.2))
    assert found["subject_blurred"] == pytest.approx(0.25, abs=0.03)
    sharp, above_middle = 60 * 70, 160 * 20 + 120 * 50
    assert found["background_sharp"] == pytest.approx(sharp / above_middle, abs=0.02)


def test_only_where_both_mattes_agree_and_above_the_middle():
    other = MATTE.copy()
    other[20:60] = 0
    regions = Agreement.of_mattes(MATTE, other)
    assert not regions.subject[:60].any() and regions.subject[62:118, 62:98].all()
    assert not regions.background[20:, 60:100].any()
    assert regions.background[:85, :55].all() and not regions.background[91:].any()
    doubtful = np.where(MATTE > 0, 0.85, 0.15)
    assert not Agreement.of_mattes(MATTE, doubtful).subject.any()


def test_nothing_to_judge():
    flat = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
    assert all(np.isnan(value) for value in figures(flat, flat).values())
    # A background that was soft in the photo may stay as it is.
    step = np.broadcast_to(np.where(np.arange(WIDTH) % 80 < 40, 0.2, 0.8)[:, None], (HEIGHT, WIDTH, 3))
    soft = cv2.GaussianBlur(np.float32(step), (0, 0), 6)
    assert np.isnan(figures(soft, soft)["background_sharp"])
    assert figures(np.float32(step), np.float32(step))["background_sharp"] == 1


def test_soft_places_are_not_judged():
    """Left stripes, right a soft slope, nobody in front: untouched, all of what was sharp is; blurred, nothing is."""
    soft = cv2.GaussianBlur(np.float32(np.where(np.arange(WIDTH) < 120, 0.1, 0.9)), (0, 0), 6).ravel()
    photo = np.where(np.arange(WIDTH) < 80, waves(0.2)[0, :, 0], soft)
    source = np.float32(np.broadcast_to(photo[:, None], (HEIGHT, WIDTH, 3)))
    nobody = np.zeros_like(MATTE)
    assert figures(source, source, nobody, nobody)["background_sharp"] == 1
    # The slope hardly changes: in the whole background, nearly a fifth would count as sharp.
    blurred = cv2.GaussianBlur(source, (0, 0), 3)
    everywhere = np.ones_like(nobody, bool)
    places = textured(source, everywhere)
    assert (kept(blurred, source, everywhere)[places] > 0.7).mean() > 0.15
    assert figures(blurred, source, nobody, nobody)["background_sharp"] < 0.02


def test_neither_noise_nor_an_edge_nearby_is_kept_detail():
    rng = np.random.default_rng(0)
    region = np.ones((HEIGHT, WIDTH), bool)
    source, other = (rng.normal(0.5, 0.1, (HEIGHT, WIDTH, 1)).repeat(3, 2).astype(np.float32) for _ in "ab")
    assert np.abs(kept(other, source, region)).mean() < 0.15 and detail(other, region).mean() > 0.02
    # Faint stripes up and down beside a strong edge, which a blur spreads over them.
    edge = np.where(np.arange(WIDTH) < 80, 0.1, 0.9)
    stripes = 0.03 * np.sin(2 * np.pi * np.arange(HEIGHT) / 6)[:, None] + edge
    photo = np.repeat(stripes[..., None], 3, axis=2).astype(np.float32)
    beside = np.s_[20:100, 66:72]
    blurred = cv2.blur(photo, (30, 30))
    assert (detail(blurred, region) / detail(photo, region))[beside].min() > 0.7
    assert kept(blurred, photo, region)[beside].max() < 0.1


def scipys(photo: np.ndarray, region: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Gradients `[2,H,W]` and a mean over the region's pixels in a window, by scipy."""
    luma = photo @ [0.299, 0.587, 0.114]
    slopes = np.stack([ndimage.sobel(luma, axis=axis, mode="mirror") / 8 for axis in (1, 0)])

    def mean(values):
        window = [
            ndimage.gaussian_filter(x, 2, mode="mirror", radius=8) for x in (values * region, region * 1.0)
        ]
        return window[0] / np.maximum(window[1], 1e-9) * region

    return slopes, mean


def test_detail_and_what_is_kept_of_it_agree_with_scipy():
    photo = np.float32(data.astronaut()[:HEIGHT, 100 : 100 + WIDTH]) / 255
    region = MATTE > 0
    slopes, mean = scipys(photo, region)
    energy = mean((slopes**2).sum(0))
    assert detail(photo, region) == pytest.approx(np.sqrt(energy), abs=2e-4)
    output = 0.6 * photo + 0.4 * cv2.GaussianBlur(photo, (0, 0), 2)
    common = mean((scipys(output, region)[0] * slopes).sum(0))
    places = energy > 1e-4
    expected = common[places] / energy[places]
    assert kept(output, photo, region)[places] == pytest.approx(expected, abs=2e-3)


def test_photos_are_compared_at_one_size():
    photo = np.float32(data.astronaut()) / 255
    assert at_side(photo).shape == (768, 768, 3)
    tall = np.zeros((1600, 1200), np.float32)
    tall[:800] = 1
    small = at_side(tall)
    assert small.shape == (1024, 768) and small[:511].min() > 0.999 and small[513:].max() == 0
