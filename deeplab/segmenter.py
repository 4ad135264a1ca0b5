"""What every segmenter is: photos uint8 [N,H,W,3] -> subject probability float32 [N,H,W], and how sizes change."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class InputSize:
    """The size at which a model sees photos: the longer side in pixels, or both if not `keep_aspect`.

    Without `enlarge` smaller photos stay as they are; that goes with `keep_aspect`.
    """

    side: int
    keep_aspect: bool
    enlarge: bool = True

    def of(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) that the model gets for a photo of the given size."""
        if not self.keep_aspect:
            return self.side, self.side
        scale = self.side / max(width, height)
        if not self.enlarge:
            scale = min(1.0, scale)
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
