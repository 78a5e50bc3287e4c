import errno
import functools
import io
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.media.connection import Opening, connect, resolve, why
from ircolor.media.live import open_live
from tests.streams import free_port, read_number, send_numbers, tcp_listener, tcp_server

PATIENCE_S = 20.0
Serve = Callable[[socket.socket, threading.Event], None]


def complaint_about(address: str, patience_s: float = PATIENCE_S) -> str:
    with pytest.raises(UserError) as caught, connect(resolve(address), patience_s):
        pass
    text = str(caught.value)
    assert "\n" not in text
    assert "secret" not in text
    assert caught.value.__cause__ is None  # it would name the password
    return text


def answering(*answers: bytes) -> Serve:
    """Serves each request of HTTP the same bytes, and closes."""

    def serve(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(65536)
        for answer in answers:
            connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)

    return serve


def silent(_: socket.socket, stopping: threading.Event) -> None:
    stopping.wait()


def http(body: bytes = b"", status: str = "200 OK", kind: str = "video/mp4") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@functools.cache
def clip(format: str = "mpegts", num_frames: int = 10) -> bytes:
    file = io.BytesIO()
    stopping = threading.Event()
    send_numbers(
        file, stopping, format=format, on_sent=lambda number: stopping.set() if number == num_frames - 1 else None
    )
    return file.getvalue()


def sound() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as output:
        stream = output.add_stream("mp2", rate=48000, layout="mono")
        for start in range(0, 48000, 1152):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{}", "rtsp://me:secret@127.0.0.1:{}/1", "http://127.0.0.1:{}/1"])
def test_refused(address: str) -> None:
    port = free_port()
    assert f"{port}" in (text := complaint_about(address.format(port)))
    assert "the connection was refused; is the sender running, and the port right?" in text


def test_unknown_host() -> None:
    assert "there is no host of this name" in complaint_about("rtsp://me:secret@camera.invalid/1")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{}", "rtsp://me:secret@127.0.0.1:{}/1", "http://127.0.0.1:{}/1"])
def test_a_server_that_accepts_and_says_nothing(address: str) -> None:
    with tcp_server(silent) as port:
        text = complaint_about(address.format(port), 0.5)
        assert "nothing arrived in 0.5 s; is the sender running, and the address right?" in text


@pytest.mark.parametrize("address", ["udp://127.0.0.1:{}", "rtp://127.0.0.1:{}", "tcp://127.0.0.1:{}?listen=1"])
def test_nobody_sends(address: str) -> None:
    assert "nothing arrived in 0.5 s" in complaint_about(address.format(free_port(socket.SOCK_DGRAM)), 0.5)


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        ("404 Not Found", "the server has no such stream; check the path"),
        ("401 Unauthorized", "the server wants another name or password"),
        ("403 Forbidden", "the server wants another name or password"),
        ("503 Busy", "Server returned 5XX Server Error reply; check the address and the sender"),
    ],
)
def test_what_the_server_answers_is_said(status: str, complaint: str) -> None:
    with tcp_server(answering(http(status=status))) as port:
        assert complaint in complaint_about(f"http://me:secret@127.0.0.1:{port}/1")


def test_a_protocol_that_is_not_built_in() -> None:
    assert "this build of FFmpeg cannot read srt://" in complaint_about("srt://127.0.0.1:9?passphrase=secret")


def test_only_sound() -> None:
    with tcp_server(answering(http(sound(), kind="video/mp2t"))) as port:
        assert "has no picture, only sound; give a stream with video" in complaint_about(f"http://127.0.0.1:{port}/1")


def test_unknown_codec() -> None:
    data = clip("matroska")
    assert b"V_MPEG4/ISO/AVC" in data
    with tcp_server(answering(http(data.replace(b"V_MPEG4/ISO/AVC", b"V_MPEG9/ISO/XYZ")))) as port:
        assert "its video codec is unknown" in complaint_about(f"http://127.0.0.1:{port}/1")


def test_no_video_at_all() -> None:
    noise = np.random.default_rng(0).bytes(1 << 16)
    with tcp_server(answering(http(noise))) as port:
        assert "is no live video stream" in complaint_about(f"http://127.0.0.1:{port}/1")


def test_a_file_is_no_stream() -> None:
    with tcp_server(answering(http(clip("matroska")))) as port:
        assert "is a file, not a live stream; download it" in complaint_about(f"http://127.0.0.1:{port}/1")


def hls(segment: str) -> bytes:
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-TARGETDURATION:1",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXTINF:0.4,",
        segment,
    ]
    return http("\n".join(lines).encode() + b"\n", kind="application/vnd.apple.mpegurl")


