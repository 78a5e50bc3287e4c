"""Live sources on the command line, with real streams on this machine."""

import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from tests.cli.conftest import Done, files, run_process
from tests.cli.test_colorize_videos import start
from tests.streams import HEIGHT, WIDTH, free_port, tcp_caller, tcp_listener

Run = Callable[..., Done]


def num_frames(video: Path) -> int:
    with av.open(str(video)) as source:
        return sum(1 for _ in source.decode(video=0))


def test_a_stream_is_recorded_for_a_duration(tmp_path: Path, tiny_onnx: Path) -> None:
    with tcp_listener() as port:
        done = run_process(
            *("colorize", f"tcp://user:secret@127.0.0.1:{port}", "-o", "out.mkv", "--duration", "1.5"),
            *("--model", tiny_onnx),
            cwd=tmp_path,
        )
    told = done.stderr.decode()
    assert done.returncode == 0, told
    assert "arrival to written: median" in told
    assert "secret" not in told
    assert num_frames(tmp_path / "out.mkv") > 2


def test_ctrl_c_ends_a_recording_well(tmp_path: Path, tiny_onnx: Path) -> None:
    with tcp_listener() as port:
        process = start(
            tmp_path, "colorize", f"tcp://127.0.0.1:{port}", "-o", "out.mp4", "--model", tiny_onnx, "--side-by-side"
        )
        try:
            wait_until_grown(tmp_path / "out.mp4", process)
        finally:
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "Traceback" not in told
    assert num_frames(tmp_path / "out.mp4") > 2


def wait_until_grown(file: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until some frames are in the file: it can be looked at while it grows."""
    while process.poll() is None:
        try:
            if file.stat().st_size > 20_000 and num_frames(file) > 2:
                return
        except (OSError, av.FFmpegError):  # not there yet, or nothing in it yet
            pass
    raise AssertionError(process.communicate()[1])


def test_a_stream_goes_on_as_a_stream(tmp_path: Path, tiny_onnx: Path) -> None:
    receiver = free_port()
    with tcp_listener() as port:
        process = start(
            tmp_path,
            *("colorize", f"tcp://127.0.0.1:{port}", "-o", f"tcp://127.0.0.1:{receiver}?listen=1"),
            *("--model", tiny_onnx),
        )
        try:
            with open_patiently(f"tcp://127.0.0.1:{receiver}", process) as received:
                frames = received.decode(video=0)
                first = next(frames)
                assert (first.height, first.width) == (HEIGHT, WIDTH)
                next(frames)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def test_who_waits_for_a_receiver_can_be_ended(tmp_path: Path, tiny_onnx: Path) -> None:
    with tcp_listener() as port:
        arguments = (f"tcp://127.0.0.1:{port}", "-o", f"tcp://127.0.0.1:{free_port()}?listen=1", "--model", tiny_onnx)
        done = run_process("colorize", *arguments, "--duration", "1", cwd=tmp_path)
        assert done.returncode == 0, done.stderr.decode()
        process = start(tmp_path, "colorize", *arguments)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told


def test_a_receiver_that_takes_nothing_is_told(tmp_path: Path, tiny_onnx: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as receiver, tcp_listener() as port:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        address = f"tcp://127.0.0.1:{receiver.getsockname()[1]}?send_buffer_size=1024&timeout=500000"
        done = run_process("colorize", f"tcp://127.0.0.1:{port}", "-o", address, "--model", tiny_onnx, cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be written (Connection timed out); is the receiver there?" in done.stderr.decode()


def test_who_is_stuck_with_a_receiver_that_takes_nothing_can_be_ended(tmp_path: Path, tiny_onnx: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as receiver, tcp_listener() as port:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        address = f"tcp://127.0.0.1:{receiver.getsockname()[1]}?send_buffer_size=1024&timeout=600000000"
        process = start(tmp_path, "colorize", f"tcp://127.0.0.1:{port}", "-o", address, "--model", tiny_onnx)
        receiver.settimeout(60)
        with receiver.accept()[0]:  # so the sender has begun
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=3)
            for _ in range(2):  # as timeout and systemd do
                process.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=2)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "the receiver takes nothing; ended without it" in told


def open_patiently(address: str, process: "subprocess.Popen[str]") -> av.container.InputContainer:
    while process.poll() is None:
        try:
            return av.open(address, format="mpegts", timeout=30)
        except OSError:  # nobody listens yet
            pass
    raise AssertionError(process.communicate()[1])


def test_raw_frames_of_a_stream_go_to_a_pipe(tmp_path: Path, tiny_onnx: Path) -> None:
    port = free_port()
    with tcp_caller(port):
        done = run_process(
            *("colorize", f"tcp://127.0.0.1:{port}?listen=1", "-o", "-", "--duration", "1", "--model", tiny_onnx),
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout) > 0
    assert len(done.stdout) % (HEIGHT * WIDTH * 3) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["camera:0"], "camera:0: a live source needs -o FILE, -o URL, or -o - for raw frames"),
        (["camera:97", "-o", "out.mkv"], "camera:97"),
        (["udp://127.0.0.1", "-o", "out.mkv"], "udp://127.0.0.1: has no port"),
        (["gopher://a/b", "-o", "out.mkv"], "gopher://a/b"),
        (["rtsp://u:secret@127.0.0.1:9/x", "-o", "out.gif"], "out.gif: cannot write .gif"),
        (["rtsp://u:secret@127.0.0.1:9/x", "-o", "there.mkv"], "there.mkv: exists; use --overwrite"),
        (["rtsp://u:secret@127.0.0.1:9/x", "a.png", "-o", "out.mkv"], "come alone"),
        (["rtsp://u:secret@127.0.0.1:9/x", "-o", "out.mkv"], "rtsp://u:***@127.0.0.1:9/x"),
    ],
)
def test_what_cannot_be_opened_is_told(
    colorize: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.mkv").write_bytes(b"precious")
    done = colorize(*arguments)
    assert done.status == 2
    assert told in done.err
    assert "secret" not in done.err
    assert files(tmp_path) == ["there.mkv"]


def test_a_receiver_that_is_not_there_is_told(colorize: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with tcp_listener() as port:
        done = colorize(f"tcp://127.0.0.1:{port}", "-o", f"tcp://u:secret@127.0.0.1:{free_port()}")
    assert done.status == 2
    assert "error: tcp://u:***@127.0.0.1:" in done.err
    assert "cannot be written" in done.err
    assert "secret" not in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_is_told(colorize: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("full.mkv").symlink_to("/dev/full")
    with tcp_listener() as port:
        done = colorize(f"tcp://127.0.0.1:{port}", "-o", "full.mkv", "--overwrite", "--duration", "30")
    assert done.status == 2
    assert "error: full.mkv: cannot be written (No space left on device)" in done.err
