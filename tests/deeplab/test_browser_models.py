"""Segmenters as ONNX: operations of others replaced by ONNX's own, constants in 16 bits."""

import numpy as np
import pytest

from tests.extras import need

onnxruntime = need("onnxruntime")
need("onnx")

from onnx import TensorProto, helper, numpy_helper

from deeplab.browser_models import TRANSPOSED, halved_storage, with_standard_transposed, write_segmenter
from util.errors import UserError


def model_of(nodes, constants, shape_in, shape_out):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "test",
        [value("x", TensorProto.FLOAT, shape_in)],
        [value("y", TensorProto.FLOAT, shape_out)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model, x):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]


def test_mediapipes_transposed_convolution_is_replaced():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(2, 2, 2, 3)).astype(np.float32)  # [out,2,2,in]
    bias = np.array([0.5, -1], np.float32)
    node = helper.make_node(TRANSPOSED, ["x", "w", "b"], ["y"], name="last")
    model = model_of([node], {"w": weights, "b": bias}, [1, 4, 5, 3], [1, 8, 10, 2])
    with_standard_transposed(model)
    x = rng.normal(size=(1, 4, 5, 3)).astype(np.float32)
    # Every pixel becomes a square of 2x2, and none overlap.
    wanted = np.einsum("nhwi,orci->nhrwco", x, weights).reshape(1, 8, 10, 2) + bias
    np.testing.assert_allclose(run(model, x), wanted, atol=1e-5)


def test_a_kernel_of_another_size_is_refused():
    node = helper.make_node(TRANSPOSED, ["x", "w", "b"], ["y"], name="last")
    constants = {"w": np.zeros((1, 3, 3, 1), np.float32), "b": np.zeros(1, np.float32)}
    with pytest.raises(UserError, match="not the one that is expected"):
        with_standard_transposed(model_of([node], constants, [1, 2, 2, 1], [1, 4, 4, 1]))


def test_constants_are_kept_in_16_bits_and_computed_with_in_32():
    rng = np.random.default_rng(0)
    large = rng.normal(size=(50, 40)).astype(np.float32)
    small, huge = np.array([1e-9, 1], np.float32), np.full((2, 40), 1e6, np.float32)
    nodes = [
        helper.make_node("MatMul", ["large", "x"], ["product"]),
        helper.make_node("MatMul", ["huge", "x"], ["other"]),
        helper.make_node("Concat", ["product", "other", "small"], ["y"], axis=0),
    ]
    constants = {"large": large, "huge": huge, "small": small}
    model = model_of(nodes, constants, [40], [54])
    whole = len(model.SerializeToString())
    assert len(halved_storage(model).SerializeToString()) < 0.65 * whole
    x = rng.normal(size=40).astype(np.float32)
    result = run(model, x)
    # Each product is off by 2^-11 of itself at most.
    assert np.all(np.abs(result[:50] - large @ x) <= np.abs(large) @ np.abs(x) * 2**-11 + 1e-5)
    np.testing.assert_allclose(result[50:52], huge @ x, rtol=1e-5)
    np.testing.assert_array_equal(result[52:], small)


def test_other_segmenters_are_refused(tmp_path):
    with pytest.raises(UserError, match="--masks deeplab: the studio can take rvm and selfie"):
        write_segmenter("deeplab", tmp_path / "x.onnx")
