"""Colorize a live source: always the newest frame, into a file, a stream or a pipe."""

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av

from ircolor.atomic import check_writable
from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.media.addresses import PATIENCE_S, sent_to, shown, stream_format
from ircolor.media.frames import Frame
from ircolor.media.latency import Latency
from ircolor.media.live import LiveSource, open_live
from ircolor.media.video_codecs import plays_picture
from ircolor.media.video_writer import WRITABLE_VIDEO_SUFFIXES, VideoWriter, check_video_output
from ircolor.plan import Settings
from ircolor.stop import StopSignal, ended_when_stuck, stop_signals
from ircolor.video import NoFrameError, Sink, stdout_sink, write_frames

LIVE_TIME_BASE = Fraction(1, 1000)


def check_live_output(output: str, settings: Settings, overwrite: bool) -> None:
    """Find out before connecting whether the result can be written.

    Raises:
        UserError: it cannot, or it exists.
    """
    if output == "-":
        return
    if container := stream_format(output):
        if not plays_picture(container, settings.codec):
            raise UserError(f"{shown(output)}: such streams cannot carry {settings.codec}; use --codec h264")
        return
    path = Path(output)
    check_video_output(path, settings.codec, ())
    if path.exists() and not overwrite:
        raise UserError(f"{output}: exists; use --overwrite to replace it")
    check_writable(path)


def colorize_live(
    colorizer: Colorizer,
    address: str,
    output: str,
    settings: Settings,
    *,
    duration_s: float | None,
    say: Callable[[str], None],
    after: Callable[[int], None],
) -> str:
    """Colorize a camera or a stream until it is stopped by a signal, or the duration has passed.

    A file is written under its own name and can be looked at while it grows.

    Args:
        colorizer: the network.
        address: as `open_live` takes it.
        output: a video file, the URL of a stream, or - for raw frames on standard output.
        settings: how it is written.
        duration_s: from the first frame; None for no end.
        say: called with a line when the source is lost and found again.
        after: called with the number of frames written.

    Returns:
        How many frames, and how long they took from their arrival until they were written.

    Raises:
        UserError: nothing arrives, or the output cannot be written.
    """
    arrivals_s: deque[float] = deque()  # of the frames drawn and not yet written

    def frames(source: LiveSource) -> Iterator[Frame]:
        timer = threading.Timer(duration_s, source.stop) if duration_s is not None else None
        try:
            for number, live in enumerate(source):
                if number == 0 and timer:
                    timer.start()
                arrivals_s.append(live.arrived_s)
                yield live.frame
        finally:
            if timer:
                timer.cancel()

    def stuck() -> None:
        say(f"{shown(output)}: the receiver takes nothing; ended without it")

    never_stuck = ended_when_stuck(PATIENCE_S, stuck) if stream_format(output) else nullcontext()
    with open_live(address, say=say) as source, StopSignal(source.stop), never_stuck:
        latency = Latency(source)

        def written(num_done: int) -> None:
            latency.add(arrivals_s.popleft(), time.monotonic())
            after(num_done)

        # No frame is drawn while the network works on another: it would be old by its turn.
        colorized = colorizer.colorize_frames(frames(source), ahead=False, steady=settings.steady)
        with closing(colorized), suppress(NoFrameError):  # stopped before the first one came
            sink = partial(_live_sink, source, output, settings)
            for note in write_frames(colorizer, colorized, sink, settings, written).notes:
                say(f"{shown(output)}: {note}")
        return latency.summary()


@contextmanager
def _live_sink(
    source: LiveSource, output: str, settings: Settings, height: int, width: int, comment: str
) -> Iterator[Sink]:
    if output == "-":
        with stdout_sink(settings) as sink:
            yield sink
        return
    stream = stream_format(output)
    write = partial(
        VideoWriter,
        name=shown(output),
        format=stream or WRITABLE_VIDEO_SUFFIXES[Path(output).suffix.lower()],
        height=height,
        width=width,
        time_base=LIVE_TIME_BASE,
        rate=None,
        codec=settings.codec,
        bits=settings.depth_bits,
        comment=comment,
        pixel_aspect=source.pixel_aspect,
        live=True,
    )
    try:
        with nullcontext(output) if stream else Path(output).open("wb") as target:
            opened = _send(write, output, source) if isinstance(target, str) else write(target)
            with opened as writer:
                yield writer
                if stream:  # closing may wait for the receiver, and lets no other thread run meanwhile
                    _end_by_signals()
    except OSError as error:
        mend = "is the receiver there?" if stream else "free some space or choose another place"
        raise UserError(f"{shown(output)}: cannot be written ({error.strerror}); {mend}") from error


def _send(write: Callable[[str], VideoWriter], url: str, source: LiveSource) -> VideoWriter:
    """Begin to send to a URL; one that listens is tried until somebody connects, or the source is stopped.

    While FFmpeg opens a URL it does not let Python run, nor handle a signal: so signals end the process, which has
    nothing yet to lose.
    """
    url, listens = sent_to(url)
    while True:
        handlers = {} if listens else _end_by_signals()
        try:
            return write(url)
        except (av.TimeoutError, InterruptedError):
            if not listens:
                raise
            if source.is_stopped:
                raise NoFrameError("stopped before anybody connected") from None
        finally:
            for name, handler in handlers.items():
                signal.signal(name, handler)


def _end_by_signals() -> dict[signal.Signals, Any]:
    """Let signals that ask to stop end the process; the handlers that they had."""
    return {name: signal.signal(name, signal.SIG_DFL) for name in stop_signals()}
