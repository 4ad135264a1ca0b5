"""TensorFlow.js graph models (`model.json` and its weights) read into TensorFlow.

A graph model is a GraphDef written as JSON whose constants have lost their values; the manifest beside it says where
those lie in the binary file, and how they were quantised. TensorFlow.js also joins a convolution with the bias and the
activation that follow it; TensorFlow has no such operation for depthwise ones, so both kinds are taken apart again.
"""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import json_format

from deeplab.quiet_tensorflow import tf
from util.errors import UserError

FUSED = {"_FusedConv2D": "Conv2D", "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative"}
ACTIVATIONS = ("Relu", "Relu6", "Elu", "LeakyRelu", "Sigmoid", "Tanh")
_OF_A_CONVOLUTION = ("T", "strides", "padding", "explicit_paddings", "data_format", "dilations")


def read_weights(manifest: list[dict[str, Any]], content: bytes) -> dict[str, np.ndarray]:
    """Values of all constants by their nodes' names, float32 where they were floating-point before.

    Quantised to q, uint8 or uint16, a value is `q * scale + min`; float16 is kept as it is until here.

    Raises:
        UserError: the weights end too early, or have a kind that is not known.
    """
    values, at = {}, 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        how = entry.get("quantization", {})
        dtype = np.dtype(how.get("dtype", entry["dtype"]))
        if dtype.kind not in "biuf":
            raise UserError(f"weights of kind {entry['dtype']} ({entry['name']}) can't be read")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        if at + count * dtype.itemsize > len(content):
            raise UserError(f"the weights end at byte {len(content)}, before all of {entry['name']}")
        value = np.frombuffer(content, dtype, count, at).reshape(entry["shape"])
        at += count * dtype.itemsize
        if "scale" in how:
            value = value * how["scale"] + how["min"]
        values[entry["name"]] = value.astype(entry["dtype"])
    return values


def read_graph(model: dict[str, Any], content: bytes) -> tf.compat.v1.GraphDef:
    """The graph of a `model.json` (parsed) with the values of its weights file in place.

    Raises:
        UserError: not a graph model, or one with operations that can't be taken apart.
    """
    try:
        weights = read_weights(model["weightsManifest"], content)
        graph = tf.compat.v1.GraphDef()
        for node in model["modelTopology"]["node"]:
            for part in _taken_apart(node):
                read = json_format.ParseDict(part, graph.node.add())
                if read.op == "Const":
                    # The manifest knows no integers of 64 bits; operations ask for them.
                    dtype = read.attr["dtype"].type
                    read.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(weights[read.name], dtype))
    except (KeyError, TypeError, ValueError, json_format.ParseError) as error:
        raise UserError(f"not a TensorFlow.js graph model: {type(error).__name__} {error}") from None
    return graph


def _taken_apart(node: dict[str, Any]) -> list[dict[str, Any]]:
    """A joined convolution as convolution, bias and activation; the last has its name. Others as they are."""
    if node["op"] not in FUSED:
        return [node]
    attributes, inputs = node["attr"], node["input"]
    steps = [base64.b64decode(step).decode() for step in attributes["fused_ops"]["list"].get("s", [])]
    if steps[:1] != ["BiasAdd"] or any(step not in ACTIVATIONS for step in steps[1:]):
        raise UserError(f"{node['name']}: {node['op']} with {' '.join(steps)} can't be taken apart")
    kept = {name: attributes[name] for name in _OF_A_CONVOLUTION if name in attributes}
    parts = [{"op": FUSED[node["op"]], "input": inputs[:2], "attr": kept}]
    for step in steps:
        attr = {"T": attributes["T"]}
        if step == "LeakyRelu" and "leakyrelu_alpha" in attributes:
            attr["alpha"] = attributes["leakyrelu_alpha"]
        parts.append({"op": step, "input": inputs[2:3] if step == "BiasAdd" else [], "attr": attr})
    for i, part in enumerate(parts):
        part["name"] = node["name"] if i == len(parts) - 1 else f"{node['name']}/part_{i}"
        if i:
            part["input"] = [parts[i - 1]["name"], *part["input"]]
    return parts


def load_function(
    topology: Path, content: Path, inputs: Sequence[str], outputs: Sequence[str]
) -> Callable[..., list[tf.Tensor]]:
    """`graph_function` of the graph in a `model.json` and its weights file.

    Raises:
        UserError: what `read_graph` and `graph_function` say of them, with the file's name.
    """
    try:
        graph = read_graph(json.loads(topology.read_bytes()), content.read_bytes())
        return graph_function(graph, inputs, outputs)
    except (ValueError, UserError) as error:
        raise UserError(f"{topology}: {error}") from None


def graph_function(
    graph: tf.compat.v1.GraphDef, inputs: Sequence[str], outputs: Sequence[str]
) -> Callable[..., list[tf.Tensor]]:
    """What computes the tensors `outputs` from `inputs`, in that order, names as `"src:0"`.

    Raises:
        UserError: TensorFlow can't run the graph, or it has no such tensors.
    """
    try:
        wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
        feeds = [wrapped.graph.as_graph_element(name) for name in inputs]
        return wrapped.prune(feeds, list(outputs))
    except (ValueError, KeyError, TypeError, tf.errors.OpError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"a graph that TensorFlow can't run ({reason})") from None
