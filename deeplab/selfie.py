"""MediaPipe's selfie segmentation model (256x256, made for phones) run by LiteRT."""

import os
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from deeplab.segmenter import InputSize, Segmenter
from deeplab.weights import selfie_model
from util.errors import UserError


class SelfieSegmenter(Segmenter):
    """Soft masks in a few milliseconds; photos are squeezed to a square as in MediaPipe's own graph."""

    def __init__(self, weights: str | Path | None = None) -> None:
        content = selfie_model(weights)
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=os.cpu_count())
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise UserError(f"--weights {weights}: not a model that LiteRT can run ({error})") from None
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        _, height, width, channels = self._input["shape"]
        if height != width or channels != 3:
            raise UserError(f"--weights {weights}: takes {width}x{height}x{channels}, not a square RGB image")
        self.input_size = InputSize(int(width), keep_aspect=False)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """uint8 [N,256,256,3] -> float32 [N,256,256]; one at a time, the model has no batches."""
        masks = np.empty(images.shape[:3], dtype=np.float32)
        for image, mask in zip(images, masks, strict=True):
            self._interpreter.set_tensor(self._input["index"], image[None].astype(np.float32) / 255)
            self._interpreter.invoke()
            mask[:] = self._interpreter.get_tensor(self._output["index"])[0, :, :, 0]
        return masks
