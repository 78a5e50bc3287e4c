"""Write videos: colour frames encoded as H.264, HEVC, AV1 or FFV1, and sound copied as it is."""

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.media.frames import Sound
from ircolor.media.video_codecs import LIVE_OPTIONS, find_codec, plays_picture, plays_sound

if TYPE_CHECKING:
    from av import Packet, VideoFrame

_USUAL_RATE = Fraction(25)
# What encoders take: they plan with it; when a frame is shown, its time stamp tells.
_LEAST_RATE, _MOST_RATE = Fraction(1), Fraction(240)
_RGB = 0  # FFmpeg's number of the colour space without a matrix
# Suffixes of files and FFmpeg's names of their containers.
WRITABLE_VIDEO_SUFFIXES = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".ts": "mpegts"}


def default_video_suffix(input_path: Path, codec: str) -> str:
    """The suffix of a result: that of the input where it can hold the codec, else the one that holds everything."""
    suffix = input_path.suffix.lower()
    written = suffix in WRITABLE_VIDEO_SUFFIXES and plays_picture(WRITABLE_VIDEO_SUFFIXES[suffix], codec)
    return suffix if written else ".mkv"


def check_video_output(path: Path, codec: str, sounds: Sequence[AudioStream]) -> None:
    """Find out before long work whether a video of this name can hold the codec and the sound; nothing is written.

    Raises:
        UserError: it cannot, or this FFmpeg has no such encoder.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITABLE_VIDEO_SUFFIXES:
        known = ", ".join(WRITABLE_VIDEO_SUFFIXES)
        raise UserError(f"{path}: cannot write {suffix or 'a video without suffix'}; use one of {known}")
    trial = VideoWriter(
        io.BytesIO(),
        name=str(path),
        format=WRITABLE_VIDEO_SUFFIXES[suffix],
        height=64,
        width=64,
        time_base=1 / _USUAL_RATE,
        rate=_USUAL_RATE,
        codec=codec,
        sounds=sounds,
    )
    trial.abandon()


class VideoWriter:
    """Encodes frames into a video; to be used as a context manager, which leaves it unfinished after an exception.

    Attributes:
        notes: one sentence per conversion that the user should know of.
    """

    def __init__(
        self,
        target: BinaryIO | str,
        *,
        name: str,
        format: str,
        height: int,
        width: int,
        time_base: Fraction,
        rate: Fraction | None,
        codec: str = "h264",
        bits: int = 8,
        sounds: Sequence[AudioStream] = (),
        comment: str | None = None,
        pixel_aspect: Fraction | None = None,
        live: bool = False,
    ) -> None:
        """Set up the encoder and write the header of the video.

        Args:
            target: a file open for writing, or the URL of a stream.
            name: what to call it in messages.
            format: FFmpeg's name of the container.
            height: of the frames, in px.
            width: of the frames, in px.
            time_base: seconds of a unit of the time stamps.
            rate: average number of frames in a second, which encoders want to know; 25 when unknown.
            codec: one of CODECS.
            bits: 8, or more for frames in uint16.
            sounds: streams of an open reader, whose packets will be copied.
            comment: one sentence for the metadata (MPEG-TS has no place for it).
            pixel_aspect: width of a pixel over its height, for players; square when not given.
            live: hold nothing back, and write so that the video can be read while it grows.

        Raises:
            UserError: unknown codec, one that this FFmpeg or the container lacks, sound that the container cannot
                hold, a size that the encoder does not take.
            OSError: the target cannot be opened or written.
        """
        self._target, self._name, self._live = target, name, live
        self._codec = find_codec(codec, name)
        self._deep = bits > 8
        self._pixel_format = self._codec.deep_pixel_format if self._deep else self._codec.pixel_format
        subsampled = self._pixel_format.startswith("yuv420")
        self._pad_height, self._pad_width = (height % 2, width % 2) if subsampled else (0, 0)
        self._last_pts: int | None = None
        self.notes: tuple[str, ...] = ()
        if self._pad_height or self._pad_width:
            size = f"{width + self._pad_width}x{height + self._pad_height}"
            self.notes = (f"{codec} takes even sizes only: the last row or column was repeated, to {size}",)
        options = {"flush_packets": "1", **LIVE_OPTIONS.get(format, {})} if live else {}
        self._container = av.open(target, "w", format=format, container_options=options)
        if comment:
            self._container.metadata["comment"] = comment
        try:
            self._video = self._add_picture(
                codec, format, time_base, min(max(rate or _USUAL_RATE, _LEAST_RATE), _MOST_RATE)
            )
            self._video.codec_context.sample_aspect_ratio = pixel_aspect or Fraction(1)
            self._open_encoder(format, height + self._pad_height, width + self._pad_width)
            self._sounds = {sound.index: self._add_sound(sound, format) for sound in sounds}
            self._write_header(format)
        except BaseException:
            self.abandon()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon()

    def write(self, rgb: NDArray[Any], pts: int) -> None:
        """Encode a frame.

        Args:
            rgb: (H, W, 3), uint8, or uint16 in its full range where `bits` is more than 8.
            pts: its time stamp, in units of `time_base`; larger than the one before. Players of MP4 skip what lies
                before 0.

        Raises:
            UserError: it cannot be encoded or does not fit into the container.
            OSError: the target cannot be written.
        """
        pixels: NDArray[Any] = np.ascontiguousarray(rgb)
        if self._pad_height or self._pad_width:
            pixels = cv2.copyMakeBorder(pixels, 0, self._pad_height, 0, self._pad_width, cv2.BORDER_REPLICATE)
        frame = av.VideoFrame.from_ndarray(pixels, "rgb48le" if self._deep else "rgb24")
        context = self._video.codec_context
        if context.colorspace == Colorspace.ITU709:
            frame = frame.reformat(
                format=self._pixel_format, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
        else:
            frame = frame.reformat(format=self._pixel_format)
        frame.colorspace, frame.color_range = context.colorspace, context.color_range
        frame.color_primaries, frame.color_trc = context.color_primaries, context.color_trc
        assert self._last_pts is None or pts > self._last_pts, (self._last_pts, pts)
        self._last_pts = pts
        frame.pts, frame.time_base = pts, context.time_base
        self._encode(frame)

    def copy(self, sound: Sound) -> None:
        """Write a packet of one of the `sounds` as it is.

        Raises:
            UserError: it does not fit into the container.
            OSError: the target cannot be written.
        """
        packet = sound.packet
        packet.stream = self._sounds[packet.stream.index]
        with self._failures_told():
            self._mux([packet])

    def close(self) -> None:
        """Encode what the encoder holds back and finish the video.

        Raises:
            UserError: it does not fit into the container.
            OSError: the target cannot be written.
        """
        try:
            self._encode(None)
            with self._failures_told():
                self._container.close()
            if not isinstance(self._target, str):
                self._target.flush()
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Let go of the target without finishing the video."""
        with suppress(Exception):  # the trailer that PyAV insists on; the error that led here is the one to be told
            self._container.close()

    def _add_picture(self, codec: str, format: str, time_base: Fraction, rate: Fraction) -> VideoStream:
        try:
            if not plays_picture(format, codec):
                raise ValueError(f"players do not read it from {format}")
            stream = self._container.add_stream(
                self._codec.encoder, rate=rate.limit_denominator(1001 * 1000), time_base=time_base
            )
        except ValueError as error:
            raise UserError(f"{self._name}: {codec} does not fit into {format}; .mkv holds any codec") from error
        assert isinstance(stream, VideoStream)
        return stream

    def _open_encoder(self, format: str, height: int, width: int) -> None:
        context = self._video.codec_context
        context.height, context.width, context.pix_fmt = height, width, self._pixel_format
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        if self._pixel_format.startswith("yuv"):
            context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        else:
            context.colorspace, context.color_range = _RGB, ColorRange.JPEG
        if format in ("mp4", "mov") and self._codec.encoder == "libx265":
            context.codec_tag = "hvc1"  # the one that Apple's players know
        context.options = self._codec.options | (self._codec.live_options if self._live else {})
        if self._live:
            context.gop_size = max(1, round(context.framerate))  # whoever joins waits a second at most
        os.environ.setdefault("SVT_LOG", "0")  # SVT-AV1 speaks on standard error; its failures are told below
        try:
            context.open()
        except av.FFmpegError as error:
            raise UserError(
                f"{self._name}: {self._codec.encoder} cannot encode {width}x{height} at {float(context.framerate):g} "
                "frames/s; choose another codec or size"
            ) from error

    def _add_sound(self, sound: AudioStream, format: str) -> AudioStream:
        if not _holds(format, sound):
            name = sound.codec_context.codec.canonical_name
            others = ", ".join(suffix for suffix, other in WRITABLE_VIDEO_SUFFIXES.items() if _holds(other, sound))
            mend = f"use {others}" if others else "convert its sound to AAC first"
            raise UserError(f"{self._name}: sound in {name} does not fit into {format}; {mend}")
        stream = self._container.add_stream_from_template(sound)
        stream.metadata.update({key: text for key, text in sound.metadata.items() if key == "language"})
        return stream

    def _write_header(self, format: str) -> None:
        try:
            self._container.start_encoding()
        except av.FFmpegError as error:
            if isinstance(error, OSError):  # of the URL
                raise
            if isinstance(self._target, str):
                raise UserError(self._refused(error)) from error
            names = ", ".join(sound.codec_context.codec.canonical_name for sound in self._sounds.values())
            held = f"this video with sound in {names}" if names else "this video"
            raise UserError(f"{self._name}: {format} does not take {held} ({error.strerror}); use .mkv") from error

    def _encode(self, frame: "VideoFrame | None") -> None:
        with self._failures_told():
            self._mux(self._video.encode(frame))

    def _mux(self, packets: "Iterable[Packet[Any]]") -> None:
        for packet in packets:
            self._container.mux(packet)
        if self._live and not isinstance(self._target, str):
            self._target.flush()

    def _refused(self, error: av.FFmpegError) -> str:
        """What to say where a stream cannot be sent."""
        if isinstance(error, av.ProtocolNotFoundError):
            return f"{self._name}: this build of FFmpeg cannot send there; send it otherwise, e.g. by udp"
        return f"{self._name}: cannot be sent there ({error.strerror}); is the receiver there, and the address right?"

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        try:
            yield
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            if isinstance(self._target, str):
                raise UserError(self._refused(error)) from error
            raise UserError(f"{self._name}: cannot be written ({error.strerror}); try .mkv or another codec") from error


def _holds(format: str, sound: AudioStream) -> bool:
    if not plays_sound(format, sound.codec_context.codec.canonical_name):
        return False
    try:
        av.open(io.BytesIO(), "w", format=format).add_stream_from_template(sound)
    except ValueError:
        return False
    return True
