import pytest

from ircolor.errors import UserError
from ircolor.media.addresses import check_stream, is_live, shown, stream_format


@pytest.mark.parametrize(
    "text",
    [
        "camera:0",
        "Camera:1",
        "camera:front",
        "rtsp://cam/1",
        "UDP://@:5000",
        "srt://a:1",
        "https://cam/live",
        "x-y://a",
    ],
)
def test_cameras_and_schemes_are_live(text: str) -> None:
    assert is_live(text)


@pytest.mark.parametrize(
    "text", ["night.mp4", "-", "", "C:/clips/a.mp4", "c://a", "./camera:0", "a/udp://b", "camera", "udp:5000"]
)
def test_everything_else_is_a_file(text: str) -> None:
    assert not is_live(text)


@pytest.mark.parametrize(
    ("address", "printed"),
    [
        ("rtsp://user:pa55@cam:554/1", "rtsp://user:***@cam:554/1"),
        ("rtsp://user:p@ss/w:rd@cam/1", "rtsp://user:***@cam/1"),
        ("rtsp://user:1234@cam/1", "rtsp://user:***@cam/1"),
        ("rtsp://:secret@cam/1", "rtsp://:***@cam/1"),
        ("rtsp://us@er:secret@cam/1", "rtsp://us@er:***@cam/1"),
        ("rtmp://live.example.org/app/secret-key", "rtmp://live.example.org/app/***"),
        ("rtsp://cam:554/view@2", "rtsp://cam:554/view@2"),
        ("udp://@239.0.0.1:5000", "udp://@239.0.0.1:5000"),
        ("http://cam/v?user=me&pwd=x1&size=2", "http://cam/v?user=me&pwd=***&size=2"),
        ("srt://cam:9000?passphrase=long%20one", "srt://cam:9000?passphrase=***"),
        ("http://cam/v?access_token=abc#t", "http://cam/v?access_token=***#t"),
        (
            "rtsp://10.0.0.7:554/user=admin_password=tl_1_channel=1_stream=0.sdp",
            "rtsp://10.0.0.7:554/user=admin_password=***",
        ),
        ("rtsp://cam/password=abc", "rtsp://cam/password=***"),
        ("http://cam/c?loginuse=me&loginpas=x1&psw=x2&size=2", "http://cam/c?loginuse=me&loginpas=***&psw=***&size=2"),
        ("camera:0", "camera:0"),
    ],
)
def test_passwords_are_hidden_and_nothing_else(address: str, printed: str) -> None:
    assert shown(address) == printed


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("rtsp2://cam/1", r"^rtsp2://cam/1: did you mean rtsps?\? known are"),
        ("gopher://u:secret@cam", r"^gopher://u:\*\*\*@cam: .*known are camera:0, http://"),
        ("udp://127.0.0.1", "has no port; write udp://HOST:PORT"),
        ("tcp://127.0.0.1:70000", "is no valid address"),
        ("tcp://127.0.0.1:http", "is no valid address"),
        ("rtsp://[::1/x", "is no valid address"),
        ("rtsp:///x", "has no host; write rtsp://HOST/PATH"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(address: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        check_stream(address)


def test_a_listening_address_needs_no_host() -> None:
    assert check_stream("tcp://:5000?listen=1") == "tcp"
    assert check_stream("udp://@:5000") == "udp"


@pytest.mark.parametrize(
    ("url", "muxer"),
    [
        ("udp://127.0.0.1:5000", "mpegts"),
        ("tcp://127.0.0.1:5000?listen=1", "mpegts"),
        ("srt://host:5000", "mpegts"),
        ("rtp://host:5000", "rtp_mpegts"),
        ("rtsp://host/live", "rtsp"),
        ("rtmp://host/app/key", "flv"),
        ("out.mp4", None),
        ("C:/out.mp4", None),
        ("-", None),
    ],
)
def test_outputs_have_the_muxer_of_their_scheme(url: str, muxer: str | None) -> None:
    assert stream_format(url) == muxer


@pytest.mark.parametrize("url", ["camera:0", "http://host/up", "ftp://host/a.mp4", "udp://host"])
def test_what_nothing_can_be_sent_to_is_refused(url: str) -> None:
    with pytest.raises(UserError, match=f"^{url}: "):
        stream_format(url)
