"""The overlay with a matte: what is surely subject stays the photo's, exactly, and mixed pixels get its own colours."""

import numpy as np
import pytest

from models.inference.overlaid import Overlaid
from models.inference.translator import Told

SUBJECT, BEHIND = np.array([200, 60, 40]), np.array([20, 90, 150])


class White:
    def batch(self, photos, told):
        return [np.full_like(photo, np.iinfo(photo.dtype).max) for photo in photos]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_subject_comes_without_what_was_behind_it(dtype):
    scale = np.iinfo(dtype).max // 255
    alpha = np.clip((np.arange(96) - 44) / 8, 0, 1)[None, :, None].repeat(96, 0)
    photo = (scale * (alpha * SUBJECT + (1 - alpha) * BEHIND)).round().astype(dtype)
    mask = np.float32(alpha[..., 0] > 0.5)
    (plain,), (matted,) = (Overlaid(White(), on).batch([photo], Told([mask])) for on in (False, True))
    assert plain.dtype == matted.dtype == dtype
    inside, outside = np.s_[:, 56:], np.s_[:, :40]
    assert np.array_equal(matted[inside], photo[inside])
    assert (matted[outside] == 255 * scale).all()
    mixed = (alpha[..., 0] > 0.2) & (alpha[..., 0] < 0.9)
    expected = alpha * SUBJECT + (1 - alpha) * 255
    errors = [np.abs(result / scale - expected)[mixed].mean() for result in (plain, matted)]
    assert errors[1] < 25 and errors[1] < errors[0] / 2
