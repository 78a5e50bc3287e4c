"""Tiny videos for tests, drawn with numpy and written with PyAV: a bright square that moves, and a sine as sound."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

SOUND_RATE_HZ = 48000


def picture(index: int, height: int = 48, width: int = 64, bits: int = 8) -> NDArray[np.uint8 | np.uint16]:
    """Frame `index` of a video: gray (H, W), a dark ramp with a bright square that moves to the right."""
    top = (1 << bits) - 1
    pixels = np.tile(np.linspace(0.1 * top, 0.4 * top, width), (height, 1)).round()
    left = index * 4 % (width - 16)
    pixels[8:24, left : left + 16] = round(0.9 * top)
    return pixels.astype(np.uint8 if bits == 8 else np.uint16)


def make_video(
    path: Path,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    container: str | None = None,
    pictures: Sequence[NDArray[Any]] | None = None,
    num_frames: int = 10,
    rate: int = 25,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    sound: str | None = None,
    sound_start_s: float = 0.0,
    sound_length_s: float | None = None,
    rotation_deg: int = 0,
    pixel_aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a video and return its path.

    Args:
        path: the file; its suffix chooses the container where `container` does not.
        codec: encoder of the picture.
        pixel_format: of the encoder.
        container: FFmpeg's name of the container.
        pictures: gray (H, W), uint8, or uint16 as `pixel_format` stores it; or RGB (H, W, 3) uint8; drawn if not given.
        num_frames: how many are drawn.
        rate: frames per second, and of time stamps when `pts` is not given.
        pts: time stamps, in units of `time_base`.
        time_base: seconds of a unit; 1 / `rate` when not given.
        sound: encoder of a sine; silent when not given.
        sound_start_s: when the sound begins.
        sound_length_s: how long it lasts; as long as the picture when not given.
        rotation_deg: counter-clockwise turn that a player is told to make.
        pixel_aspect: width of a pixel over its height.
        options: of the encoder of the picture.
        container_options: of the container.
    """
    pictures = [picture(index) for index in range(num_frames)] if pictures is None else pictures
    pts = range(len(pictures)) if pts is None else pts
    time_base = time_base or Fraction(1, rate)
    height, width = pictures[0].shape[:2] if len(pictures) else (48, 64)
    with av.open(str(path), "w", format=container, container_options=container_options) as output:
        video = output.add_stream(codec, rate=Fraction(rate), width=width, height=height, time_base=time_base)
        assert isinstance(video, VideoStream)
        video.pix_fmt = pixel_format
        video.codec_context.options = options or {}
        if pixel_aspect:
            video.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation_deg:
            video.set_display_rotation(rotation_deg)
        audio = output.add_stream(sound, rate=SOUND_RATE_HZ) if sound else None
        if audio is not None:
            assert isinstance(audio, AudioStream)
            audio.codec_context.layout = "mono"
            audio.codec_context.options = {"strict": "experimental"}
        output.start_encoding()  # a video without frames has its header too
        for pixels, stamp in zip(pictures, pts, strict=True):
            layout = "rgb24" if pixels.ndim == 3 else "gray" if pixels.dtype == np.uint8 else pixel_format
            frame = av.VideoFrame.from_ndarray(pixels, layout)
            frame.pts, frame.time_base = stamp, time_base
            output.mux(video.encode(frame))
        if audio is not None:
            length_s = float(len(pictures) / rate) if sound_length_s is None else sound_length_s
            _write_sine(output, audio, length_s, sound_start_s)
        output.mux(video.encode(None))
    return path


def _write_sine(output: av.container.OutputContainer, audio: AudioStream, length_s: float, start_s: float) -> None:
    size = audio.codec_context.frame_size or 1024
    layout = audio.codec_context.format.name
    kind, loudest = {"s16": (np.int16, 2**15), "s32": (np.int32, 2**31)}.get(layout.rstrip("p"), (np.float32, 1))
    start = round(start_s * SOUND_RATE_HZ)
    for first in range(0, round(length_s * SOUND_RATE_HZ), size):
        sine = 0.3 * loudest * np.sin((first + np.arange(size)) * 2 * np.pi * 440 / SOUND_RATE_HZ)
        frame = av.AudioFrame.from_ndarray(sine.astype(kind)[None], layout, "mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE_HZ, start + first, Fraction(1, SOUND_RATE_HZ)
        output.mux(audio.encode(frame))
    output.mux(audio.encode(None))


def sound_payloads(path: Path) -> list[tuple[float, bytes]]:
    """When each packet of the sound begins, in s, and its bytes."""
    with av.open(str(path)) as source:
        packets = [packet for packet in source.demux(audio=0) if packet.size]
        return [(float((packet.pts or 0) * packet.time_base), bytes(packet)) for packet in packets]


def picture_times(path: Path) -> list[float]:
    """When each frame is shown, in s."""
    with av.open(str(path)) as source:
        return [float((frame.pts or 0) * (frame.time_base or 0)) for frame in source.decode(video=0)]
