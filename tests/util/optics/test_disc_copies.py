"""Discs on small copies in strips, against OpenCV's filter at full size."""

import cv2
import numpy as np
import pytest
import torch
from skimage.data import chelsea

from util.optics.arrays import disc_kernel
from util.optics.blur import disc_blur
from util.optics.disc_copies import DiscCopies, outside
from util.strips import spans


def light() -> np.ndarray:
    """A photograph of a cat, `[3,300,451] in [0,1]`."""
    return np.ascontiguousarray(chelsea().transpose(2, 0, 1), dtype=np.float32) / 255


def background() -> np.ndarray:
    """All but a soft disc in the middle."""
    y, x = np.mgrid[:300, :451]
    return np.clip((np.hypot(y - 150, x - 225) - 60) / 20, 0, 1).astype(np.float32)


def at_full_size(photo: np.ndarray, weight: np.ndarray, radius: float) -> np.ndarray:
    """`K*(L*b) / K*b` in one piece; the photo's own light where nothing is under the disc."""
    kernel = disc_kernel(radius)
    parts = [
        cv2.filter2D(part, -1, kernel, borderType=cv2.BORDER_CONSTANT) for part in outside(photo, weight)
    ]
    return np.where(parts[3] > 1e-4, np.stack(parts[:3]) / np.maximum(parts[3], 1e-4), photo)


def in_strips(photo: np.ndarray, weight: np.ndarray, radii: list[float], rows: int) -> list[np.ndarray]:
    height = weight.shape[0]
    copies = DiscCopies(weight.shape)
    for top, bottom in spans(height, rows):
        copies.add(top, photo[:, top:bottom], weight[top:bottom])
    copies.blur(radii)
    strips = []
    for top, bottom in spans(height, rows):
        first, end = max(0, top - copies.halo), min(height, bottom + copies.halo)
        strips.append(list(copies.rows(top, bottom, photo[:, first:end], weight[first:end], top - first)))
    return [np.concatenate(parts, axis=1) for parts in zip(*strips, strict=True)]


@pytest.mark.parametrize(("radius", "levels"), [(30.0, 1), (20.0, 1), (60.0, 1), (13.0, 1.3), (44.0, 1.3)])
def test_large_discs_are_within_a_level_of_those_at_full_size(radius, levels):
    """Just above the radii from which on a copy is half the size it is a third of a level more, at single pixels."""
    everywhere = np.ones((300, 451), np.float32)
    for weight in (everywhere, background()):
        error = np.abs(in_strips(light(), weight, [radius], 64)[0] - at_full_size(light(), weight, radius))
        # Where hardly any background is under the disc, what there is counts much; nothing of it is seen there.
        error = error[:, weight > 0.5]
        assert error.max() < levels / 255
        assert error.mean() < 0.12 / 255


def test_they_are_nearer_to_the_truth_than_those_of_tensors():
    everywhere = np.ones((300, 451), np.float32)
    truth = at_full_size(light(), everywhere, 30.0)
    tensors = disc_blur(torch.from_numpy(light())[None], torch.ones(1, 1, 300, 451), 30.0)[0].numpy()
    strips = in_strips(light(), everywhere, [30.0], 64)[0]
    assert 2 * np.abs(strips - truth).mean() < np.abs(tensors - truth).mean()


def test_small_discs_are_those_at_full_size_whatever_the_strips():
    for rows in (64, 22):
        for radius, copy in zip(
            [3.0, 11.5], in_strips(light(), background(), [3.0, 11.5], rows), strict=True
        ):
            # OpenCV rounds in its transforms.
            assert np.abs(copy - at_full_size(light(), background(), radius)).max() < 2e-3


def test_half_a_pixel_leaves_the_light():
    assert np.array_equal(in_strips(light(), background(), [0.5], 64)[0], light())


def test_nothing_of_the_subject_bleeds():
    """A white subject on black: the copies are black, in the subject too, as far as their discs reach."""
    subject = 1 - background()
    white = np.broadcast_to(np.float32(subject > 0), (3, 300, 451))
    for copy in in_strips(white, np.float32(subject == 0), [6.0, 16.0, 40.0], 64):
        assert copy[:, subject == 0].max() < 1e-4
