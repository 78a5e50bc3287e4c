"""Read a camera or a stream live: always the newest frame, however slow the consumer; connect again when it is lost.

A thread reads and decodes all the time and keeps one frame, the newest. Who takes frames slower than they come misses
some, and gets the last one that was decoded; so the delay does not grow, nor does the memory. That holds as long as
this machine decodes as fast as frames are sent: what waits before the decoder is FFmpeg's and the system's.
"""

import errno
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import av
import cv2
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.media.addresses import shown
from ircolor.media.connection import Opening, connect, resolve, video_stream, why
from ircolor.media.frames import UPRIGHT, Frame, orientation_of, to_frame

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

FIRST_PAUSE_S, MAX_PAUSE_S = 0.5, 10.0
# How often the waiting look whether they shall stop. No event wakes them: `stop` may be called from a signal handler,
# which could interrupt whoever holds the lock of the event.
_LOOK_S = 0.1
_CAMERA_LOOK_S = 0.005


@dataclass(frozen=True)
class LiveFrame:
    """A frame that was the newest when it was taken.

    Attributes:
        frame: its pixels; `pts` is in ms since the first frame taken, by the times of arrival: the clocks of streams
            jump when their senders start again. It grows from frame to frame.
        arrived_s: when the packet was received with which the frame was complete, by time.monotonic.
        num_dropped: how many frames were skipped since the one taken before.
    """

    frame: Frame
    arrived_s: float
    num_dropped: int


