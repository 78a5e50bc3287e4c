"""How many 640x480 frames a second are colorized from decoding to encoding, of a file and of a live source?

A camera with a little noise turns past a synthetic scene. It is colorized as a video file, and as a stream that another
process sends at 30 and at 40 frames/s, encoded beforehand so that sending costs next to nothing. Settings are those of
`ircolor colorize` where nothing is asked for: steadied, H.264. The first second of a stream does not count.

    python benchmarks/live_rate.py -o benchmarks/results/live_rate.json
"""

import multiprocessing
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ircolor.batch import run_jobs
from ircolor.benchmark.throughput import draw_frames, write_video
from ircolor.colorizer import Colorizer
from ircolor.live import colorize_live
from ircolor.plan import DEFAULT_SETTINGS, plan_jobs
from machine import argument_parser, report

HEIGHT, WIDTH = 480, 640
REQUIRED_FPS = 30
NOISE = 4.0  # standard deviation, of 255
NUM_ROUNDS = 3  # of the file; the median counts
WARM_UP_S = 1.0


def noisy_frames(num_frames: int) -> Iterator[NDArray[np.uint8]]:
    """What the camera sees."""
    rng = np.random.default_rng(0)
    noise = NOISE * rng.standard_normal((2 * HEIGHT, 2 * WIDTH), np.float32)
    for frame in draw_frames(num_frames, HEIGHT, WIDTH):
        y, x = rng.integers(HEIGHT), rng.integers(WIDTH)
        yield np.clip(frame + noise[y : y + HEIGHT, x : x + WIDTH], 0, 255).astype(np.uint8)


def send(url: str, fps: int, num_frames: int, ready: Event) -> None:
    """Encode all frames, say so, connect a little later and send them in time, or until the receiver is gone."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.height, encoder.width, encoder.pix_fmt = HEIGHT, WIDTH, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(fps), Fraction(1, fps)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(fps)}
    packets = []
    for number, pixels in enumerate(noisy_frames(num_frames)):
        frame = av.VideoFrame.from_ndarray(pixels, "gray").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, fps)
        packets += encoder.encode(frame)
    ready.set()
    time.sleep(0.5)  # until it listens
    # The receiver goes first: to send to it, and to close, then fails.
    with suppress(OSError), av.open(url, "w", format="mpegts") as output:
        stream = output.add_stream("libx264", rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        began_s = time.monotonic()
        for number, packet in enumerate(packets):
            time.sleep(max(0.0, began_s + number / fps - time.monotonic()))
            packet.stream = stream
            output.mux(packet)


def file_rate(model: str, num_frames: int) -> dict[str, Any]:
    """Colorize a video file into another."""
    colorizer = Colorizer(model, lanes=None)
    rates = []
    with TemporaryDirectory() as folder:
        video = Path(folder, "night.mp4")
        write_video(video, noisy_frames(num_frames), HEIGHT, WIDTH)
        jobs = plan_jobs([str(video)], str(Path(folder, "rgb.mp4")), overwrite=True).jobs
        for _ in range(NUM_ROUNDS):
            start_s = time.perf_counter()
            (outcome,) = run_jobs(colorizer, jobs)
            assert outcome.num_frames == num_frames, outcome.error
            rates.append(num_frames / (time.perf_counter() - start_s))
    return {"num_frames": num_frames, "frames_per_s": round(float(np.median(rates)), 1)}


def live_rate(model: str, fps: int, seconds: float) -> dict[str, Any]:
    """Colorize a stream into a file for some seconds."""
    colorizer = Colorizer(model)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    spawning = multiprocessing.get_context("spawn")
    ready = spawning.Event()
    sender = spawning.Process(target=send, args=(url, fps, round(fps * (seconds + 2)), ready), daemon=True)
    written_s: list[float] = []
    with TemporaryDirectory() as folder:
        sender.start()
        ready.wait()
        summary = colorize_live(
            colorizer,
            f"{url}?listen=1",
            str(Path(folder, "rgb.mkv")),
            DEFAULT_SETTINGS,
            duration_s=seconds,
            say=lambda line: print(line, file=sys.stderr),
            after=lambda _: written_s.append(time.monotonic()),
        )
    sender.terminate()
    sender.join()
    counted_s = [moment_s for moment_s in written_s if moment_s >= written_s[0] + min(WARM_UP_S, seconds / 2)]
    rate = (len(counted_s) - 1) / (counted_s[-1] - counted_s[0]) if len(counted_s) > 1 else 0.0
    facts = {"sent_frames_per_s": fps, "frames_per_s": round(rate, 1), "share": round(min(rate / fps, 1), 3)}
    return facts | {"latency": summary}


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default="fast")
    parser.add_argument("--frames", type=int, default=200, help="of the file")
    parser.add_argument("--seconds", type=float, default=10, help="of each stream")
    parser.add_argument("--fps", type=int, nargs="+", default=[30, 40], help="of the streams")
    wanted = parser.parse_args()
    file = file_rate(wanted.model, wanted.frames)
    streams = [live_rate(wanted.model, fps, wanted.seconds) for fps in wanted.fps]
    fastest = max(found["frames_per_s"] for found in streams)
    result = {
        "question": "frames colorized in a second, 640x480, decode to encode, steadied, H.264",
        "model": wanted.model,
        "required_frames_per_s": REQUIRED_FPS,
        "file": file,
        "live": streams,
        "reached": {"file": file["frames_per_s"] >= REQUIRED_FPS, "live": fastest >= REQUIRED_FPS},
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
