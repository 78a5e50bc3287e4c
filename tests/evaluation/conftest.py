"""A tiny data folder of drawn pairs, with a split column."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.errors import UserError

SIZES = {"a": (20, 24), "b": (16, 30), "c": (33, 17)}


def draw(seed: int, height: int, width: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Infrared (H, W), with every level somewhere, and an RGB that depends on it and on the place."""
    rng = np.random.default_rng(seed)
    infrared = rng.integers(0, 256, (height, width), np.uint8)
    gain = np.linspace(0.3, 1, width)[None, :, None] * [0.9, 0.7, 0.5]
    return infrared, (infrared[..., None] * gain).astype(np.uint8)


def write_rgb(path: Path, rgb: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), rgb[..., ::-1])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Pairs a, b, c to test on, t1, t2 to train on."""
    folder = tmp_path / "pairs"
    (folder / "infrared").mkdir(parents=True)
    lines = ["stem,infrared,rgb,split"]
    for seed, (stem, size) in enumerate({**SIZES, "t1": (18, 18), "t2": (22, 18)}.items()):
        infrared, rgb = draw(seed, *size)
        assert cv2.imwrite(str(folder / f"infrared/{stem}.png"), infrared)
        write_rgb(folder / f"rgb/{stem}.png", rgb)
        lines.append(f"{stem},infrared/{stem}.png,rgb/{stem}.png,{'test' if stem in SIZES else 'train'}")
    (folder / "index.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def fake_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of networks: whatever the name, half the infrared."""

    class Half:
        def __init__(self, model: str) -> None:
            if "unknown" in model:
                raise UserError(f"{model}: no such model")

        def __call__(self, infrared: NDArray[Any]) -> NDArray[Any]:
            return np.repeat(infrared[..., None] // 2, 3, axis=2)

    monkeypatch.setattr("ircolor.evaluation.models.Colorizer", Half)
    monkeypatch.setattr("ircolor.evaluation.models.find_model", lambda _: SimpleNamespace(gives_trust=False))


@pytest.fixture
def predictions(data: Path, tmp_path: Path) -> Path:
    """A folder of perfect predictions for the test pairs, one of them with the suffix."""
    folder = tmp_path / "results"
    folder.mkdir()
    for stem, name in (("a", "a.png"), ("b", "b_rgb.png"), ("c", "c.png")):
        (folder / name).write_bytes((data / f"rgb/{stem}.png").read_bytes())
    return folder
