"""The thin lens against closed forms: the disc of a point, the edge of a half-plane, energy, hidden things."""

import numpy as np
import pytest
from scipy.special import erf

from datasets.lab_lens import Layer, ThinLens, aperture_points, depth_of, render

SIZE = 96
MARGIN = 24
FAR, NEAR = 0.2, 0.8  # 1/m


def plane(light: np.ndarray, coverage: np.ndarray, inverse_depth, margin: int = MARGIN) -> Layer:
    """A layer with `light` [h,w] in all channels where it covers."""
    channels = [light * coverage] * 3 + [coverage]
    return Layer(np.float32(np.stack(channels)), -margin, -margin, inverse_depth)


def everywhere(value: float, inverse_depth) -> Layer:
    side = SIZE + 2 * MARGIN
    return plane(np.full((side, side), value), np.ones((side, side)), inverse_depth)


def spot(inverse_depth, brightness: float = 50.0) -> Layer:
    """A small light in the middle, of Gaussian shape: its spread is known and adds to the disc's."""
    y, x = np.mgrid[: SIZE + 2 * MARGIN, : SIZE + 2 * MARGIN] - (MARGIN + SIZE // 2)
    coverage = np.exp(-(x**2 + y**2) / 2)
    return plane(np.full_like(coverage, brightness), coverage, inverse_depth)


def share_of_disc(distance: np.ndarray) -> np.ndarray:
    """The share of a unit disc on one side of a chord at `distance` from its middle."""
    d = np.clip(distance, -1, 1)
    return 1 - (np.arccos(d) - d * np.sqrt(1 - d**2)) / np.pi


@pytest.mark.parametrize("radius", [3.0, 6.0, 14.0])
def test_point_becomes_the_disc_of_the_formula(radius):
    lens = ThinLens(aperture=radius / (NEAR - FAR), focus=NEAR)
    assert lens.radius(FAR) == pytest.approx(-radius)
    light = render([everywhere(0, (FAR, 0, 0)), spot((FAR, 0, 0))], SIZE, lens)[..., 0]
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    squares = (light * (x**2 + y**2)).sum() / light.sum()
    # A disc has the mean square radius R^2 / 2, the spot 2.
    assert np.sqrt(2 * (squares - 2)) == pytest.approx(radius, rel=0.01)
    assert light.sum() == pytest.approx(50 * 2 * np.pi, rel=1e-3)
    # A flat top and an edge at R: the area above half of the height.
    height = 50 * 2 * np.pi / (np.pi * radius**2)
    if radius > 5:
        assert np.sqrt((light > height / 2).sum() / np.pi) == pytest.approx(radius, rel=0.02)
        inside = light[x**2 + y**2 < (radius - 3) ** 2]
        assert inside.std() < 0.05 * height and inside.mean() == pytest.approx(height, rel=0.01)


def test_half_plane_in_front_is_the_share_of_the_aperture_that_it_hides():
    radius = 12.0
    lens = ThinLens(radius / (NEAR - FAR), FAR)
    x = np.arange(SIZE + 2 * MARGIN) - MARGIN - SIZE / 2
    coverage = np.broadcast_to((1 - erf(x / np.sqrt(2) / 0.7)) / 2, (SIZE + 2 * MARGIN, x.size))
    scene = [everywhere(1, (FAR, 0, 0)), plane(np.zeros_like(coverage), coverage, (NEAR, 0, 0))]
    row = render(scene, SIZE, lens)[SIZE // 2, :, 0]
    assert row == pytest.approx(share_of_disc((np.arange(SIZE) - SIZE / 2) / radius), abs=0.01)


def test_what_is_in_focus_is_the_pinhole_s_photo():
    rng = np.random.default_rng(0)
    side = SIZE + 2 * MARGIN
    coverage = np.zeros((side, side))
    coverage[50:100, 40:90] = 1
    subject = plane(rng.random((side, side)), coverage, (NEAR, 0, 0))
    scene = [plane(rng.random((side, side)), np.ones((side, side)), (FAR, 0, 0)), subject]
    sharp = render(scene, SIZE, ThinLens(0, NEAR))
    soft = render(scene, SIZE, ThinLens(20, NEAR))
    inside = np.s_[50 - MARGIN : 100 - MARGIN, 40 - MARGIN : 90 - MARGIN]
    assert np.allclose(soft[inside], sharp[inside], atol=1e-6)
    assert soft[:20, :10].std() < 0.2 * sharp[:20, :10].std()


def test_what_is_hidden_from_every_point_of_the_aperture_gives_no_light():
    lens = ThinLens(8 / (NEAR - FAR), NEAR)
    coverage = np.zeros((SIZE + 2 * MARGIN,) * 2)
    coverage[MARGIN + 28 : -MARGIN - 28, MARGIN + 28 : -MARGIN - 28] = 1  # 40 pixels wide around the light
    hidden = [everywhere(0, (FAR, 0, 0)), spot((FAR, 0, 0)), plane(0 * coverage, coverage, (NEAR, 0, 0))]
    assert render(hidden, SIZE, lens).max() < 1e-4
    narrow = np.where(np.arange(coverage.shape[0]) >= MARGIN + SIZE // 2, coverage, 0)  # hides its right half
    half = [*hidden[:2], plane(0 * narrow, narrow, (NEAR, 0, 0))]
    left = share_of_disc(np.array(-0.5 / 8))  # its edge is half a pixel left of the light
    assert render(half, SIZE, lens).sum() == pytest.approx(left * 3 * 50 * 2 * np.pi, rel=0.01)


@pytest.mark.parametrize("slope", [(0.004, 0), (0, 0.006)])
def test_slanted_plane_blurs_as_its_distance_says(slope):
    q_x, q_y = slope
    plane_q = (0.2, q_x, q_y)
    lens = ThinLens(20, 0.2 + q_x * SIZE / 2 + q_y * SIZE / 2)
    y, x = np.mgrid[: SIZE + 2 * MARGIN, : SIZE + 2 * MARGIN] - MARGIN
    for place in (SIZE // 2, 76):
        at = (place, SIZE // 2) if q_x else (SIZE // 2, place)
        coverage = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 2)
        dot = plane(np.ones_like(coverage), coverage, plane_q)
        light = render([everywhere(0, (0.1, 0, 0)), dot], SIZE, lens)[..., 0]
        rows, columns = np.mgrid[:SIZE, :SIZE]
        center = [(light * axis).sum() / light.sum() for axis in (columns, rows)]
        assert center == pytest.approx(at, abs=0.15)
        squares = (light * ((columns - at[0]) ** 2 + (rows - at[1]) ** 2)).sum() / light.sum()
        radius = abs(lens.radius(0.2 + q_x * at[0] + q_y * at[1]))
        assert np.sqrt(max(0, 2 * (squares - 2))) == pytest.approx(radius, abs=0.1 + 0.02 * radius)


def test_a_plain_scene_keeps_its_light():
    grey = [everywhere(0.3, (FAR, 0.001, 0)), spot((NEAR, 0, 0), brightness=0.3)]
    assert render(grey, SIZE, ThinLens(15, 0.5)) == pytest.approx(np.full((SIZE, SIZE, 3), 0.3), abs=2e-3)


def test_aperture_s_points_are_spread_evenly():
    points = aperture_points(500)
    assert np.abs(points.mean(axis=0)).max() < 0.01
    assert (points**2).sum(axis=1).mean() == pytest.approx(0.5)
    assert (np.hypot(*points.T) < 0.5).mean() == pytest.approx(0.25, abs=0.005)


def test_depth_is_that_of_the_front():
    coverage = np.zeros((SIZE + 2 * MARGIN,) * 2)
    coverage[: MARGIN + 30] = 1
    depth = depth_of([everywhere(0, (FAR, 0, 0.001)), plane(0 * coverage, coverage, (NEAR, 0, 0))], SIZE)
    assert depth[29, 5] == pytest.approx(NEAR) and depth[30, 5] == pytest.approx(FAR + 0.03)
