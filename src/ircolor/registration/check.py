"""Look for what is wrong with a folder of pairs: leaks between splits, misalignment, files that are of no use."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError, brief
from ircolor.pairs.duplicates import Fingerprint, Group, exact_groups, fingerprint, near_groups
from ircolor.pairs.index import INDEX_NAME, NUM_READERS, Pair, SizeMismatchError, list_pairs
from ircolor.pairs.protocols import Splits, default_protocol, find_protocol
from ircolor.registration.verdict import MAX_RESIDUAL

Kind = Literal[
    "exact duplicates",
    "near duplicates",
    "scene on both sides",
    "missing file",
    "unreadable",
    "size mismatch",
    "under-exposed",
    "over-exposed",
    "gray RGB",
    "misaligned",
]
Misalignment = Callable[[NDArray[np.uint8], NDArray[np.uint8]], float]
SPLIT_NAMES = ("train", "val", "test")

# Beyond all of the 956 real pairs at hand, night scenes included: there the bright end holds at most 0.38 of an image,
# the dark end 0.19; the mean lies in 33 ... 208; and the spread of the channels is at least 15.
ENDS = (2, 253)
MAX_SHARE_AT_END = 0.5
MEANS = (10, 245)
MAX_GRAY_SPREAD = 6  # between the channels, of all but one in a hundred pixels: what JPEG leaves of gray
MAX_MISALIGNMENT_PX = 3.0


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: what.
        grave: pairs of one split give away those of another: scores would lie.
        stems: the pairs concerned, by their RGB file where a stem is not unique in its split; none where a file
            belongs to no pair.
        splits: of each of them.
        detail: for people.
    """

    kind: Kind
    grave: bool
    stems: tuple[str, ...]
    splits: tuple[str, ...]
    detail: str


@dataclass(frozen=True)
class _Look:
    """What is kept of a pair once it was decoded; no fingerprints where it could not be."""

    faults: list[tuple[Kind, str]]
    rgb: Fingerprint | None = None
    infrared: Fingerprint | None = None


def find_splits(data: Path, protocol: str | None = None) -> tuple[Splits, list[Finding]]:
    """The splits of a folder as they are, leaks and all.

    By the protocol, if one is named; by the sub-folders train/, val/ and test/, each a data folder; by the column
    `split`; by the protocol that fits the folder; by the only column whose name ends in `split`. Else all pairs are one
    split, called `all`. Pairs that are in no split are left out.

    Returns:
        The splits, and a finding for each file that is missing.

    Raises:
        UserError: no such folder, nothing in it, or an unknown protocol.
    """
    folders = [data / name for name in SPLIT_NAMES if (data / name).is_dir()]
    if folders and protocol is None and not (data / INDEX_NAME).is_file():
        parts = {folder.name: list_pairs(folder) for folder in folders}
        missing = [problem for _, problems in parts.values() for problem in problems]
        return {name: pairs for name, (pairs, _) in parts.items()}, _missing(missing)
    pairs, missing = list_pairs(data)
    return _split(pairs, protocol) if pairs else {}, _missing(missing)


def check_splits(
    splits: Splits,
    misalignment_px: Misalignment,
    show: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Finding]:
    """Decode all pairs and say what is wrong with them, the gravest first.

    Args:
        splits: as `find_splits` finds them.
        misalignment_px: how far RGB (H, W, 3) and infrared (H, W), both uint8, are off each other, in px; NaN where
            it cannot be told.
        show: is called with the number of pairs done and of all, after each.
    """
    members = [(split, pair) for split, pairs in splits.items() for pair in pairs]
    looks = []
    for look in _looks([pair for _, pair in members], misalignment_px):
        looks.append(look)
        show(len(looks), len(members))

    uses = Counter((split, pair.stem) for split, pair in members)
    names = [pair.stem if uses[split, pair.stem] == 1 else str(pair.rgb) for split, pair in members]

    def finding(kind: Kind, numbers: Sequence[int], detail: str) -> Finding:
        found_in = tuple(members[number][0] for number in numbers)
        return Finding(kind, len(set(found_in)) > 1, tuple(names[number] for number in numbers), found_in, detail)

    decoded = [number for number, look in enumerate(looks) if look.rgb]
    prints = {
        "rgb": [look.rgb for look in looks if look.rgb],
        "infrared": [look.infrared for look in looks if look.infrared],
    }
    findings = [finding(kind, [decoded[place] for place in group], detail) for kind, group, detail in _alike(prints)]
    scenes = defaultdict(list)
    for number, (_, pair) in enumerate(members):
        if pair.columns.get("scene"):  # what the stem says holds within a folder only
            scenes[pair.scene].append(number)
    shared = (finding("scene on both sides", numbers, scene) for scene, numbers in scenes.items())
    findings += [scene for scene in shared if scene.grave]
    findings += [finding(kind, [number], detail) for number, look in enumerate(looks) for kind, detail in look.faults]
    return sorted(findings, key=lambda one: not one.grave)


