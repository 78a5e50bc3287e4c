"""The folder that pairs are written to: whether it may be used, what an earlier run left in it, and its index."""

import csv
from collections.abc import Collection, Sequence
from pathlib import Path

from ircolor.atomic import write_atomic
from ircolor.errors import UserError
from ircolor.media.sources import exists, is_folder, place_of, resolved
from ircolor.pairs.index import INDEX_NAME, Pair
from ircolor.pairs.sequences import find_sequences
from ircolor.registration.aligned import IndexRow, write_index
from ircolor.registration.journal import JOURNAL_NAME, Journal
from ircolor.registration.pair import Outcome, outputs, remove_outputs
from ircolor.registration.partners import Partners
from ircolor.registration.result import Verdict
from ircolor.registration.table import TABLE_NAME

REPORT_NAME = "report.html"
LEFT_BY_FILE_MANAGERS = (".DS_Store", "Thumbs.db", "desktop.ini")
# With fewer, training could not hold out one for validation and one for the test.
MIN_SCENES = 3


def check_places(folder: Path, sources: Sequence[Path]) -> None:
    """Find out before any work whether pairs can be written to a folder without harm to those they are made of.

    Raises:
        UserError: it is a file, or lies in one of the source folders, or one of these in it.
    """
    if exists(folder) and not is_folder(folder):
        raise UserError(f"{folder}: is a file; give a folder for the pairs")
    target = place_of(folder)
    for source in sources:
        if target.is_relative_to(place_of(source)) or place_of(source).is_relative_to(target):
            raise UserError(f"{folder}: lies in {resolved(source)}, or around it; give a folder apart from the images")


def check_output(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Find out whether a folder is new, or one of pairs that may be changed.

    Raises:
        UserError: it is not.
    """
    if resume and overwrite:
        raise UserError("--overwrite and --resume contradict each other; give one of them")
    if not (is_folder(folder) and any(file.name not in LEFT_BY_FILE_MANAGERS for file in folder.iterdir())):
        return
    if not (folder / JOURNAL_NAME).exists():
        raise UserError(f"{folder}: holds files that register did not write; give a new or an empty folder")
    if resume and _is_split(folder / INDEX_NAME):
        raise UserError(
            f"{folder / INDEX_NAME}: says how the pairs are split, which the index of a resumed run would not; move it "
            "away, resume, and split them again"
        )
    if not (resume or overwrite):
        raise UserError(f"{folder}: exists; use --overwrite to replace its pairs, --resume to go on with them")


def _is_split(index: Path) -> bool:
    try:
        with index.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            return any(row.get("split") for row in csv.DictReader(file))
    except (OSError, csv.Error):
        return False


def open_journal(folder: Path, stems: Collection[str], *, resume: bool) -> Journal:
    """The journal of a folder whose pairs are about to change; an empty one unless resumed.

    Unless resumed, files of earlier pairs that are not among the stems are removed: nothing would tell them from these.

    The index lists none until the end: without any, a run that was killed would leave a folder that reads as one of
    good pairs, those to review and of other settings among them.
    """
    for name in (TABLE_NAME, REPORT_NAME):
        (folder / name).unlink(missing_ok=True)
    write_index(folder, [])
    file = folder / JOURNAL_NAME
    if not (resume and file.exists()):
        for stem in Journal(file).stems:
            if stem not in stems and stem == Path(stem).name:  # a journal from elsewhere may name anything
                remove_outputs(folder, stem)
        write_atomic(file, b"")
    return Journal(file)


def earlier_outcome(journal: Journal, fingerprint: str, folder: Path, stem: str) -> Outcome | None:
    """What an earlier run found of a pair; None where it is still to do, or someone removed its images since."""
    found = journal.finished(fingerprint)
    if found is None:
        return None
    infrared, rgb, mask, *_ = outputs(folder, stem)
    needed = [infrared, rgb] * bool(found.crop) + [mask] * found.masked
    if not all(file.exists() for file in needed):
        return None
    return Outcome(found.registration, found.crop, False, found.masked)


def index_pairs(folder: Path, found: Sequence[tuple[Partners, Outcome]], keep: Collection[Verdict]) -> None:
    """Write the index: pairs that have images, and the sequences they were taken in where these can be told.

    Args:
        folder: of the pairs.
        found: pairs and what became of them, in the order wanted.
        keep: verdicts of those to list.

    Raises:
        UserError: it cannot be written.
    """
    kept = [
        (Pair(partners.stem, partners.infrared, partners.rgb, ""), outcome.registration.verdict, outcome.crop[2:])
        for partners, outcome in found
        if outcome.crop and outcome.registration.verdict in keep
    ]
    # By the files as they came: the images written have no EXIF data.
    names = find_sequences([pair for pair, *_ in kept]).names if kept else ()
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names), start=1)}
    told = len(numbers) >= MIN_SCENES
    rows = [
        IndexRow(pair.stem, verdict, size, f"sequence {numbers[name]:03d}" if told else "")
        for (pair, verdict, size), name in zip(kept, names, strict=True)
    ]
    write_index(folder, rows, keep)
