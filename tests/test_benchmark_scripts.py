"""The scripts under benchmarks/ run to their end and write what they say; what the numbers are is not tested."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ircolor.training.recipe import TrustConfig
from ircolor.training.recipes import RECIPES
from ircolor.training.trust import train_with_trust
from tests.tiny_pairs import real_data, write_pairs

FOLDER = Path(__file__).parents[1] / "benchmarks"


def result_of(script: str, folder: Path, *arguments: str) -> Any:
    """Run a script and read the JSON that it wrote."""
    file = folder / "results" / "result.json"
    command = [sys.executable, str(FOLDER / script), "-o", str(file), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    result = json.loads(file.read_text(encoding="utf-8"))
    assert {"question", "machine"} <= result.keys()
    assert {"processor", "cores", "load_average_1min", "python", "ircolor"} <= result["machine"].keys()
    return result


def test_cold_start(tmp_path: Path) -> None:
    result = result_of("cold_start.py", tmp_path, "--runs", "1", "--height", "32", "--width", "32", "--threads", "1")
    assert result["median_seconds"] > 0
    assert result["peak_rss_bytes"] > 10_000_000


def test_gpu_on_the_cpu(tmp_path: Path) -> None:
    small = ["--device", "cpu", "--nets", "colornet:2", "--sizes", "40x24", "--matmul", "32", "--seconds", "0"]
    result = result_of("gpu.py", tmp_path, *small, "--batch-sizes", "1", "2", "--modes", "eager", "graph")
    done = [cell for cell in result["cells"] if "error" not in cell]
    assert [(cell["width"], cell["height"], cell["batch_size"], cell["mode"]) for cell in done] == [
        (40, 24, 1, "eager"),
        (40, 24, 2, "eager"),
    ]
    for cell in done:
        assert cell["share_of_matmul_rate"] > 0
        # 48x32 pixels are run
        flop = result["gflop_224"]["colornet:2"] * 1e9 * 48 * 32 / 224**2
        assert cell["network_tflops"] * 1e12 / cell["images_per_s"] == pytest.approx(flop, rel=0.01)
    refused = [cell["error"] for cell in result["cells"] if cell["mode"] == "graph"]
    assert refused == ["mode graph: CUDA graphs need CUDA, not cpu; use eager or compile"] * 2


def test_train_speed(tmp_path: Path) -> None:
    result = result_of("train_speed.py", tmp_path, "--recipes", "smoke", "--steps", "12")
    found = result["recipes"]["smoke"]
    assert found["crops_share_of_step_time"] == pytest.approx(found["images_per_s"] / found["crops_per_s"], rel=0.01)
    assert found["share_of_matmul_rate"] > 0


@pytest.mark.slow
def test_grades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, run = write_pairs(tmp_path / "data", [f"scene_{number}" for number in range(12)]), tmp_path / "run"
    recipe = replace(RECIPES["smoke"](), view_px=32, trust=TrustConfig(folds=2, fold_epochs=1, steps=2), epochs=1)
    train_with_trust(recipe, data, None, run)
    monkeypatch.setenv("IRCOLOR_DATA", str(data))
    result = result_of("grades.py", tmp_path, str(run))
    num_train = json.loads((run / "run.json").read_text())["num_train_pairs"]
    assert sum(result["num_pictures"]) == pytest.approx(num_train / 2, abs=1)
    for found in result["grades"]:
        assert len(found["chroma_gain"]) == 2
        assert all(0.8 <= saturation <= 2.0 for saturation in found["saturation"])


@pytest.mark.slow
@real_data
def test_seeds(tmp_path: Path) -> None:
    runs = ["--runs", str(tmp_path / "runs")]
    result = result_of("seeds.py", tmp_path, "smoke", "--seeds", "1", *runs)
    assert result["splits"].keys() == {"val", "test"}
    psnr_db = result["splits"]["test"]["psnr_db"]
    assert psnr_db == {"mean": psnr_db["seeds"][0], "std": None, "seeds": psnr_db["seeds"]}
    assert 5 < psnr_db["mean"] < 20
    best = result_of("seeds.py", tmp_path, "smoke", "--seeds", "1", "--best", *runs)
    assert best["question"] == "scores of smoke, best on val, on protocol nirscene, over seeds"
    assert 5 < best["splits"]["val"]["psnr_db"]["mean"] < 20


@pytest.mark.slow
@real_data
def test_ensemble(tmp_path: Path) -> None:
    result = result_of(
        "ensemble.py", tmp_path, "smoke", "--protocol", "vcip2020", "--seeds", "2", "--runs", str(tmp_path / "runs")
    )
    found = result["splits"]["val"]
    assert found["mean"] == found["smoke"]  # of one net
    assert len(set(found["mean"]["psnr_db"]["seeds"])) == 2


@pytest.mark.slow
def test_live_rate(tmp_path: Path, tiny_onnx: Path) -> None:
    small = ["--model", str(tiny_onnx), "--frames", "4", "--seconds", "1.5", "--fps", "10"]
    result = result_of("live_rate.py", tmp_path, *small)
    assert result["file"]["frames_per_s"] > 0
    (live,) = result["live"]
    assert 0 < live["frames_per_s"] <= 15
    assert result["reached"] == {"file": result["file"]["frames_per_s"] >= 30, "live": False}


@pytest.mark.slow
def test_int8_speed(tmp_path: Path) -> None:
    result = result_of("int8_speed.py", tmp_path, "--seconds", "0", "--threads", "1")
    assert result["reached"] == (result["speedup_over_torch"] >= 4.5)
    assert list(result["median_ms"]) == ["onnxruntime int8", "onnxruntime float32", "torch eager float32"]


@pytest.mark.slow
def test_model_speed(tmp_path: Path) -> None:
    result = result_of("model_speed.py", tmp_path, "--seconds", "0", "--threads", "1")
    assert list(result["sizes"]) == ["224x224", "640x480"]
    for found in result["sizes"].values():
        assert found["over_snet"]["snet"] == 1
        assert all(ms > 0 for ms in found["median_ms"].values())
