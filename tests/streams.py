"""Senders of real network streams on this machine, each in a thread of its own: UDP, TCP both ways, and RTSP.

PyAV encodes and muxes; the sockets are Python's, so that a sender can die at any moment, leaves nothing behind, and
does not keep the GIL while it waits for its receiver (as PyAV does when it opens an output address).
"""

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from types import TracebackType
from typing import Any, Protocol, Self

import av
import numpy as np
from numpy.typing import NDArray

FPS = 25
HEIGHT, WIDTH = 96, 128
DATAGRAM_BYTES = 7 * 188  # packets of MPEG-TS that fit an Ethernet frame
_GRID = 4  # the number of a frame is drawn as 4x4 blocks: 16 bits


def draw_number(number: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A picture that shows the lowest 16 bits of a number as black and white blocks, (height, width)."""
    bits = (number >> np.arange(_GRID * _GRID)) & 1
    blocks = (bits * 255).astype(np.uint8).reshape(_GRID, _GRID)
    return np.kron(blocks, np.ones((height // _GRID, width // _GRID), np.uint8))


def read_number(pixels: NDArray[np.uint8 | np.uint16]) -> int:
    """The number that a picture of any size shows."""
    height, width = (size // _GRID for size in pixels.shape)
    centres = pixels[height // 2 :: height, width // 2 :: width][:_GRID, :_GRID]
    return int(((centres.ravel() > 127) << np.arange(_GRID * _GRID)).sum())


class Writer(Protocol):
    """Where a muxer's bytes go."""

    def write(self, data: bytes) -> int: ...


def send_numbers(
    writer: Writer,
    stopping: threading.Event,
    *,
    first: int = 0,
    format: str = "mpegts",
    codec: str = "libx264",
    height: int = HEIGHT,
    width: int = WIDTH,
    gop: int = 5,
    on_sent: Callable[[int], object] = lambda _: None,
) -> None:
    """Send frames that show their numbers, at FPS, until `stopping` is set or the receiver is gone.

    Args:
        writer: gets each packet of UDP and RTP in a write of its own.
        stopping: ends it.
        first: number of the first frame.
        format: of the stream.
        codec: of its pictures.
        height: of the pictures in px.
        width: of the pictures in px.
        gop: frames from one key frame to the next.
        on_sent: called with the number of each frame before it is encoded.
    """
    options = {"payload_type": "96"} if format == "rtp" else {}
    with (
        # A receiver that is gone is an OSError, and again, in another form, where closing writes the last bytes.
        contextlib.suppress(OSError, av.PyAVCallbackError),
        av.open(writer, "w", format=format, options=options, buffer_size=DATAGRAM_BYTES) as output,
    ):
        fast = {"preset": "ultrafast", "tune": "zerolatency"} if codec == "libx264" else {}
        stream = output.add_stream(codec, rate=FPS, options=fast)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = height, width
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = gop
        number = first
        while not stopping.wait(1 / FPS):
            frame = av.VideoFrame.from_ndarray(draw_number(number, height, width), "gray").reformat(
                format=stream.pix_fmt
            )
            frame.pts, frame.time_base = number - first, Fraction(1, FPS)
            on_sent(number)
            output.mux(stream.encode(frame))
            number += 1


class Sender:
    """Sends numbers from a thread while its block lasts.

    Args:
        work: sends until the event is set.
    """

    def __init__(self, work: Callable[[threading.Event], None]) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=work, args=(self._stopping,), name="sender")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()


class _Datagrams:
    def __init__(self, receiver: tuple[str, int]) -> None:
        self._receiver = receiver
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def write(self, data: bytes) -> int:
        return self._socket.sendto(data, self._receiver)

    def close(self) -> None:
        self._socket.close()


