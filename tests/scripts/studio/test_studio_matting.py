"""The studio's mattes: each step in the browser gives what `util.matting` and `models.lens.matting` give."""

import cv2
import numpy as np
import pytest
import torch

from models.lens.matting import told_prior
from tests.scripts.studio.parts import as_rgba, picture
from util.matting import alpha_of, colors_behind
from util.matting.band import connected, softness, sure_parts, without_islands
from util.matting.enlarging import enlarged_alpha
from util.matting.laplacian import band_system
from util.resize import resized

pytestmark = pytest.mark.browser

SUBJECT, BEHIND = np.array([180, 80, 50]), np.array([30, 100, 150])


def portrait(width, height):
    """A made photo uint8 `[H,W,3]`, grainy, with strands of hair, and a coarse mask of its subject."""
    y, x = np.mgrid[:height, :width]
    away = np.hypot((x - width / 2) / width, (y - 0.6 * height) / height)
    alpha = np.clip((0.25 - away) * width / 4 + 0.5, 0, 1)
    alpha[height // 5 : height // 2, width // 2 - 12 : width // 2 + 12 : 6] = 0.7
    grain = np.random.default_rng(0).normal(0, 3, (height, width, 3))
    photo = alpha[..., None] * SUBJECT + (1 - alpha[..., None]) * BEHIND + grain
    mask = cv2.GaussianBlur((away < 0.24).astype(np.float32), (0, 0), width / 60)
    return photo.clip(0, 255).astype(np.uint8), mask


def some_mask(height, width):
    """Two bodies, an island that is none, and soft edges."""
    mask = np.zeros((height, width), np.float32)
    mask[20:60, 10:50] = mask[5:30, 70:90] = mask[62:64, 60:62] = 1
    return cv2.GaussianBlur(mask, (0, 0), 1.5)


REGIONS = """async ([width, height, data]) => {
  const { components, depths, dilated, eroded } = await import("./regions.js");
  const region = Uint8Array.from(data, (value) => Number(value > 0.5));
  const plane = Float32Array.from(data);
  return [
    [...depths(region, width, height)], [...components(region, width, height).labels],
    [...dilated(plane, width, height, 3)], [...eroded(plane, width, height, 3)],
  ];
}"""


def test_regions_are_as_opencv_has_them(modules):
    mask = some_mask(80, 100)
    inside = np.uint8(mask > 0.5)
    inside[-1, ::2] = 1
    depth, labels, largest, smallest = (
        np.reshape(found, mask.shape)
        for found in modules.evaluate(REGIONS, picture(np.maximum(mask, inside)))
    )
    np.testing.assert_allclose(
        depth, cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), atol=1e-4
    )
    count, wanted = cv2.connectedComponents(inside, connectivity=8)
    assert len(np.unique(labels + 1000 * wanted)) == labels.max() + 1 == count
    around = np.ones((7, 7), np.uint8)
    np.testing.assert_array_equal(largest, cv2.dilate(np.maximum(mask, inside), around))
    np.testing.assert_array_equal(smallest, cv2.erode(np.maximum(mask, inside), around))


BAND = """async ([width, height, data]) => {
  const { connected, softness, sureParts, withoutIslands } = await import("./band.js");
  const mask = withoutIslands({ width, height, data: Float32Array.from(data) });
  const { foreground, background } = sureParts(mask);
  const hanging = connected(Float32Array.from(data), foreground, width, height);
  return [softness(mask), ...[mask.data, foreground, background, hanging].map((plane) => [...plane])];
}"""


def test_what_is_sure_of_a_mask_is_so_here_and_there(modules):
    mask = some_mask(80, 100)
    soft, *planes = modules.evaluate(BAND, picture(mask))
    bodies, foreground, background, hanging = (np.reshape(plane, mask.shape) for plane in planes)
    wanted = without_islands(mask)
    assert wanted[62, 60] == 0 < mask[62, 60]
    np.testing.assert_array_equal(bodies, wanted)
    assert soft == pytest.approx(softness(wanted))
    sure = sure_parts(wanted)
    np.testing.assert_array_equal((foreground, background), sure)
    np.testing.assert_array_equal(hanging, connected(mask, sure[0]))


TIMES = """async ([photo, unknown, vector]) => {
  const { Band } = await import("./laplacian.js");
  const [width, height, data] = photo;
  const band = new Band({ width, height, data: Float32Array.from(data) }, Uint8Array.from(unknown));
  const out = band.times(band.gathered(vector), new Float64Array(band.rows.length));
  return [[...band.places], [...band.diagonal], [...out]];
}"""


