"""Person segmenters as ONNX files that a browser can run, with what a page must know to run them."""

import json
import logging
import tempfile
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from deeplab.weights import rvm_files, selfie_model
from util.errors import UserError

# The newest operations that browsers' runtimes know everywhere.
OPSET = 17

# Smaller constants are shapes and exponents: nothing to gain, and something to lose.
LEAST_TO_HALVE = 64

# MediaPipe's own operation, a transposed convolution with a bias, by the name that tf2onnx leaves it.
TRANSPOSED = "TFL_Convolution2DTransposeBias"

LICENSES = {
    "selfie": "MediaPipe selfie segmentation, Google, Apache-2.0",
    "rvm": "Robust Video Matting, Lin et al. 2022, weights under GPL-3.0",
}


def write_segmenter(name: str, path: Path) -> dict[str, Any]:
    """Write the segmenter `name`, `rvm` or `selfie`, as ONNX to `path`; returns how a page runs it.

    Input: a photo `[1,h,w,3] in [0,1]`, its longer side `side` pixels at most (`keep_aspect`) or both `side`, and where
    there is a `coarse` side, shrunk on to that one without antialiasing. Output: the subject's probability `[1,h,w,1]`.
    `states` are pairs of input and output by which a pass goes on where the one before it ended, `passes` in all, from
    zeros `[1,1,1,1]`; `constants` are scalar inputs.

    Raises:
        UserError: another name; the weights can't be had.
    """
    if name == "selfie":
        model, how = _selfie()
    elif name == "rvm":
        model, how = _rvm()
    else:
        raise UserError(f"--masks {name}: the studio can take rvm and selfie; choose one of them, or auto")
    onnx.save(halved_storage(model), path)
    return {**how, "license": LICENSES[name]}


def _selfie() -> tuple[onnx.ModelProto, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "selfie.tflite"
        file.write_bytes(selfie_model())
        model, _ = _quietly(_tf2onnx().convert.from_tflite, str(file), opset=OPSET)
    with_standard_transposed(model)
    return model, {
        "side": 256,
        "keep_aspect": False,
        "coarse": None,
        "passes": 1,
        "states": [],
        "constants": {},
        "input": model.graph.input[0].name,
        "output": model.graph.output[0].name,
    }


def _rvm() -> tuple[onnx.ModelProto, dict[str, Any]]:
    from deeplab.rvm import COARSE_SIDE, INPUTS, OUTPUTS, PASSES, SIDE
    from deeplab.tfjs_graph import read_graph

    topology, content = rvm_files()
    graph = read_graph(json.loads(topology.read_bytes()), content.read_bytes())
    model, _ = _quietly(
        _tf2onnx().convert.from_graph_def,
        graph,
        input_names=list(INPUTS),
        output_names=list(OUTPUTS),
        opset=OPSET,
    )
    source, ratio, *states = INPUTS
    alpha, *next_states = OUTPUTS
    # The matte of its coarse side: the page's generator sees far fewer pixels, and edges come from the photo. But the
    # page must shrink a photo to there as the graph does, whose people are others in an antialiased one.
    return model, {
        "side": SIDE,
        "keep_aspect": True,
        "coarse": COARSE_SIDE,
        "passes": PASSES,
        "states": list(zip(states, next_states, strict=True)),
        "constants": {ratio: 1.0},
        "input": source,
        "output": alpha,
    }


def _tf2onnx() -> Any:
    """The converter; TensorFlow, which it imports, comes first and quietly."""
    import_module("deeplab.quiet_tensorflow")
    return import_module("tf2onnx")


def _quietly(convert: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Without what TensorFlow says of its future, and the converter of operations that are replaced afterwards."""
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return convert(*args, **kwargs)


def with_standard_transposed(model: onnx.ModelProto) -> None:
    """Put ONNX's own transposed convolution, 2x2 at steps of 2, where `model` has MediaPipe's. In place.

    Raises:
        UserError: kernels of another size.
    """
    values = {tensor.name: tensor for tensor in model.graph.initializer}
    for at, node in [*enumerate(model.graph.node)]:
        if node.op_type != TRANSPOSED:
            continue
        pixels, kernel, bias = node.input
        weights = numpy_helper.to_array(values[kernel])  # [out,2,2,in]
        if weights.shape[1:3] != (2, 2):
            raise UserError(
                "the selfie segmenter's last layer is not the one that is expected; update this program"
            )
        values[kernel].CopyFrom(
            numpy_helper.from_array(np.ascontiguousarray(weights.transpose(3, 0, 1, 2)), kernel)
        )
        first, last = f"{node.name}/planes", f"{node.name}/enlarged"
        nodes = [
            helper.make_node("Transpose", [pixels], [first], perm=[0, 3, 1, 2]),
            helper.make_node(
                "ConvTranspose", [first, kernel, bias], [last], kernel_shape=[2, 2], strides=[2, 2]
            ),
            helper.make_node("Transpose", [last], list(node.output), perm=[0, 2, 3, 1]),
        ]
        model.graph.node.remove(node)
        for offset, new in enumerate(nodes):
            model.graph.node.insert(at + offset, new)


def halved_storage(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` with its larger constants kept in 16 bits and computed with in 32: half the file, the same speed.

    A page that people wait for carries it; the error, 2^-11 of each weight, is below that of the weights' own rounding.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < LEAST_TO_HALVE:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor)
        if np.abs(values).max() > np.finfo(np.float16).max:
            continue
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}/half"))
        casts.append(helper.make_node("Cast", [f"{name}/half"], [name], to=onnx.TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
    return model
