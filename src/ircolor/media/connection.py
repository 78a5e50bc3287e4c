"""Connect to a camera or a stream, with as little delay as FFmpeg can; say in one line why it fails.

Cameras are read by FFmpeg as well (v4l2 on Linux, avfoundation on macOS, dshow on Windows), not by OpenCV, whose
VideoCapture converts 16-bit and gray formats to 8-bit BGR and cannot be interrupted while it waits.
"""

import errno
import re
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import av

from ircolor.errors import UserError, brief
from ircolor.media.addresses import PROTOCOLS, check_stream, scheme_of, shown

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.device import DeviceInfo
    from av.video.stream import VideoStream

# Of each system, the input device of FFmpeg. Windows knows its cameras by name alone.
_CAMERA_SYSTEMS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
# FFmpeg asks cameras of macOS for 29.97 frames/s, which most of them do not have.
_CAMERA_DEFAULTS = {"avfoundation": {"framerate": "30"}}
_CAMERA_OPTIONS = frozenset({"pixel_format", "framerate", "video_size"})
_CAMERA_HINT = "may programs use the camera, and does none use it already?"
# What streams come in. The others of FFmpeg's 350 formats have no business here, and some open further files.
_FORMATS = (
    "asf,av1,flv,h264,hevc,hls,ivf,live_flv,m4v,matroska,mjpeg,mov,mpeg,mpegts,mpegvideo,mpjpeg,nut,obu,ogg,"
    "rtp,rtsp,webm,yuv4mpegpipe"
)
_OPTIONS = {
    # Guessing the frame rate takes 20 frames, and we never use it. FFmpeg ends the probing as soon as it knows size
    # and pixel format, after one key frame; what takes longer than half a second is found out while decoding. Its flag
    # nobuffer is not for us: it throws away the key frame that was probed, and no picture comes before the next.
    "fpsprobesize": "0",
    "analyzeduration": "500000",
    "formatprobesize": "65536",  # bytes to know the format by; bare JPEGs are believed no sooner (1 MB if not said)
    "max_delay": "100000",  # µs to wait for an RTP packet that was overtaken by others; 0.5 s if not said
    "format_whitelist": _FORMATS,
}
_DATAGRAMS = {"buffer_size": str(4 << 20)}  # key frames come in bursts
_RTSP = _DATAGRAMS | {"rtsp_flags": "prefer_tcp"}  # which loses nothing; servers without it are asked for UDP
_SCHEME_OPTIONS = {
    "rtp": _DATAGRAMS,
    "rtsp": _RTSP,
    "rtsps": _RTSP,
    "udp": _DATAGRAMS | {"overrun_nonfatal": "1"},  # who cannot keep up loses packets, not the stream
}
# A stream may claim any size; 8K has half as many. FFmpeg keeps up to 16 pictures for reference.
_MAX_PIXELS = 1 << 26


@dataclass(frozen=True)
class Opening:
    """How to open an address.

    Attributes:
        address: as the user gave it.
        url: what FFmpeg calls it.
        demuxer: FFmpeg's name of it; None to find out from the data.
        options: for the demuxer and its protocol.
    """

    address: str
    url: str
    demuxer: str | None = None
    options: dict[str, str] = field(default_factory=dict)


def resolve(address: str) -> Opening:
    """Find out how an address is opened; of a camera also whether it is there.

    Args:
        address: `camera:N`, where `?pixel_format=gray16le&framerate=30&video_size=640x512` may follow; or a stream.

    Raises:
        UserError: an unknown scheme, an incomplete address, or no such camera.
    """
    if scheme_of(address) == "camera":
        return _resolve_camera(address)
    scheme = check_stream(address)
    options = {"protocol_whitelist": PROTOCOLS[scheme]} | _OPTIONS | _SCHEME_OPTIONS.get(scheme, {})
    return Opening(address, address, None, options)


def listed_cameras() -> "list[DeviceInfo]":
    """The cameras that FFmpeg finds on this system."""
    system = _CAMERA_SYSTEMS.get(sys.platform)
    devices = av.enumerate_input_devices(system) if system else []
    return [device for device in devices if "audio" not in device.media_types]


def _resolve_camera(address: str) -> Opening:
    match = re.fullmatch(r"camera:(\d{1,3})(?:\?(.*))?", address, re.IGNORECASE)
    if match is None:
        raise UserError(f"{address}: cameras have numbers; write camera:0")
    given = dict(parse_qsl(match[2] or "", keep_blank_values=True))
    if unknown := given.keys() - _CAMERA_OPTIONS:
        known = ", ".join(sorted(_CAMERA_OPTIONS))
        raise UserError(f"{address}: a camera has no option {min(unknown)}; known are {known}")
    system = _CAMERA_SYSTEMS.get(sys.platform)
    if system is None:
        raise UserError(f"{address}: cameras of {sys.platform} cannot be read; give a stream or a file")
    number = int(match[1])
    devices = listed_cameras()
    names = [device.name for device in devices]
    name = f"/dev/video{number}" if system == "v4l2" else names[number] if number < len(names) else ""
    # Linux does not list cameras that this user may not read; to open such a one says why.
    if name not in names and not (name and Path(name).exists()):
        where = f" ({name})" if name else ""
        found = ", ".join(f"{device.name} {device.description}" for device in devices) or "none"
        raise UserError(f"{address}: there is no such camera{where}; found: {found}")
    options = _CAMERA_DEFAULTS.get(system, {}) | given
    return Opening(address, f"video={name}" if system == "dshow" else name, system, options)


