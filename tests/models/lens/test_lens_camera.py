"""A lens generator with a camera: radii by its network or by depth, and a focus that the user chooses."""

import math

import pytest
import torch

from models.lens.generator import LensGenerator
from models.lens.radius import Blur, RadiusNet
from models.lens.settings import LensChanges, LensSettings
from models.networks import define_G
from util.errors import PhotoError
from util.optics.camera import Camera
from util.optics.focus_options import Focus
from util.optics.light import srgb_to_linear

SIDE = 256
LEFT, RIGHT = (..., slice(0, 80)), (..., slice(176, SIDE))
SUBJECT = (..., slice(80, 176), slice(104, 152))


class Told(RadiusNet):
    """Level 2, which is a radius of 3 pixels at 256, in the left half; 0 in the right one."""

    def ask(self, x, mask):
        level = x.new_zeros(len(x), 1, 16, 16)
        level[..., :8] = 2
        return Blur(level, torch.full_like(level, -20.0))


@pytest.fixture
def lens():
    """Its mixture has one radius, 4 pixels; twice as wide an aperture."""
    torch.manual_seed(0)
    generator = LensGenerator(define_G(3, 2, 4, "resnet_6blocks"), LensSettings((4.0,), aperture=2.0)).eval()
    generator.change(LensChanges(camera=Camera()))
    return generator


@pytest.fixture
def lights():
    """Darkness with a light of 4 pixels on the left, one on the right and one within the subject."""
    photo = torch.full((1, 3, SIDE, SIDE), -1.0)
    for x in (40, 128, 220):
        photo[..., 127:129, x - 1 : x + 1] = 1
    return photo


def weights(subject: bool) -> torch.Tensor:
    """In focus and out of it; in focus is the subject, or nothing."""
    in_focus = torch.zeros(1, 1, SIDE, SIDE)
    if subject:
        in_focus[SUBJECT] = 1
    return torch.cat([in_focus, 1 - in_focus], dim=1)


def disc(image: torch.Tensor) -> tuple[float, float]:
    """Radius of the one light in `image`, by the area that is at least half as bright as its brightest; its energy."""
    light = srgb_to_linear((image[0, 0] + 1) / 2)
    return math.sqrt(float((light > light.max() / 2).sum()) / math.pi), float(light.sum())


def test_radii_come_from_the_radius_network(lens, lights):
    """Left 3 pixels, times the aperture of 2; right sharp, where the photo stays as it is."""
    lens.radius_net = Told(8)
    out = lens.render(lights, weights(subject=False))
    radius, energy = disc(out[LEFT])
    assert radius == pytest.approx(6, rel=0.05) and energy == pytest.approx(4, rel=0.01)
    assert torch.equal(out[RIGHT], lights[RIGHT])


def test_half_the_background_needs_half_the_radius(lens, lights):
    """A background that is soft already gets its share; the subject is the photo's."""
    lens.radius_net = Told(8)
    out = lens.photograph(lights, weights(subject=True), torch.tensor([0.5]), Camera())
    assert disc(out[LEFT])[0] == pytest.approx(3, rel=0.1)
    assert torch.equal(out[SUBJECT], lights[SUBJECT])


def test_depth_spreads_the_decided_blur_by_distance(lens, lights):
    """The farthest gets the mixture's 2 * 4 pixels, what is as far as the subject nothing."""
    depth = torch.full((1, 1, SIDE, SIDE), 0.7)
    depth[LEFT] = 0.1
    out = lens.render(lights, weights(subject=True), depth)
    radius, energy = disc(out[LEFT])
    assert radius == pytest.approx(8, rel=0.05) and energy == pytest.approx(4, rel=0.01)
    assert torch.equal(out[..., 104:], lights[..., 104:])


@pytest.mark.parametrize("focus", [Focus(0.0), Focus(point=(40.0, 128.0))])
def test_another_focus_leaves_the_far_sharp_and_the_subject_soft(lens, lights, focus):
    lens.change(LensChanges(focus=focus))
    depth = torch.full((1, 1, SIDE, SIDE), 0.7)
    depth[LEFT] = 0.1
    out = lens.render(lights, weights(subject=True), depth)
    assert torch.equal(out[..., :64], lights[..., :64])
    assert disc(out[..., 96:160])[0] == pytest.approx(8, rel=0.05)


def test_without_depth_the_decided_radii_tell_distances(lens, lights):
    """Focused on the left, which the network would blur by 6 pixels, the subject gets these."""
    lens.radius_net = Told(8)
    unchanged = lens.render(lights, weights(subject=True))
    lens.change(LensChanges(focus=Focus(point=(40.0, 128.0))))
    out = lens.render(lights, weights(subject=True))
    assert torch.equal(out[..., :64], lights[..., :64])
    assert disc(out[..., 96:160])[0] == pytest.approx(6, rel=0.05)
    # Focused on the subject it is the same way in two words.
    lens.change(LensChanges(focus=Focus(point=(128.0, 128.0))))
    assert torch.allclose(lens.render(lights, weights(subject=True)), unchanged, atol=1e-4)


def test_a_point_outside_the_photo_is_refused(lens, lights):
    lens.change(LensChanges(focus=Focus(point=(300.0, 10.0))))
    with pytest.raises(PhotoError, match="--focus 300,10: outside the photo of 256 x 256"):
        lens.render(lights, weights(subject=True))
