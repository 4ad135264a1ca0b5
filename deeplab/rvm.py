"""Robust Video Matting (Lin et al. 2022, arXiv 2108.11515; MobileNetV3), a matte of all people in a photo.

It was made for films: its recurrent state takes what earlier frames said. A photo is shown to it several times.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from deeplab.second_look import with_passed_over
from deeplab.segmenter import InputSize, Segmenter, resize_photo, resize_probability
from deeplab.tfjs_graph import load_function, tf
from deeplab.weights import rvm_files

# Longer side, pixels, of the largest photo that is seen as it is: memory grows with it, what is found does not.
SIDE = 1600
# Longer side at which people are looked for, as its authors advise; the matte is carried to the photo's from there.
COARSE_SIDE = 512
PASSES = 3  # after that the state hardly changes

INPUTS = ("src:0", "downsample_ratio:0", "r1i:0", "r2i:0", "r3i:0", "r4i:0")
OUTPUTS = ("Identity_1:0", "Identity_2:0", "Identity_3:0", "Identity_4:0", "Identity_5:0")  # alpha, states


class RVMSegmenter(Segmenter):
    """Mattes with soft hair, at the photo's own size up to 1,600 pixels; 1 to 2 s a photo on a CPU."""

    input_size = InputSize(SIDE, keep_aspect=True, enlarge=False)

    def __init__(self, weights: str | Path | None = None) -> None:
        self._run = load_function(*rvm_files(weights), INPUTS, OUTPUTS)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """uint8 [N,h,w,3] -> float32 [N,h,w] in [0,1]; one at a time, each with a state of its own."""
        return np.stack([self._matte(image) for image in images])

    def _matte(self, image: np.ndarray) -> np.ndarray:
        """Whom it sees, and whom it passes over, the latter at the size at which it looks for people."""
        alpha = self._look(image)
        height, width = alpha.shape
        size = InputSize(COARSE_SIDE, keep_aspect=True, enlarge=False).of(width, height)
        small = resize_probability(alpha, size)
        more = with_passed_over(resize_photo(Image.fromarray(image), size), small, self._look)
        return np.maximum(alpha, resize_probability(np.where(more > small, more, 0), (width, height)))

    def _look(self, image: np.ndarray) -> np.ndarray:
        photo = tf.constant(image[None].astype(np.float32) / 255)
        ratio = tf.constant(min(1.0, COARSE_SIDE / max(image.shape[:2])))
        states = [tf.zeros([1, 1, 1, 1])] * 4
        for _ in range(PASSES):
            alpha, *states = self._run(photo, ratio, *states)
        return alpha.numpy()[0, :, :, 0].clip(0, 1)
