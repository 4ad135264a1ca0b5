import numpy as np
import pytest
from PIL import Image
from skimage import data

from deeplab.prediction import predict_photos
from deeplab.segmenter import InputSize, resize_photo, resize_probability
from deeplab.segmenters import create_segmenter
from tests.extras import need
from util.errors import UserError
from util.files import cache_folder
from util.images import write_image


@pytest.mark.parametrize(
    ("size", "expected"),
    [((4032, 3024), (513, 385)), ((3024, 4032), (385, 513)), ((100, 100), (513, 513)), ((5000, 1), (513, 1))],
)
def test_longer_side_is_the_input_size(size, expected):
    assert InputSize(513, keep_aspect=True).of(*size) == expected
    assert InputSize(256, keep_aspect=False).of(*size) == (256, 256)


def test_resizing_averages_and_interpolates():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize_photo(Image.fromarray(stripes), (16, 16))
    assert np.abs(small.astype(int) - 127).max() <= 16  # aliasing would show as 0 or 255
    ramp = resize_probability(np.array([[0, 1]], np.float32), (8, 1))[0]
    np.testing.assert_allclose(ramp, np.clip((np.arange(8) + 0.5) / 4 - 0.5, 0, 1), atol=1e-6)


def test_call_gives_masks_of_the_photos_own_size(red):
    photos = np.zeros((2, 60, 90, 3), np.uint8)
    photos[0, :, 45:, 0] = 255
    masks = red(photos)
    assert masks.shape == (2, 60, 90) and masks.dtype == np.float32
    assert red.batches == [(2, 21, 32, 3)]
    truth = photos[..., 0] / 255
    assert np.abs(masks - truth)[:, :, np.r_[:40, 50:90]].max() < 1e-6
    assert masks[1].max() == 0


def test_photos_of_one_shape_share_a_batch_and_none_is_lost(red, tmp_path):
    sizes = [(64, 32), (32, 64)] * 5 + [(40 + i, 100) for i in range(20)]
    for i, size in enumerate(sizes):
        write_image(Image.new("RGB", size, (8 * i, 0, 0)), tmp_path / f"{i:02}.png")
    (tmp_path / "zz.png").write_bytes(b"")
    photos = sorted(tmp_path.iterdir())
    predictions = {p.index: p for p in predict_photos(photos, red, None, batch_size=4)}
    assert sorted(predictions) == list(range(31))
    assert predictions.pop(30).error.endswith("the file is empty; remove it")
    for i, prediction in predictions.items():
        assert prediction.size == sizes[i]
        np.testing.assert_allclose(prediction.probability, 8 * i / 255, atol=1e-6)
    assert max(n for n, *_ in red.batches) == 4
    assert sum(n for n, *_ in red.batches) == 30


def test_unknown_segmenter_is_refused():
    with pytest.raises(UserError, match="unet: unknown; choose one of rvm selfie deeplab"):
        create_segmenter("unet")


@pytest.fixture(scope="module")
def selfie():
    need("ai_edge_litert")
    try:
        return create_segmenter("selfie")
    except UserError as error:
        if "can't be fetched from PyPI" in str(error):
            pytest.skip(str(error))
        raise


def test_selfie_model_finds_the_astronaut(selfie):
    mask = selfie(data.astronaut()[None])[0]
    assert mask[40:150, 200:250].min() > 0.9  # her face
    assert mask[240:330, 150:300].min() > 0.9  # her suit
    assert mask[:150, 350:].max() < 0.1  # the model of the shuttle


def test_selfie_model_finds_nobody_in_a_rocket(selfie):
    assert selfie(data.rocket()[None])[0].max() < 0.5


def test_selfie_model_is_cached_and_checked(selfie):
    cached = cache_folder() / "selfie_segmentation.tflite"
    good = cached.read_bytes()
    assert len(good) == 249505
    assert create_segmenter("selfie", cached).input_size == selfie.input_size == InputSize(256, False)
