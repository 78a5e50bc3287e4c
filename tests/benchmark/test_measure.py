import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from ircolor.batch import Outcome, run_jobs
from ircolor.benchmark import latency, measure, throughput
from ircolor.benchmark.latency import bare_network, card_latency, latency_contenders, ready_tensor
from ircolor.benchmark.rounds import MIN_ROUNDS
from ircolor.benchmark.throughput import (
    NUM_ROUNDS,
    Throughput,
    draw_frames,
    folder_throughput,
    video_throughput,
    write_video,
)
from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.weights.catalogue import Model
from tests.conftest import make_card


@pytest.fixture(scope="module")
def colorizer(tiny_onnx: Path) -> Colorizer:
    return Colorizer(tiny_onnx, device="cpu", threads=1)


class Network:
    """Notes the shapes of what it gets."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, infrared: NDArray[np.float32]) -> None:
        self.shapes.append(infrared.shape)


@pytest.fixture
def network() -> Network:
    return Network()


def test_bare_onnxruntime_does_not_chatter(capfd: pytest.CaptureFixture[str]) -> None:
    """Without the head for the expected error it has weights that nothing uses, of each of which it would warn."""
    bare_network(Colorizer("fast", device="cpu", threads=1), threads=1)
    assert capfd.readouterr().err == ""


def test_every_contender_gets_the_same_image(colorizer: Colorizer, network: Network) -> None:
    contenders = latency_contenders(colorizer, {"other": network}, 20, 33)
    assert list(contenders) == ["ircolor", "other"]
    assert all(contender() > 0 for contender in contenders.values())
    assert network.shapes == [(1, 1, 32, 48)]


def test_bare_onnxruntime_runs_the_same_file_with_as_many_threads(
    colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[tuple[bytes, int, list[str]]] = []
    really_load = onnxruntime.InferenceSession

    def load(model: bytes, options: onnxruntime.SessionOptions, providers: list[str]) -> object:
        loaded.append((model, options.intra_op_num_threads, providers))
        return really_load(model, options, providers=providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", load)
    network = bare_network(colorizer, threads=2)
    network(ready_tensor(20, 33, 16))
    assert loaded == [(colorizer.model.data, 2, ["CPUExecutionProvider"])]
    with pytest.raises(UserError, match=r"9x7: bare onnxruntime fails \(.*\); leave this size out"):
        network(np.zeros((1, 2, 7, 9), np.float32))


@pytest.mark.parametrize(("kind", "measure_it"), [("folder", folder_throughput), ("video", video_throughput)])
def test_files_are_colorized_into_files(
    colorizer: Colorizer,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    measure_it: Callable[..., Throughput],
) -> None:
    written: list[tuple[str, int]] = []

    def check(*arguments: Any) -> Iterator[Outcome]:
        for outcome in run_jobs(*arguments):
            written.append((Path(outcome.output).suffix, Path(outcome.output).stat().st_size))
            yield outcome

    monkeypatch.setattr(throughput, "run_jobs", check)
    found = measure_it(colorizer, network, 3, 32, 40)
    assert found.source == kind
    assert [suffix for suffix, _ in written] == ([".png"] * 3 if kind == "folder" else [".mp4"]) * NUM_ROUNDS
    assert all(size > 100 for _, size in written)
    assert network.shapes == [(1, 1, 32, 48)] * (3 * NUM_ROUNDS + 1)  # one to warm up
    facts = found.to_dict()
    assert facts["images_per_s"] == 3 / found.rounds.median_s("ircolor")
    assert facts["time_ratio"] == found.rounds.ratio("ircolor", "network")


@pytest.mark.parametrize("measure_it", [folder_throughput, video_throughput])
def test_a_file_that_fails_is_an_error(
    colorizer: Colorizer, network: Network, monkeypatch: pytest.MonkeyPatch, measure_it: Callable[..., Throughput]
) -> None:
    monkeypatch.setattr(colorizer, "colorize_rows", refuse)
    monkeypatch.setattr(colorizer, "colorize_frames", refuse)
    with pytest.raises(UserError, match=r": too dark"):
        measure_it(colorizer, network, 1, 32, 32)


def test_the_video_shows_a_camera_that_turns(tmp_path: Path) -> None:
    frames = list(draw_frames(4, 48, 64))
    np.testing.assert_array_equal(frames[0][:, 2:], frames[1][:, :-2])
    write_video(tmp_path / "video.mp4", frames, 48, 64)
    with av.open(str(tmp_path / "video.mp4")) as video:
        decoded = [frame.to_ndarray(format="gray").astype(int) for frame in video.decode(video=0)]
    assert len(decoded) == 4
    assert np.abs(decoded[3] - frames[3]).mean() < 8


def test_a_folder_that_takes_no_video_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"video.mp4: No such file .*; give the system's temporary folder more room"):
        write_video(tmp_path / "missing" / "video.mp4", draw_frames(1, 32, 32), 32, 32)


def test_all_is_measured_and_what_fails_is_listed(
    colorizer: Colorizer, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress: list[tuple[str, float]] = []
    monkeypatch.setattr(measure, "folder_throughput", refuse)
    speed = measure.measure(
        colorizer,
        {"other": network},
        [(16, 24), (16, 32)],
        threads=1,
        effort=measure.Effort(latency_s=0, num_images=2),
        progress=lambda part, share: progress.append((part, share)),
    )
    facts = json.loads(json.dumps(speed.to_dict()))
    assert [(each["height"], each["width"]) for each in facts["latency"]] == [(16, 24), (16, 32)]
    contenders = facts["latency"][0]["contenders"]
    assert list(contenders) == ["ircolor", "onnxruntime", "other"]
    assert contenders["ircolor"]["time_ratio"] == 1
    assert contenders["other"]["num_runs"] == MIN_ROUNDS
    assert [each["source"] for each in facts["throughput"]] == ["video"]
    assert (facts["failures"], facts["device"]) == (["folder: too dark"], "cpu")
    assert [part for part, _ in progress[:: len(contenders) * MIN_ROUNDS]] == ["24x16", "32x16", "video"]
    assert progress[-1] == ("video", 1.0)
    assert sorted(share for _, share in progress) == [share for _, share in progress]


def refuse(*_: object, **__: object) -> None:
    raise UserError("too dark")


def test_networks_are_timed_in_turns(tiny_body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "CARD_BUDGET_S", 0)
    model = Model("tiny", tiny_body, make_card())
    shares: list[float] = []
    found = latency.latencies_ms({"one": model, "other": model}, shares.append)
    assert list(found) == ["one", "other"]
    assert min(min(times.values()) for times in found.values()) > 0
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_card_gets_the_times_of_its_network_and_what_ran_it(
    tiny_body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "CARD_BUDGET_S", 0)
    card = card_latency(tiny_body, make_card())
    assert card.latency_ms.keys() == {"224x224", "640x480"}
    assert min(card.latency_ms.values()) > 0
    assert "threads, float32" in card.latency_hardware
