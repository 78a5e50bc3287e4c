import _thread
import contextlib
import io
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.media.live import LiveFrame, LiveSource, open_live
from tests.streams import (
    HEIGHT,
    WIDTH,
    draw_number,
    free_port,
    read_number,
    rtsp_server,
    send_numbers,
    tcp_caller,
    tcp_listener,
    tcp_server,
    udp_sender,
)

LONG_S = 60.0  # what no machine is too busy for; nothing waits as long unless it fails


def number_of(live: LiveFrame) -> int:
    return read_number(live.frame.pixels)


def wait_until(condition: Callable[..., bool], *values: int) -> None:
    end_s = time.monotonic() + LONG_S
    while not condition(*values):
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.01)


@contextlib.contextmanager
def sending(kind: str) -> Iterator[str]:
    """A sender of this kind; yields the address that reads it."""
    if kind == "udp":
        port = free_port(socket.SOCK_DGRAM)
        with udp_sender(port):
            yield f"udp://127.0.0.1:{port}"
    elif kind == "tcp, the receiver listens":
        port = free_port()
        with tcp_caller(port):
            yield f"tcp://127.0.0.1:{port}?listen=1"
    elif kind == "tcp, the sender listens":
        with tcp_listener() as port:
            yield f"tcp://127.0.0.1:{port}"
    elif kind == "mjpeg":
        with tcp_listener(codec="mjpeg", format="nut") as port:
            yield f"tcp://127.0.0.1:{port}"
    else:
        with rtsp_server(tcp=kind == "rtsp over tcp") as port:
            yield f"rtsp://127.0.0.1:{port}/numbers"


@pytest.mark.parametrize(
    "kind", ["udp", "tcp, the receiver listens", "tcp, the sender listens", "mjpeg", "rtsp over tcp", "rtsp over udp"]
)
def test_frames_arrive(kind: str) -> None:
    with sending(kind) as address, open_live(address, patience_s=LONG_S, say=pytest.fail) as source:
        taken = [next(source) for _ in range(8)]
    numbers = [number_of(live) for live in taken]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] < 500
    assert taken[0].frame.pts == 0
    for before, after in itertools.pairwise(taken):
        assert before.frame.pts is not None
        assert after.frame.pts is not None
        elapsed_ms = (after.arrived_s - before.arrived_s) * 1000
        assert after.frame.pts > before.frame.pts
        assert after.frame.pts - before.frame.pts <= elapsed_ms + 2
    assert taken[-1].frame.time_s == pytest.approx(taken[-1].arrived_s - taken[0].arrived_s, abs=0.01)
    assert source.num_received >= len(taken) + source.num_dropped


def test_a_slow_consumer_gets_the_newest_frame_and_its_delay_does_not_grow() -> None:
    sent = [0]

    def note(number: int) -> None:
        sent[0] = number

    with (
        tcp_listener(on_sent=note) as port,
        open_live(f"tcp://127.0.0.1:{port}", patience_s=LONG_S, say=pytest.fail) as source,
    ):
        taken = num_dropped = 0
        while True:
            num_before = source.num_received
            live = next(source)
            lag = sent[0] - number_of(live)
            taken, num_dropped = taken + 1, num_dropped + live.num_dropped
            # TCP loses none, so the number is the count of those received before: the newest when it was taken.
            assert num_before - 1 <= number_of(live) < source.num_received
            assert number_of(live) == taken - 1 + num_dropped
            # One that queued frames would be 50 behind by now.
            if sent[0] > 60 and lag <= 3:
                break
            assert sent[0] < 1000, f"still {lag} frames behind"
            wait_until(lambda wanted: source.num_received >= wanted, source.num_received + 10)
    assert taken < 30
    assert source.num_dropped >= num_dropped >= 9 * (taken - 2)


