import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import ircolor
from ircolor.errors import UserError
from ircolor.machine import Cores
from ircolor.sessions.onnx import OnnxSession
from ircolor.sessions.providers import DEVICES, available_devices
from tests.trust_models import error_by_brightness


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
    np.testing.assert_array_equal(session.run(infrared).rgb, np.repeat(infrared, 3, axis=1))
    assert (session.device, session.device_reason) == ("cpu", "as asked")


@pytest.fixture
def built_for(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[str]]]:
    """Pretend that onnxruntime was built for some devices, of which some do not start; returns what is asked of it."""

    def pretend(*devices: str, broken: tuple[str, ...] = (), missing: tuple[str, ...] = ()) -> list[list[str]]:
        asked: list[list[str]] = []
        monkeypatch.setattr(
            onnxruntime, "get_available_providers", lambda: ["AzureExecutionProvider", *map(first_provider, devices)]
        )

        class Session:
            def __init__(self, model: bytes, options: object, *, providers: list[str], enable_fallback: int) -> None:
                assert not enable_fallback
                asked.append(providers)
                if providers[0] in map(first_provider, broken):
                    raise RuntimeError("no such GPU\nand a long trace")
                self._providers = providers if providers[0] not in map(first_provider, missing) else ["CPU"]
                self._session = really_load(model, options, providers=["CPUExecutionProvider"])

            def get_providers(self) -> list[str]:
                return self._providers

            def __getattr__(self, name: str) -> object:
                return getattr(self._session, name)

        monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
        return asked

    really_load = onnxruntime.InferenceSession
    return pretend


def first_provider(device: str) -> str:
    return DEVICES[device].providers[0]


def test_every_device_has_a_provider_that_onnxruntime_knows() -> None:
    providers = [provider for device in DEVICES.values() for provider in device.providers]
    assert set(providers) <= set(onnxruntime.get_all_providers())


def test_the_devices_of_the_installed_onnxruntime_start_or_say_why_not() -> None:
    assert "cpu" in available_devices()
    for device in available_devices():
        try:
            assert OnnxSession(identity_model(), "identity", device=device).device == device
        except UserError as error:
            assert f"device {device}: onnxruntime cannot start" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("devices", "broken", "chosen", "reason"),
    [
        (["cpu"], [], "cpu", "the only device of this onnxruntime"),
        (["cpu", "cuda", "tensorrt"], [], "cuda", "the fastest of cuda, cpu"),
        (["cpu", "openvino"], [], "openvino", "the fastest of openvino, cpu"),
        (["cpu", "directml"], [], "directml", "the fastest of directml, cpu"),
        (["cpu", "coreml"], [], "cpu", "the only device that auto takes"),
        (["cpu", "cuda"], ["cuda"], "cpu", "cuda does not start: no such GPU"),
    ],
)
def test_auto_takes_the_first_in_order_that_starts_and_says_why(
    devices: list[str], broken: list[str], chosen: str, reason: str, built_for: Callable[..., list[list[str]]]
) -> None:
    built_for(*devices, broken=tuple(broken))
    session = OnnxSession(identity_model(), "identity")
    assert (session.device, session.device_reason) == (chosen, reason)
    infrared = np.zeros((1, 1, 2, 2), np.float32)
    assert session.run(infrared).rgb.shape == (1, 3, 2, 2)


def test_a_provider_that_falls_back_in_silence_is_noticed(built_for: Callable[..., list[list[str]]]) -> None:
    built_for("cuda", "cpu", missing=("cuda",))
    session = OnnxSession(identity_model(), "identity")
    assert session.device == "cpu"
    assert session.device_reason == "cuda does not start: CUDA is built in, but its libraries or its driver are missing"
    with pytest.raises(UserError, match=r"device cuda: onnxruntime cannot start CUDA \(.*missing\); check its driver"):
        OnnxSession(identity_model(), "identity", device="cuda")


