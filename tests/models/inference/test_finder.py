"""What a generator that finds people takes for the subject, as an opinion for others."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from models.inference.finder import finder
from models.inference.generator import Generator
from models.lens.generator import LensGenerator
from models.lens.settings import LensSettings
from models.nets.base import GeneratorNet


class SeesBrightThings(GeneratorNet):
    """Is sure of in focus where the photo is bright, and of the opposite elsewhere."""

    def __init__(self, input_nc=3):
        super().__init__()
        # Tells how many channels it takes.
        self.conv = torch.nn.Conv2d(input_nc, 2, 1)

    def forward(self, x):
        bright = x[:, :1].sign()
        return torch.cat([bright, -bright], dim=1)


def lens(input_nc=3):
    settings = LensSettings(radii=(2.0,), weights_size=20, focus_range=(0.3, 0.6))
    return Generator(LensGenerator(SeesBrightThings(input_nc), settings))


def test_it_tells_what_is_in_focus_at_the_size_at_which_it_looks():
    photo = np.zeros((40, 60, 3), np.uint8)
    photo[:, :20] = 255
    found = finder(lens())(photo)
    assert (found.shape, found.dtype) == ((20, 30), np.float32)
    assert (found[:, :9] == 1).all() and (found[:, 11:] == 0).all()


@pytest.mark.parametrize("other", [lens(input_nc=4), SimpleNamespace(net=None, file="g.pth")])
def test_one_that_is_told_people_finds_none(other):
    with pytest.raises(TypeError, match="finds nobody"):
        finder(other)
