import numpy as np
import onnx
import pytest
from onnx import helper

from ircolor.sessions.onnx import OnnxSession
from ircolor.sessions.outputs import keep_output, output_names
from tests.trust_models import error_by_brightness


def test_names_come_in_their_order(tiny_body: bytes) -> None:
    assert output_names(error_by_brightness()) == ["rgb", "expected_error"]
    assert output_names(tiny_body) == ["rgb"]


@pytest.mark.parametrize(
    ("name", "nodes"), [("rgb", ["black", "colour"]), ("expected_error", ["head_scale", "head_shift"])]
)
def test_only_what_leads_to_the_output_is_left(name: str, nodes: list[str]) -> None:
    model = onnx.load_from_string(keep_output(error_by_brightness(), name))
    onnx.checker.check_model(model)
    assert [node.name for node in model.graph.node] == nodes
    assert [output.name for output in model.graph.output] == [name]


def test_what_both_outputs_need_stays() -> None:
    model = onnx.load_from_string(error_by_brightness())
    model.graph.node[3].input[0] = "black"
    kept = onnx.load_from_string(keep_output(model.SerializeToString(), "expected_error"))
    assert [node.name for node in kept.graph.node] == ["black", "head_shift"]


def test_a_left_out_input_needs_no_left_out_output() -> None:
    model = onnx.load_from_string(error_by_brightness())
    model.graph.node[1].CopyFrom(helper.make_node("Clip", ["black", "", "zero"], ["rgb"], name="clip"))
    model.graph.node.insert(0, helper.make_node("Dropout", ["infrared"], ["unused", ""], name="nobody's"))
    kept = onnx.load_from_string(keep_output(model.SerializeToString(), "rgb"))
    assert [node.name for node in kept.graph.node] == ["black", "clip"]


def test_all_else_of_the_file_stays(tiny_body: bytes) -> None:
    assert keep_output(tiny_body, "rgb") == tiny_body
    infrared = np.linspace(-1, 1, 12, dtype=np.float32).reshape(1, 1, 3, 4)
    expected = OnnxSession(error_by_brightness(), "whole", device="cpu", threads=1, trust=True).run(infrared)
    pruned = OnnxSession(keep_output(error_by_brightness(), "rgb"), "pruned", device="cpu", threads=1)
    np.testing.assert_array_equal(pruned.run(infrared).rgb, expected.rgb)


def test_what_the_body_of_a_node_takes_from_around_it_stays() -> None:
    model = onnx.load_from_string(error_by_brightness())
    rgb = helper.make_tensor_value_info("inner", onnx.TensorProto.FLOAT, None)
    body = helper.make_graph([helper.make_node("Identity", ["outer"], ["inner"])], "body", [], [rgb])
    model.graph.initializer.append(helper.make_tensor("yes", onnx.TensorProto.BOOL, [], [True]))
    model.graph.node[1].output[0] = "outer"
    branch = helper.make_node("If", ["yes"], ["rgb"], name="if", then_branch=body, else_branch=body)
    model.graph.node.insert(2, branch)
    onnx.checker.check_model(model)
    kept = keep_output(model.SerializeToString(), "rgb")
    assert [node.name for node in onnx.load_from_string(kept).graph.node] == ["black", "colour", "if"]
    infrared = np.zeros((1, 1, 2, 3), np.float32)
    assert OnnxSession(kept, "pruned", device="cpu", threads=1).run(infrared).rgb.shape == (1, 3, 2, 3)
