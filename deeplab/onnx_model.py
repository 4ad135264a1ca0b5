"""Segmenters in ONNX files, run by onnxruntime."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from deeplab.segmenter import InputSize, Segmenter
from util.errors import UserError

# Of ImageNet, which nearly all such models were trained with; for a file whose metadata has no `mean` and `std`.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


class OnnxSegmenter(Segmenter):
    """A model with one input `[N,3,h,w]`, photos less `mean` by `std`, whose first output is `[N,1,h,w]` or `[N,h,w]`.

    The output is the probability of the subject. A model of fixed size sees photos squeezed to it; one of free size
    sees them with the longer side at `longer_side`. `mean` and `std`, of photos in [0,1], are for files whose metadata
    has none.
    """

    def __init__(
        self, path: Path, longer_side: int, mean: Sequence[float] = MEAN, std: Sequence[float] = STD
    ) -> None:
        if not path.is_file():
            raise UserError(f"onnx:{path}: no such file")
        try:
            self._session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a dozen kinds for a bad file
            reason = str(error).partition("\n")[0]
            raise UserError(f"{path}: not a model that onnxruntime can run ({reason})") from None
        inputs = self._session.get_inputs()
        shape = inputs[0].shape
        if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3 or inputs[0].type != "tensor(float)":
            raise UserError(f"{path}: takes {len(inputs)} inputs, {shape}; one of floats [N,3,h,w] is needed")
        height, width = shape[2:]
        fixed = isinstance(height, int) and isinstance(width, int)
        if fixed and height != width:
            raise UserError(f"{path}: takes photos of {width}x{height}; a square or a free size is needed")
        self.input_size = InputSize(width if fixed else longer_side, keep_aspect=not fixed)
        self._path, self._input = path, inputs[0].name
        about = self._session.get_modelmeta().custom_metadata_map
        self._mean, self._std = (
            _three_numbers(path, name, about[name]) if name in about else np.array(default, np.float32)
            for name, default in (("mean", mean), ("std", std))
        )

    def predict(self, images: np.ndarray) -> np.ndarray:
        """uint8 [N,h,w,3] -> float32 [N,h,w] in [0,1]; one at a time, as not all files have batches."""
        return np.stack([self._probability(image) for image in images])

    def _probability(self, image: np.ndarray) -> np.ndarray:
        x = (image.astype(np.float32) / 255 - self._mean) / self._std
        output = self._session.run(None, {self._input: x.transpose(2, 0, 1)[None]})[0]
        if output.size != image.shape[0] * image.shape[1]:
            raise UserError(
                f"{self._path}: gives {list(output.shape)} for a photo of {image.shape[1]}x{image.shape[0]}; "
                "one probability for each pixel is needed"
            )
        return output.reshape(image.shape[:2]).clip(0, 1).astype(np.float32)


def _three_numbers(path: Path, name: str, text: str) -> np.ndarray:
    try:
        values = np.array(text.split(), dtype=np.float32)
    except ValueError:
        values = np.empty(0, dtype=np.float32)
    if values.shape != (3,) or (name == "std" and not (values > 0).all()):
        raise UserError(f"{path}: its {name} is {text!r}; three numbers are needed, std above 0")
    return values