def _missing(problems: Sequence[str]) -> list[Finding]:
    return [Finding("missing file", False, (), (), problem) for problem in problems]


def _split(pairs: Sequence[Pair], protocol: str | None) -> Splits:
    columns = [column for column in pairs[0].columns if column.endswith("split")]
    if protocol is not None or ("split" not in columns and default_protocol(pairs) != "folder"):
        chosen = find_protocol(pairs, protocol)
        splits = chosen.split(pairs)
        found = {name: splits[name] for name in SPLIT_NAMES}  # the others are parts of these
        if not any(found.values()):
            raise UserError(f"protocol {chosen.name} has no pairs here ({chosen.summary}); choose another --protocol")
    else:
        column = "split" if "split" in columns else columns[0] if len(columns) == 1 else ""
        names = dict.fromkeys(pair.columns.get(column, "") for pair in pairs)
        found = {name: [pair for pair in pairs if pair.columns.get(column) == name] for name in names if name}
    return {name: members for name, members in found.items() if members} or {"all": list(pairs)}


def _looks(pairs: Sequence[Pair], misalignment_px: Misalignment) -> Iterator[_Look]:
    """Of each pair, in order and in parallel."""
    look = partial(_look, misalignment_px=misalignment_px)
    with ThreadPoolExecutor(NUM_READERS) as pool:
        # In portions, so that an interruption need not wait for all.
        for start in range(0, len(pairs), 8 * NUM_READERS):
            yield from pool.map(look, pairs[start : start + 8 * NUM_READERS])


def _look(pair: Pair, misalignment_px: Misalignment) -> _Look:
    try:
        infrared, rgb = pair.read()
    except SizeMismatchError as error:
        return _Look([("size mismatch", brief(error))])
    except UserError as error:
        return _Look([("unreadable", brief(error))])
    faults = [*_exposure(rgb, "RGB"), *_exposure(infrared, "infrared")]
    spread = float(np.percentile(rgb.max(axis=2) - rgb.min(axis=2), 99))
    if spread <= MAX_GRAY_SPREAD:
        faults.append(("gray RGB", f"its channels differ by {spread:.0f} of 255"))
    shift_px = misalignment_px(rgb, infrared)
    if shift_px > max(MAX_MISALIGNMENT_PX, MAX_RESIDUAL * max(infrared.shape)):
        faults.append(("misaligned", f"by {shift_px:.1f} px"))
    return _Look(faults, fingerprint(rgb), fingerprint(infrared))


def _exposure(pixels: NDArray[np.uint8], name: str) -> Iterator[tuple[Kind, str]]:
    mean = float(pixels.mean())
    dark, bright = float((pixels <= ENDS[0]).mean()), float((pixels >= ENDS[1]).mean())
    if dark > MAX_SHARE_AT_END or mean < MEANS[0]:
        yield "under-exposed", f"{name}: mean {mean:.0f}, {dark:.0%} black"
    if bright > MAX_SHARE_AT_END or mean > MEANS[1]:
        yield "over-exposed", f"{name}: mean {mean:.0f}, {bright:.0%} white"


def _alike(prints: Mapping[str, Sequence[Fingerprint]]) -> Iterator[tuple[Kind, Group, str]]:
    """Groups of duplicates with what is alike in them; those that only repeat a part of an earlier one are left out."""
    told: dict[int, list[set[int]]] = defaultdict(list)
    steps: tuple[tuple[Kind, str, Callable[[Sequence[Fingerprint]], list[Group]]], ...] = (
        ("exact duplicates", "", exact_groups),
        ("near duplicates", "", near_groups),
        ("near duplicates", ", mirrored", partial(near_groups, mirrored=True)),
    )
    for kind, remark, find_groups in steps:
        images = defaultdict(list)
        for name, group in ((name, group) for name, members in prints.items() for group in find_groups(members)):
            images[group].append(name)
        for group in sorted(images, key=len, reverse=True):
            if any(earlier.issuperset(group) for earlier in told[group[0]]):
                continue
            yield kind, group, " and ".join(images[group]) + remark
            for number in group:
                told[number].append(set(group))
