from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.nets import ColorizingNet
from ircolor.sessions.onnx import OnnxSession
from ircolor.sessions.torch import Mode, Precision, TorchSession
from ircolor.training.onnx_model import to_onnx
from tests.nets.test_colornet import TestColorNet as ColorNetContract

Images = NDArray[np.float32]


@pytest.fixture(scope="module")
def net() -> ColorizingNet:
    return ColorNetContract().colorizer()


@pytest.fixture(scope="module")
def infrared() -> Images:
    return np.random.default_rng(0).uniform(-1, 1, (2, 1, 32, 48)).astype(np.float32)


@pytest.fixture(scope="module")
def by_onnxruntime(net: ColorizingNet, infrared: Images) -> Images:
    return OnnxSession(to_onnx(net).SerializeToString(), "net", device="cpu", threads=1).run(infrared).rgb


@pytest.mark.parametrize(
    ("precision", "channels_last", "tolerance"),
    [("float32", False, 1e-5), ("float32", True, 1e-5), ("bfloat16", True, 0.1), ("float16", True, 0.01)],
)
def test_it_gives_what_onnxruntime_gives(
    precision: Precision,
    channels_last: bool,
    tolerance: float,
    net: ColorizingNet,
    infrared: Images,
    by_onnxruntime: Images,
) -> None:
    session = TorchSession(net, device="cpu", precision=precision, channels_last=channels_last)
    rgb = session.run(infrared).rgb
    assert (rgb.dtype.name, rgb.shape) == ("float32", (2, 3, 32, 48))
    assert rgb.flags.c_contiguous
    np.testing.assert_allclose(rgb, by_onnxruntime, atol=tolerance)
    assert (session.device, session.device_reason) == ("cpu", "as asked")


def test_the_net_that_was_given_stays_as_it_is(infrared: Images) -> None:
    net = ColorNetContract().colorizer().train()
    TorchSession(net, device="cpu", precision="bfloat16").run(infrared)
    assert net.training
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float32}


def test_threads_get_each_their_own_result(net: ColorizingNet, infrared: Images) -> None:
    session = TorchSession(net, device="cpu")
    images = [infrared * scale for scale in (0.2, 0.4, 0.6, 0.8)]
    expected = [session.run(image).rgb for image in images]
    with ThreadPoolExecutor(4) as pool:
        for prediction, alone in zip(pool.map(session.run, images), expected, strict=True):
            np.testing.assert_array_equal(prediction.rgb, alone)


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_compiled_it_gives_the_same(net: ColorizingNet, infrared: Images, by_onnxruntime: Images) -> None:
    session = TorchSession(net, device="cpu", mode="compile")
    np.testing.assert_allclose(session.run(infrared).rgb, by_onnxruntime, atol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("mode", ["eager", "compile", "graph"])
def test_on_a_gpu_each_mode_gives_the_same(
    mode: Mode, net: ColorizingNet, infrared: Images, by_onnxruntime: Images
) -> None:
    session = TorchSession(net, device="cuda", mode=mode)
    for images, expected in ((infrared, by_onnxruntime), (infrared[::-1].copy(), by_onnxruntime[::-1])):
        np.testing.assert_allclose(session.run(images).rgb, expected, atol=0.01)  # TF32


def test_too_little_memory_is_told(monkeypatch: pytest.MonkeyPatch, net: ColorizingNet, infrared: Images) -> None:
    session = TorchSession(net, device="cpu")

    def fail(_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.\nmuch advice")

    monkeypatch.setattr(session, "predict", fail)
    with pytest.raises(UserError, match=r"not enough memory for 32x48 pixels at once \(CUDA out of memory.\); cut"):
        session.run(infrared)


def test_what_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, net: ColorizingNet) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert TorchSession(net).device_reason == "torch found no GPU"
    with pytest.raises(UserError, match="device cuda: torch found no GPU"):
        TorchSession(net, device="cuda")
    with pytest.raises(UserError, match="device 'tpu': torch runs networks here on cpu or cuda"):
        TorchSession(net, device="tpu")
    with pytest.raises(UserError, match="mode graph: CUDA graphs need CUDA, not cpu; use eager or compile"):
        TorchSession(net, device="cpu", mode="graph")
