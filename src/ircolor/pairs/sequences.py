"""Find the sequences of a data folder: pairs taken in one go, which must never stand on both sides of a split.

Asked in this order: a table by hand; the columns `scene` and `sequence` of the index, where they say more than the
stem; times, in the names of all files or in the EXIF of all; the last number in each name. Where these tell nothing,
or one sequence only, the pairs are one long run of neighbours: it has no seams, and a split has to cut it.
"""

import csv
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ircolor.errors import UserError, brief, did_you_mean
from ircolor.media.times import time_in_exif, time_in_name
from ircolor.pairs.index import NUM_READERS, Pair, raise_problems

GAP_S = 30.0
# Frame numbers further apart than this begin a new sequence: about three seconds of video. Where frames were picked
# sparsely, ten times their usual step counts instead.
MAX_JUMP = 100
MAX_JUMP_STEPS = 10
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)
_TO = ".."


@dataclass(frozen=True)
class Sequences:
    """Which sequence each pair belongs to.

    Attributes:
        names: one for each pair.
        source: how they were found, for people.
        run: where the pairs are one long run of neighbours, their numbers in its order; else None.
    """

    names: tuple[str, ...]
    source: str
    run: tuple[int, ...] | None = None


def find_sequences(pairs: Sequence[Pair], table: Path | None = None, gap_s: float = GAP_S) -> Sequences:
    """The sequence of each pair.

    Args:
        pairs: of one folder.
        table: CSV file with the columns stem and sequence, a row for each pair; goes before all else. It may be of a
            whole recording, of which some pairs were not kept.
        gap_s: where sequences are found by time, a longer pause begins a new one.

    Raises:
        UserError: the table cannot be read, or lacks a pair.
    """
    if table is not None:
        return _from_table(pairs, table)
    for column in ("scene", "sequence"):
        if tells_sequences(pairs, column):
            return Sequences(tuple(pair.columns[column] or pair.stem for pair in pairs), f"by column {column}")
    return _by_time(pairs, gap_s) or _by_number(pairs)


def tells_sequences(pairs: Sequence[Pair], column: str) -> bool:
    """Whether a column of the index says more than the stems and than the names that a split gave (`name_part`)."""
    stems = {pair.stem for pair in pairs}
    values = {pair.columns.get(column, "") for pair in pairs} - {""}
    return any(not stems.issuperset(value.split(_TO)) for value in values)


def name_part(pairs: Sequence[Pair], numbers: Sequence[int]) -> str:
    """What a part of a folder is called in its index, by its first and its last pair."""
    return _TO.join(dict.fromkeys((pairs[numbers[0]].stem, pairs[numbers[-1]].stem)))


def _from_table(pairs: Sequence[Pair], table: Path) -> Sequences:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{table}: cannot be read ({brief(error)}); it must be a CSV table in UTF-8") from error
    if not rows or not {"stem", "sequence"} <= rows[0].keys():
        raise UserError(f"{table}: needs the columns stem and sequence, and a row for each pair")
    stems = {pair.stem for pair in pairs}
    given: dict[str, str] = {}
    problems, unknown = [], []
    for line, row in enumerate(rows, start=2):
        stem, sequence = row["stem"], row["sequence"]
        if not (stem and sequence):
            problems.append(f"{table}, line {line}: stem or sequence is empty; fill both in")
        elif stem not in stems:
            unknown.append(f"{table}, line {line}: no pair is called {stem}; {did_you_mean(stem, stems)}mend the stem")
        elif given.setdefault(stem, sequence) != sequence:
            problems.append(f"{table}, line {line}: {stem} is in {given[stem]} already; keep one of the rows")
    lacking = [f"{table}: no row for {stem}; add one" for stem in sorted(stems - given.keys())]
    problems += unknown + lacking if lacking else []
    raise_problems(problems, f"rows of {table} are wrong or missing")
    told = f" ({len(unknown)} of its rows name no pair that is there)" if unknown else ""
    return Sequences(tuple(given[pair.stem] for pair in pairs), f"as {table} says{told}")


def _by_time(pairs: Sequence[Pair], gap_s: float) -> Sequences | None:
    """None where some pairs tell no time, or all tell the same."""
    source = "the times in their names"
    times_s = [time_in_name(pair.stem) for pair in pairs]
    if None in times_s:
        source = "their EXIF times"
        with ThreadPoolExecutor(NUM_READERS) as pool:
            times_s = list(pool.map(lambda pair: time_in_exif(pair.rgb) or time_in_exif(pair.infrared), pairs))
    known_s = [time_s for time_s in times_s if time_s is not None]
    if len(known_s) < len(pairs) or len(set(known_s)) == 1:
        return None
    order = sorted(range(len(pairs)), key=lambda number: (known_s[number], pairs[number].stem))
    seams = [after for before, after in pairwise(order) if known_s[after] - known_s[before] > gap_s]
    return _between(pairs, order, seams, f"by {source}; a pause of more than {gap_s:g} s begins a new one")


def _by_number(pairs: Sequence[Pair]) -> Sequences:
    """By the last number in each name, among names that are otherwise the same."""
    series: dict[tuple[str, str], list[tuple[int, str, int]]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        found = _NUMBERED.fullmatch(pair.stem)
        before, number, after = found.groups() if found else (pair.stem, "0", "")
        series[before, after].append((int(number), pair.stem, place))
    order, seams = [], []
    for _, frames in sorted(series.items()):
        frames.sort()
        steps = [after - before for (before, *_), (after, *_) in pairwise(frames)]
        max_jump = max(MAX_JUMP, MAX_JUMP_STEPS * statistics.median(steps or [0]))
        places = [place for *_, place in frames]
        order += places
        seams += [places[0], *(place for place, step in zip(places[1:], steps, strict=True) if step > max_jump)]
    if 2 * len(seams) > len(pairs):  # names such as those of a hash: hardly two frames belong together
        return _between(pairs, order, [], "none in their names, so neighbours by name")
    return _between(pairs, order, seams, "by the numbers in their names")


def _between(pairs: Sequence[Pair], order: Sequence[int], seams: Iterable[int], source: str) -> Sequences:
    """Cut the order before each of the seams; without any (but at its very start), it is one run."""
    starts = {order[0], *seams}
    parts: list[list[int]] = []
    for number in order:
        if number in starts:
            parts.append([])
        parts[-1].append(number)
    names = {number: name_part(pairs, part) for part in parts for number in part}
    run = tuple(order) if len(parts) == 1 else None
    return Sequences(tuple(names[number] for number in range(len(pairs))), source, run)
