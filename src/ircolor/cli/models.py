"""ircolor models."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ircolor.weights.catalogue import Model


# Key of the card, name in the table, digits; --json shows all.
SHOWN_SCORES = (("psnr_db", "PSNR dB", 2), ("ssim", "SSIM", 3), ("chroma_gain", "chroma gain", 2))


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole cards as JSON.")] = False,
) -> None:
    """List the networks that came with the package: what for, size, work, scores, licence."""
    from ircolor.weights.catalogue import list_models

    found = list_models()
    if as_json:
        import json

        print(json.dumps([_facts(model) for model in found], indent=2))
    else:
        _print_table(found)


def _facts(model: "Model") -> dict[str, object]:
    return {**model.card.to_dict(), "file_bytes": len(model.data), "file_sha256": model.sha256}


def _print_table(found: "tuple[Model, ...]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="bundled networks")
    for heading in ("name", "what for", "MB", "GFLOP at 224x224", "scores", "licence"):
        table.add_column(heading, justify="right" if heading in ("MB", "GFLOP at 224x224") else "left")
    for model in found:
        card = model.card
        scores = [
            f"{split}: " + ", ".join(f"{label} {metrics[key]:.{digits}f}" for key, label, digits in SHOWN_SCORES)
            for split, metrics in card.scores.items()
            if all(key in metrics for key, _, _ in SHOWN_SCORES)
        ]
        cells = (
            f"{card.name} {card.version}",
            card.summary,
            f"{len(model.data) / 1e6:.1f}",
            f"{card.gflop_224:.1f}",
            "\n".join([f"protocol {card.protocol}", *scores] if scores else ["none"]),
            card.licence.partition(";")[0],  # --json tells all
        )
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)