@pytest.mark.parametrize("share", [0.05, 0.6, 1.0])
def test_the_laplacian_is_that_of_the_paper(modules, share):
    """That of `band_system`, which is held against the paper's formula elsewhere."""
    rng = np.random.default_rng(0)
    photo, unknown = rng.random((8, 11, 3), np.float32), rng.random((8, 11)) < share
    alpha = rng.random((8, 11), np.float32)
    words = [picture(photo), unknown.astype(int).ravel().tolist(), alpha.ravel().tolist()]
    places, diagonal, times = modules.evaluate(TIMES, words)
    band = band_system(photo, unknown)
    np.testing.assert_array_equal(places, band.places)
    np.testing.assert_allclose(diagonal, band.diagonal[band.unknown], rtol=1e-5)
    wanted = np.concatenate([part @ alpha.ravel()[band.places] for part in band.parts])[band.unknown]
    np.testing.assert_allclose(times, wanted, atol=2e-5)


ALPHA = """async ([width, height, rgba, mask]) => {
  const { alphaOf } = await import("./matting.js");
  const shares = [];
  const prior = { width, height, data: Float32Array.from(mask) };
  const photo = { width, height, pixels: Uint8ClampedArray.from(rgba) };
  const { data } = alphaOf(photo, prior, null, (share) => shares.push(share));
  return [[...data], shares];
}"""


def test_alpha_is_solved_as_elsewhere(modules):
    """On two copies of the photo, the smaller one first."""
    photo, mask = portrait(300, 260)
    found, shares = modules.evaluate(ALPHA, [300, 260, as_rgba(photo), mask.ravel().tolist()])
    wanted = alpha_of(photo, mask)
    assert ((wanted > 0.1) & (wanted < 0.9)).sum() > 300
    assert np.abs(wanted - mask).max() > 0.4
    np.testing.assert_allclose(np.reshape(found, wanted.shape), wanted, atol=0.01)
    # What the progress bar shows never goes back.
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.25 < shares[-1] <= 1


PRIOR = """async ([inFocus, mask, width, height]) => {
  const { toldPrior } = await import("./matting.js");
  const plane = ([width, height, data]) => ({ width, height, data: Float32Array.from(data) });
  return [...toldPrior(plane(inFocus), mask && plane(mask), width, height).data];
}"""


@pytest.mark.parametrize("is_told", [False, True])
def test_alpha_starts_from_the_same(modules, is_told):
    mask = some_mask(80, 100)
    decided = cv2.GaussianBlur(cv2.resize(mask, (25, 20), interpolation=cv2.INTER_AREA), (0, 0), 1)
    words = [picture(decided), picture(mask) if is_told else None, 100, 80]
    given = torch.from_numpy(mask)[None, None] if is_told else None
    wanted = told_prior(torch.from_numpy(decided)[None, None], (80, 100), given)[0, 0].numpy()
    np.testing.assert_allclose(np.reshape(modules.evaluate(PRIOR, words), wanted.shape), wanted, atol=1e-5)


PART = """async ([full, rgba, small, alpha, preview, coarse, [left, top, right, bottom]]) => {
  const { Enlarging } = await import("./enlarging.js");
  const { Behind } = await import("./behind.js");
  const plane = ([width, height, data]) => ({ width, height, data: Float32Array.from(data) });
  const [solved, fine] = [plane(alpha), plane(small)];
  const part = { width: right - left, height: bottom - top, pixels: Uint8ClampedArray.from(rgba) };
  const shares = new Enlarging(fine, solved).part(part, [left, top], full);
  const matte = new Behind(plane(preview), plane(coarse)).part(part, shares, [left, top], full);
  return [[...shares], [...matte]];
}"""


def test_a_part_of_a_large_photo_gets_its_own_edges_and_what_lies_behind(modules, monkeypatch):
    photo, _ = portrait(320, 240)
    small = cv2.resize(photo, (200, 150), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    alpha = np.clip((small[..., 0] * 255 - 30) / 150, 0, 1)
    preview = cv2.resize(photo, (160, 120), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    left, top, right, bottom = box = [40, 30, 300, 200]
    cut = np.s_[top:bottom, left:right]
    whole = enlarged_alpha(photo, small, alpha)
    coarse = resized(whole, (160, 120))
    words = [[320, 240], as_rgba(photo[cut]), *map(picture, (small, alpha, preview, coarse)), box]
    shares, matte = modules.evaluate(PART, words)
    np.testing.assert_allclose(np.reshape(shares, whole[cut].shape), whole[cut], atol=1e-4)
    monkeypatch.setattr("util.matting.colors.SIDE", 160)
    behind, matte = colors_behind(photo, whole)[cut], np.reshape(matte, (*whole[cut].shape, 4))
    mixed = (whole[cut] > 0.05) & (whole[cut] < 0.9)
    assert mixed.sum() > 1000
    assert np.abs(behind.astype(int) - photo[cut])[mixed].mean() > 10
    # Where little is seen of what lies behind, its colour is worth little.
    error = np.abs(matte[..., :3] - behind) * (1 - whole[cut])[..., None]
    assert error.max() < 1 and error[mixed].mean() < 0.3
    np.testing.assert_allclose(matte[..., 3], 255 * whole[cut], atol=0.51)
    sure = whole[cut] == 1
    np.testing.assert_array_equal(matte[sure, :3], photo[cut][sure])
