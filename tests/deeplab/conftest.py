import numpy as np
import pytest

from deeplab import masking
from deeplab.segmenter import InputSize, Segmenter


class RedSegmenter(Segmenter):
    """Takes red for a person: probability = red / 255. Sees photos with the longer side at 32 pixels."""

    input_size = InputSize(32, keep_aspect=True)

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []

    def predict(self, images: np.ndarray) -> np.ndarray:
        self.batches.append(images.shape)
        return images[..., 0].astype(np.float32) / 255


@pytest.fixture
def red(monkeypatch) -> RedSegmenter:
    """The segmenter that `deeplab/inference.py` gets, whatever it asks for."""
    segmenter = RedSegmenter()
    monkeypatch.setattr(masking, "create_segmenter", lambda *_: segmenter)
    return segmenter
