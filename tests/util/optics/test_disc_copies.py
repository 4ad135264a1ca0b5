"""Discs on small copies in strips, against OpenCV's filter at full size."""

import cv2
import numpy as np
import pytest
import torch
from skimage.data import chelsea

from util.optics.arrays import disc_kernel
from util.optics.blur import disc_blur
from util.optics.disc_copies import DiscCopies, Strip, outside
from util.strips import enlarged_rows, spans


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


def strips_of(photo: np.ndarray, weight: np.ndarray, copies: DiscCopies, rows: int) -> list[Strip]:
    """The photo in strips of so many rows, with what the discs of `copies` reach around them."""
    strips = []
    for top, bottom in spans(weight.shape[0], rows):
        first, end = max(0, top - copies.halo), min(weight.shape[0], bottom + copies.halo)
        strips.append(Strip(top, bottom - top, top - first, photo[:, first:end], weight[first:end]))
    return strips


def blurred(
    photo: np.ndarray, weight: np.ndarray, radii: list[float], rows: int, radius: np.ndarray | None = None
) -> DiscCopies:
    copies = DiscCopies(weight.shape)
    for top, bottom in spans(weight.shape[0], rows):
        copies.add(top, photo[:, top:bottom], weight[top:bottom])
    copies.blur(radii, radius)
    return copies


def in_strips(photo: np.ndarray, weight: np.ndarray, radii: list[float], rows: int) -> list[np.ndarray]:
    copies = blurred(photo, weight, radii, rows)
    strips = [list(copies.rows(strip)) for strip in strips_of(photo, weight, copies, rows)]
    return [np.concatenate(parts, axis=1) for parts in zip(*strips, strict=True)]


def by_radius(
    photo: np.ndarray, weight: np.ndarray, radii: list[float], radius: np.ndarray, rows: int
) -> np.ndarray:
    copies = blurred(photo, weight, radii, rows)
    strips = strips_of(photo, weight, copies, rows)
    return np.concatenate(
        [copies.by_radius(strip, radius[strip.top :][: strip.rows]) for strip in strips], axis=1
    )


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


RADII = [1.5, 4.0, 11.0, 20.0, 33.0]


@pytest.mark.parametrize("rows", [64, 22])
def test_by_radius_mixes_the_two_nearest_discs_of_the_whole_photo(rows):
    """Radii that grow to the right and downwards, sharp at the left, beyond the last disc at the right."""
    y, x = np.mgrid[:300, :451].astype(np.float32)
    radius = np.clip((x - 40) / 8 - y / 40, 0, None)
    discs = [light(), *in_strips(light(), background(), RADII, 300)]
    place = np.interp(radius, [0, *RADII], range(6))
    below = np.minimum(place.astype(int), 4)
    mixed = sum(np.where(below == k, discs[k] + (place - k) * (discs[k + 1] - discs[k]), 0) for k in range(5))
    result = by_radius(light(), background(), RADII, radius, rows)
    shown = background() > 0
    # OpenCV rounds in its transforms.
    assert np.abs(result - mixed)[:, shown].max() < 2e-3
    assert np.array_equal(result[:, radius == 0], light()[:, radius == 0])
    assert radius[:, 400:].min() > 20 and radius.max() > RADII[-1]


def test_only_what_is_shown_is_computed(monkeypatch):
    """Two far corners of their own radii: the discs are laid on the corners and on what these reach."""
    radius = np.zeros((300, 451), np.float32)
    radius[:10, :10], radius[-10:, -10:] = 4.0, 1.5
    laid = []
    monkeypatch.setattr(
        "util.optics.disc_copies.cv2.filter2D",
        lambda part, *arguments, filtered=cv2.filter2D, **more: (
            laid.append(part.size) or filtered(part, *arguments, **more)
        ),
    )
    by_radius(light(), np.ones((300, 451), np.float32), RADII[:2], radius, 64)
    assert sum(laid) == 4 * (14 * 14 + 11 * 11)


def test_large_discs_are_laid_where_small_radii_say_that_they_are_shown(monkeypatch):
    """Radii of few pixels, enlarged: a peak, and a slope that ends beyond the last disc."""
    small = np.full((9, 14), 2.0, np.float32)
    small[2, 3] = 30.0
    small[5:, 9:] = np.linspace(2, 50, 5)
    radii, weight = [3.0, 14.0, 22.0, 31.0, 45.0], background()
    radius = enlarged_rows(small[None], 0, 300, weight.shape)[0]
    laid = []
    monkeypatch.setattr(
        "util.optics.disc_copies.cv2.filter2D",
        lambda part, *arguments, filtered=cv2.filter2D, **more: (
            laid.append(part.size) or filtered(part, *arguments, **more)
        ),
    )
    results, areas = [], []
    for told in (None, small):
        laid.clear()
        copies = blurred(light(), weight, radii, 64, told)
        areas.append(sum(laid))
        strips = strips_of(light(), weight, copies, 22)
        parts = [copies.by_radius(strip, radius[strip.top :][: strip.rows]) for strip in strips]
        results.append(np.concatenate(parts, axis=1))
    # OpenCV rounds in its transforms, whose size differs.
    assert np.abs(results[1] - results[0]).max() < 1e-5
    assert np.abs(results[0] - light()).max() > 0.1
    assert areas[1] < 0.9 * areas[0]
