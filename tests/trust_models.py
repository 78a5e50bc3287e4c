"""Tiny networks that tell the expected error of their colours."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ircolor.weights.seal import seal
from tests.conftest import make_card, make_tiny_body

RED = (0.8, 0.2, 0.0)  # what `error_by_brightness` makes of everything


def tiny_with_head(folder: Path) -> Path:
    """The network of `tests.conftest`, with a head on its features at a quarter of the size."""
    random = np.random.default_rng(5)
    model = onnx.load_from_string(make_tiny_body())
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(random.standard_normal((1, 8, 1, 1)).astype(np.float32), "w4"),
            numpy_helper.from_array(np.log([14]).astype(np.float32), "b4"),
            numpy_helper.from_array(np.array([1, 1, 4, 4], np.float32), "scales"),
        ]
    )
    model.graph.node.extend(
        [
            helper.make_node("Conv", ["e", "w4", "b4"], ["log_error"], kernel_shape=[1, 1]),
            helper.make_node("Exp", ["log_error"], ["error"]),
            helper.make_node("Resize", ["error", "", "scales"], ["expected_error"], mode="linear"),
        ]
    )
    model.graph.output.append(
        helper.make_tensor_value_info("expected_error", TensorProto.FLOAT, ["batch", 1, "height", "width"])
    )
    onnx.checker.check_model(model)
    path = folder / "with_head.onnx"
    path.write_bytes(seal(model.SerializeToString(), make_card(name="with_head")))
    return path


def error_by_brightness() -> bytes:
    """Every colour is RED, and its expected error 15 + 15 times the infrared in [-1, 1]: 0 in the dark, 30 in white.

    The head has a name of its own for each of its two nodes, so that it can be seen whether they are there.
    """

    def constant(name: str, values: object) -> TensorProto:
        return numpy_helper.from_array(np.array(values, np.float32), name)

    nodes = [
        helper.make_node("Mul", ["infrared", "zero"], ["black"], name="black"),
        helper.make_node("Add", ["black", "red"], ["rgb"], name="colour"),
        helper.make_node("Mul", ["infrared", "fifteen"], ["scaled"], name="head_scale"),
        helper.make_node("Add", ["scaled", "fifteen"], ["expected_error"], name="head_shift"),
    ]
    red = [[[[2 * value - 1]] for value in RED]]
    graph = helper.make_graph(
        nodes,
        "error_by_brightness",
        [helper.make_tensor_value_info("infrared", TensorProto.FLOAT, ["b", 1, "h", "w"])],
        [
            helper.make_tensor_value_info("rgb", TensorProto.FLOAT, ["b", 3, "h", "w"]),
            helper.make_tensor_value_info("expected_error", TensorProto.FLOAT, ["b", 1, "h", "w"]),
        ],
        [constant("zero", 0), constant("red", red), constant("fifteen", 15)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def known_errors(folder: Path) -> Path:
    """`error_by_brightness` in a sealed file."""
    path = folder / "known.onnx"
    path.write_bytes(seal(error_by_brightness(), make_card(name="known", grid_px=1, halo_px=0)))
    return path
