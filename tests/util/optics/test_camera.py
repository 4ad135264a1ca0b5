"""The camera against closed forms: discs, half-planes, energies, and what must stay as it is."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from util.optics.camera import Camera, render
from util.optics.fill import continued, push_pull
from util.optics.grain import add_grain, noise_levels
from util.optics.highlights import THRESHOLD, compress, expand
from util.optics.layers import choose_levels
from util.optics.light import srgb_to_linear
from util.optics.pupil import Aperture, pupil_kernel

SIDE = 96


def constant(value: float, channels: int = 1, side: int = SIDE) -> torch.Tensor:
    return torch.full((1, channels, side, side), value)


def texture(seed: int = 0, side: int = SIDE) -> torch.Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def subject(side: int = SIDE) -> torch.Tensor:
    alpha = constant(0.0, side=side)
    alpha[..., side // 3 :, side // 3 : 2 * side // 3] = 1
    return alpha


def light_of(image: torch.Tensor) -> torch.Tensor:
    return srgb_to_linear((image + 1) / 2)


def test_radius_0_is_the_photo():
    photo = texture()
    assert torch.equal(
        render(photo, torch.rand(1, 1, SIDE, SIDE), constant(0.0), Camera(highlights=6)), photo
    )


def test_subject_pixels_are_the_photos_in_front_of_any_blur():
    photo, alpha = texture(), subject()
    radius = -torch.linspace(0, 20, SIDE).expand(1, 1, SIDE, SIDE) * (1 - alpha)
    out = render(photo, alpha, radius, Camera(highlights=6, grain=1))
    inside = (alpha == 1).expand_as(photo)
    assert torch.equal(out[inside], photo[inside])
    assert (out - photo)[~inside].abs().mean() > 0.1


@pytest.mark.parametrize("value", [-1.0, -0.2, 1.0])
@pytest.mark.parametrize("radius", [-30.0, -3.0, 9.0])
def test_a_constant_picture_stays_constant(value, radius):
    ramp = torch.linspace(0, radius, SIDE).expand(1, 1, SIDE, SIDE)
    photo = constant(value, 3)
    assert torch.allclose(render(photo, subject(), ramp, Camera(highlights=5)), photo, atol=1e-4)


@pytest.mark.parametrize("radius", [-3.0, -7.3, -19.0, 14.0, -21.0])
@pytest.mark.parametrize(
    "aperture", [Aperture(), Aperture(blades=5, rotation=10), Aperture(blades=6, curvature=0.5)]
)
def test_a_light_becomes_the_aperture(radius, aperture):
    """Energy within 0.1%, outline within 5% of the area, against the kernel at full size."""
    photo = constant(-1.0, 3)
    photo[..., 46:50, 46:50] = 1
    light = light_of(render(photo, constant(0.0), constant(radius), Camera(aperture)))[:, :1]
    kernel = pupil_kernel(radius, aperture)
    truth = F.conv2d(light_of(photo)[:, :1], kernel.flip(0, 1)[None, None], padding=kernel.shape[0] // 2)
    assert float(light.sum()) == pytest.approx(16, rel=1e-3)
    lit, truly = light > truth.max() / 2, truth > truth.max() / 2
    assert (lit & truly).sum() / (lit | truly).sum() >= 0.95


def test_lights_of_several_radii_keep_their_discs():
    """Each of eight radii finds a level of its own, though most of the picture is elsewhere."""
    photo, radius = constant(-1.0, 3, 256), constant(-12.0, side=256)
    for number in range(8):
        top, left = 32 + 128 * (number // 4), 32 + 64 * (number % 4)
        photo[..., top - 2 : top + 2, left - 2 : left + 2] = 1
        radius[..., top - 20 : top + 20, left - 20 : left + 20] = -(4.0 + number)
    light = light_of(render(photo, constant(0.0, side=256), radius, Camera()))[0, 0]
    for number in range(8):
        top, left = 32 + 128 * (number // 4), 32 + 64 * (number % 4)
        area = (light[top - 30 : top + 30, left - 30 : left + 30] > 0.5 * light[top, left]).sum()
        # A square of side 4 makes the edge soft, and its middle stays where it was.
        assert math.sqrt(area / math.pi) == pytest.approx(4.0 + number, abs=0.45)


def half_plane(distance: torch.Tensor, radius: float) -> torch.Tensor:
    """Share of a disc on the near side of a line at `distance` from its middle."""
    t = (distance / radius).clamp(-1, 1)
    return 0.5 + (t * (1 - t.square()).sqrt() + t.asin()) / math.pi


@pytest.mark.parametrize("radius", [5.0, 12.0])
def test_a_near_half_plane_lies_softly_over_what_is_sharp(radius):
    """White and near on the left, black and in focus on the right: coverage is that of the disc's segment."""
    near = (torch.arange(SIDE) < SIDE // 2).expand(1, 1, SIDE, SIDE).float()
    photo = (2 * near - 1).expand(1, 3, SIDE, SIDE)
    light = light_of(render(photo, constant(0.0), radius * near))[0, 0, SIDE // 2]
    truth = half_plane(SIDE // 2 - 0.5 - torch.arange(SIDE), radius)
    inner = slice(int(radius) + 1, SIDE - int(radius) - 1)
    assert (light - truth)[inner].abs().max() < 0.04


def test_a_far_half_plane_leaves_what_is_sharp_alone():
    """Nothing of a white background gets onto what is in focus, nor of that into the background."""
    far = (torch.arange(SIDE) < SIDE // 2).expand(1, 1, SIDE, SIDE).float()
    photo = (2 * far - 1).expand(1, 3, SIDE, SIDE)
    out = render(photo, constant(0.0), -10.0 * far)
    assert torch.allclose(out, photo, atol=1e-4)


def test_no_colour_of_the_subject_gets_into_the_background():
    alpha = subject()
    photo = (2 * alpha - 1).expand(1, 3, SIDE, SIDE)
    out = render(photo, alpha, -8.0 * (1 - alpha))
    assert torch.allclose(out, photo, atol=1e-4)


def test_a_subject_out_of_focus_is_spread_over_the_background():
    """Focus on what is behind: white on black, its energy stays and its edge is the disc's segment."""
    near = (torch.arange(SIDE) < SIDE // 2).expand(1, 1, SIDE, SIDE).float()
    photo = (2 * near - 1).expand(1, 3, SIDE, SIDE)
    light = light_of(render(photo, near, 6.0 * near))[0, 0, SIDE // 2]
    truth = half_plane(SIDE // 2 - 0.5 - torch.arange(SIDE), 6.0)
    assert (light - truth)[8:-8].abs().max() < 0.04


def test_a_photo_in_linear_light_gets_brighter_than_in_srgb_values():
    """A fine pattern of black and white has the mean light 0.5, which is sRGB 0.735."""
    photo = (2 * ((torch.arange(SIDE)[:, None] + torch.arange(SIDE)) % 2).float() - 1).expand(
        1, 3, SIDE, SIDE
    )
    alpha, radius = constant(0.0), constant(-8.0)
    middle = (0, slice(None), SIDE // 2, SIDE // 2)
    assert torch.allclose((render(photo, alpha, radius)[middle] + 1) / 2, torch.tensor(0.735), atol=0.01)
    srgb = render(photo, alpha, radius, Camera(linear=False))[middle]
    assert torch.allclose((srgb + 1) / 2, torch.tensor(0.5), atol=0.01)


@pytest.mark.parametrize("radius", [-60.0, -1e9, 1e9])
def test_radii_larger_than_the_photo(radius):
    """Every pixel sees all of the photo: its mean light, everywhere."""
    photo = texture(side=24)
    out = render(photo, constant(0.0, side=24), constant(radius, side=24))
    assert torch.allclose(light_of(out), light_of(photo).mean((2, 3), keepdim=True).expand_as(out), atol=0.02)


def test_gradients_agree_with_finite_differences():
    """Of the radius between two levels, and of alpha, at one place."""
    photo, side = texture(3, 24), 24
    radius = constant(-6.0, side=side)
    radius[..., :8] = -2.0
    radius[..., 10:14, 10:14] = -4.0
    alpha = constant(0.5, side=side)
    alpha[..., 12:, :] = 0.9
    subject_in_focus = radius * (1 - (alpha > 0.8).float())
    target = texture(4, side)

    def loss(alpha: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
        return (render(photo.double(), alpha, radius, Camera(levels=3)) - target).square().sum()

    alpha = alpha.double().requires_grad_()
    radius = torch.where(alpha.detach() > 0.8, 0.0, subject_in_focus.double() * 0.9).requires_grad_()
    gradient = torch.autograd.grad(loss(alpha, radius), alpha)[0][0, 0, 6, 6]
    step = torch.zeros_like(alpha)
    step[0, 0, 6, 6] = 1e-4
    with torch.no_grad():
        difference = (loss(alpha + step, radius) - loss(alpha - step, radius)) / 2e-4
    assert float(gradient) == pytest.approx(float(difference), rel=0.02)


def test_with_gradients_and_without_the_picture_is_the_same():
    """PyTorch's convolutions and copies with gradients, OpenCV's without; some behind the subject, some before it."""
    photo, alpha = texture(5), subject()
    alpha[..., SIDE // 3 - 1, SIDE // 3 : 2 * SIDE // 3] = 0.4
    radius = torch.linspace(-25, 14, SIDE).expand(1, 1, SIDE, SIDE) * (1 - alpha)
    camera = Camera(Aperture(blades=6), highlights=4)
    with_gradients = render(photo, alpha, radius.clone().requires_grad_(), camera).detach()
    difference = (render(photo, alpha, radius, camera) - with_gradients).abs()
    # What is made up where nothing is seen depends on the part that a level is looked at in.
    assert difference.max() < 0.05 and difference.mean() < 1e-3


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="size"):
        render(texture(), constant(0.0, side=8), constant(0.0))


def test_highlights_are_undone_by_their_inverse():
    light = torch.rand(1, 3, 9, 9) * 1.5
    assert torch.allclose(expand(compress(light, 4.0), 4.0), light.clamp(max=4), atol=1e-4)
    below = light.clamp(max=THRESHOLD)
    assert torch.equal(expand(below, 4.0), below)
    assert float(expand(torch.ones(1, 3, 1, 1), 4.0).max()) == pytest.approx(4)


def test_highlights_give_lights_their_energy():
    """A clipped light of 4 pixels, brought back to 5 times white, has five times the light in its disc."""
    photo = constant(-1.0, 3)
    photo[..., 46:50, 46:50] = 1
    out = [light_of(render(photo, constant(0.0), constant(-9.0), Camera(highlights=peak))) for peak in (1, 5)]
    assert float(out[1].sum() / out[0].sum()) == pytest.approx(5, rel=1e-3)


def test_push_pull_keeps_what_is_known_and_continues_it():
    values = torch.rand(1, 2, 13, 17)
    known = (torch.rand(1, 1, 13, 17) < 0.3).float()
    filled = push_pull(values, known)
    assert torch.equal(filled * known, values * known)
    assert torch.allclose(push_pull(torch.full_like(values, 0.7), known), torch.tensor(0.7), atol=1e-6)
    assert float(filled.min()) >= 0 and float(filled.max()) <= 1


def test_a_ramp_goes_on_behind_a_hole():
    ramp = torch.linspace(0, 1, SIDE).expand(1, 1, SIDE, SIDE)
    known = 1 - subject()
    assert (continued([ramp], known, rim=0.01).whole() - ramp).abs().max() < 0.2


def test_levels_are_where_the_radii_are():
    radius = torch.tensor([-20.0] * 50 + [-5.0] * 30 + [0.0] * 10 + [4.0] * 10)
    assert choose_levels(radius, torch.ones(100), 6) == pytest.approx([-20, -5, 0, 4], abs=0.05)


def test_noise_is_measured_by_brightness():
    generator = torch.Generator().manual_seed(0)
    photo = torch.linspace(-0.9, 0.9, 256).expand(1, 3, 256, 256)
    sigma = torch.where(photo < 0, 0.02, 0.04)
    noisy = photo + sigma * torch.randn(photo.shape, generator=generator)
    levels = noise_levels(noisy)
    assert torch.allclose(levels[:, 1:3], torch.tensor(0.02), rtol=0.1)
    assert torch.allclose(levels[:, 5:7], torch.tensor(0.04), rtol=0.1)


def test_grain_brings_the_blurred_part_to_the_noise_of_the_sharp_part():
    generator = torch.Generator().manual_seed(1)
    photo = constant(0.1, 3, 128) + 0.05 * torch.randn(1, 3, 128, 128, generator=generator)
    alpha = subject(128)
    out = render(photo, alpha, -9.0 * (1 - alpha), Camera(grain=1, seed=2))
    assert float(out[..., :40].std() / photo.std()) == pytest.approx(1, abs=0.1)
    smooth = render(photo, alpha, -9.0 * (1 - alpha))
    assert float(smooth[..., :40].std() / photo.std()) < 0.2
    again = add_grain(smooth, photo, 1 - alpha, 1.0, seed=2)
    assert torch.equal(again, add_grain(smooth, photo, 1 - alpha, 1.0, seed=2))
    assert not torch.equal(again, add_grain(smooth, photo, 1 - alpha, 1.0, seed=3))


def test_what_a_matte_takes_by_mistake_does_not_stay_at_full_contrast():
    """A dark twig before white, at alpha 0.2: at most a fifth of its contrast is left."""
    photo, alpha = constant(1.0, 3), constant(0.0)
    photo[..., 40:44, 40:44] = -1
    alpha[..., 36:48, 36:48] = 0.2
    out = light_of(render(photo, alpha, constant(-12.0)))
    assert 0.75 <= float(out[..., 41, 41].min()) < 1


@pytest.mark.parametrize("told", [False, True])
def test_a_lamp_that_a_matte_takes_by_mistake_does_not_stay(told):
    """A clipped lamp at alpha 0.2 before black: a fifth of white, and not of what it is taken for."""
    photo, alpha = constant(-1.0, 3), constant(0.0)
    photo[..., 40:44, 40:44] = 1
    alpha[..., 36:48, 36:48] = 0.2
    out = render(photo, alpha, constant(-12.0), Camera(highlights=8), photo if told else None)
    assert light_of(out)[..., 41, 41].max() == pytest.approx(0.2, abs=0.01)
    # A glint on the subject, where nearly all is subject, is as bright as it was.
    alpha[..., 36:48, 36:48] = 0.99
    radius = -12.0 * (alpha < 0.5).float()
    out = render(photo, alpha, radius, Camera(highlights=8), photo if told else None)
    assert light_of(out)[..., 41, 41].min() > 0.98


def test_the_example_in_the_documents_is_right_and_the_function_pure():
    """The same arguments give the same result, and come out as they went in; another seed gives other grain."""
    text = (Path(__file__).parents[3] / "docs/python.md").read_text()
    example = next(block for block in re.findall(r"```python\n(.*?)```", text, re.S) if "render(" in block)
    names: dict = {}
    torch.manual_seed(0)
    exec(example, names)
    photo, alpha, radius, result = (names[name] for name in ("photo", "alpha", "radius", "result"))
    before = [x.clone() for x in (photo, alpha, radius)]
    torch.manual_seed(1)
    state = torch.get_rng_state()
    assert torch.equal(render(photo, alpha, radius, names["camera"]), result)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(x, y) for x, y in zip((photo, alpha, radius), before, strict=True))
    inside = (alpha == 1).expand_as(photo)
    assert torch.equal(result[inside], photo[inside]) and result.abs().max() <= 1
    other = render(photo, alpha, radius, replace(names["camera"], seed=4))
    assert not torch.equal(other, result) and torch.equal(other[inside], photo[inside])
