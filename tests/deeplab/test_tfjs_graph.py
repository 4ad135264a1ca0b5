"""TensorFlow.js graphs: quantised weights and joined operations, against the formulas and torch's convolutions."""

import base64

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.extras import need

need("tensorflow")

from deeplab.tfjs_graph import graph_function, read_graph, read_weights, tf
from util.errors import UserError

FLOAT = {"type": "DT_FLOAT"}


def text(*words):
    return {"list": {"s": [base64.b64encode(word.encode()).decode() for word in words]}}


def convolution(name, op, inputs, steps):
    ones = {"list": {"i": ["1", "1", "1", "1"]}}
    attr = {"T": FLOAT, "strides": ones, "dilations": ones, "fused_ops": text(*steps), "num_args": {"i": "1"}}
    same = {"padding": {"s": base64.b64encode(b"SAME").decode()}, "epsilon": {"f": 0}}
    return {"name": name, "op": op, "input": inputs, "attr": attr | same}


def constant(name, shape):
    tensor = {"dtype": "DT_FLOAT", "tensorShape": {"dim": [{"size": str(side)} for side in shape]}}
    return {"name": name, "op": "Const", "attr": {"value": {"tensor": tensor}, "dtype": FLOAT}}


SHAPES = {"w": [3, 3, 3, 4], "b": [4], "d": [3, 3, 4, 1], "e": [4]}


def small_model():
    """Convolution, bias, ReLU6, depthwise convolution, bias, ReLU; and its quantised weights."""
    nodes = [{"name": "src", "op": "Placeholder", "attr": {"dtype": FLOAT, "shape": {"shape": {}}}}]
    nodes[0]["attr"]["shape"]["shape"] = {"dim": [{"size": "-1"}] * 3 + [{"size": "3"}]}
    nodes += [constant(name, shape) for name, shape in SHAPES.items()]
    nodes.append(convolution("first", "_FusedConv2D", ["src", "w", "b"], ["BiasAdd", "Relu6"]))
    nodes.append(convolution("out", "FusedDepthwiseConv2dNative", ["first", "d", "e"], ["BiasAdd", "Relu"]))
    rng = np.random.default_rng(0)
    entries, content, values = [], b"", {}
    for i, (name, shape) in enumerate(SHAPES.items()):
        q = rng.integers(0, 256, shape, dtype=np.uint8)
        how = {"dtype": "uint8", "min": -1.0 - i, "scale": 0.01 * (i + 1)}
        entries.append({"name": name, "shape": shape, "dtype": "float32", "quantization": how})
        content += q.tobytes()
        values[name] = q * how["scale"] + how["min"]
    model = {"modelTopology": {"node": nodes}, "weightsManifest": [{"paths": ["w.bin"], "weights": entries}]}
    return model, content, values


def test_graph_computes_what_torch_does_with_the_weights_as_the_formula_gives_them():
    model, content, values = small_model()
    run = graph_function(read_graph(model, content), ["src:0"], ["out:0"])
    photo = np.random.default_rng(1).normal(size=(1, 6, 7, 3)).astype(np.float32)
    weights = {name: torch.tensor(value, dtype=torch.float32) for name, value in values.items()}
    x = torch.from_numpy(photo).permute(0, 3, 1, 2)
    x = F.conv2d(x, weights["w"].permute(3, 2, 0, 1), weights["b"], padding=1).clamp(0, 6)
    assert (x == 6).any() and (x == 0).any()  # both ends of ReLU6 are met
    x = F.conv2d(x, weights["d"].permute(2, 3, 0, 1), weights["e"], padding=1, groups=4).relu()
    assert (x > 0).any()
    (result,) = run(tf.constant(photo))
    np.testing.assert_allclose(result.numpy(), x.permute(0, 2, 3, 1).numpy(), rtol=1e-4, atol=1e-4)


def test_weights_of_other_kinds_lie_one_after_the_other():
    entries = [
        {"name": "axis", "shape": [2], "dtype": "int32"},
        {"name": "half", "shape": [], "dtype": "float32", "quantization": {"dtype": "float16"}},
        {"name": "yes", "shape": [1], "dtype": "bool"},
    ]
    content = np.int32([1, -2]).tobytes() + np.float16(0.5).tobytes() + b"\1"
    values = read_weights([{"weights": entries}], content)
    assert values["axis"].tolist() == [1, -2] and values["axis"].dtype == np.int32
    assert values["half"] == 0.5 and values["half"].dtype == np.float32
    assert values["yes"].tolist() == [True]


def test_constants_are_of_the_kind_that_operations_ask_for():
    """The weights hold 64-bit integers as 32."""
    kinds = {"T": FLOAT, "Tshape": {"type": "DT_INT64"}}
    nodes = [
        {"name": "src", "op": "Placeholder", "attr": {"dtype": FLOAT, "shape": {"shape": {}}}},
        {"name": "shape", "op": "Const", "attr": {"dtype": {"type": "DT_INT64"}}},
        {"name": "out", "op": "Reshape", "input": ["src", "shape"], "attr": kinds},
    ]
    nodes[0]["attr"]["shape"]["shape"] = {"dim": [{"size": "6"}]}
    entries = [{"name": "shape", "shape": [2], "dtype": "int32"}]
    model = {"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": entries}]}
    run = graph_function(read_graph(model, np.int32([2, 3]).tobytes()), ["src:0"], ["out:0"])
    (result,) = run(tf.range(6.0))
    assert result.numpy().tolist() == [[0, 1, 2], [3, 4, 5]]


def test_what_can_not_be_read_is_said():
    model, content, _ = small_model()
    with pytest.raises(UserError, match="before all of e"):
        read_graph(model, content[:-1])
    with pytest.raises(UserError, match=r"not a TensorFlow\.js graph model: KeyError 'weightsManifest'"):
        read_graph({}, b"")
    model["modelTopology"]["node"][-1]["attr"]["fused_ops"] = text("BiasAdd", "Swish")
    with pytest.raises(UserError, match="out: FusedDepthwiseConv2dNative with BiasAdd Swish"):
        read_graph(model, content)
    with pytest.raises(UserError, match="can't run"):
        graph_function(read_graph(small_model()[0], content), ["photo:0"], ["out:0"])
