"""ircolor models."""

from typing import TYPE_CHECKING, Annotated

import typer

from ircolor.cli.messages import say_errors
from ircolor.errors import REINSTALL, UserError

if TYPE_CHECKING:
    from ircolor.weights.catalogue import Model


# Key of the card, name in the table, digits; --json shows all.
SHOWN_SCORES = (("psnr_db", "PSNR\ndB", 2), ("ssim", "SSIM", 3), ("chroma_gain", "chroma\ngain", 2))
SHOWN_SPLIT = "test"
SHOWN_SIZES = ("224x224", "640x480")


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole cards as JSON.")] = False,
) -> None:
    """List the networks that came with the package: what for, size, work, scores, licence.

    Exit status: 0 all are whole, 1 some are damaged (listed at the end), 2 there are none.
    """
    from ircolor.weights.catalogue import bundled_names, find_model

    found, damaged = [], []
    for name in bundled_names():
        try:
            found.append(find_model(name))
        except UserError as error:
            damaged.append(str(error))
    if not found and not damaged:
        raise UserError(f"no networks came with this installation; {REINSTALL}")
    if as_json:
        import json

        print(json.dumps([_facts(model) for model in found], indent=2))
    elif found:
        _print_table(found)
    say_errors(damaged)
    if damaged:
        raise typer.Exit(1)


def _facts(model: "Model") -> dict[str, object]:
    return {**model.card.to_dict(), "file_bytes": len(model.data), "file_sha256": model.sha256}


def _print_table(found: "list[Model]") -> None:
    """Numbers as a table; what each network is for below it, where a line has room for words."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    hardware = sorted({model.card.latency_hardware for model in found if model.card.latency_ms})
    table = Table(title="bundled networks", caption=_caption(hardware))
    table.add_column("name", no_wrap=True)
    labels = [label for _, label, _ in SHOWN_SCORES]
    for heading in ("MB", "GFLOP", *(f"ms at\n{size}" for size in SHOWN_SIZES), *labels):
        table.add_column(heading, justify="right", no_wrap=True)
    for model in found:
        card = model.card
        scores = card.scores.get(SHOWN_SPLIT, {})
        cells = (
            f"{card.name} {card.version}",
            f"{len(model.data) / 1e6:.1f}",
            f"{card.gflop_224:.1f}",
            *(_number(card.latency_ms.get(size), 1) for size in SHOWN_SIZES),
            *(_number(scores.get(key), digits) for key, _, digits in SHOWN_SCORES),
        )
        table.add_row(*(Text(cell) for cell in cells))
    console = Console()
    # A terminal that is narrower breaks the lines; cut off, numbers would be lost.
    needed = console.measure(table, options=console.options.update(width=1000)).maximum
    Console(width=max(console.width, needed)).print(table)
    for model in found:
        card = model.card
        scored = f"scores: protocol {card.protocol}, {SHOWN_SPLIT}; " if SHOWN_SPLIT in card.scores else ""
        licence = card.licence.partition(";")[0]  # --json tells all
        trust = "gives --trust; " if model.gives_trust else ""
        console.print(Text(f"\n{card.name}: {card.summary} ({trust}{scored}licence: {licence})"))


def _caption(hardware: list[str]) -> str:
    where = f"; times by {'; '.join(hardware)}" if hardware else ""
    return f"GFLOP at 224x224{where}. ircolor benchmark measures times here"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