def test_a_sender_that_dies_and_returns_smaller() -> None:
    said: list[str] = []
    port = free_port()
    with contextlib.ExitStack() as stack:
        with tcp_listener(port):
            source = stack.enter_context(open_live(f"tcp://127.0.0.1:{port}", patience_s=LONG_S, say=said.append))
            first = [next(source) for _ in range(3)]
        wait_until(lambda: bool(said))
        assert re.fullmatch(rf"tcp://127.0.0.1:{port}: .*; lost after \d+ frames, connecting again", said[0])
        time.sleep(0.7)  # so that a connection is refused meanwhile
        with tcp_listener(port, first=5000, height=48, width=64):
            while number_of(live := next(source)) < 5000:
                pass
            later = [live, next(source), next(source)]
    shapes = {live.frame.pixels.shape for live in first + later}
    assert shapes == {(HEIGHT, WIDTH)}
    stamps = [live.frame.pts or 0 for live in first + later]
    assert stamps == sorted(set(stamps))
    assert stamps[3] >= 700
    back, size = (line for line in said[1:] if "lost" not in line)
    assert f"{port}: back after " in back
    assert f"{port}: the frames are now 64x48; they are scaled to 128x96" in size


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["udp", "rtsp", "tcp, the receiver listens"])
def test_every_kind_of_sender_may_die_and_return(kind: str) -> None:
    said: list[str] = []
    port = free_port(socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    senders: dict[str, tuple[str, Callable[[], contextlib.AbstractContextManager[object]]]] = {
        "udp": (f"udp://127.0.0.1:{port}", lambda: udp_sender(port)),
        "rtsp": (f"rtsp://me:secret@127.0.0.1:{port}/numbers", lambda: rtsp_server(port)),
        "tcp, the receiver listens": (f"tcp://127.0.0.1:{port}?listen=1", lambda: tcp_caller(port)),
    }
    address, send = senders[kind]
    with contextlib.ExitStack() as stack:
        with send():
            source = stack.enter_context(open_live(address, patience_s=5, say=said.append))
            next(source)
        for times in range(1, 3):
            wait_until(lambda wanted: sum("; lost after " in line for line in said) >= wanted, times)
            with send():
                wait_until(lambda wanted: sum(": back after " in line for line in said) >= wanted, times)
                for _ in range(5):
                    next(source)
    assert not any("secret" in line for line in said)


def test_damaged_data_is_survived() -> None:
    noise = np.random.default_rng(0)

    class Damaging:
        """Hands on 20 packets, then as much noise."""

        def __init__(self, connection: socket.socket) -> None:
            self._connection = connection
            self._num_sent = 0

        def write(self, data: bytes) -> int:
            self._num_sent += 1
            self._connection.sendall(noise.bytes(len(data)) if self._num_sent % 40 >= 20 else data)
            return len(data)

    def serve(connection: socket.socket, stopping: threading.Event) -> None:
        send_numbers(Damaging(connection), stopping)

    with tcp_server(serve) as port, open_live(f"tcp://127.0.0.1:{port}", patience_s=5, say=print) as source:
        assert next(live for live in source if number_of(live) > 45)


@pytest.mark.slow
@pytest.mark.parametrize("gop", [60, 100_000])
def test_a_receiver_that_joins_between_key_frames_waits_for_the_next(gop: int) -> None:
    joined = threading.Event()
    port = free_port(socket.SOCK_DGRAM)
    with udp_sender(port, gop=gop, on_sent=lambda number: joined.set() if number > 5 else None):
        assert joined.wait(LONG_S)
        with open_live(f"udp://127.0.0.1:{port}", patience_s=6, say=pytest.fail) as source:
            if gop == 60:
                assert number_of(next(source)) >= gop
            else:
                with pytest.raises(UserError, match="data arrives, but no picture could be decoded in 6 s; have a key"):
                    next(source)


def test_a_stream_that_ends_before_its_first_picture() -> None:
    stream = io.BytesIO()
    stopping = threading.Event()
    send_numbers(stream, stopping, on_sent=lambda _: stopping.set())
    tables = stream.getvalue()[: 3 * 188]  # what MPEG-TS says of its contents
    with (
        tcp_server(lambda connection, _: connection.sendall(tables)) as port,
        open_live(f"tcp://127.0.0.1:{port}", patience_s=LONG_S, say=pytest.fail) as source,
        pytest.raises(UserError, match=f"^tcp://127.0.0.1:{port}: the stream ended before its first picture; is it"),
    ):
        next(source)


def silent(_: socket.socket, stopping: threading.Event) -> None:
    stopping.wait()


@pytest.mark.parametrize("scheme", ["tcp", "rtsp"])
def test_stop_ends_the_iteration_while_it_waits(scheme: str) -> None:
    with tcp_server(silent) as port:
        source = open_live(f"{scheme}://127.0.0.1:{port}", patience_s=10 * LONG_S, say=pytest.fail)
        with source:
            threading.Timer(0.3, source.stop).start()
            assert list(source) == []
    source._reader.join(LONG_S)  # the server is gone, so the reader is through as well
    assert not source._reader.is_alive()


def test_stop_ends_the_iteration_while_frames_come() -> None:
    with (
        sending("tcp, the sender listens") as address,
        open_live(address, patience_s=LONG_S, say=pytest.fail) as source,
    ):
        numbers = []
        for live in source:
            numbers.append(number_of(live))
            if len(numbers) == 3:
                source.stop()
        assert len(numbers) == 3
        source._reader.join(LONG_S)
        assert not source._reader.is_alive()


def test_an_interruption_gets_through_while_it_waits() -> None:
    with (
        tcp_server(silent) as port,
        open_live(f"tcp://127.0.0.1:{port}", patience_s=10 * LONG_S, say=pytest.fail) as source,
    ):
        threading.Timer(0.3, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            next(source)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_process_ends_at_a_signal_though_its_reader_waits_for_the_network() -> None:
    program = f"""
import signal
from ircolor.media.live import open_live
with open_live("udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}", patience_s=3600, say=print) as source:
    signal.signal(signal.SIGTERM, lambda *_: source.stop())
    print("ready", flush=True)
    print(len(list(source)), "frames")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=LONG_S)
    assert (output, errors, process.returncode) == ("0 frames\n", "", 0)


def test_what_goes_wrong_in_the_reader_is_raised_where_frames_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: LiveSource) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(LiveSource, "_read_connection", fail)
    with (
        open_live("udp://127.0.0.1:5000", say=pytest.fail) as source,
        pytest.raises(RuntimeError, match="fault of ours"),
    ):
        next(source)


def test_pauses_between_attempts_grow_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network: the clock is ours, a first connection gives a frame, and no other succeeds."""
    now_s = [0.0]
    attempts: list[float] = []
    source = open_live("udp://127.0.0.1:5000", say=lambda _: None)

    def connect_in_vain() -> None:
        attempts.append(now_s[0])
        if len(attempts) == 1:
            source.num_received = 1
        if len(attempts) == 9:
            source.stop()
        raise UserError("refused")

    def sleep(duration_s: float) -> None:
        now_s[0] += duration_s

    monkeypatch.setattr(source, "_read_connection", connect_in_vain)
    monkeypatch.setattr("ircolor.media.live.time.monotonic", lambda: now_s[0])
    monkeypatch.setattr("ircolor.media.live.time.sleep", sleep)
    source._read()
    pauses: NDArray[np.float64] = np.diff(attempts)
    np.testing.assert_allclose(pauses, [0.5, 1, 2, 4, 8, 10, 10, 10], atol=0.11)


def test_the_numbers_of_the_senders_can_be_read() -> None:
    for number in (0, 1, 40000, 65535):
        assert read_number(draw_number(number)) == number
        assert read_number(draw_number(number)[::2, ::2]) == number
