"""Pupils against areas of polygons, discs and lenses, and their symmetries."""

import math

import pytest
import torch
import torch.nn.functional as F

from util.optics.discs import disc_kernel
from util.optics.pupil import SIGMA, Aperture, pupil_kernel
from util.optics.spread import TILES, spread

RADIUS = 20.0


def area(kernel: torch.Tensor) -> float:
    """Pixels that an even kernel covers."""
    return float(1 / kernel.max())


def test_a_round_pupil_is_the_disc():
    assert torch.allclose(pupil_kernel(7.3, Aperture()), disc_kernel(7.3), atol=1e-7)


@pytest.mark.parametrize("blades", [3, 5, 6, 9])
def test_blades_make_a_regular_polygon(blades):
    kernel = pupil_kernel(RADIUS, Aperture(blades=blades))
    truth = blades / 2 * math.sin(2 * math.pi / blades) * RADIUS**2
    assert area(kernel) == pytest.approx(truth, rel=0.01)


def test_the_first_corner_points_up_behind_the_focus_and_down_before_it():
    behind = pupil_kernel(-RADIUS, Aperture(blades=3))
    half = behind.shape[0] // 2
    assert behind[0, half] > 0 and behind[-1, half] == 0
    assert torch.allclose(pupil_kernel(RADIUS, Aperture(blades=3)), behind.flip(0, 1), atol=1e-6)


def test_rotation_by_a_sector_changes_nothing_and_by_a_quarter_turns_the_square():
    square = pupil_kernel(RADIUS, Aperture(blades=4))
    assert torch.allclose(pupil_kernel(RADIUS, Aperture(blades=4, rotation=90)), square, atol=1e-4)
    turned = pupil_kernel(RADIUS, Aperture(blades=4, rotation=45))
    assert area(turned) == pytest.approx(2 * RADIUS**2, rel=0.01)
    half = turned.shape[0] // 2
    assert turned[half, half + 17] == 0 < square[half, half + 17]


def test_curvature_1_is_round():
    assert torch.allclose(
        pupil_kernel(RADIUS, Aperture(blades=5, curvature=1)), pupil_kernel(RADIUS, Aperture()), atol=1e-6
    )


def test_a_cats_eye_at_the_corner_is_two_discs_cut():
    """Discs of radius r, their middles r apart: 2 r^2 acos(1/2) - r^2 sqrt(3) / 2."""
    kernel = pupil_kernel(-RADIUS, Aperture(cat_eye=1), (1.0, 0.0))
    truth = RADIUS**2 * (2 * math.acos(0.5) - math.sqrt(3) / 2)
    assert area(kernel) == pytest.approx(truth, rel=0.01)
    assert float(kernel.sum()) == pytest.approx(1, abs=1e-5)
    half = kernel.shape[0] // 2
    # The side away from the photo's middle is cut off.
    assert kernel[half, -2] == 0 < kernel[half, 2]
    assert torch.equal(pupil_kernel(RADIUS, Aperture(cat_eye=1)), pupil_kernel(RADIUS, Aperture()))


def test_profiles():
    bubble, gaussian = (pupil_kernel(RADIUS, Aperture(profile=name)) for name in ("bubble", "gaussian"))
    half = bubble.shape[0] // 2
    assert bubble[half, 2] > 2 * bubble[half, half]
    ratio = float(gaussian[half, half + 10] / gaussian[half, half])
    assert ratio == pytest.approx(math.exp(-0.5 * (10 / RADIUS / SIGMA) ** 2), rel=0.01)


def test_wrong_apertures_are_refused():
    for wrong in ({"blades": 2}, {"curvature": 2}, {"cat_eye": -1}, {"profile": "ring"}):
        with pytest.raises(ValueError):
            Aperture(**wrong)


@pytest.mark.parametrize("with_gradient", [False, True])
def test_spread_is_a_convolution(with_gradient):
    """Both ways of it, also of a kernel without symmetry."""
    x = torch.rand(1, 2, 30, 41, requires_grad=with_gradient)
    aperture = Aperture(blades=3, rotation=20)
    kernel = pupil_kernel(-5.0, aperture)
    truth = F.conv2d(x, kernel.flip(0, 1).expand(2, 1, -1, -1), padding=kernel.shape[0] // 2, groups=2)
    assert torch.allclose(spread(x, -5.0, aperture), truth, atol=1e-5)


def test_spread_with_cats_eyes_uses_each_places_own_kernel():
    side = 20 * TILES
    x = torch.zeros(1, 1, side, side)
    x[..., 10, 10] = x[..., 130, 130] = 1
    aperture = Aperture(cat_eye=0.8)
    out = spread(x, -6.0, aperture)
    corner = math.hypot(side, side) / 2
    for at in (10, 130):
        field = ((at - side / 2) / corner,) * 2
        assert torch.allclose(
            out[0, 0, at - 6 : at + 7, at - 6 : at + 7], pupil_kernel(-6.0, aperture, field)
        )
