"""Split a data folder into train, val and test by whole sequences, and write that into its index."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ircolor.atomic import write_atomic
from ircolor.errors import UserError
from ircolor.pairs.index import INDEX_NAME, Pair, find_pairs
from ircolor.pairs.sequences import GAP_S, Sequences, find_sequences, name_part, tells_sequences

UNUSED = ""  # the split of pairs that nobody asked for
# Of the different sums that the splits can have, the fewer are kept the more sequences there are: so many over all of
# them, but so many at least. It takes seconds at most.
MAX_SUMS, MIN_SUMS = 400_000, 200


@dataclass(frozen=True)
class Division:
    """A folder divided into splits.

    Attributes:
        sequences: of each pair; where a run had to be cut, its parts.
        splits: of each pair: train, val, test, or nothing.
        wanted: pairs that were asked for, by split.
    """

    sequences: Sequences
    splits: tuple[str, ...]
    wanted: Mapping[str, int]

    @property
    def num_pairs(self) -> dict[str, int]:
        """Pairs by split."""
        counts = Counter(self.splits)
        return {split: counts[split] for split in self.wanted}

    @property
    def num_sequences(self) -> dict[str, int]:
        """Sequences by split."""
        counts = Counter(split for split, _ in set(zip(self.splits, self.sequences.names, strict=True)))
        return {split: counts[split] for split in self.wanted}

    @property
    def notes(self) -> list[str]:
        """What the user should know of it, a sentence each."""
        notes = []
        if self.sequences.run:
            notes.append(
                "the pairs are one long run without a seam, so it was cut into blocks of neighbours: frames on both "
                "sides of a cut look alike; tell the true sequences with --sequences"
            )
        elif len(set(self.sequences.names)) == len(self.splits):
            notes.append(
                "every pair is a sequence of its own, so this is a split by frame; if neighbours look alike, "
                "tell the sequences with --sequences, or raise --gap"
            )
        missed = [
            f"{split or 'unused'} {self.num_pairs[split] - wanted:+d}"
            for split, wanted in self.wanted.items()
            if self.num_pairs[split] != wanted
        ]
        if missed:
            notes.append(
                f"no choice found of whole sequences that gives the counts asked for; off by {', '.join(missed)}"
            )
        return notes


def split_folder(
    data: Path,
    wanted: Mapping[str, str | None],
    *,
    table: Path | None = None,
    gap_s: float = GAP_S,
    seed: int = 0,
    overwrite: bool = False,
) -> Division:
    """Divide a data folder and write the columns `split` and `scene` (the sequence) of its index.

    All other columns and the order of the rows stay; a folder without an index gets one.

    Args:
        data: folder as `find_pairs` takes it.
        wanted: of train, val and test, as `count_pairs` takes it.
        table: sequences by hand, see `find_sequences`.
        gap_s: see `find_sequences`.
        seed: which of the equally good divisions is taken.
        overwrite: replace a split, or sequences, that the index holds already.

    Raises:
        UserError: pairs or table that cannot be used, counts that cannot be met, fewer sequences than splits, or
            columns that would be lost.
    """
    pairs = find_pairs(data)
    index = data / INDEX_NAME
    counts = count_pairs(wanted, len(pairs))
    if not overwrite:
        if any(pair.columns.get("split") for pair in pairs):
            raise UserError(f"{index}: holds a split already; use --overwrite to replace it")
        if table is not None and tells_sequences(pairs, "scene"):
            raise UserError(f"{index}: column scene tells sequences already; use --overwrite to replace it by {table}")
    division = _divide(pairs, find_sequences(pairs, table, gap_s), counts, seed)
    write_atomic(index, _index(data, pairs, division).encode(errors="surrogateescape"))
    return division


def count_pairs(wanted: Mapping[str, str | None], num_pairs: int) -> dict[str, int]:
    """How many pairs each split shall have, and how many stay unused.

    Args:
        wanted: whole numbers of pairs (`97`), or fractions of them all (`0.1`), by split; None for what is left by
            the others, at most once.
        num_pairs: of the folder.

    Raises:
        UserError: not a number, counts mixed with fractions, more than there is, or too few given.
    """
    given = {split: text for split, text in wanted.items() if text is not None}
    options = ", ".join(f"--{split} {text}" for split, text in given.items())
    if len(wanted) - len(given) > 1:
        raise UserError(f"of {', '.join(f'--{split}' for split in wanted)} only one may be left out; give the others")
    try:
        numbers = {split: float(text) if "." in text else int(text) for split, text in given.items()}
    except ValueError as error:
        raise UserError(f"{options}: give numbers of pairs, such as 97, or fractions, such as 0.1") from error
    kinds = {type(number) for number in numbers.values() if number}
    if len(kinds) > 1:
        raise UserError(f"{options}: mixes numbers of pairs with fractions; give all as one or the other")
    whole = 1.0 if kinds == {float} else num_pairs
    left = whole - sum(numbers.values())
    if not all(number >= 0 for number in numbers.values()) or left < -1e-9:
        raise UserError(f"{options}: there are {num_pairs} pairs, of which fractions make up 1; ask for less")
    shares = {split: numbers.get(split, left) for split in wanted}
    # The ends are rounded, not the parts, so that together they are never more than there are.
    ends = np.rint(np.cumsum([0, *shares.values()]) * (num_pairs / whole)).astype(int)
    counts = dict(zip(shares, np.diff(ends).tolist(), strict=True))
    if empty := [split for split, share in shares.items() if share > 1e-9 and not counts[split]]:
        raise UserError(
            f"{options}: of {num_pairs} pairs that leaves none for {', '.join(empty)}; give numbers of pairs"
        )
    return counts | {UNUSED: num_pairs - sum(counts.values())}


def _divide(pairs: Sequence[Pair], sequences: Sequences, counts: Mapping[str, int], seed: int) -> Division:
    if sequences.run:
        ends = np.cumsum(list(counts.values()))
        parts = {split: sequences.run[end - counts[split] : end] for split, end in zip(counts, ends, strict=True)}
        cut = {number: (split, name_part(pairs, part)) for split, part in parts.items() for number in part}
        splits, names = zip(*(cut[number] for number in range(len(pairs))), strict=True)
        return Division(Sequences(names, sequences.source, sequences.run), splits, counts)
    sizes = Counter(sequences.names)
    splits_wanted = [split for split in counts if split != UNUSED and counts[split]]
    if len(sizes) < len(splits_wanted):
        raise UserError(
            f"{len(splits_wanted)} splits ({', '.join(splits_wanted)}) cannot be made of {len(sizes)} "
            f"sequence{'s' * (len(sizes) > 1)} ({sequences.source}); tell finer ones with --sequences"
        )
    dealt = deal(np.array(list(sizes.values())), np.array(list(counts.values())), seed)
    split_of = {name: list(counts)[place] for name, place in zip(sizes, dealt.tolist(), strict=True)}
    return Division(sequences, tuple(split_of[name] for name in sequences.names), counts)


def deal(sizes: NDArray[np.int64], targets: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Deal items out to bins, so that the sizes in each bin add up to its target, or as nearly as can be.

    A dynamic programme over all sums that the bins can have, largest items first. Where there are too many different
    ones (MAX_SUMS), those that overfill the least are kept, and of equal ones a random choice; until then it is
    exhaustive.

    Args:
        sizes: (N,), of the items, at least 1.
        targets: (B,), adding up to what the sizes do; a bin of target 0 stays empty if that is possible.
        seed: of the choice between equals.

    Returns:
        (N,): the bin of each item. No bin but the last is empty where its target is not.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    num_kept = max(MAX_SUMS // len(sizes), MIN_SUMS)
    digits = (sizes.sum() + 1) ** np.arange(len(targets) - 1)  # makes one number of a sum; the last bin has the rest
    sums = np.zeros((1, len(targets)), np.int64)
    steps = []  # for each item: which of the earlier sums each kept one came from, and by which bin
    for size in sizes[order]:
        added = (sums[:, None] + size * np.eye(len(targets), dtype=np.int64)).reshape(-1, len(targets))
        shuffled = rng.permutation(len(added))
        _, firsts = np.unique(added[shuffled, :-1] @ digits, return_index=True)
        kept = rng.permutation(shuffled[firsts])
        if len(kept) > num_kept:
            overfull = np.maximum(added[kept] - targets, 0).sum(axis=1)
            kept = kept[np.argsort(overfull, kind="stable")[:num_kept]]
        sums = added[kept]
        steps.append((kept // len(targets), kept % len(targets)))
    empty = ((sums[:, :-1] == 0) & (targets[:-1] > 0)).sum(axis=1)
    best = int(np.lexsort((np.abs(sums - targets).sum(axis=1), empty))[0])
    bins = np.empty(len(sizes), np.int64)
    for item, (earlier, chosen) in zip(order[::-1], reversed(steps), strict=True):
        bins[item] = chosen[best]
        best = int(earlier[best])
    return bins


def _index(data: Path, pairs: Sequence[Pair], division: Division) -> str:
    """The table with its two columns new or renewed; a folder without one gets one that names the same files."""
    text = io.StringIO()
    rows = [pair.columns or _row(data, pair) for pair in pairs]
    names = dict.fromkeys(name for row in rows for name in row) | dict.fromkeys(["scene", "split"])
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row, sequence, split in zip(rows, division.sequences.names, division.splits, strict=True):
        writer.writerow(row | {"scene": sequence, "split": split})
    return text.getvalue()


def _row(data: Path, pair: Pair) -> dict[str, str]:
    files = {"infrared": pair.infrared, "rgb": pair.rgb} | ({"mask": pair.mask} if pair.mask else {})
    return {"stem": pair.stem, **{kind: file.relative_to(data).as_posix() for kind, file in files.items()}}
