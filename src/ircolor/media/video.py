"""Read videos: any container and codec that FFmpeg reads, frame by frame, in constant memory."""

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import replace
from fractions import Fraction
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import av
import cv2
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.media.container import declares_duration, duration_s, open_container, picture_stream
from ircolor.media.frames import Frame, Orientation, Sound, orientation_of, to_frame
from ircolor.media.timestamps import TICK_S, Clock, Joints

if TYPE_CHECKING:
    from av import Packet, VideoFrame

# Sound that may precede the first frame: it waits in memory until that is decoded.
_MAX_EARLY_SOUND_BYTES = 1 << 26
# A video that ends this much before its declared end was cut off; less is the rounding of containers.
_TOLERANCE_S = 0.5
_USUAL_RATE = Fraction(25)
# Spread of RGB, of 255, that compression does not make of gray; exceeded on more than a hundredth of the picture.
_COLOUR_SPREAD = 16
_LOOKED_AT_PX = 1024  # of each side of a frame, for colour


def open_video(path: Path) -> "VideoReader":
    """Open a video; to be used as a context manager.

    Args:
        path: of any container and codec that FFmpeg reads.

    Raises:
        UserError: unreadable, empty, not a video, without a frame, of an unknown codec, or larger than MAX_PIXELS.
    """
    name = str(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"{name}: cannot be read ({error.strerror}); check the path and its permissions") from error
    try:
        container = open_container(file, name)
        try:
            return VideoReader(container, file, name)
        except BaseException:
            container.close()
            raise
    except BaseException:
        file.close()
        raise


