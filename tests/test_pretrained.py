"""What comes with the code is whole, small, and used without being asked for."""

from pathlib import Path

import pytest

from models import load_generator
from models.inference.generator import GeneratorSettings
from options import TestOptions as OptionsAtTest
from options.test_options import PRETRAINED

GENERATORS = ("portrait", "portrait_mask")


@pytest.mark.parametrize("name", GENERATORS)
def test_each_generator_has_the_radius_network_beside_it(name):
    folder = PRETRAINED / name
    network = (PRETRAINED / "radius" / "latest_net_P.pth").read_bytes()
    assert (folder / "latest_net_P.pth").read_bytes() == network
    assert sum(file.stat().st_size for file in folder.iterdir()) < 15e6


def loaded(*words: str):
    """The generator that `test.py --input photos --output soft` with more words runs."""
    opt = OptionsAtTest().parse(["--input", "photos", "--output", "soft", "--device", "cpu", *words])
    settings = GeneratorSettings.of_options(opt)
    return load_generator(Path(opt.checkpoints_dir) / opt.name, settings=settings).net


def test_photos_are_blurred_by_distance_unless_one_radius_is_asked_for():
    net = loaded()
    assert net.radius_net is not None
    assert (net.settings.aperture, net.settings.soft_range) == (1, (0, 0))
    assert loaded("--radius", "none").radius_net is None


def test_radii_are_as_told_unless_an_aperture_or_a_range_is_stated():
    """How soft a background is already counts again then, as it does for one radius."""
    trained = pytest.approx((0.015, 0.019))
    for words in (("--radius", "none"), ("--aperture", "1"), ("--radius", "none", "--aperture", "1")):
        assert loaded(*words).settings.soft_range == trained
    wide = loaded("--aperture", "2").settings
    assert (wide.aperture, wide.soft_range) == (2, trained)
    assert loaded("--soft_range", "0.1", "0.2").settings.soft_range == pytest.approx((0.1, 0.2))
    assert loaded("--aperture", "auto").settings.soft_range == (0, 0)


def test_from_python_as_from_the_command_line():
    net = load_generator(PRETRAINED / "portrait").net
    assert net.radius_net is not None
    assert net.settings.soft_range == (0, 0)
