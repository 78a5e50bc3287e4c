"""`ircolor pairs`: split a folder of pairs, and check one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from ircolor.registration.check import Finding

PIPED_COLUMNS = 1000
SHOWN_PAIRS = 12  # of one finding; --json has all

pairs = typer.Typer(help="Split a folder of aligned pairs, and check one.", no_args_is_help=True)
Data = Annotated[
    Path, typer.Argument(metavar="PAIRS", help="Folder with index.csv, or with infrared/ and rgb/ of the same stems.")
]
Wanted = Annotated[
    str | None, typer.Option(metavar="N|FRACTION", help="Number of pairs, or fraction; one of three may be left out.")
]


@pairs.command()
def split(
    data: Data,
    train: Wanted = None,
    val: Wanted = None,
    test: Wanted = None,
    sequences: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Sequences by hand: columns stem and sequence.")
    ] = None,
    gap_s: Annotated[
        float, typer.Option("--gap", metavar="SECONDS", min=0, help="A longer pause begins a new sequence.")
    ] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="Which of the equally good splits to take.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a split that is there.")] = False,
) -> None:
    """Split pairs into train, val and test by sequence, never by frame.

    Sequences are taken from --sequences; from the columns scene or sequence of
    index.csv, where they say more than the stems; from times in the file names
    or in EXIF; from the numbers in the file names, where a jump of more than
    100 (or ten times the usual step) begins a new one. What is one long run by
    all of these is cut into three blocks of neighbours. The columns split and
    scene of index.csv are written; pairs not asked for get no split.

    [bold]Examples[/bold]

      ircolor pairs split pairs/ --train 1806 --val 97 --test 75

      ircolor pairs split pairs/ --val 0.1 --test 0.1

      ircolor pairs split pairs/ --train 0.8 --val 0.1 --sequences drives.csv
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from ircolor.pairs.splitting import split_folder

    division = split_folder(
        data,
        {"train": train, "val": val, "test": test},
        table=sequences,
        gap_s=gap_s,
        seed=seed,
        overwrite=overwrite,
    )
    table = Table("split", box=box.SIMPLE_HEAD, padding=0)
    for heading in ("pairs", "asked for", "sequences"):
        table.add_column(heading, justify="right")
    for name, num_pairs in division.num_pairs.items():
        if name or num_pairs:
            numbers = num_pairs, division.wanted[name], division.num_sequences[name]
            table.add_row(name or "unused", *map(str, numbers))
    Console().print(table)
    print(f"sequences: {division.sequences.source}")
    for note in division.notes:
        Console(stderr=True).print(note, style="yellow", markup=False)


@pairs.command()
def check(
    data: Data,
    protocol: Annotated[
        str | None,
        typer.Option(help="Take the splits of nirscene, vcip2020, paper-like, roadscene or folder."),
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all findings.")] = None,
) -> None:
    """Look for leaks between splits, misaligned pairs and useless images.

    Finds exact duplicates (the same pixels) and near ones (recompressed,
    resized, brighter, mirrored), scenes on both sides of a split, missing and
    unreadable files, two sizes in a pair, bad exposure, gray "RGB" and
    misalignment. The splits are those of --protocol; or the folders train/,
    val/ and test/ in PAIRS; or a column split of index.csv, or the one column
    whose name ends so. Exit status 1 when anything was found.

    [bold]Examples[/bold]

      ircolor pairs check pairs/

      ircolor pairs check pairs/ --protocol vcip2020 --json findings.json
    """
    import json
    from collections import Counter
    from dataclasses import asdict

    from rich.console import Console

    from ircolor.atomic import check_writable, write_atomic
    from ircolor.cli.progress import LateProgress
    from ircolor.registration.check import check_splits, find_splits
    from ircolor.registration.residual import misalignment_px

    if json_file is not None:
        check_writable(json_file)
    splits, findings = find_splits(data, protocol)
    with LateProgress("looking at pairs") as progress:
        findings = check_splits(splits, misalignment_px, progress.show) + findings
    num_pairs = {name: len(members) for name, members in splits.items()}
    if json_file is not None:
        content = {"num_pairs": num_pairs, "findings": [asdict(one) for one in findings]}
        write_atomic(json_file, json.dumps(content, indent=2).encode())
    if findings:
        console = Console()
        # Lines that are cut at 80 columns are of no use to grep.
        Console(width=None if console.is_terminal else PIPED_COLUMNS).print(_findings_table(findings))
    counts = Counter(f"{one.kind} across splits" if one.grave else one.kind for one in findings)
    told = ", ".join(f"{count} x {kind}" for kind, count in counts.items()) or "nothing wrong"
    looked_at = ", ".join(f"{name} {count}" for name, count in num_pairs.items()) or "no pairs"
    print(f"{looked_at}: {told}")
    if findings:
        raise typer.Exit(1)


def _findings_table(findings: "Sequence[Finding]") -> "Table":
    from collections import Counter

    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=0)
    for heading in ("found", "split", "pair", "what"):
        table.add_column(heading, overflow="fold")
    for one in findings:
        counts = Counter(one.splits)
        # The rarest first, or the test pairs of a large group would be hidden behind its training pairs.
        lines = sorted(zip(one.splits, one.stems, strict=True), key=lambda line: counts[line[0]])
        shown = lines[:SHOWN_PAIRS] + [("", f"and {len(lines) - SHOWN_PAIRS} more")] * (len(lines) > SHOWN_PAIRS)
        cells = (
            f"{one.kind}\nLEAK: across splits" if one.grave else one.kind,
            "\n".join(name for name, _ in shown),
            "\n".join(stem for _, stem in shown),
            one.detail,
        )
        table.add_row(*map(Text, cells), style="red" if one.grave else "yellow")
    return table
