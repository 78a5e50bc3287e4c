"""How old is a frame of a live source when it is handed over, and does a slow consumer make it older?

A process draws its clock into 640x480 frames, encodes them as H.264 and sends them to this one on the same machine; the
age at hand-over is the time since it read the clock: to draw, encode, send, receive, decode, and to wait until taken. A
consumer that takes 200 ms a frame gets one in five and must not fall behind: the ages of the first and of the second
half of its frames are told apart. The last consumer colorizes into a file: from glass to file.

    python benchmarks/live_latency.py -o benchmarks/results/live_latency.json
"""

import math
import multiprocessing
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from queue import Queue
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ircolor.colorizer import Colorizer
from ircolor.live import LIVE_TIME_BASE
from ircolor.media.frames import Frame
from ircolor.media.live import LiveFrame, open_live
from ircolor.media.video_writer import VideoWriter
from ircolor.stream import ColorizedFrame
from machine import argument_parser, report

HEIGHT, WIDTH = 480, 640
BITS = (4, 8)  # rows and columns of the blocks that show the clock


def clock_ms() -> int:
    """The clock that all processes of this machine share, in ms."""
    return time.monotonic_ns() // 1_000_000 & 0xFFFFFFFF


def draw_clock(ms: int) -> NDArray[np.uint8]:
    """A picture of the clock, (HEIGHT, WIDTH): a bit a block."""
    bits = (ms >> np.arange(32)) & 1
    blocks = (bits * 255).astype(np.uint8).reshape(BITS)
    return np.kron(blocks, np.ones((HEIGHT // BITS[0], WIDTH // BITS[1]), np.uint8))


def read_clock(pixels: NDArray[Any]) -> int:
    """What the clock of a picture shows, in ms."""
    centres = pixels[HEIGHT // BITS[0] // 2 :: HEIGHT // BITS[0], WIDTH // BITS[1] // 2 :: WIDTH // BITS[1]]
    return int(((centres.ravel() > 127).astype(np.int64) << np.arange(32)).sum())


def send(url: str, fps: int) -> None:
    """Send the clock until the receiver is gone."""
    with av.open(url, "w", format="mpegts") as output:
        options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(fps)}
        stream = output.add_stream("libx264", rate=fps, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        began_s = time.monotonic()
        number = 0
        while True:
            time.sleep(max(0.0, began_s + number / fps - time.monotonic()))
            frame = av.VideoFrame.from_ndarray(draw_clock(clock_ms()), "gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            try:
                output.mux(stream.encode(frame))
            except OSError:
                sys.exit()
            number += 1


def measure(scheme: str, fps: int, num_frames: int, work: Callable[[LiveFrame], object]) -> dict[str, object]:
    """Receive frames over udp or tcp and work on each; tell how old they were when handed over, and when worked on."""
    kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"{scheme}://127.0.0.1:{port}"
    sender = multiprocessing.get_context("spawn").Process(target=send, args=(url, fps), daemon=True)
    address = url + ("?listen=1" if scheme == "tcp" else "")
    taken_ms: list[int] = []
    done_ms: list[int] = []
    with open_live(address, patience_s=30, say=print) as source:
        time.sleep(0.5)  # until it listens
        sender.start()
        for live in source:
            shown_ms = read_clock(live.frame.pixels)
            age_ms = clock_ms() - shown_ms
            work(live)
            if source.num_received > 2 * fps:  # the first seconds find out what the stream holds
                taken_ms.append(age_ms)
                done_ms.append(clock_ms() - shown_ms)
            if len(taken_ms) == num_frames:
                break
        counts = {"num_received": source.num_received, "num_dropped": source.num_dropped}
    sender.terminate()
    sender.join()
    return {"scheme": scheme, "num_frames": num_frames, **counts, "handed_over": ages(taken_ms), "done": ages(done_ms)}


def ages(ages_ms: list[int]) -> dict[str, float]:
    """What is told of ages, in ms."""
    half = len(ages_ms) // 2
    return {
        "median_ms": median(ages_ms),
        "percentile_95_ms": sorted(ages_ms)[math.ceil(0.95 * len(ages_ms)) - 1],
        "longest_ms": max(ages_ms),
        "median_first_half_ms": median(ages_ms[:half]),
        "median_second_half_ms": median(ages_ms[half:]),
    }


@contextmanager
def recorder(model: str, file: Path) -> Iterator[Callable[[LiveFrame], None]]:
    """What `ircolor colorize tcp://... -o file.mkv` does with each frame, until it is in the file."""
    frames: Queue[Frame] = Queue()
    colorized = Colorizer(model).colorize_frames(iter(frames.get, None), ahead=False)
    with VideoWriter(
        str(file),
        name=str(file),
        format="matroska",
        height=HEIGHT,
        width=WIDTH,
        time_base=LIVE_TIME_BASE,
        rate=None,
        live=True,
    ) as writer:

        def record(live: LiveFrame) -> None:
            frames.put(live.frame)
            frame = next(colorized)
            assert isinstance(frame, ColorizedFrame)
            assert live.frame.pts is not None
            writer.write(np.rint(frame.rgb * 255).astype(np.uint8), live.frame.pts)

        yield record


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--model", default="snet", help="that records")
    parser.add_argument("--frames", type=int, default=100, help="frames taken by the fast consumer")
    parser.add_argument("--recorded", type=int, default=30, help="frames colorized into a file")
    parser.add_argument("--slow-ms", type=int, default=200, help="what the slow consumer takes for each of 50 frames")
    wanted = parser.parse_args()
    runs = []
    with TemporaryDirectory() as folder, recorder(wanted.model, Path(folder, "night.mkv")) as record:
        consumers: list[tuple[str, int, Callable[[LiveFrame], object]]] = [
            ("nothing", wanted.frames, lambda _: None),
            (f"sleeps {wanted.slow_ms} ms", 50, lambda _: time.sleep(wanted.slow_ms / 1000)),
            (f"colorizes by {wanted.model} into a file", wanted.recorded, record),
        ]
        for name, num_frames, work in consumers:
            schemes = ("tcp",) if work is record else ("udp", "tcp")
            runs += [{"work": name} | measure(scheme, wanted.fps, num_frames, work) for scheme in schemes]
    result = {
        "question": "age of a live 640x480 frame, from reading the sender's clock: at hand-over, and when worked on",
        "fps": wanted.fps,
        "runs": runs,
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
