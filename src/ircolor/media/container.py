"""Open the container of a video as what it may be: damaged, of another kind, or made to do harm.

FFmpeg gets the open file and may open nothing else, so that a playlist under the name of a video reaches neither other
files nor the network; the frame size is limited before a frame is decoded (when FFmpeg looks into the file, by its own
limit, which is much the same).
"""

import errno
from io import BufferedReader

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from ircolor.errors import UserError, brief
from ircolor.media.decode import MAX_PIXELS

# Demuxers that open other files, devices or the network, or run scripts.
_REFERRING = frozenset(
    {"avisynth", "concat", "dash", "dvdvideo", "hls", "image2", "imf", "lavfi", "mlv", "rtp", "rtsp", "sap", "sdp"}
    | {"vapoursynth", "vobsub", "webm_dash_manifest"}
)
# Only these write how long they are; of others FFmpeg guesses it, from the bit rate or from the end of the file.
_DECLARE_DURATION = frozenset({"asf", "avi", "flv", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "mxf"})
_GENERATE_PTS = 1  # FFmpeg's number of the flag
# Where the four letters of its first box stand in an MP4 file, and those it may begin with.
_MP4_BOX = slice(4, 8)
_MP4_BOXES = (b"ftyp", b"mdat", b"wide", b"free", b"skip")


def open_container(file: BufferedReader, name: str) -> InputContainer:
    """Read the headers of a video.

    Args:
        file: open for reading, at its beginning.
        name: what to call it in messages.

    Raises:
        UserError: empty, not a video, cut off before its index, or a playlist.
    """
    allowed = {
        "format_whitelist": ",".join(sorted(av.formats_available - _REFERRING)),
        "protocol_whitelist": "none",
    }
    head = b""
    try:
        head = file.peek(_MP4_BOX.stop)
        if not head:
            raise UserError(f"{name}: the file is empty; copy it again from its source")
        container = av.open(_Source(file), "r", container_options=allowed, metadata_errors="replace")
    except av.ArgumentError as error:
        raise UserError(f"{name}: a playlist, or no video by itself; give the file that holds the picture") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        if head[_MP4_BOX] in _MP4_BOXES:
            raise UserError(
                f"{name}: an MP4 file whose index (moov) is missing or damaged: the recording was cut off; "
                "copy it again, or let a recovery tool rebuild it"
            ) from error
        if isinstance(error, av.EOFError):
            raise UserError(f"{name}: has no frames; give a video with at least one") from error
        reason = getattr(error, "strerror", None) or brief(error)
        raise UserError(f"{name}: not a video, or damaged at its beginning ({reason}); give a video file") from error
    if container.format.name == "avi":
        # AVI stores none but decoding times; what FFmpeg makes of them for frames out of order is wrong.
        container.flags &= ~_GENERATE_PTS
    return container


def picture_stream(container: InputContainer, name: str) -> VideoStream:
    """The stream of a video that holds its picture, its decoder set up but not opened.

    Raises:
        UserError: there is none but sound, its codec is unknown, or its frames are larger than MAX_PIXELS.
    """
    pictures = [video for video in container.streams.video if not video.disposition & Disposition.attached_pic]
    if not pictures:
        if container.streams.audio:
            raise UserError(f"{name}: has no picture, only sound; give a video file")
        raise UserError(f"{name}: has no frames; give a video with at least one")
    best = container.streams.best("video")
    video = best if isinstance(best, VideoStream) and best in pictures else pictures[0]
    decoder = video.codec_context
    if decoder is None:
        raise UserError(f"{name}: its codec is unknown to this FFmpeg; convert it to H.264 first")
    if decoder.width * decoder.height > MAX_PIXELS:
        size = f"{decoder.width}x{decoder.height}"
        raise UserError(f"{name}: frames of {size} are larger than {MAX_PIXELS} pixels; scale it down first")
    decoder.options = {"max_pixels": str(MAX_PIXELS)}
    video.thread_type = "AUTO"
    return video


def duration_s(container: InputContainer, video: VideoStream) -> float | None:
    """How long the picture is, or else the video; declared, or estimated by FFmpeg."""
    if video.duration and video.time_base and video.duration > 0:
        return float(video.duration * video.time_base)
    return container.duration / av.time_base if container.duration and container.duration > 0 else None


def declares_duration(container: InputContainer) -> bool:
    """Whether the duration stands in the file, so that a shorter video was cut off."""
    return container.format.name in _DECLARE_DURATION


class _Source:
    """The file as FFmpeg reads it: where a damaged video leads to no place, that is FFmpeg's error alone."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self.name, self.read, self.tell, self.seekable = file.name, file.read, file.tell, file.seekable

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return -errno.EINVAL