class _Stream:
    """A TCP connection, written to. A receiver that is gone is an OSError."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, data: bytes) -> int:
        self._connection.sendall(data)
        return len(data)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 that nobody uses."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def udp_sender(port: int, **changes: Any) -> Sender:
    """Send MPEG-TS to a UDP port; `changes` are arguments of `send_numbers`."""

    def work(stopping: threading.Event) -> None:
        with contextlib.closing(_Datagrams(("127.0.0.1", port))) as writer:
            send_numbers(writer, stopping, **changes)

    return Sender(work)


def tcp_caller(port: int, **changes: Any) -> Sender:
    """Connect to a receiver that listens, trying until it does, and send MPEG-TS."""

    def work(stopping: threading.Event) -> None:
        while not stopping.wait(0.05):
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)) as receiver:
                send_numbers(_Stream(receiver), stopping, **changes)

    return Sender(work)


@contextlib.contextmanager
def tcp_server(serve: Callable[[socket.socket, threading.Event], None], port: int = 0) -> Iterator[int]:
    """Listen on a port (0: any), serve each that connects, one after the other; yields the port."""
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(0.05)

        def work(stopping: threading.Event) -> None:
            while not stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.settimeout(5)
                        serve(connection, stopping)

        with Sender(work):
            yield server.getsockname()[1]


def tcp_listener(port: int = 0, **changes: Any) -> contextlib.AbstractContextManager[int]:
    """Wait for a receiver to connect and send it MPEG-TS."""

    def serve(connection: socket.socket, stopping: threading.Event) -> None:
        send_numbers(_Stream(connection), stopping, **changes)

    return tcp_server(serve, port)


class _Interleaved:
    """RTP within the RTSP connection: each packet after its channel and its length (RFC 2326, 10.12)."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, data: bytes) -> int:
        is_rtcp = 200 <= data[1] <= 204
        self._connection.sendall(b"$" + bytes([is_rtcp]) + len(data).to_bytes(2, "big") + data)
        return len(data)


class _RtpOverUdp:
    """RTP to one port of the receiver, RTCP to the next."""

    def __init__(self, rtp_port: int) -> None:
        self._rtp = _Datagrams(("127.0.0.1", rtp_port))
        self._rtcp = _Datagrams(("127.0.0.1", rtp_port + 1))

    def write(self, data: bytes) -> int:
        return (self._rtcp if 200 <= data[1] <= 204 else self._rtp).write(data)

    def close(self) -> None:
        self._rtp.close()
        self._rtcp.close()


_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=Wärmebild\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
    "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
)


def rtsp_server(port: int = 0, *, tcp: bool = True) -> contextlib.AbstractContextManager[int]:
    """Serve H.264 by RTSP (RFC 2326), interleaved; with `tcp` false over UDP only, refusing the other."""

    def serve(connection: socket.socket, stopping: threading.Event) -> None:
        requests = connection.makefile("rb")
        transport, rtp_port = "", 0
        with requests:
            while request := requests.readline().decode():
                headers = dict(line.split(": ", 1) for line in iter(lambda: requests.readline().decode().strip(), ""))
                method, status, extra, body = request.split()[0], "200 OK", "", ""
                if method == "DESCRIBE":
                    body = _SDP
                    extra = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
                elif method == "SETUP":
                    transport = headers["Transport"]
                    if "TCP" in transport and not tcp:
                        status = "461 Unsupported Transport"
                    elif ports := re.search(r"client_port=(\d+)", transport):
                        rtp_port = int(ports[1])
                        transport += ";server_port=6970-6971"
                    extra = f"Transport: {transport}\r\nSession: 1\r\n"
                answer = f"RTSP/1.0 {status}\r\nCSeq: {headers['CSeq']}\r\n{extra}\r\n{body}"
                connection.sendall(answer.encode("latin-1"))  # as cameras encode their titles
                if method == "PLAY" and tcp:
                    return send_numbers(_Interleaved(connection), stopping, format="rtp")
                if method == "PLAY":
                    with contextlib.closing(_RtpOverUdp(rtp_port)) as writer:
                        return send_numbers(writer, stopping, format="rtp")
        return None

    return tcp_server(serve, port)
