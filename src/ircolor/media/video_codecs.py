"""How videos are encoded: the codecs, what of them players read from which container, and the options of FFmpeg."""

from dataclasses import dataclass, field

import av

from ircolor.errors import UserError, did_you_mean


@dataclass(frozen=True)
class VideoCodec:
    """How a codec is used.

    Attributes:
        encoder: FFmpeg's name of it.
        pixel_format: what 8-bit frames are stored as.
        deep_pixel_format: what deeper frames are stored as.
        options: of the encoder; hardly visible loss, or none.
        live_options: further ones where nothing may be held back.
    """

    encoder: str
    pixel_format: str
    deep_pixel_format: str
    options: dict[str, str]
    live_options: dict[str, str] = field(default_factory=dict)


CODECS = {
    "h264": VideoCodec(
        "libx264", "yuv420p", "yuv420p10le", {"preset": "veryfast", "crf": "18"}, {"tune": "zerolatency"}
    ),
    "hevc": VideoCodec(
        "libx265",
        "yuv420p",
        "yuv420p10le",
        {"preset": "veryfast", "crf": "20", "x265-params": "log-level=none"},
        {"tune": "zerolatency"},
    ),
    "av1": VideoCodec(
        "libsvtav1", "yuv420p", "yuv420p10le", {"preset": "8", "crf": "24"}, {"svtav1-params": "pred-struct=1"}
    ),
    "ffv1": VideoCodec("ffv1", "bgr0", "gbrp16le", {"level": "3"}),
}
# Where FFmpeg would write what players do not read: FFV1 in MP4, and in MPEG-TS anything as private data.
_PICTURES = {"mp4": {"h264", "hevc", "av1"}, "mpegts": {"h264", "hevc"}}
_SOUNDS = {"mpegts": {"aac", "aac_latm", "ac3", "dts", "eac3", "mp2", "mp3", "opus", "truehd"}}
# Containers that can be read while they grow: fragments or clusters of a second.
LIVE_OPTIONS = {
    "mp4": {"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    "mov": {"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    "matroska": {"cluster_time_limit": "1000"},
}


def find_codec(codec: str, name: str) -> VideoCodec:
    """The codec of this name.

    Args:
        codec: one of CODECS.
        name: what to call the video in messages.

    Raises:
        UserError: there is none, or this FFmpeg has no encoder of it.
    """
    if codec not in CODECS:
        raise UserError(f"{codec}: unknown codec; {did_you_mean(codec, CODECS)}use one of {', '.join(CODECS)}")
    found = CODECS[codec]
    if found.encoder not in av.codecs_available:
        raise UserError(f"{name}: this FFmpeg has no {found.encoder} to write {codec}; use another codec, e.g. ffv1")
    return found


def plays_picture(format: str, codec: str) -> bool:
    """Whether players read this codec, one of CODECS, from this container."""
    return codec in _PICTURES.get(format, CODECS)


def plays_sound(format: str, codec: str) -> bool:
    """Whether players read sound of this codec, by FFmpeg's name of it, from this container."""
    return codec in _SOUNDS.get(format, {codec})
