"""Person segmenters behind one interface: photos uint8 [N,H,W,3] -> subject probability float32 [N,H,W].

| name          | model                                        | weights                              |
|---------------|----------------------------------------------|--------------------------------------|
| `selfie`      | MediaPipe selfie segmentation, 256x256       | 249 kB out of a wheel on PyPI        |
| `deeplab`     | the published TensorFlow graphs of DeepLabv3 | 8 to 440 MB, download.tensorflow.org |
| `torchvision` | DeepLabv3 of torchvision, on CPU or GPU      | 42 to 233 MB, download.pytorch.org   |
"""

from pathlib import Path

from deeplab.segmenter import Segmenter
from util.errors import UserError

SEGMENTERS = ("selfie", "deeplab", "torchvision")


def create_segmenter(
    name: str,
    weights: str | Path | None = None,
    model: str | None = None,
    device: str | None = None,
    input_size: int = 513,
) -> Segmenter:
    """Make a segmenter; its libraries are imported and its weights fetched only now.

    Args:
        name: one of `SEGMENTERS`.
        weights: a file to use in place of the download: `.tflite` or the mediapipe wheel for `selfie`,
            `.tar.gz` or `.pb` for `deeplab`, a state dict for `torchvision`.
        model: which of the published models, for `deeplab` and `torchvision`; None is their best one.
        device: for `torchvision`: `cpu`, `cuda`, ...; None takes a GPU if there is one.
        input_size: for `deeplab`: the longer side, in pixels, at which the graph sees a photo.

    Raises:
        UserError: an unknown name or model; weights that are missing, damaged or can't be fetched.
    """
    if name == "selfie":
        from deeplab.selfie import SelfieSegmenter

        return SelfieSegmenter(weights)
    if name == "deeplab":
        from deeplab.tf_graph import DeepLabGraph

        return DeepLabGraph(weights, model, input_size)
    if name == "torchvision":
        from deeplab.torchvision_model import TorchvisionSegmenter

        return TorchvisionSegmenter(weights, model, device)
    raise UserError(f"--segmenter {name}: unknown; choose one of {' '.join(SEGMENTERS)}")