class LiveSource:
    """The frames of a live source, made by `open_live`; a context manager and an iterator, for one thread.

    It connects on entering. The iteration raises a UserError when the first connection fails; later ones are tried
    until one succeeds, and the iteration waits meanwhile. It ends after `stop`.

    Attributes:
        address: as it may be shown.
        num_received: frames decoded.
        num_dropped: those of them that were skipped, because a newer one came before they were taken.
        pixel_aspect: width of a pixel over its height, upright; None where the stream does not tell, and before the
            first frame.
    """

    def __init__(self, opening: Opening, patience_s: float, say: Callable[[str], None]) -> None:
        self.address = shown(opening.address)
        self.num_received = 0
        self.num_dropped = 0
        self._opening = opening
        self._patience_s = patience_s
        self._say = say
        self._changed = threading.Condition()
        self._newest: tuple[VideoFrame, float] | None = None
        self._num_dropped_before = 0  # until the last frame taken
        self.pixel_aspect: Fraction | None = None
        self._orientation = UPRIGHT
        self._first: tuple[tuple[int, ...], float] | None = None  # shape and arrival of the first frame taken
        self._last_pts = -1
        self._told_size = False
        self._lost_s: float | None = None
        self._failure: BaseException | None = None
        self._stopping = False
        # FFmpeg may wait in it for as long as `patience_s`, and cannot be woken: a daemon holds up no exit.
        self._reader = threading.Thread(target=self._read, name=f"reader of {self.address}", daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._reader.join(5 * _LOOK_S)

    def stop(self) -> None:
        """End the iteration, at once also where it waits; from any thread, or from a signal handler."""
        self._stopping = True

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping

    def __iter__(self) -> Iterator[LiveFrame]:
        return self

    def __next__(self) -> LiveFrame:
        """The newest frame; waits for one that was not taken yet.

        Raises:
            UserError: the first connection failed, or a pixel format that cannot be converted.
        """
        with self._changed:
            while self._newest is None and not self._stopping:
                if self._failure is not None:
                    raise self._failure
                self._changed.wait(_LOOK_S)
            if self._newest is None or self._stopping:
                raise StopIteration
            (picture, arrived_s), self._newest = self._newest, None
            num_dropped, self._num_dropped_before = self.num_dropped - self._num_dropped_before, self.num_dropped
        try:
            frame = to_frame(picture, self._orientation)  # not by the reader: most of its frames may never be taken
        except av.FFmpegError as error:
            raise UserError(
                f"{self.address}: cannot convert pixel format {picture.format.name}; have it sent as H.264 or MJPEG"
            ) from error
        return LiveFrame(self._placed(frame, arrived_s), arrived_s, num_dropped)

    def _placed(self, frame: Frame, arrived_s: float) -> Frame:
        """The frame in the size of the first, and on the clock of its arrivals."""
        if self._first is None:
            self._first = frame.pixels.shape, arrived_s
        (height, width), first_s = self._first
        pixels: NDArray[Any] = frame.pixels
        if pixels.shape != (height, width):
            if not self._told_size:
                self._say(
                    f"{self.address}: the frames are now {pixels.shape[1]}x{pixels.shape[0]}; "
                    f"they are scaled to {width}x{height}, as they were at first"
                )
                self._told_size = True
            shrinks = pixels.size > height * width
            pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        # Encoders want time stamps to grow, and two frames can come within a millisecond.
        self._last_pts = max(round((arrived_s - first_s) * 1000), self._last_pts + 1)
        return replace(frame, pixels=pixels, pts=self._last_pts, time_base=Fraction(1, 1000))

    def _read(self) -> None:
        """What the reader does until it shall stop."""
        try:
            self._read_again_and_again()
        except BaseException as error:
            self._failure = error  # raised where the frames are taken

    def _read_again_and_again(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping:
            pause_from_s, num_before = time.monotonic(), self.num_received
            try:
                self._read_connection()
                reason = f"{self.address}: the stream ended"
            except UserError as error:
                if not self.num_received:
                    raise
                reason = str(error).partition("; ")[0]  # what to do about it is up to us
            if not self.num_received and not self._stopping:
                raise UserError(f"{reason} before its first picture; is it a video stream, and is the sender well?")
            if self.num_received > num_before:
                pause_s, self._lost_s = FIRST_PAUSE_S, time.monotonic()
                pause_from_s = self._lost_s
                if not self._stopping:
                    self._say(f"{reason}; lost after {self.num_received} frames, connecting again")
            while time.monotonic() < pause_from_s + pause_s and not self._stopping:
                time.sleep(_LOOK_S)
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    def _read_connection(self) -> None:
        """Hand on the frames of one connection until it ends or we shall stop.

        Raises:
            UserError: it cannot be made, or was lost.
        """
        with connect(self._opening, self._patience_s) as container:
            shown_s = time.monotonic()
            try:
                stream = video_stream(container)
                for packet in self._packets(container, stream):
                    if self._stopping or not packet.size:  # an empty packet marks the end
                        return
                    arrived_s = time.monotonic()
                    packet.opaque = arrived_s  # decoders hand it on with the picture
                    try:
                        pictures = packet.decode()
                    except av.FFmpegError:
                        pictures = []  # damaged on its way; the decoder finds its place at the next key frame
                    if pictures and not self.num_received:
                        self._orientation = orientation_of(pictures[0])
                        if aspect := stream.sample_aspect_ratio:
                            self.pixel_aspect = 1 / aspect if self._orientation.transposed else aspect
                    for picture in pictures:
                        self._hand_on(picture, arrived_s)
                    if pictures:
                        shown_s = arrived_s
                    elif arrived_s - shown_s > self._patience_s:
                        raise UserError(
                            f"{self.address}: data arrives, but no picture could be decoded in {self._patience_s:g} s; "
                            "have a key frame sent every second or two"
                        )
            except av.FFmpegError as error:
                raise UserError(why(self._opening.address, error, self._patience_s)) from None

    def _packets(self, container: "InputContainer", stream: "VideoStream") -> Iterator["Packet[Any]"]:
        """The packets of a connection. Cameras of macOS do not wait for the next picture, but say that there is none.

        Raises:
            FFmpegError: the connection was lost, or nothing came for too long.
        """
        came_s = time.monotonic()
        while not self._stopping:
            try:
                for packet in container.demux(stream):
                    yield packet
                    came_s = time.monotonic()
            except av.BlockingIOError:
                if time.monotonic() - came_s > self._patience_s:
                    raise av.TimeoutError(errno.ETIMEDOUT, "") from None
                time.sleep(_CAMERA_LOOK_S)
            else:
                return

    def _hand_on(self, picture: "VideoFrame", decoded_s: float) -> None:
        if self._lost_s is not None:
            self._say(f"{self.address}: back after {time.monotonic() - self._lost_s:.1f} s")
            self._lost_s = None
        # Two pictures of one packet share its time, and PyAV gives it to one of them.
        arrived_s = picture.opaque if isinstance(picture.opaque, float) else decoded_s
        with self._changed:
            self.num_received += 1
            self.num_dropped += self._newest is not None
            self._newest = picture, arrived_s
            self._changed.notify_all()


def open_live(address: str, *, patience_s: float = 10.0, say: Callable[[str], None]) -> LiveSource:
    """Prepare to read a camera or a stream; entering the result connects.

    Args:
        address: `camera:0`, `rtsp://...`, `udp://...` or another that `ircolor.media.addresses.is_live` takes for live.
        patience_s: how long to wait for the first data and the first picture, and later, without data, until the stream
            counts as lost.
        say: called with a line when the stream is lost, comes back, or changes its size; also from another thread.

    Raises:
        UserError: an unknown scheme, an incomplete address, or no such camera.
    """
    return LiveSource(resolve(address), patience_s, say)
