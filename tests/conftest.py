"""A tiny network in a sealed file, and tiny images: what most tests of the runtime need."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import settings
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ircolor.media.encode import encode_image
from ircolor.weights.card import Card
from ircolor.weights.seal import seal

# A busy machine is slow at times; no test asserts a time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

TINY_GRID_PX = 16
TINY_HALO_PX = 24


def make_tiny_body() -> bytes:
    """A network that goes down to a quarter of the size and up again; its grid is 16, its reach below 24."""
    random = np.random.default_rng(7)

    def weight(name: str, *shape: int) -> TensorProto:
        values = random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        return numpy_helper.from_array(values.astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["infrared", "w0"], ["a"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["c", "w1"], ["d"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node("ConvTranspose", ["e", "w2"], ["f"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Concat", ["b", "f"], ["g"], axis=1),
        helper.make_node("Conv", ["g", "w3"], ["h"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Tanh", ["h"], ["rgb"]),
    ]
    weights = [
        weight("w0", 8, 1, 3, 3),
        weight("w1", 8, 8, 3, 3),
        weight("w2", 8, 8, 4, 4),
        weight("w3", 3, 16, 3, 3),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("infrared", TensorProto.FLOAT, ["batch", 1, "height", "width"])],
        [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, ["batch", 3, "height", "width"])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def make_card(**changes: Any) -> Card:
    """A card that is right, but for the changes."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "version": "1.0",
        "summary": "for tests",
        "recipe": "none",
        "commit": "0000000",
        "data": "random weights",
        "licence": "Apache-2.0",
        "epochs": 0,
        "train_seconds": 0.0,
        "hardware": "none",
        "num_parameters": 2096,
        "gflop_224": 0.1,
        "arithmetic": "float32",
        "protocol": "nirscene",
        "scores": {"test": {"psnr_db": 14.5, "ssim": 0.5, "chroma_gain": 0.1}},
        "grid_px": TINY_GRID_PX,
        "halo_px": TINY_HALO_PX,
        "bytes_per_px": 256,
        "intensity": "auto",
    }
    return Card(**(fields | changes))


@pytest.fixture(scope="session", autouse=True)
def _heed_interruptions() -> None:
    """Whoever starts the tests in the background has them, and what they start, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_body() -> bytes:
    return make_tiny_body()


@pytest.fixture(scope="session")
def tiny_sealed(tiny_body: bytes) -> bytes:
    return seal(tiny_body, make_card())


@pytest.fixture(scope="session")
def tiny_onnx(tiny_sealed: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    path.write_bytes(tiny_sealed)
    return path


@pytest.fixture
def gray(tmp_path: Path) -> Callable[..., Path]:
    """Write a small infrared PNG and return its path."""

    def write(name: str = "night.png", height: int = 20, width: int = 30, seed: int = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gray_png(height, width, seed))
        return path

    return write


@pytest.fixture
def locked(gray: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an image in it that nobody may list, also where the tests run as root."""
    gray("locked/b.png")
    really_scan = os.scandir

    def scan(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return really_scan(path)

    monkeypatch.setattr(os, "scandir", scan)
    return tmp_path / "locked"


def gray_png(height: int = 20, width: int = 30, seed: int = 0) -> bytes:
    """The bytes of a random gray PNG."""
    return encode_image(np.repeat(noise(height, width, seed)[..., None], 3, axis=2), ".png")


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A random image, (height, width), uint8."""
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


@pytest.fixture
def fresh_compiler() -> Iterator[None]:
    """torch.compile without what other tests compiled."""
    import torch

    torch.compiler.reset()
    yield
    torch.compiler.reset()
