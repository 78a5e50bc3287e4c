"""How many images of a folder and frames of a video are colorized in a second, from file to file.

The measure is the bare network on as many ready tensors, in the same rounds: what reading, writing and all else cost.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ircolor.batch import run_jobs
from ircolor.benchmark.latency import Network, ready_tensor
from ircolor.benchmark.rounds import Rounds, run_rounds, timed
from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.media.encode import write_image
from ircolor.media.scene import draw_road_scene
from ircolor.plan import plan_jobs

VIDEO_RATE = 25  # frames/s
NUM_ROUNDS = 2


@dataclass(frozen=True)
class Throughput:
    """What was reached.

    Attributes:
        source: folder or video.
        num_images: images of the folder, or frames of the video.
        height: of each, pixels.
        width: of each, pixels.
        rounds: of "ircolor" and of the bare network, "network", over all of them.
    """

    source: str
    num_images: int
    height: int
    width: int
    rounds: Rounds

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it; time_ratio is the time over that of the bare network."""
        return {
            "source": self.source,
            "num_images": self.num_images,
            "height": self.height,
            "width": self.width,
            "images_per_s": self.num_images / self.rounds.median_s("ircolor"),
            "network_images_per_s": self.num_images / self.rounds.median_s("network"),
            "time_ratio": self.rounds.ratio("ircolor", "network"),
            "seconds": dict(self.rounds.seconds),
        }


Progress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""


def folder_throughput(
    colorizer: Colorizer,
    network: Network,
    num_images: int,
    height: int,
    width: int,
    *,
    progress: Progress | None = None,
) -> Throughput:
    """Colorize a folder of synthetic PNG files into another folder.

    Args:
        colorizer: colorizes.
        network: the bare network of the same file.
        num_images: in the folder.
        height: of each, pixels, at least 32.
        width: of each, pixels, at least 32.
        progress: called now and then.

    Raises:
        UserError: an image fails, or the temporary folder cannot be written.
    """
    with TemporaryDirectory() as name:
        source = Path(name, "infrared")
        for number, frame in enumerate(draw_frames(num_images, height, width)):
            write_image(source / f"{number:05}.png", frame)

        colorize = partial(_colorize, colorizer, source, Path(name, "rgb"))
        rounds = _against_network(colorizer, network, timed(colorize), (num_images, height, width), progress)
    return Throughput("folder", num_images, height, width, rounds)


def video_throughput(
    colorizer: Colorizer,
    network: Network,
    num_frames: int,
    height: int,
    width: int,
    *,
    progress: Progress | None = None,
) -> Throughput:
    """Colorize a synthetic video into another one, as `ircolor colorize` does.

    Args:
        colorizer: colorizes.
        network: the bare network of the same file.
        num_frames: of the video.
        height: of each, pixels, even, at least 32.
        width: of each, pixels, even, at least 32.
        progress: called now and then.

    Raises:
        UserError: the video fails, or the temporary folder cannot be written.
    """
    with TemporaryDirectory() as name:
        video = Path(name, "video.mp4")
        write_video(video, draw_frames(num_frames, height, width), height, width)
        colorize = partial(_colorize, colorizer, video, Path(name, "rgb.mp4"))
        rounds = _against_network(colorizer, network, timed(colorize), (num_frames, height, width), progress)
    return Throughput("video", num_frames, height, width, rounds)


def draw_frames(num_frames: int, height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    """Infrared frames, (height, width), of a camera that turns past a synthetic scene by two pixels a frame."""
    infrared, _ = draw_road_scene(height, width + 2 * (num_frames - 1))
    for number in range(num_frames):
        yield np.ascontiguousarray(infrared[:, 2 * number : 2 * number + width])


def write_video(path: Path, frames: Iterable[NDArray[np.uint8]], height: int, width: int) -> None:
    """Write gray frames of one size, even both ways, as a video in H.264.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        with av.open(str(path), "w") as video:
            stream = video.add_stream("libx264", rate=VIDEO_RATE)
            stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
            for pixels in frames:
                video.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="gray")))
            video.mux(stream.encode())
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; give the system's temporary folder more room") from error


def _colorize(colorizer: Colorizer, source: Path, output: Path) -> None:
    for outcome in run_jobs(colorizer, plan_jobs([str(source)], str(output), overwrite=True).jobs):
        if outcome.error:
            raise UserError(outcome.error)


def _against_network(
    colorizer: Colorizer,
    network: Network,
    contender: Callable[[], float],
    shape: tuple[int, int, int],
    progress: Progress | None,
) -> Rounds:
    num_images, height, width = shape
    card = colorizer.model.card
    ready = ready_tensor(height, width, card.grid_px, card.view_px)
    network(ready)  # its memory is taken, as that of the colorizer is

    def run_network() -> None:
        for _ in range(num_images):
            network(ready)

    contenders = {"network": timed(run_network), "ircolor": contender}
    return run_rounds(contenders, 0, min_rounds=NUM_ROUNDS, warm_up=False, progress=progress)