def connect(opening: Opening, patience_s: float) -> "InputContainer":
    """Open a stream and wait for its first data.

    Args:
        opening: from `resolve`.
        patience_s: how long one step of it may take: to connect, to tell what the stream holds, later each packet.

    Raises:
        UserError: refused, not found, silent, or something else than a stream with a picture.
    """
    began_s = time.monotonic()
    try:
        container = av.open(
            opening.url,
            format=opening.demuxer,
            options=opening.options,
            timeout=patience_s,
            metadata_errors="replace",  # cameras call their streams in Latin-1 and GBK, too
        )
    except (av.FFmpegError, ValueError) as error:
        # FFmpeg calls the end of the time that we give it by several names.
        is_late = time.monotonic() - began_s > patience_s
        reason = av.TimeoutError(errno.ETIMEDOUT, "") if is_late else error
        # Its text would name the address with the password; so the cause is not kept.
        raise UserError(why(opening.address, reason, patience_s)) from None
    try:
        _check(container, opening.address)
    except UserError:
        container.close()
        raise
    return container


def _check(container: "InputContainer", address: str) -> None:
    if not container.streams.video:
        found = "only sound" if container.streams.audio else "nothing that can be shown"
        raise UserError(f"{shown(address)}: has no picture, {found}; give a stream with video")
    codec = container.streams.video[0].codec_context
    if codec is None:
        raise UserError(f"{shown(address)}: its video codec is unknown; have it sent as H.264, HEVC or MJPEG")
    if scheme_of(address) in ("http", "https") and container.duration:
        raise UserError(f"{shown(address)}: is a file, not a live stream; download it and give the file")


def video_stream(container: "InputContainer") -> "VideoStream":
    """The first video stream of a connection, its decoder set for low delay."""
    stream = container.streams.video[0]
    codec = stream.codec_context
    codec.thread_type = av.codec.context.ThreadType.SLICE  # of frames: each thread would hold one back
    codec.flags |= av.codec.context.Flags.low_delay
    codec.copy_opaque = True
    codec.options = {"max_pixels": str(_MAX_PIXELS)}
    return stream


def why(address: str, error: Exception, patience_s: float) -> str:
    """The message of a UserError for what FFmpeg said of a stream."""
    return f"{shown(address)}: {_reason(address, error, patience_s)}"


def _reason(address: str, error: Exception, patience_s: float) -> str:
    is_camera = scheme_of(address) == "camera"
    match error:
        case av.ExitError() | av.TimeoutError() if is_camera:
            return f"no picture came in {patience_s:g} s; {_CAMERA_HINT}"
        case av.ExitError() | av.TimeoutError():
            return f"nothing arrived in {patience_s:g} s; is the sender running, and the address right?"
        case av.ConnectionRefusedError():
            return "the connection was refused; is the sender running, and the port right?"
        case av.ConnectionResetError() | av.BrokenPipeError() | av.EOFError():
            return "the sender closed the connection; is it a video stream, and is the sender well?"
        case av.ProtocolNotFoundError():
            return f"this build of FFmpeg cannot read {scheme_of(address)}://; have it sent otherwise, e.g. by udp"
        case av.HTTPUnauthorizedError() | av.HTTPForbiddenError():
            return "the server wants another name or password; write them as in rtsp://NAME:PASSWORD@HOST/PATH"
        case av.HTTPNotFoundError():
            return "the server has no such stream; check the path"
        case av.InvalidDataError() if scheme_of(address) == "rtp":
            return "FFmpeg cannot tell from RTP alone what it holds; read it by rtsp://, or have MPEG-TS sent"
        case av.InvalidDataError() | av.ArgumentError() if not is_camera:
            return "what arrives there is no live video stream; check the address"
        case av.OSError() if error.errno == errno.EIO and not (is_camera or _is_known(urlsplit(address).hostname)):
            return "there is no host of this name; check the address and the network"
        case av.PermissionError() if is_camera:
            return "permission denied; allow this user to read the camera (on Linux: add him to the group video)"
        case av.FFmpegError() if is_camera:
            return f"{error.strerror or type(error).__name__}; {_CAMERA_HINT}"
        case av.FFmpegError():
            return f"{error.strerror or type(error).__name__}; check the address and the sender".replace("\n", " ")
        case _:
            return f"{brief(error)}; check the address"


def _is_known(host: str | None) -> bool:
    """Whether a name leads to an address: FFmpeg says only that the connection failed."""
    try:
        return bool(socket.getaddrinfo(host, None))
    except OSError:
        return False
