"""ircolor colorize."""

from typing import Annotated

import typer

from ircolor.weights import DEFAULT_MODEL


def colorize(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Image, video, folder, quoted glob, camera:0, rtsp://..., or - for standard input.",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE|DIR|URL", help="Where to; - for standard output."),
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME|FILE.onnx", help="See ircolor models.")] = DEFAULT_MODEL,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|...", help="Where the network runs.")] = "auto",
    tile: Annotated[
        str,
        typer.Option(
            metavar="auto|off|N", help="Edge of the tiles of a large image, pixels; for models that see it as it is."
        ),
    ] = "auto",
    intensity: Annotated[
        str,
        typer.Option(metavar="auto|full|percentile|LOW:HIGH", help="Stored values that become black and white."),
    ] = "auto",
    depth: Annotated[int, typer.Option(metavar="8|16", help="Bits a channel of what is written.")] = 8,
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="CPU threads, no more than cores.", show_default="all cores")
    ] = None,
    side_by_side: Annotated[
        bool, typer.Option("--side-by-side", help="Write the infrared image beside its colours.")
    ] = False,
    trust: Annotated[
        str | None,
        typer.Option(
            metavar="map|fade",
            help="Write a map of the expected colour error, or fade colours by it.",
            show_default="neither",
        ),
    ] = None,
    fade_strength: Annotated[
        float | None, typer.Option(metavar="0..1", help="Of --trust fade.", show_default="1")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Skip inputs whose output exists.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on with what arrives in a folder, until Ctrl-C.")] = False,
    codec: Annotated[str, typer.Option(metavar="h264|hevc|av1|ffv1", help="Of videos; ffv1 loses nothing.")] = "h264",
    steady: Annotated[bool, typer.Option("--steady/--no-steady", help="Keep videos from flickering.")] = True,
    raw: Annotated[
        str | None,
        typer.Option(
            metavar="WxH[:FORMAT]",
            help="Standard input is raw frames: gray, gray10le, gray12le, gray14le, gray16le.",
        ),
    ] = None,
    rate: Annotated[
        str | None, typer.Option(metavar="N|N/M", help="Frames a second of --raw.", show_default="25")
    ] = None,
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="End a live source then.", show_default="until Ctrl-C")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")] = False,
) -> None:
    """Turn infrared images, videos and live cameras into natural colour.

    Without -o, photo.png becomes photo_rgb.png beside it, clip.mp4
    clip_rgb.mp4, a folder the same tree in FOLDER_rgb, and standard input
    standard output. Metadata, where the file can hold any, says that colours are
    predicted. Nothing is overwritten unasked. With --trust map the names
    end in _trust: the picture shows, dark to bright, how wrong each colour
    is expected to be (CIEDE2000 0 to 30). Videos keep their sound and
    time stamps; live sources take -o FILE, -o URL, or -o - for raw frames.

    [bold]Examples[/bold]

      ircolor colorize night.png

      ircolor colorize camera-trap/ -o coloured/ --resume

      ircolor colorize "frames/**/*.tiff" -o coloured/ --intensity 0:4095

      ircolor colorize drive.mp4 --side-by-side

      ircolor colorize incoming/ -o coloured/ --watch

      ircolor colorize night.png --model fast --trust map

      ircolor colorize rtsp://10.0.0.7/stream -o night.mkv --duration 3600

      ffmpeg ... -f rawvideo - | ircolor colorize - --raw 640x480 -o x.mp4

    Exit status: 0 all done, 1 some inputs failed (listed at the end), 2 nothing begun, 130 stopped.
    """
    import math
    from functools import partial

    from ircolor.colorizer import Colorizer
    from ircolor.errors import UserError
    from ircolor.media.addresses import is_live, shown
    from ircolor.plan import Settings

    settings = Settings(depth_bits=depth, codec=codec, compare=side_by_side, steady=steady, trust=trust)
    if fade_strength is not None and trust != "fade":
        raise UserError("--fade-strength: is for --trust fade; give that too, or leave it out")
    strength = 1.0 if fade_strength is None else fade_strength
    load = partial(
        Colorizer,
        model,
        device=device,
        tile=tile,
        intensity=intensity,
        threads=threads,
        return_trust=trust is not None,
        fade_strength=strength if trust == "fade" else 0.0,
    )
    live = any(is_live(source) for source in sources)
    if (live or raw is not None) and (len(sources) > 1 or resume or watch or as_json):
        raise UserError(
            f"{shown(sources[0])}: a live source or raw frames come alone, without --resume, --watch or --json"
        )
    if live and raw is not None:
        raise UserError("--raw: is for frames on standard input, not for live sources; leave it out")
    if rate is not None and raw is None:
        raise UserError("--rate: is for --raw; other sources tell their time themselves")
    if duration is not None and not live:
        raise UserError("--duration: is for live sources (camera:0, rtsp://...); leave it out")
    if duration is not None and not 0 < duration < math.inf:
        raise UserError(f"--duration {duration:g}: give a number of seconds above 0")
    if live:
        from ircolor.cli.colorize_stream import colorize_live_source

        colorize_live_source(load, sources[0], output, settings, duration, overwrite=overwrite)
    elif raw is not None:
        from ircolor.cli.colorize_stream import colorize_raw_frames

        colorize_raw_frames(load, sources[0], raw, rate or "25", output, settings, overwrite=overwrite)
    else:
        from ircolor.cli.colorize_files import colorize_files

        colorize_files(
            load, sources, output, settings, overwrite=overwrite, resume=resume, watch=watch, as_json=as_json
        )
