"""The refined mask against the guided filter's formulas (He et al. 2010, equations 19 to 21)."""

import numpy as np
from scipy.ndimage import uniform_filter
from skimage import data

from deeplab.refine import EPSILON, refine_mask


def guided_filter(guide: np.ndarray, p: np.ndarray, radius: int) -> np.ndarray:
    def mean(x: np.ndarray) -> np.ndarray:
        return uniform_filter(x, (2 * radius + 1, 2 * radius + 1) + (0,) * (x.ndim - 2), mode="mirror")

    mu = mean(guide)
    covariance = mean(guide[..., :, None] * guide[..., None, :]) - mu[..., :, None] * mu[..., None, :]
    with_p = mean(guide * p[..., None]) - mu * mean(p)[..., None]
    a = np.linalg.solve(covariance + EPSILON * np.eye(3), with_p[..., None])[..., 0]
    b = mean(p) - (a * mu).sum(-1)
    return (mean(a) * guide).sum(-1) + mean(b)


def test_formulas():
    photo = np.ascontiguousarray(data.astronaut()[::4, ::4])  # 128 x 128: radius 2
    mask = np.zeros((128, 128), bool)
    mask[30:90, 30:80] = True
    expected = guided_filter(photo.astype(np.float64) / 255, mask.astype(np.float64), 2)
    np.testing.assert_allclose(refine_mask(photo, mask), np.clip(expected, 0, 1), atol=2e-3)


def test_a_ragged_edge_follows_the_photo():
    photo = np.full((256, 256, 3), 40, np.uint8)
    photo[:, 128:] = (180, 160, 150)
    truth = np.zeros((256, 256), bool)
    truth[:, 128:] = True
    ragged = np.stack([np.roll(row, shift) for row, shift in zip(truth, [-2, 2] * 128, strict=True)])
    refined = refine_mask(photo, ragged)[:, 16:240]  # the roll brought pixels round the border
    assert np.abs(refined - truth[:, 16:240]).max() < 0.3
    steps = np.diff(refined, axis=1)
    assert (steps.argmax(axis=1) == 127 - 16).all() and (steps.max(axis=1) > 0.4).all()


def test_large_photos_are_subsampled_to_the_same_mask():
    photo = np.full((700, 2100, 3), 40, np.uint8)
    photo[:, 1000:] = (180, 160, 150)
    mask = np.zeros((700, 2100), bool)
    mask[:, 1000:] = True
    assert np.abs(refine_mask(photo, mask) - mask).max() < 0.05


def test_a_tiny_photo_keeps_its_mask():
    assert refine_mask(np.zeros((1, 1, 3), np.uint8), np.ones((1, 1), bool)) == [[1]]
