"""What the address of a live stream means: its scheme, its password, and what is written to it."""

import re
from urllib.parse import parse_qs, urlsplit

from ircolor.errors import UserError, did_you_mean

# What FFmpeg may open for an address of each scheme. A playlist or a session description that comes over the network
# can name further addresses: none may lead to a file of this machine, or to a protocol that nobody asked for.
PROTOCOLS = {
    "http": "http,https,tls,tcp,crypto",
    "https": "http,https,tls,tcp,crypto",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmp,rtmps,tls,tcp",
    "rtp": "rtp,udp",
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsps,rtsp,rtp,srtp,udp,tls,tcp",
    "srt": "srt",
    "tcp": "tcp",
    "udp": "udp",
}
PATIENCE_S = 10.0  # how long a receiver may take nothing
LISTEN_STEP_S = 0.5
_CAMERA = "camera"
# Schemes without a port of their own.
_NEED_PORT = frozenset({"rtp", "srt", "tcp", "udp"})
_MUXERS = {
    "rtmp": "flv",
    "rtmps": "flv",
    "rtp": "rtp_mpegts",
    "rtsp": "rtsp",
    "rtsps": "rtsp",
    "srt": "mpegts",
    "tcp": "mpegts",
    "udp": "mpegts",
}
# A number between ':' and '/' is a port. Anything else up to the last '@' is taken for a password: one with a '/' in it
# is no valid URL, and people write it all the same.
_PASSWORD = re.compile(r"(://[^/:]*):(?!\d+/).*@")
# What follows the application is the key that lets one send.
_STREAM_KEY = re.compile(r"^(rtmps?://[^/]*/[^/]*/).+", re.IGNORECASE)
# Also in the path, where recorders have user=admin_password=1234_channel=1.
_SECRET = re.compile(r"([^=&/?;]*(?:pas|psw|pwd|token|key|secret|auth)[^=&/]*)=[^&#]*", re.IGNORECASE)


def is_live(text: str) -> bool:
    """Whether a SOURCE or an output is a camera or a stream: `camera:N`, or anything with a scheme, as in udp://.

    Whether it is one that can be opened is told on opening it.
    """
    return scheme_of(text) != ""


def scheme_of(address: str) -> str:
    """The scheme in lower case: "udp", "camera", ...; empty for a path, also one with the drive letter of Windows."""
    match = re.match(rf"({_CAMERA}(?=:)|[a-z][a-z0-9+.-]+(?=://))", address, re.IGNORECASE)
    return match[1].lower() if match else ""


def shown(address: str) -> str:
    """The address as it may be printed and logged: without its password, its stream key, and keys in its query."""
    return _SECRET.sub(r"\1=***", _STREAM_KEY.sub(r"\1***", _PASSWORD.sub(r"\1:***@", address)))


def check_stream(address: str) -> str:
    """The scheme of a stream's address, if we read such streams and the address is complete.

    Raises:
        UserError: an unknown scheme; no host or no port where one is needed.
    """
    scheme = scheme_of(address)
    if scheme not in PROTOCOLS:
        known = ", ".join([f"{_CAMERA}:0", *(f"{name}://" for name in PROTOCOLS)])
        raise UserError(f"{shown(address)}: {did_you_mean(scheme, PROTOCOLS)}known are {known}, and paths of files")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:  # a port that is no number or above 65535, or a bracket without its other
        raise UserError(f"{shown(address)}: is no valid address; write {scheme}://HOST:PORT") from error
    if scheme in _NEED_PORT and not port:
        raise UserError(f"{shown(address)}: has no port; write {scheme}://HOST:PORT")
    if scheme not in _NEED_PORT and not host:
        raise UserError(f"{shown(address)}: has no host; write {scheme}://HOST/PATH")
    return scheme


def sent_to(url: str) -> tuple[str, bool]:
    """What FFmpeg is to open for an output: it may wait for a receiver for ever, and cannot be interrupted meanwhile.

    Returns:
        The address, which ends such waits where its scheme can; and whether it listens: then the wait for somebody who
        connects ends each `LISTEN_STEP_S`, and is to be begun again.
    """
    if scheme_of(url) != "tcp":
        return url, False
    given = parse_qs(urlsplit(url).query)
    ends = {"timeout": round(PATIENCE_S * 1e6), "listen_timeout": round(LISTEN_STEP_S * 1e3)}
    added = "&".join(f"{name}={value}" for name, value in ends.items() if name not in given)
    joined = url if not added else f"{url}{'&' if given else '?'}{added}"
    return joined, given.get("listen", ["0"])[-1] != "0" and "listen_timeout" not in given


def stream_format(url: str) -> str | None:
    """FFmpeg's muxer for an output: "mpegts" for udp, tcp and srt, "rtsp", "flv" for rtmp; None for a path.

    Raises:
        UserError: an address that cannot be written to, such as a camera or http.
    """
    if not is_live(url):
        return None
    muxer = _MUXERS.get(scheme_of(url))
    if muxer is None:
        places = ", ".join(f"{name}://" for name in _MUXERS)
        raise UserError(f"{shown(url)}: nothing can be sent there; give a file, or one of {places}")
    check_stream(url)
    return muxer
