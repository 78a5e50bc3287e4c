"""A network that costs next to nothing, for benchmarks of all that is not the network."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from ircolor.weights.card import Card
from ircolor.weights.catalogue import find_model
from ircolor.weights.seal import seal


def write_narrow_model(path: Path) -> None:
    """A sealed network of one convolution, whose time is nothing beside that of reading and writing."""
    weights = np.random.default_rng(0).standard_normal((3, 1, 3, 3)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["infrared", "w"], ["rgb"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])],
        "narrow",
        [helper.make_tensor_value_info("infrared", TensorProto.FLOAT, ["batch", 1, "height", "width"])],
        [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, ["batch", 3, "height", "width"])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    # As many bytes a pixel, and as wide a reach, as the bundled network: it is cut alike.
    fields = find_model("snet").card.to_dict() | {"name": "narrow", "summary": "for a benchmark"}
    path.write_bytes(seal(bytes(model.SerializeToString()), Card.from_dict(fields)))
