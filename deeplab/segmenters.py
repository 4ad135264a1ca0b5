"""Person segmenters behind one interface: photos uint8 [N,H,W,3] -> subject probability float32 [N,H,W].

| name          | model                                        | weights                              |
|---------------|----------------------------------------------|--------------------------------------|
| `selfie`      | MediaPipe selfie segmentation, 256x256       | 249 kB out of a wheel on PyPI        |
| `deeplab`     | the published TensorFlow graphs of DeepLabv3 | 8 to 440 MB, download.tensorflow.org |
| `torchvision` | DeepLabv3 of torchvision, on CPU or GPU      | 42 to 233 MB, download.pytorch.org   |
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from util.errors import UserError

SEGMENTERS = ("selfie", "deeplab", "torchvision")


@dataclass(frozen=True)
class InputSize:
    """The size at which a model sees photos: the longer side in pixels, or both if not `keep_aspect`."""

    side: int
    keep_aspect: bool

    def of(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) that the model gets for a photo of the given size."""
        if not self.keep_aspect:
            return self.side, self.side
        scale = self.side / max(width, height)
        return max(1, round(width * scale)), max(1, round(height * scale))


def resize_photo(photo: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """`photo` (RGB) at `size` (width, height), antialiased: uint8 [h,w,3]."""
    if photo.size != size:
        photo = photo.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(photo)


def resize_probability(probability: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """float32 [h,w] in [0,1] brought to `size` (width, height), bilinear: float32 [height,width]."""
    resized = Image.fromarray(probability.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    return np.clip(np.asarray(resized), 0, 1)


class Segmenter(ABC):
    """A model that finds people. Calling it takes photos of any size and gives masks of that size."""

    input_size: InputSize

    @abstractmethod
    def predict(self, images: np.ndarray) -> np.ndarray:
        """Photos uint8 [N,h,w,3] already at the model's input size -> subject probability float32 [N,h,w]."""

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Photos uint8 [N,H,W,3] -> subject probability float32 [N,H,W] in [0,1]."""
        height, width = images.shape[1:3]
        size = self.input_size.of(width, height)
        small = np.stack([resize_photo(Image.fromarray(image), size) for image in images])
        return np.stack([resize_probability(p, (width, height)) for p in self.predict(small)])


def create_segmenter(
    name: str, weights: str | Path | None = None, model: str | None = None, device: str | None = None
) -> Segmenter:
    """Make a segmenter; its libraries are imported and its weights fetched only now.

    Args:
        name: one of `SEGMENTERS`.
        weights: a file to use in place of the download: `.tflite` or the mediapipe wheel for `selfie`,
            `.tar.gz` or `.pb` for `deeplab`, a state dict for `torchvision`.
        model: which of the published models, for `deeplab` and `torchvision`; None is their best one.
        device: for `torchvision`: `cpu`, `cuda`, ...; None takes a GPU if there is one.

    Raises:
        UserError: an unknown name or model; weights that are missing, damaged or can't be fetched.
    """
    if name == "selfie":
        from deeplab.selfie import SelfieSegmenter

        return SelfieSegmenter(weights)
    if name == "deeplab":
        from deeplab.tf_graph import DeepLabGraph

        return DeepLabGraph(weights, model)
    if name == "torchvision":
        from deeplab.torchvision_model import TorchvisionSegmenter

        return TorchvisionSegmenter(weights, model, device)
    raise UserError(f"--segmenter {name}: unknown; choose one of {' '.join(SEGMENTERS)}")
