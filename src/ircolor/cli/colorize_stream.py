"""What `ircolor colorize` does with live sources, and with raw frames on standard input."""

import sys
from pathlib import Path

import typer

from ircolor.cli.colorize_files import Load
from ircolor.cli.messages import in_words, say, say_errors, say_network
from ircolor.cli.progress import LateProgress
from ircolor.errors import UserError
from ircolor.live import check_live_output, colorize_live
from ircolor.media.addresses import shown
from ircolor.media.raw_video import parse_rate, parse_raw
from ircolor.media.video_writer import check_video_output
from ircolor.plan import Settings
from ircolor.video import colorize_raw


def colorize_live_source(
    load: Load, address: str, output: str | None, settings: Settings, duration_s: float | None, *, overwrite: bool
) -> None:
    """Colorize a camera or stream until it is stopped, and say how long frames took.

    Raises:
        UserError: it cannot be read, or the output not be written.
    """
    if output is None:
        raise UserError(f"{shown(address)}: a live source needs -o FILE, -o URL, or -o - for raw frames")
    check_live_output(output, settings, overwrite)
    colorizer = load(lanes=1)
    say_network(colorizer)
    with LateProgress("colorizing") as bar:
        latency = colorize_live(
            colorizer,
            address,
            output,
            settings,
            duration_s=duration_s,
            say=say,
            after=lambda done: bar.show(done, None),
        )
    say(f"{shown(address)} -> {shown(output)} ({latency})")


def colorize_raw_frames(
    load: Load, source: str, raw: str, rate: str, output: str | None, settings: Settings, *, overwrite: bool
) -> None:
    """Colorize raw frames from standard input into a video file, or into raw frames on standard output.

    Raises:
        UserError: they are not what --raw says, or the output cannot be written.
    """
    if source != "-":
        raise UserError(f"{source}: --raw is for frames on standard input; give - as the source")
    path = None if output in (None, "-") else Path(str(output))
    if path is None:
        if output is None and sys.stdout.isatty():
            raise UserError("-: the result would be written to the terminal; give -o FILE, or -o - to insist")
    else:
        check_video_output(path, settings.codec, ())
        if path.exists() and not overwrite:
            raise UserError(f"{output}: exists; use --overwrite to replace it")
    pixel_format, frame_rate = parse_raw(raw), parse_rate(rate)
    colorizer = load(lanes=None)
    say_network(colorizer)
    with LateProgress("colorizing") as bar:
        result = colorize_raw(colorizer, pixel_format, frame_rate, path, settings, bar.show)
    for note in result.notes:
        say(f"standard input: {note}")
    how = in_words(result.window.reason, result.tiles, result.mean_expected_error)
    say(f"standard input -> {output or '-'} ({result.num_frames} frames; {how})")
    if result.damage:
        say_errors([result.damage])
        raise typer.Exit(1)
