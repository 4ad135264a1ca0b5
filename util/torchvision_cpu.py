"""Lets torchvision be imported beside a CPU-only torch. Import this module before torchvision.

On Linux, PyPI's torchvision is a CUDA build. Beside a torch without CUDA its library of compiled operators,
`_C.so`, can't be loaded; torchvision forgives that, but then attaches shape functions to two of the operators
and ends with `operator torchvision::nms does not exist`. Declaring those two is enough: transforms, models,
weights and `torchvision.utils` work. Compiled operators (`nms`, `roi_align`, ...) and the codecs of
`torchvision.io` stay away; nothing here uses them. Where `_C.so` loads, nothing is declared.
"""

import importlib.util
import sys
from pathlib import Path

import torch

SCHEMAS = {
    "torchvision::nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "torchvision::qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def compiled_operators_load() -> bool:
    """True if the installed torchvision's compiled operators fit this torch, or there is none."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True
    try:
        # Loading it again, as torchvision will, is free.
        torch.ops.load_library(Path(spec.origin).with_name("_C.so"))
    except OSError:
        return False
    return True


def declare_missing_operators() -> None:
    """Declare what `import torchvision` asks for if the library that defines it can't load."""
    if sys.platform == "linux" and "torchvision" not in sys.modules and not compiled_operators_load():
        for name, schema in SCHEMAS.items():
            torch.library.define(name, schema)


declare_missing_operators()