@pytest.mark.slow
def test_a_playlist_leads_to_the_network_and_to_no_file(tmp_path: Path) -> None:
    (tmp_path / "private.ts").write_bytes(clip())
    with tcp_server(answering(http(clip(), kind="video/mp2t"))) as segment_port:
        with (
            tcp_server(answering(hls(f"http://127.0.0.1:{segment_port}/0.ts"))) as port,
            open_live(f"http://127.0.0.1:{port}/a.m3u8", say=print) as source,
        ):
            assert 0 <= read_number(next(source).frame.pixels) < 10
        for private in (f"file://{tmp_path}/private.ts", f"{tmp_path}/private.ts", f"concat:{tmp_path}/private.ts"):
            with tcp_server(answering(hls(private))) as port:
                complaint_about(f"http://127.0.0.1:{port}/a.m3u8", 0.7)


@pytest.mark.parametrize(("format", "accepted"), [("mpegts", True), ("nut", True), ("avi", False)])
def test_only_formats_of_streams_are_read(format: str, accepted: bool) -> None:
    with tcp_server(lambda connection, _: connection.sendall(clip(format))) as port:
        address = f"tcp://127.0.0.1:{port}"
        if accepted:
            connect(resolve(address), PATIENCE_S).close()
        else:
            assert "what arrives there is no live video stream" in complaint_about(address)


def test_camera_that_is_absent() -> None:
    with pytest.raises(UserError, match=r"^camera:99: there is no such camera.*; found: "):
        open_live("camera:99", say=print)


def test_pictures_of_absurd_size_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.media.connection._MAX_PIXELS", 64 * 64)
    with (
        tcp_listener() as port,
        open_live(f"tcp://127.0.0.1:{port}", patience_s=1, say=pytest.fail) as source,
        pytest.raises(UserError, match="no picture could be decoded in 1 s"),
    ):
        next(source)


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("camera:front", "cameras have numbers; write camera:0"),
        ("camera:", "cameras have numbers"),
        ("camera:0?depth=16", "a camera has no option depth; known are framerate, pixel_format, video_size"),
    ],
)
def test_what_is_wrong_with_a_camera_is_said(address: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        resolve(address)


@pytest.fixture
def drawn_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg's device that draws test pictures stands for a camera of 10 bits."""
    monkeypatch.setattr("ircolor.media.connection._CAMERA_SYSTEMS", {sys.platform: "lavfi"})
    device = av.device.DeviceInfo("testsrc2=size=64x48:rate=25,format=gray10le,realtime", "test", True, ["video"])
    monkeypatch.setattr(av, "enumerate_input_devices", lambda _: [device])


@pytest.mark.usefixtures("drawn_camera")
def test_a_camera_is_read_in_its_own_depth() -> None:
    with open_live("camera:0", say=print) as source:
        frame = next(source).frame
        assert (frame.bits, frame.pixels.shape) == (10, (48, 64))
        assert frame.pixels.dtype == np.uint16
        assert frame.pixels.max() > 255
    with pytest.raises(UserError, match="camera:1: there is no such camera; found: testsrc2"):
        open_live("camera:1", say=print)


class Hesitant:
    """A connection that says after each packet that it has none yet, as those to cameras of macOS do."""

    packets_at_once = 1

    def __init__(self, opening: Opening, patience_s: float) -> None:
        self._container = connect(opening, patience_s)
        self.streams = self._container.streams

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def demux(self, stream: av.VideoStream) -> Iterator["av.Packet[Any]"]:
        yield from islice(self._container.demux(stream), self.packets_at_once)
        raise av.BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")


@pytest.mark.usefixtures("drawn_camera")
def test_a_camera_that_has_no_picture_yet_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.media.live.connect", Hesitant)
    with open_live("camera:0", say=pytest.fail) as source:
        assert [next(source).frame.pixels.shape for _ in range(3)] == [(48, 64)] * 3


@pytest.mark.usefixtures("drawn_camera")
def test_a_camera_that_never_has_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hesitant, "packets_at_once", 0)
    monkeypatch.setattr("ircolor.media.live.connect", Hesitant)
    with (
        open_live("camera:0", patience_s=0.2, say=pytest.fail) as source,
        pytest.raises(UserError, match=r"camera:0: no picture came in 0\.2 s; may programs use the camera"),
    ):
        next(source)


def test_a_camera_that_fails_has_no_host() -> None:
    told = why("camera:0", av.OSError(errno.EIO, "Input/output error"), 1)
    assert told == "camera:0: Input/output error; may programs use the camera, and does none use it already?"


def test_cameras_of_macos_are_asked_for_a_rate_that_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.media.connection._CAMERA_SYSTEMS", {sys.platform: "avfoundation"})
    device = av.device.DeviceInfo("FaceTime HD Camera", "Camera", True, ["video"])
    monkeypatch.setattr(av, "enumerate_input_devices", lambda _: [device])
    assert resolve("camera:0").options == {"framerate": "30"}
    assert resolve("camera:0?framerate=60").options == {"framerate": "60"}
