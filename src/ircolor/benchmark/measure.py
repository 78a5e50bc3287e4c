"""Everything that `ircolor benchmark` measures of one network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any

from ircolor.benchmark.latency import Network, bare_network, latency_contenders
from ircolor.benchmark.rounds import Rounds, run_rounds
from ircolor.benchmark.throughput import Throughput, folder_throughput, video_throughput
from ircolor.colorizer import Colorizer
from ircolor.errors import UserError

BARE = "onnxruntime"
THROUGHPUT_HEIGHT, THROUGHPUT_WIDTH = 480, 640


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        latency_s: for each size of image, warm-up not counted; three rounds are run in any case.
        num_images: of the folder, and frames of the video.
    """

    latency_s: float
    num_images: int


FULL, QUICK = Effort(latency_s=10, num_images=40), Effort(latency_s=1, num_images=4)


@dataclass(frozen=True)
class Latency:
    """Times of one image.

    Attributes:
        height: pixels.
        width: pixels.
        rounds: of "ircolor", "onnxruntime" and what else was given.
    """

    height: int
    width: int
    rounds: Rounds

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it; time_ratio is the time over that of ircolor."""
        contenders = {
            name: {
                "median_ms": median(seconds) * 1e3,
                "min_ms": min(seconds) * 1e3,
                "num_runs": len(seconds),
                "time_ratio": self.rounds.ratio(name, "ircolor"),
            }
            for name, seconds in self.rounds.seconds.items()
        }
        return {"height": self.height, "width": self.width, "contenders": contenders}


@dataclass(frozen=True)
class Speed:
    """What was measured of one network.

    Attributes:
        colorizer: that was measured.
        latencies: by size.
        throughputs: of a folder and of a video.
        failures: one line for each part that could not be measured.
    """

    colorizer: Colorizer
    latencies: list[Latency] = field(default_factory=list)
    throughputs: list[Throughput] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        model = self.colorizer.model
        return {
            "name": model.card.name,
            "version": model.card.version,
            "sha256": model.sha256,
            "arithmetic": model.card.arithmetic,
            "device": self.colorizer.device,
            "device_reason": self.colorizer.device_reason,
            "latency": [latency.to_dict() for latency in self.latencies],
            "throughput": [throughput.to_dict() for throughput in self.throughputs],
            "failures": self.failures,
        }


def measure(
    colorizer: Colorizer,
    networks: Mapping[str, Network],
    sizes: Sequence[tuple[int, int]],
    *,
    threads: int,
    effort: Effort,
    progress: Callable[[str, float], None],
) -> Speed:
    """Measure a network: latency at each size, then throughput of a folder and of a video.

    Args:
        colorizer: with the network.
        networks: further contenders for the latency, by name.
        sizes: heights and widths of images, pixels.
        threads: CPU threads that the colorizer and the networks have.
        effort: how long to measure.
        progress: called with what is measured and the share of all that is done, 0 to 1.
    """
    speed = Speed(colorizer)
    bare = bare_network(colorizer, threads)
    contenders = {BARE: bare, **networks}
    shape = (effort.num_images, THROUGHPUT_HEIGHT, THROUGHPUT_WIDTH)
    parts: list[tuple[str, list[Any], Callable[..., object]]] = [
        (f"{width}x{height}", speed.latencies, partial(_latency, colorizer, contenders, height, width, effort))
        for height, width in sizes
    ]
    many = Colorizer(colorizer.model.name, device=colorizer.device, threads=threads, lanes=None)
    parts.append(("folder", speed.throughputs, partial(folder_throughput, many, bare, *shape)))
    parts.append(("video", speed.throughputs, partial(video_throughput, many, bare, *shape)))
    for number, (name, results, part) in enumerate(parts):
        try:
            results.append(part(progress=partial(_tell, progress, name, number, len(parts))))
        except (UserError, MemoryError) as error:
            message = str(error) if isinstance(error, UserError) else "not enough memory; leave it out"
            speed.failures.append(message if name in message else f"{name}: {message}")
    return speed


def _latency(
    colorizer: Colorizer,
    networks: Mapping[str, Network],
    height: int,
    width: int,
    effort: Effort,
    progress: Callable[[float], None],
) -> Latency:
    contenders = latency_contenders(colorizer, networks, height, width)
    return Latency(height, width, run_rounds(contenders, effort.latency_s, progress=progress))


def _tell(progress: Callable[[str, float], None], name: str, num_done: int, num_parts: int, share: float) -> None:
    """Tell how much of all is done, given the share of the current part."""
    progress(name, (num_done + share) / num_parts)
