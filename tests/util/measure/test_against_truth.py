"""Figures against a scene of the lab: truth is ideal, and wrong results are ranked as a person would."""

from itertools import pairwise

import numpy as np
import pytest

from datasets.lab_scenes import make_scene
from deeplab.smoothing import disc_blur
from util.measure.against_truth import bands, figures_against_truth, focus_error, noise_level
from util.measure.lab import LabLens, Light, Truth
from util.measure.matting import figures_of_alpha
from util.measure.metrics import psnr
from util.optics.arrays import linear_to_srgb

SIZE = 160
HIGHER = ("psnr", "ssim", "light_shape")  # and their regions; of the others lower is better, of grain 1


def truth_of(scene, lens: str) -> Truth:
    depth = scene.inverse_depth()
    return Truth(
        photo=scene.photo(lens),
        alpha=np.round(scene.alpha() * 255) / 255,
        hair=scene.hair,
        inverse_depth=depth,
        radius=scene.lenses[lens].radius(depth),
        lens=LabLens(scene.lenses[lens].aperture, scene.lenses[lens].focus, (0, 0)),
        lights=tuple(Light(x.x, x.y, x.radius, x.inverse_depth, x.clear) for x in scene.lights),
        has_noise=scene.noise is not None,
    )


@pytest.fixture(scope="module")
def scene():
    """The first one with lights that are seen whole, and noise."""
    scenes = (make_scene(np.random.default_rng(number), SIZE, 1) for number in range(50))
    return next(scene for scene in scenes if sum(light.clear for light in scene.lights) > 1)


@pytest.fixture(scope="module")
def methods(scene):
    """The photo, the truth and figures of results: truth itself, a disc behind the mask, three that are wrong."""
    truth, source = truth_of(scene, "wide"), scene.photo("pinhole")
    pixels = np.uint8(255 * source + 0.5)
    radius = float(np.median(np.abs(truth.radius[truth.alpha == 0])))
    shifted = np.roll(truth.alpha, 2, axis=1)  # 6 pixels of 512
    alphas = {
        "truth": truth.alpha,
        "disc": truth.alpha,
        "all blurred": np.zeros_like(truth.alpha),
        "nothing blurred": np.ones_like(truth.alpha),
        "shifted": shifted,
    }
    outputs = {name: np.float32(disc_blur(pixels, alpha, radius)) / 255 for name, alpha in alphas.items()}
    outputs |= {"truth": truth.photo, "nothing blurred": source}
    return {
        name: figures_against_truth(output, source, truth)
        | figures_of_alpha(alphas[name], truth.alpha, truth.hair)
        for name, output in outputs.items()
    }


def test_truth_is_ideal_in_each_column(methods):
    for name, value in methods["truth"].items():
        ideal = (
            np.inf
            if name.startswith("psnr")
            else 1
            if name.startswith(("ssim", "light_shape", "grain"))
            else 0
        )
        assert value == pytest.approx(ideal, abs=1e-6), name


def test_no_other_result_is_as_good(methods):
    assert all(
        methods[wrong][name] != methods["truth"][name]
        for wrong in ("all blurred", "nothing blurred", "shifted")
        for name in methods["truth"]
        if name != "focus" or wrong != "shifted"
    )


def test_wrong_results_are_ranked_as_a_person_would(methods):
    def order(figure, *names, better):
        values = [methods[name][figure] for name in names]
        assert all(better * (a - b) > 0 for a, b in pairwise(values)), (
            figure,
            values,
        )

    # A whole picture out of focus is worst, then one that a lens did not touch, then a false edge.
    for figure in ("psnr", "ssim"):
        order(figure, "truth", "disc", "shifted", "all blurred", better=1)
    order("psnr_background", "truth", "disc", "nothing blurred", better=1)
    for figure in ("psnr_edge", "ssim_edge"):
        order(figure, "truth", "disc", "shifted", "all blurred", better=1)
    for figure in ("psnr_hair", "ssim_hair"):
        order(figure, "truth", "disc", "shifted", better=1)
        order(figure, "disc", "all blurred", better=1)
    for figure in ("alpha_sad", "alpha_mse", "alpha_conn", "focus"):
        order(figure, "shifted", "all blurred", better=-1)
        order(figure, "shifted", "nothing blurred", better=-1)
    order("light_shape", "truth", "disc", "nothing blurred", better=1)
    assert methods["nothing blurred"]["light_energy"] > 0.5  # clipped light is gone
    assert abs(methods["disc"]["grain"] - 1) > 0.5  # a blur takes the noise along


