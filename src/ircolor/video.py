"""Colorize a video file, or raw frames from a pipe; write a video file, or raw frames."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from ircolor.atomic import open_atomic
from ircolor.colorized import Strip
from ircolor.colorizer import Colorizer, Progress
from ircolor.errors import UserError, reader_has_gone
from ircolor.media.frames import Frame, Sound
from ircolor.media.intensity import IntensityWindow
from ircolor.media.raw_video import RawFormat, RawWriter, read_raw
from ircolor.media.video import open_video
from ircolor.media.video_writer import WRITABLE_VIDEO_SUFFIXES, VideoWriter, check_video_output
from ircolor.picture import PictureMaker
from ircolor.plan import Settings
from ircolor.stream import ColorizedFrame


class NoFrameError(UserError):
    """Not one frame came."""


class Sink(Protocol):
    """Where colorized frames go."""

    notes: tuple[str, ...]

    def write(self, rgb: NDArray[Any], pts: int) -> None:
        """Take a frame, (H, W, 3), uint8 or uint16."""

    def copy(self, sound: Sound) -> None:
        """Take a packet of sound."""


OpenSink = Callable[[int, int, str], AbstractContextManager[Sink]]
"""Opens a sink when the first frame is known: its height, its width, and what a file shall say of itself."""


@dataclass(frozen=True)
class VideoResult:
    """What became of a video.

    Attributes:
        num_frames: written.
        window: of the first frame: the stored values that were taken for black and white.
        tiles: how the frames were cut.
        mean_expected_error: of all pixels, CIEDE2000, where trust is on.
        notes: what the user should know of.
        damage: one sentence when the video is damaged or ends early; what precedes that was colorized.
    """

    num_frames: int
    window: IntensityWindow
    tiles: str
    mean_expected_error: float | None = None
    notes: tuple[str, ...] = ()
    damage: str | None = None


def colorize_video(
    colorizer: Colorizer, file: Path, output: Path | None, settings: Settings, progress: Progress | None = None
) -> VideoResult:
    """Colorize a video file; its sound and time stamps are kept.

    Args:
        colorizer: the network; `lanes` frames are in it at once.
        file: anything FFmpeg reads.
        output: a video file, whole or not there; None for raw frames on standard output.
        settings: how it is written.
        progress: called with the frames done, and their number where the file tells it.

    Raises:
        UserError: not a video that can be read, or the output cannot be written.
    """
    with open_video(file) as reader:
        if output:
            check_video_output(output, settings.codec, reader.sounds)
        sink = partial(_file_sink, output, reader.time_base, reader.rate, settings, reader.sounds, reader.pixel_aspect)
        total = reader.num_frames
        result = _colorize(colorizer, reader, sink, settings, progress and (lambda done: progress(done, total)))
        return replace(result, notes=(*reader.notes, *result.notes), damage=reader.damage)


def colorize_raw(
    colorizer: Colorizer,
    raw: RawFormat,
    rate: Fraction,
    output: Path | None,
    settings: Settings,
    progress: Progress | None = None,
) -> VideoResult:
    """Colorize raw frames that come on standard input, e.g. from `ffmpeg -f rawvideo`.

    Args:
        colorizer: as for `colorize_video`.
        raw: their size and pixel format.
        rate: frames in a second.
        output: as for `colorize_video`.
        settings: as for `colorize_video`.
        progress: called with the frames done.

    Raises:
        UserError: no frame came, or the output cannot be written.
    """
    damage: list[str] = []

    def frames() -> Iterator[Frame]:
        num_read = 0
        try:
            # Unbuffered: a thread that waits in the buffer's lock cannot be ended with the process.
            stdin = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
            for frame in read_raw(stdin, raw, rate, "standard input"):
                num_read += 1
                yield frame
        except UserError as error:
            if not num_read:
                raise
            damage.append(str(error))  # what came before it is kept

    sink = partial(_file_sink, output, 1 / rate, rate, settings, (), None)
    result = _colorize(colorizer, frames(), sink, settings, progress and (lambda done: progress(done, None)))
    return replace(result, damage=damage[0] if damage else None)


def write_frames(
    colorizer: Colorizer,
    items: Iterable[ColorizedFrame | Sound],
    open_sink: OpenSink,
    settings: Settings,
    after: Callable[[int], None] | None,
) -> VideoResult:
    """Write frames and sound; the sink is opened when the first frame has come, and closed at the end.

    Args:
        colorizer: that made them; it signs the result.
        items: the frames, at least one, and sound at its place.
        open_sink: opens where they go.
        settings: depth and what is shown.
        after: called with the number of frames written, after each.
    """
    maker = PictureMaker(settings)
    early: list[Sound] = []
    sink: Sink | None = None
    num_frames = 0
    with ExitStack() as opened:
        # Frames and the network keep all cores busy: threads within one step of one frame only wait for each other.
        opened.callback(cv2.setNumThreads, cv2.getNumThreads())
        cv2.setNumThreads(1)
        for item in items:
            if isinstance(item, Sound):
                sink.copy(item) if sink else early.append(item)
                continue
            picture = maker.picture(_quantized(item, settings.depth_bits))
            if sink is None:
                window, tiles = item.window, colorizer.tiling(item.infrared.shape).reason
                height, width = picture.shape[:2]
                inscription = maker.inscription(colorizer.provenance(window))
                sink = opened.enter_context(open_sink(height, width, inscription.sentence))
                for sound in early:
                    sink.copy(sound)
            assert item.frame.pts is not None, "readers count where a file has no time stamps"
            sink.write(picture, item.frame.pts)
            num_frames += 1
            if after:
                after(num_frames)
    if sink is None:
        raise NoFrameError("no frame came; is the source a video, and does it send?")
    return VideoResult(num_frames, window, tiles, maker.mean_error.delta_e, sink.notes)


@contextmanager
def stdout_sink(settings: Settings) -> Iterator[Sink]:
    """Raw frames on standard output, rgb24 or rgb48le.

    Raises:
        UserError: it cannot be written. A reader that has gone is a BrokenPipeError: the command line ends quietly.
    """
    try:
        yield RawWriter(sys.stdout.buffer, settings.depth_bits)
    except OSError as error:
        if reader_has_gone(error):
            raise
        raise UserError(f"standard output: cannot be written ({error.strerror}); free some space") from error


def _colorize(
    colorizer: Colorizer,
    items: Iterable[Frame | Sound],
    open_sink: OpenSink,
    settings: Settings,
    after: Callable[[int], None] | None,
) -> VideoResult:
    with closing(colorizer.colorize_frames(items, steady=settings.steady)) as frames:
        return write_frames(colorizer, frames, open_sink, settings, after)


@contextmanager
def _file_sink(
    output: Path | None,
    time_base: Fraction,
    rate: Fraction | None,
    settings: Settings,
    sounds: Sequence[AudioStream],
    pixel_aspect: Fraction | None,
    height: int,
    width: int,
    comment: str,
) -> Iterator[Sink]:
    """A video file that is whole or not there; raw frames on standard output where there is none."""
    if output is None:
        with stdout_sink(settings) as sink:
            yield sink
        return
    with (
        open_atomic(output) as file,
        VideoWriter(
            file,
            name=str(output),
            format=WRITABLE_VIDEO_SUFFIXES[output.suffix.lower()],
            height=height,
            width=width,
            time_base=time_base,
            rate=rate,
            codec=settings.codec,
            bits=settings.depth_bits,
            sounds=sounds,
            comment=comment,
            pixel_aspect=pixel_aspect,
        ) as writer,
    ):
        yield writer


def _quantized(frame: ColorizedFrame, depth_bits: int) -> Strip:
    """A frame as integers."""

    def rounded(image: NDArray[np.float32]) -> NDArray[Any]:
        if depth_bits == 8:
            return np.asarray(cv2.convertScaleAbs(image, alpha=255.0))  # in one pass
        return np.rint(image * 65535).astype(np.uint16)

    return Strip(rounded(frame.rgb), rounded(frame.infrared), frame.expected_error)
