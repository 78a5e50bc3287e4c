"""`ircolor benchmark`: how fast networks are on this machine."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ircolor.cli.messages import say_errors
from ircolor.errors import REINSTALL, UserError, brief

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from ircolor.benchmark.latency import Network
    from ircolor.benchmark.measure import Speed
    from ircolor.cli.progress import LateProgress
    from ircolor.colorizer import Colorizer

TORCH = "torch"


def benchmark(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL...", help="Names (see ircolor models) or .onnx files.")
    ] = None,
    *,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|...", help="Where the network runs.")] = "auto",
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="CPU threads, no more than cores.", show_default="all cores")
    ] = None,
    sizes: Annotated[
        str, typer.Option(metavar="WxH,...", help="Sizes of images, pixels.")
    ] = "224x224,640x480,1280x720,1920x1080",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all numbers, with the machine.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer runs, a smaller folder, a shorter video.")] = False,
) -> None:
    """Measure how fast networks are here: one image, a folder, a video.

    Times run from an uint8 array to an RGB array, those of a folder and of a
    video from file to file, at 640x480. Beside them stand those of bare
    onnxruntime with the same file on tensors that are ready, and where torch
    is installed, of the same architecture in torch, eager, float32, with
    random weights. All take turns, so that ratios hold on a busy machine too.
    Without MODEL: all that came with the package. The file of --json is
    replaced when it exists.

    [bold]Examples[/bold]

      ircolor benchmark

      ircolor benchmark snet --quick --sizes 640x480

      ircolor benchmark mine.onnx --device cuda --json speed.json

    Exit status: 0 all measured, 1 some parts failed (listed at the end), 2 nothing begun.
    """
    import json
    from functools import partial

    from rich.console import Console

    from ircolor.atomic import check_writable, write_atomic
    from ircolor.benchmark.measure import FULL, QUICK, measure
    from ircolor.cli.progress import LateProgress
    from ircolor.colorizer import Colorizer
    from ircolor.machine import describe_machine, threads_to_use
    from ircolor.weights.catalogue import bundled_names

    wanted = _parse_sizes(sizes)
    if json_file is not None:
        check_writable(json_file)
    num_threads = threads_to_use(threads)
    names = models or bundled_names()
    if not names:
        raise UserError(f"no networks came with this installation; {REINSTALL}, or give a FILE.onnx")
    colorizers = [Colorizer(name, device=device, threads=num_threads) for name in names]
    machine = describe_machine()
    speeds: list[Speed] = []
    for colorizer in colorizers:
        card = colorizer.model.card
        why = "as asked" if threads == num_threads else "one for each core"
        where = f"{colorizer.device} ({colorizer.device_reason}), threads: {num_threads} ({why})"
        typer.echo(f"{card.name} {card.version} on {where}", err=True)
        networks = _torch_network(colorizer, num_threads)
        if isinstance(networks, str):
            typer.echo(f"no comparison with torch: {networks}", err=True)
            networks = {}
        with LateProgress(f"measuring {card.name}") as bar:
            speeds.append(
                measure(
                    colorizer,
                    networks,
                    wanted,
                    threads=num_threads,
                    effort=QUICK if quick else FULL,
                    progress=partial(_show, bar),
                )
            )
    if json_file is not None:
        result = {"threads": num_threads, "models": [speed.to_dict() for speed in speeds], "machine": machine}
        write_atomic(json_file, (json.dumps(result, indent=2) + "\n").encode())
    output = Console()
    output.print(_latency_table(speeds))
    output.print(_throughput_table(speeds))
    failures = [failure for speed in speeds for failure in speed.failures]
    say_errors(failures)
    if failures:
        raise typer.Exit(1)


def _show(bar: "LateProgress", part: str, share: float) -> None:
    """Show how much is done, 0 to 1."""
    bar.show(int(share * 1000), 1000, part)


def _parse_sizes(text: str) -> list[tuple[int, int]]:
    """Heights and widths of e.g. 640x480,1280x720."""
    found = [re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", size.strip()) for size in text.split(",")]
    if not all(found):
        raise UserError(f"--sizes {text}: expected WIDTHxHEIGHT in pixels, separated by commas, e.g. 640x480,1280x720")
    return [(int(size[2]), int(size[1])) for size in found if size]


def _torch_network(colorizer: "Colorizer", threads: int) -> "dict[str, Network] | str":
    """The same architecture in torch, or why not."""
    from ircolor.training.recipes import RECIPES
    from ircolor.weights.card import RECIPE_JOINT

    card = colorizer.model.card
    recipes = card.recipe.split(RECIPE_JOINT)
    if not RECIPES.keys() >= set(recipes):
        return f"{card.name} is of recipe {card.recipe}, whose architecture this version does not know"
    try:
        import torch

        from ircolor.nets import combined
        from ircolor.sessions.torch import TorchSession
        from ircolor.training.networks import build_net
    except ModuleNotFoundError as error:
        return f"{error.name} is not installed"
    except (ImportError, OSError) as error:  # its own libraries may be what is missing
        return f"torch cannot be loaded ({brief(error)})"
    torch.set_num_threads(threads)
    try:
        net = combined([build_net(RECIPES[name]()) for name in recipes])
        session = TorchSession(net, device=colorizer.device, channels_last=False)
    except UserError as error:
        return str(error)
    return {TORCH: session.run}


def _latency_table(speeds: "Sequence[Speed]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from ircolor.benchmark.measure import BARE

    names = list(dict.fromkeys(name for speed in speeds for each in speed.latencies for name in each.rounds.seconds))
    table = Table(title="one image, ms (median), and the time over that of ircolor")
    table.add_column("network")
    table.add_column("size", justify="right")
    headings = {BARE: "bare onnxruntime", TORCH: "torch eager float32"}
    for name in names:
        table.add_column(headings.get(name, name), justify="right")
    for speed in speeds:
        for latency in speed.latencies:
            rounds = latency.rounds
            cells = [
                f"{rounds.median_s(name) * 1e3:.1f}" + (f"  x{rounds.ratio(name, 'ircolor'):.2f}" if place else "")
                if name in rounds.seconds
                else "-"
                for place, name in enumerate(names)
            ]
            table.add_row(Text(speed.colorizer.model.card.name), f"{latency.width}x{latency.height}", *cells)
    return table


def _throughput_table(speeds: "Sequence[Speed]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title="from file to file, images/s, and the time over that of the bare network")
    for heading in ("network", "source", "size", "ircolor", "bare network", "time ratio"):
        table.add_column(heading, justify="left" if heading in ("network", "source") else "right")
    for speed in speeds:
        for throughput in speed.throughputs:
            facts = throughput.to_dict()
            table.add_row(
                Text(speed.colorizer.model.card.name),
                f"{throughput.source} of {throughput.num_images}",
                f"{throughput.width}x{throughput.height}",
                f"{facts['images_per_s']:.1f}",
                f"{facts['network_images_per_s']:.1f}",
                f"{facts['time_ratio']:.2f}",
            )
    return table
