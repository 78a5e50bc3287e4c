import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from ircolor.benchmark import measure, throughput
from ircolor.benchmark.rounds import Rounds
from ircolor.benchmark.throughput import Throughput
from ircolor.errors import UserError
from ircolor.weights import catalogue
from ircolor.weights.seal import seal
from tests.cli.conftest import Done, files
from tests.conftest import make_card

Run = Callable[..., Done]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A wide terminal, two tiny images, no video; temporary files go into the folder that is returned."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(measure, "QUICK", measure.Effort(latency_s=0, num_images=2))
    monkeypatch.setattr(measure, "THROUGHPUT_HEIGHT", 32)
    monkeypatch.setattr(measure, "THROUGHPUT_WIDTH", 32)
    rounds = Rounds({"network": [1.0, 1.0], "ircolor": [1.25, 1.25]})
    monkeypatch.setattr(measure, "video_throughput", lambda *_, **__: Throughput("video", 20, 32, 48, rounds))
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def benchmark(ircolor: Run) -> Run:
    return lambda *arguments: ircolor("benchmark", "--quick", "--threads", "1", "--sizes", "24x16", *arguments)


def test_the_tables_show_each_size_and_both_sources(benchmark: Run, tiny_onnx: Path) -> None:
    done = benchmark(tiny_onnx)
    assert done.status == 0
    said = done.err.splitlines()
    assert said[0] == "tiny 1.0 on cpu (the only device of this onnxruntime), threads: 1 (as asked)"
    assert said[1].startswith("no comparison with torch: tiny is of recipe none")
    for text in ("24x16", "bare onnxruntime", "folder of 2", "32x32", "video of 20", "48x32", "16.0", "20.0", "1.25"):
        assert text in done.out


def test_json_holds_the_numbers_and_the_machine(benchmark: Run, tiny_onnx: Path, tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    assert benchmark(tiny_onnx, tiny_onnx, "--device", "cpu", "--json", file).status == 0
    result = json.loads(file.read_text())
    assert (result["threads"], [model["name"] for model in result["models"]]) == (1, ["tiny", "tiny"])
    assert result["models"][0]["device_reason"] == "as asked"
    assert result["machine"]["cores"]["logical"] >= 1


@pytest.mark.parametrize("recipe", ["smoke", "smoke + smoke"])  # a network, and an ensemble
def test_torch_takes_part_where_the_architecture_is_known(
    recipe: str, benchmark: Run, tiny_body: bytes, tmp_path: Path
) -> None:
    model = tmp_path / "smoke.onnx"
    model.write_bytes(seal(tiny_body, make_card(name="smoke", recipe=recipe)))
    done = benchmark(model)
    assert (done.status, len(done.err.splitlines())) == (0, 1)
    assert "torch eager float32" in done.out


def test_without_torch_all_else_is_measured(
    benchmark: Run, tiny_body: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "smoke.onnx"
    model.write_bytes(seal(tiny_body, make_card(name="smoke", recipe="smoke")))
    monkeypatch.setitem(sys.modules, "torch", None)
    done = benchmark(model)
    assert done.status == 0
    assert "no comparison with torch: torch is not installed" in done.err
    assert "torch eager" not in done.out


def test_with_a_torch_that_cannot_be_loaded_all_else_is_measured(
    benchmark: Run, tiny_body: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "smoke.onnx"
    model.write_bytes(seal(tiny_body, make_card(name="smoke", recipe="smoke")))
    monkeypatch.setitem(sys.modules, "ircolor.sessions.torch", ModuleType("broken"))
    done = benchmark(model)
    assert done.status == 0
    assert "no comparison with torch: torch cannot be loaded (cannot import name 'TorchSession'" in done.err


def test_a_system_of_the_comparison_is_measured_with_its_architecture(
    benchmark: Run, tiny_body: bytes, tmp_path: Path
) -> None:
    model = tmp_path / "limmer.onnx"
    model.write_bytes(seal(tiny_body, make_card(name="limmer", recipe="limmer")))
    done = benchmark(model)
    assert done.status == 0
    assert "torch eager float32" in done.out


def test_a_name_is_no_markup(benchmark: Run, tiny_body: bytes, tmp_path: Path) -> None:
    model = tmp_path / "odd.onnx"
    model.write_bytes(seal(tiny_body, make_card(name="mine[int8][/b]")))
    done = benchmark(model)
    assert done.status == 0
    assert done.out.count("mine[int8][/b]") == 3


def test_an_installation_without_networks_is_told(
    ircolor: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "bundled_folder", lambda: tmp_path)
    for command in (("benchmark", "--quick"), ("models",)):
        done = ircolor(*command)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("error: no networks came with this installation; reinstall with: pip install")


def test_a_part_that_fails_is_told_and_the_rest_is_measured(
    benchmark: Run, tiny_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UserError("too dark")

    monkeypatch.setattr(measure, "video_throughput", refuse)
    done = benchmark(tiny_onnx, "--json", tmp_path / "speed.json")
    assert done.status == 1
    assert done.err.splitlines()[-1] == "error: video: too dark"
    assert "folder of 2" in done.out
    assert len(json.loads((tmp_path / "speed.json").read_text())["models"][0]["failures"]) == 1


def test_an_interruption_leaves_nothing_behind(
    benchmark: Run, tiny_onnx: Path, tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        assert files(small)  # the images of the folder lie there
        raise KeyboardInterrupt

    monkeypatch.setattr(throughput, "run_jobs", interrupted)
    done = benchmark(tiny_onnx, "--json", tmp_path / "speed.json")
    assert (done.status, done.out) == (130, "")
    assert not list(small.iterdir())
    assert not (tmp_path / "speed.json").exists()


@pytest.mark.parametrize("sizes", ["", "640", "640x", "0x5", "640x480;", "640x480,", "-1x2", "axb", "9999999x1"])
def test_sizes_that_are_none_are_told(sizes: str, ircolor: Run, tiny_onnx: Path) -> None:
    done = ircolor("benchmark", tiny_onnx, "--sizes", sizes)
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        f"error: --sizes {sizes}: expected WIDTHxHEIGHT in pixels, separated by commas, e.g. 640x480,1280x720\n"
    )


def test_wrong_threads_and_devices_are_told_before_anything_is_measured(ircolor: Run, tiny_onnx: Path) -> None:
    assert ircolor("benchmark", tiny_onnx, "--device", "tpu").err.startswith("error: device 'tpu': unknown")
    assert ircolor("benchmark", tiny_onnx, "--threads", "0").err.startswith("error: threads 0: at least 1")