@pytest.mark.parametrize(("threads", "expected"), [(None, 3), (5, 5), (500, 128)])
def test_it_takes_the_cores_that_this_process_may_use(
    threads: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    really_load = onnxruntime.InferenceSession

    def load(model: bytes, options: onnxruntime.SessionOptions, **choices: object) -> object:
        given.append(options.intra_op_num_threads)
        return really_load(model, options, **choices)

    monkeypatch.setattr(onnxruntime, "InferenceSession", load)
    monkeypatch.setattr("ircolor.machine.cores", lambda: Cores(64, 128, 128, limit=3.5))
    OnnxSession(identity_model(), "identity", device="cpu", threads=threads)
    assert given == [expected]


def test_what_tensorrt_cannot_take_runs_on_cuda_and_only_when_asked(built_for: Callable[..., list[list[str]]]) -> None:
    asked = built_for("tensorrt", "cuda", "cpu")
    assert OnnxSession(identity_model(), "identity", device="tensorrt").device_reason == "as asked"
    assert asked == [["TensorrtExecutionProvider", "CUDAExecutionProvider"]]


def test_a_device_that_is_asked_for_and_does_not_start_is_an_error(built_for: Callable[..., list[list[str]]]) -> None:
    asked = built_for("cuda", "cpu", broken=("cuda",))
    with pytest.raises(
        UserError, match=r"^device cuda: onnxruntime cannot start CUDA \(no such GPU\); .*--device cpu$"
    ):
        OnnxSession(identity_model(), "identity", device="cuda")
    assert asked == [["CUDAExecutionProvider"]]


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cuda", "has no CUDA; pip install onnxruntime-gpu in place of onnxruntime, or use auto or one of: cpu"),
        ("tensorrt", "has no TensorRT; pip install onnxruntime-gpu in place of onnxruntime, and TensorRT, or use"),
        ("openvino", "has no OpenVINO; pip install onnxruntime-openvino"),
        ("directml", "has no DirectML; pip install onnxruntime-directml"),
        ("coreml", "has no Core ML; it comes with onnxruntime on macOS"),
        ("cdua", "device 'cdua': unknown; did you mean cuda"),
        ("gpu", "device 'gpu': unknown; did you mean cuda"),
        ("azure", "device 'azure': unknown"),
    ],
)
def test_a_device_that_is_not_there_is_told(
    device: str, message: str, built_for: Callable[..., list[list[str]]]
) -> None:
    asked = built_for("cpu")
    with pytest.raises(UserError, match=re.escape(message)):
        OnnxSession(identity_model(), "identity", device=device)
    assert not asked


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


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([helper.make_node("Identity", ["infrared"], ["rgb"])], r"gives rgb as float32 of \(1, 1, 8, 8\), not float32"),
        ([helper.make_node("Shape", ["infrared"], ["rgb"])], r"gives rgb as int64 of \(4,\), not float32 of"),
        (
            [helper.make_node("ReduceMax", ["infrared"], ["rgb"], keepdims=0)],
            r"gives rgb as float32 of \(\), not float32",
        ),
        (
            [
                helper.make_node("Concat", ["infrared"] * 3, ["three"], axis=1),
                helper.make_node("Log", ["three"], ["rgb"]),
            ],
            "gives rgb that is no number for this image; take another model",
        ),
        (
            [helper.make_node("Cast", ["infrared"], ["rgb"], to=TensorProto.STRING)],
            r"gives rgb as object of \(1, 1, 8, 8\), not float32",
        ),
    ],
)
def test_a_network_that_gives_no_picture_is_told(nodes: list[onnx.NodeProto], message: str) -> None:
    graph = helper.make_graph(
        nodes,
        "odd",
        [helper.make_tensor_value_info("infrared", TensorProto.FLOAT, ["b", 1, "h", "w"])],
        [onnx.ValueInfoProto(name="rgb")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = OnnxSession(model.SerializeToString(), "odd.onnx")
    with pytest.raises(UserError, match=f"odd.onnx: {message}"):
        session.run(np.full((1, 1, 8, 8), -1, np.float32))


def test_bytes_that_are_no_model_and_bad_threads_are_told() -> None:
    with pytest.raises(UserError, match=r"text: onnxruntime cannot load it"):
        OnnxSession(b"I am text", "text")
    with pytest.raises(UserError, match="threads 0: at least 1"):
        OnnxSession(identity_model(), "identity", threads=0)
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        OnnxSession(identity_model(), "identity", threads=2.0)  # type: ignore[arg-type]


def test_onnxruntime_sends_no_reports_of_its_use(tmp_path: Path) -> None:
    code = "import ircolor.colorizer, onnxruntime; assert onnxruntime.InferenceSession"
    silent = ("ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "CI")  # of these it heeds each
    environment = {name: value for name, value in os.environ.items() if name not in silent}
    environment |= {"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(ircolor.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert not list(tmp_path.iterdir()), "it began a session of telemetry"


def test_trust_is_given_where_it_is_wanted() -> None:
    infrared = np.array([[[[-1, 0, 1]]]], np.float32)
    plain = OnnxSession(error_by_brightness(), "known", device="cpu", threads=1)
    with_trust = OnnxSession(error_by_brightness(), "known", device="cpu", threads=1, trust=True)
    assert plain.gives_trust
    assert plain.run(infrared).expected_error is None
    expected_error = with_trust.run(infrared).expected_error
    assert expected_error is not None
    np.testing.assert_allclose(expected_error, [[[[0, 15, 30]]]])
    np.testing.assert_array_equal(with_trust.run(infrared).rgb, plain.run(infrared).rgb)


def test_trust_that_is_not_wanted_is_not_computed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    def nodes_run(trust: bool) -> set[str]:
        really_make = onnxruntime.SessionOptions

        def profiled() -> onnxruntime.SessionOptions:
            options = really_make()
            options.enable_profiling = True
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # keeps the names
            return options

        with monkeypatch.context() as patch:
            patch.setattr(onnxruntime, "SessionOptions", profiled)
            session = OnnxSession(error_by_brightness(), "known", device="cpu", threads=1, trust=trust)
        session.run(np.zeros((1, 1, 2, 2), np.float32))
        events = json.loads(Path(session._session.end_profiling()).read_text())
        return {event["name"].removesuffix("_kernel_time") for event in events if event["cat"] == "Node"}

    assert nodes_run(trust=False) == {"black", "colour"}
    assert nodes_run(trust=True) == {"black", "colour", "head_scale", "head_shift"}


def test_trust_of_a_model_that_has_none_is_told() -> None:
    assert not OnnxSession(identity_model(), "identity", device="cpu").gives_trust
    with pytest.raises(UserError, match=r"identity: does not tell how far its colours can be trusted; take a model"):
        OnnxSession(identity_model(), "identity", device="cpu", trust=True)
