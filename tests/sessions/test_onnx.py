from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from ircolor.errors import UserError
from ircolor.sessions.onnx import OnnxSession


def identity_model(location: str | None = None, output: str = "rgb") -> bytes:
    """A 1x1 convolution; with a location, its weights lie in another file."""
    if location is None:
        weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 1, 1, 1], [1.0, 1.0, 1.0])
    else:
        weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 1, 1, 1])
        weights.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", "12")):
            entry = weights.external_data.add()
            entry.key, entry.value = key, value
    graph = helper.make_graph(
        [helper.make_node("Conv", ["infrared", "w"], [output])],
        "identity",
        [helper.make_tensor_value_info("infrared", TensorProto.FLOAT, ["b", 1, "h", "w"])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["b", 3, "h", "w"])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(onnx.ModelProto.SerializeToString(model))


def test_it_runs_and_says_where_and_why() -> None:
    session = OnnxSession(identity_model(), "identity", device="cpu", threads=1)
    infrared = np.random.default_rng(0).uniform(-1, 1, (2, 1, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(session.run(infrared), np.repeat(infrared, 3, axis=1))
    assert (session.device, session.device_reason) == ("cpu", "as asked")


def test_auto_takes_the_cpu_where_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    session = OnnxSession(identity_model(), "identity")
    assert (session.device, session.device_reason) == ("cpu", "this onnxruntime has no CUDA")


@pytest.mark.parametrize("device", ["cuda", "tpu"])
def test_a_device_that_is_not_there_is_told(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(UserError, match=rf"device '{device}': not available here; use auto or one of: cpu"):
        OnnxSession(identity_model(), "identity", device=device)


@pytest.mark.parametrize(("device", "expected"), [("auto", "cpu"), ("cuda", None)])
def test_cuda_that_does_not_start_is_no_silent_fall_back(
    device: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    built_in = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: built_in)
    really_load = onnxruntime.InferenceSession

    def load(model: bytes, options: object, providers: list[str]) -> object:
        assert providers == ["CUDAExecutionProvider"]
        return really_load(model, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", load)
    if expected:
        session = OnnxSession(identity_model(), "identity", device=device)
        assert (session.device, session.device_reason) == ("cpu", "CUDA is built in but does not start")
    else:
        with pytest.raises(UserError, match="cannot start CUDA"):
            OnnxSession(identity_model(), "identity", device=device)


@pytest.mark.parametrize("where", ["beside", "absolute", "above"])
def test_a_model_cannot_read_other_files(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    secret = {"beside": here / "w.bin", "absolute": tmp_path / "w.bin", "above": tmp_path / "w.bin"}[where]
    secret.write_bytes(np.ones(3, np.float32).tobytes())
    location = {"beside": "w.bin", "absolute": str(secret), "above": "../w.bin"}[where]
    with pytest.raises(UserError, match=r"evil.onnx: onnxruntime cannot load it"):
        OnnxSession(identity_model(location), "evil.onnx")


def test_other_inputs_and_outputs_are_told() -> None:
    with pytest.raises(UserError, match=r"foreign: takes \['infrared'\], gives \['colour'\]"):
        OnnxSession(identity_model(output="colour"), "foreign")


def test_bytes_that_are_no_model_and_bad_threads_are_told() -> None:
    with pytest.raises(UserError, match=r"text: onnxruntime cannot load it"):
        OnnxSession(b"I am text", "text")
    with pytest.raises(UserError, match="threads 0: at least 1"):
        OnnxSession(identity_model(), "identity", threads=0)