def test_sharpest_place_follows_the_focus(scene):
    source = scene.photo("pinhole")
    near, far = truth_of(scene, "wide"), truth_of(scene, "far")
    assert focus_error(near.photo, source, near) == focus_error(far.photo, source, far) == 0
    assert focus_error(near.photo, source, far) > 3 and focus_error(far.photo, source, near) > 3


def test_focus_error_is_the_radius_where_the_output_is_the_photo():
    """Strips of noise whose radii are 0 to 7 pixels; one of them is as sharp as before, the others are gone."""
    source = np.random.default_rng(0).random((64, 160, 1)).repeat(3, axis=2).astype(np.float32)
    radius = (
        np.repeat(np.arange(8, dtype=np.float32), 20)[None] * np.where(np.arange(64) < 32, 1, -1)[:, None]
    )
    flat = np.zeros((64, 160), np.float32)
    truth = Truth(source, flat, flat, flat, radius, LabLens(1, 0, (0, 0)), (), False)
    for focused in (0, 3, 7):
        output = np.where(np.abs(radius)[..., None] == focused, source, 0.5 + 0.2 * (source - 0.5))
        assert focus_error(output.astype(np.float32), source, truth) == focused
    assert focus_error(source, source, truth) == 7  # all in focus is no focus


def test_bands_follow_the_edge():
    alpha = np.zeros((128, 128))
    alpha[:, 64:] = 1
    hair = np.zeros_like(alpha)
    hair[10, 20] = 0.3
    regions = bands(alpha, hair)
    assert np.array_equal(
        np.nonzero(regions["edge"][50])[0], np.arange(62, 66)
    )  # 128 / 64 pixels to both sides
    assert regions["hair"].sum() == 25 and not (regions["background"] & regions["hair"]).any()
    assert regions["background"][50, :62].all() and not regions["background"][:, 62:].any()
    error = np.where(regions["edge"], 0.1, 0)[..., None].repeat(3, axis=2)
    assert psnr(error, 0 * error, regions["edge"]) == pytest.approx(20)


def test_noise_is_that_of_a_plane():
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.2, 0.8, 200)[None, :, None] * np.ones((200, 200, 3))
    noisy = (ramp + rng.normal(0, 0.02, (200, 200, 1))).astype(np.float32)
    inner = np.s_[2:-2, 2:-2]
    region = np.zeros((200, 200), bool)
    region[inner] = True
    assert noise_level(noisy, region) == pytest.approx(0.02, rel=0.02)
    assert noise_level(ramp.astype(np.float32), region) < 1e-6


def test_energy_of_a_dimmer_disc_is_told():
    y, x = np.mgrid[:64, :64]
    disc = (np.hypot(x - 32, y - 32) <= 10)[..., None] * np.ones(3)
    flat = np.zeros((64, 64), np.float32)
    lens, light = LabLens(10, 1.0, (0, 0)), Light(32, 32, 0, 0.0, True)
    photo = linear_to_srgb(0.1 + 0.6 * disc)
    truth = Truth(photo, flat, flat, flat, flat - 10, lens, (light,), False)
    dim = linear_to_srgb(0.2 + 0.45 * disc)
    figures = figures_against_truth(dim, photo, truth)
    assert figures["light_energy"] == pytest.approx(0.25, abs=1e-3)
    assert figures["light_shape"] == 1
    smaller = linear_to_srgb(0.1 + 0.6 * (np.hypot(x - 32, y - 32) <= 5)[..., None] * np.ones(3))
    assert figures_against_truth(smaller, photo, truth)["light_shape"] == pytest.approx(0.25, abs=0.03)
    assert np.isnan(figures["grain"])