class VideoReader:
    """The frames of a video, upright, with the packets of its sound between them in the order of the file.

    It can be iterated once.

    Attributes:
        name: what to call it in messages.
        height: in px, of every frame, upright.
        width: in px, of every frame, upright.
        pixel_aspect: width of a pixel over its height, upright; None where the video does not tell.
        bits: depth of the first frame: 8, or more in uint16.
        rate: average number of frames in a second; None where the video does not tell.
        time_base: seconds of a unit of the time stamps.
        duration_s: as declared or estimated by FFmpeg; None where unknown.
        num_frames: as declared, or estimated from the duration; None where unknown.
        sounds: the streams of sound that a writer can copy.
        damage: after the last item: one sentence, when frames are missing or damaged.
    """

    def __init__(self, container: InputContainer, file: BufferedReader, name: str) -> None:
        video = self._video = picture_stream(container, name)
        self._container, self._file, self.name = container, file, name
        self.height = self.width = self.bits = 0  # until the first frame is there
        self.pixel_aspect = video.sample_aspect_ratio or None
        self.rate = next((rate for rate in (video.average_rate, video.guessed_rate) if rate and rate > 0), None)
        self.time_base = video.time_base or TICK_S
        self.duration_s = duration_s(container, video)
        estimate = round(self.duration_s * self.rate) if self.duration_s and self.rate else None
        self.num_frames = video.frames or estimate
        self.sounds = tuple(sound for sound in container.streams.audio if sound.codec_context is not None)
        self.damage: str | None = None
        self._notes: list[str] = []
        if len(self.sounds) < len(container.streams.audio):
            self._notes.append("sound of an unknown codec was left out")
        joints = Joints()
        self._clock = Clock(self.time_base, 1 / (self.rate or _USUAL_RATE), joints)
        self._sound_clocks = {s.index: Clock(s.time_base or TICK_S, TICK_S, joints) for s in self.sounds}
        self._num_lost = self._num_patched = 0
        self._stopped = False
        self._orientation: Orientation | None = None
        self._delay: int | None = None
        self._items = self._read()
        self._head = self._read_to_first_frame()

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence per conversion that the user should know of, so far."""
        return tuple(self._notes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        try:
            self._items.close()
        except ValueError:
            return  # a thread hangs in it: FFmpeg would crash if its file were closed under it
        self._container.close()
        self._file.close()

    def __iter__(self) -> Iterator[Frame | Sound]:
        while self._head:
            yield self._head.popleft()
        yield from self._items

    def _read_to_first_frame(self) -> deque[Frame | Sound]:
        head: deque[Frame | Sound] = deque()
        early_bytes = 0
        for item in self._items:
            head.append(item)
            if isinstance(item, Frame):
                return head
            early_bytes += item.packet.size
            if early_bytes > _MAX_EARLY_SOUND_BYTES:
                raise UserError(
                    f"{self.name}: no frame among the first {early_bytes >> 20} MB; is it a video, and whole?"
                )
        if self._num_lost:
            raise UserError(f"{self.name}: none of its frames can be decoded; copy it again, or convert it first")
        raise UserError(f"{self.name}: has no frames; give a video with at least one")

    def _read(self) -> Generator[Frame | Sound, None, None]:
        """All items; what cannot be decoded is left out and counted."""
        try:
            for packet in self._container.demux(self._video, *self.sounds):
                if packet.stream_index == self._video.index:
                    self._clock.announce(packet.pts, packet.duration)
                    yield from self._frames(packet)
                elif packet.size:
                    yield self._sound(packet)
        except (av.FFmpegError, OSError):  # of the demuxer: the rest of the file cannot be read
            self._stopped = True
            yield from self._frames(None)
        if self._clock.num_repaired or any(clock.num_repaired for clock in self._sound_clocks.values()):
            self._notes.append("time stamps that did not increase were repaired")
        self.damage = self._assess()

    def _frames(self, packet: "Packet[Any] | None") -> Iterator[Frame]:
        try:
            decoded = self._video.decode(packet)
        except av.EOFError:  # of the decoder: it was emptied before
            return
        except av.FFmpegError:
            self._num_lost += 1
            return
        for picture in decoded:
            try:
                self._orientation = self._orientation or orientation_of(picture)
                frame = to_frame(picture, self._orientation)
            except av.FFmpegError:
                self._num_lost += 1
                continue
            self._num_patched += picture.is_corrupt
            pts = self._clock.tick(self._stamp(picture), picture.duration)
            frame = replace(frame, pts=pts, time_base=self.time_base)
            if not self.height:
                self.height, self.width = frame.pixels.shape
                self.bits = frame.bits
                if self._orientation.transposed and self.pixel_aspect:
                    self.pixel_aspect = 1 / self.pixel_aspect
                if _is_coloured(picture):
                    self._notes.append("it is a colour video; its luma was taken as the infrared image")
            yield self._resized(frame)

    def _stamp(self, picture: "VideoFrame") -> int | None:
        """The stored time stamp; for videos that store decoding times only, these, less the delay of reordering."""
        if picture.pts is not None or picture.dts is None:
            return picture.pts
        if not self.height:
            self._delay = picture.dts - (self._video.start_time or 0)
        return None if self._delay is None else picture.dts - self._delay

    def _resized(self, frame: Frame) -> Frame:
        height, width = frame.pixels.shape
        if (height, width) == (self.height, self.width):
            return frame
        sizes = f"the frame size changes from {self.width}x{self.height} "
        if not any(note.startswith(sizes) for note in self._notes):
            self._notes.append(f"{sizes}to {width}x{height} at {frame.time_s:.1f} s; scaled to the first size")
        smaller = height * width > self.height * self.width
        method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        resized: NDArray[Any] = cv2.resize(frame.pixels, (self.width, self.height), interpolation=method)
        return replace(frame, pixels=resized)

    def _sound(self, packet: "Packet[Any]") -> Sound:
        stamp = packet.dts if packet.pts is None else packet.pts
        stamp = self._sound_clocks[packet.stream_index].tick(stamp, packet.duration)
        if stamp != packet.pts:
            packet.pts = packet.dts = stamp
        return Sound(packet)

    def _assess(self) -> str | None:
        """What is missing, in one sentence."""
        shown_s = self._clock.end_s - self._clock.begin_s
        missing_s = 0.0
        if self.duration_s and declares_duration(self._container):
            # Matroska counts from 0, others from their first frame; and it declares one duration for picture and sound.
            clocks = [self._clock] if self._video.duration else [self._clock, *self._sound_clocks.values()]
            end_s = max(clock.end_s - min(clock.begin_s, 0) for clock in clocks)
            # It may be that of subtitles, too, which outlast the picture.
            are_all = self._video.duration or len(clocks) == len(self._container.streams)
            missing_s = self.duration_s - end_s if are_all else 0.0
        if self._stopped or missing_s > _TOLERANCE_S:
            return f"damaged after {shown_s:.1f} s" + (f" of {self.duration_s:.1f} s" if self.duration_s else "")
        said = []
        if self._num_lost:
            said.append(f"{_count(self._num_lost)} left out")
        if self._num_patched:
            said.append(f"{_count(self._num_patched)} decoded in part")
        return " and ".join(said) or None


def _count(number: int) -> str:
    return "1 damaged frame was" if number == 1 else f"{number} damaged frames were"


def _is_coloured(picture: "VideoFrame") -> bool:
    """Whether there is more colour in a frame than a coloured clock in its corner or the noise of compression."""
    height, width = min(picture.height, _LOOKED_AT_PX), min(picture.width, _LOOKED_AT_PX)
    rgb = picture.reformat(width, height, "rgb24", interpolation="POINT").to_ndarray()
    return bool(np.percentile(np.ptp(rgb, axis=2), 99) > _COLOUR_SPREAD)
