"""Figures of the pictures that a model shows."""

import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage import data

from util.measure.evaluation import measure_visuals
from util.measure.metrics import Regions, figures_of_output


@pytest.fixture(scope="module")
def pictures():
    photo = Image.fromarray(data.astronaut()[:120, 100:260])
    mask = np.zeros((120, 160), dtype=np.uint8)
    mask[30:90, 50:110] = 255
    return photo, photo.filter(ImageFilter.GaussianBlur(2)), mask


@pytest.mark.parametrize(("domain", "other"), ["AB", "BA"])
def test_output_is_measured_against_its_own_photo_and_mask(pictures, domain, other):
    photo, output, mask = pictures
    images = {f"real_{domain}": photo, f"fake_{other}": output, f"rec_{domain}": photo}
    assert measure_visuals(images) == {}
    found = measure_visuals({**images, f"mask_{domain}": Image.fromarray(mask)})
    arrays = (np.asarray(image, dtype=np.float32) / 255 for image in (output, photo))
    assert found == figures_of_output(*arrays, Regions.of_mask(mask / 255))
    assert found["gradient_left"] < 0.7
