"""What is in focus, and how lenses by name blur."""

import numpy as np
import pytest

from util.errors import UserError
from util.optics.focus import plan_blur
from util.optics.focus_options import Focus
from util.optics.presets import LENSES, Lens, add_camera_options, camera_of_options, radius_of_options
from util.ranges import RangedParser


def two_people() -> tuple[np.ndarray, np.ndarray]:
    """A near person on the left, a smaller and farther one on the right, before a wall: alpha, depth."""
    alpha = np.zeros((40, 60), np.float32)
    alpha[5:35, 5:20] = alpha[10:30, 40:50] = 1
    alpha[5:35, 4] = 0.3
    depth = np.full((40, 60), 0.1, np.float32)
    depth[alpha > 0.5] = 0.5
    depth[:, :25][alpha[:, :25] > 0.5] = 0.9
    depth[20, 10] = 0.2  # the map errs within the near person
    return alpha, depth


def test_without_depth_the_subject_is_sharp_and_all_else_equally_soft():
    alpha, _ = two_people()
    kept, radius = plan_blur(alpha, None, 6.0, Focus())
    assert (kept == alpha).all()
    assert (radius[alpha > 0.5] == 0).all() and (radius[alpha < 0.5] == -6).all()


def test_the_larger_person_is_in_focus_and_the_other_is_not():
    alpha, depth = two_people()
    kept, radius = plan_blur(alpha, depth, 8.0, Focus())
    near = alpha[:, :25] > 0.5
    assert (radius[:, :25][near] == 0).all(), "one person has one distance"
    assert radius[15, 45] == pytest.approx(8 * (0.5 - 0.9) / 0.8) and radius[0, 0] == pytest.approx(-8)
    assert (kept[:, 25:] == 0).all() and (kept[:, :25] == alpha[:, :25]).all()


@pytest.mark.parametrize("focus", ["45,20", "0.76,0.5"])
def test_a_point_chooses_who_is_in_focus(focus):
    alpha, depth = two_people()
    kept, radius = plan_blur(alpha, depth, 8.0, Focus.parse(focus))
    assert radius[20, 45] == 0 and radius[20, 12] == pytest.approx(8) and radius[0, 0] == pytest.approx(-8)
    assert kept[20, 45] == 1 and kept[20, 12] == 0


def test_near_far_and_between():
    alpha, depth = two_people()
    for text, at in (("near", 0.9), ("far", 0.1), ("0.5", 0.5), ("1", 0.9)):
        radius = plan_blur(alpha, depth, 8.0, Focus.parse(text))[1]
        assert np.abs(depth - at)[np.abs(radius) < 1e-4].max() < 0.71
        assert radius[0, 0] == pytest.approx(8 * (0.1 - at) / max(at - 0.1, 0.9 - at), abs=1e-4)


def test_a_photo_without_people():
    depth = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    kept, radius = plan_blur(np.zeros((8, 8), np.float32), depth, 4.0, Focus())
    assert kept.max() == 0 and radius[-1, -1] == 0 and radius[0, 0] == pytest.approx(-4)


@pytest.mark.parametrize("text", ["middle", "1,2,3", "-1,4", "1.5", ""])
def test_wrong_words_for_focus(text):
    with pytest.raises(UserError, match="--focus"):
        Focus.parse(text)


def test_a_focus_outside_the_photo():
    with pytest.raises(UserError, match="outside the photo of 60 x 40"):
        plan_blur(*two_people(), 8.0, Focus.parse("60,10"))


def camera_and_radius(*words: str):
    parser = RangedParser()
    add_camera_options(parser)
    args = parser.parse_args(words)
    return camera_of_options(args), radius_of_options(args)


def test_radius_of_a_lens_is_that_of_the_thin_lens():
    """100 mm f/2 at 4.1 m: the image of the subject is 100 * 4100 / 4000 = 102.5 mm behind the lens, that of infinity
    100 mm; the cone of 50 mm has there a diameter of 50 * 2.5 / 100 = 1.25 mm, of 24 mm."""
    assert Lens(100, 2, 4.1).radius() == pytest.approx(1.25 / 2 / 24 * 256)


def test_options_override_the_lens():
    camera, radius = camera_and_radius("--lens", "85mm_f1.4")
    assert camera.aperture.blades == 9 and camera.aperture.cat_eye == 0.7
    assert radius == LENSES["85mm_f1.4"].radius()
    camera, _ = camera_and_radius(
        "--lens", "85mm_f1.4", "--blades", "6", "--cat_eye", "0", "--bokeh", "bubble"
    )
    assert camera.aperture.blades == 6 and camera.aperture.cat_eye == 0
    assert camera.aperture.profile == "bubble" and camera.aperture.curvature == 1


@pytest.mark.parametrize(
    "words", [["--blades", "2"], ["--cat_eye", "2"], ["--highlights", "0.5"], ["--grain", "-1"]]
)
def test_wrong_values_are_one_line(words):
    with pytest.raises(UserError, match=words[0]):
        camera_and_radius(*words)
