"""Protocols: which pairs train, which choose, which are reported on.

All public NIR sets descend from one, so they overlap by scene. A protocol is the only way from a data folder
to a split, and none but `paper-like`, whose leak is its purpose, lets a scene of val or test into training.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ircolor.errors import UserError
from ircolor.pairs.index import INDEX_NAME, Pair, find_pairs

SPLITS = ("train", "val", "test", "test-clean")
Splits = dict[str, list[Pair]]

NUM_VCIP_VALIDATION = 22
# Test pairs of the challenge that are pixel-identical to training pairs.
VCIP_LEAKED = frozenset({"0003", "0006", "0015", "0016", "0017", "0019", "0024", "0028"})

PAPER_LIKE_CATEGORIES = ("street", "urban", "oldbuilding", "country")
PAPER_LIKE_CROPS = {"train": 1806, "val": 97, "test": 75}
PAPER_LIKE_CROP_PX = 224
PAPER_LIKE_SEED = 2018


@dataclass(frozen=True)
class Protocol:
    """A named way to split a data folder.

    Attributes:
        name: what the command line calls it.
        summary: one line for people.
        split: from all pairs of a folder to its splits.
        leaks_scenes: scenes stand on both sides by design; scores compare with nothing outside the protocol.
    """

    name: str
    summary: str
    split: Callable[[Sequence[Pair]], Splits]
    leaks_scenes: bool = False


def split_pairs(data: Path, protocol: str | None, split: str) -> list[Pair]:
    """The pairs of one split of a data folder.

    Args:
        data: folder as `find_pairs` takes it.
        protocol: a name of `PROTOCOLS`; None for `nirscene` where the folder's index has its column, else `folder`.
        split: train, val or test; `vcip2020` also has test-clean.

    Raises:
        UserError: unknown protocol or split, an empty split, or pairs that `find_pairs` cannot use.
    """
    pairs = find_pairs(data)
    chosen = find_protocol(pairs, protocol)
    splits = chosen.split(pairs)
    if not chosen.leaks_scenes:
        _refuse_leaks(splits, chosen.name)
    if split not in splits:
        raise UserError(f"protocol {chosen.name} has no split {split}; it has: {', '.join(splits)}")
    if not splits[split]:
        mend = "give pairs of three scenes or more, or a column split" if chosen.name == "folder" else "see --protocol"
        raise UserError(f"{data}: no pairs for split {split} of protocol {chosen.name} ({chosen.summary}); {mend}")
    return splits[split]


def training_pairs(data: Path, protocol: str | None, include_val: bool) -> tuple[list[Pair], list[Pair]]:
    """The pairs to train on, and those to validate on: none where `include_val` lets training have these, too.

    Raises:
        UserError: as `split_pairs`.
    """
    train, val = (split_pairs(data, protocol, split) for split in ("train", "val"))
    return ([*train, *val], []) if include_val else (train, val)


def find_protocol(pairs: Sequence[Pair], name: str | None) -> Protocol:
    """The protocol of a name, or the default one of these pairs; UserError where there is none of that name."""
    found = PROTOCOLS.get(name or default_protocol(pairs))
    if found is None:
        raise UserError(f"no protocol is called {name}; there are: {', '.join(PROTOCOLS)}")
    return found


def default_protocol(pairs: Sequence[Pair]) -> str:
    """The protocol that fits a folder when none is named."""
    return "nirscene" if "nirscene_split" in pairs[0].columns else "folder"


def _by_column(column: str) -> Callable[[Sequence[Pair]], Splits]:
    def split(pairs: Sequence[Pair]) -> Splits:
        return {name: [pair for pair in pairs if pair.columns.get(column) == name] for name in ("train", "val", "test")}

    return split


def _nirscene(pairs: Sequence[Pair]) -> Splits:
    splits = _by_column("nirscene_split")(pairs)
    splits["train"] += [pair for pair in pairs if pair.columns.get("nirscene_split") == "aux"]
    return splits


def _vcip2020(pairs: Sequence[Pair]) -> Splits:
    train = [pair for pair in pairs if pair.columns.get("vcip_split") == "train"]
    test = [pair for pair in pairs if pair.columns.get("vcip_split") == "test"]
    validation = _scenes_of(train, NUM_VCIP_VALIDATION)
    return {
        "train": [pair for pair in train if pair.scene not in validation],
        "val": [pair for pair in train if pair.scene in validation],
        "test": test,
        "test-clean": [pair for pair in test if pair.stem[-4:] not in VCIP_LEAKED],
    }


def _scenes_of(pairs: Sequence[Pair], num_pairs: int) -> set[str]:
    """Whole scenes, drawn by the hash of their names, that hold `num_pairs` pairs together (or just fewer)."""
    members: dict[str, int] = defaultdict(int)
    for pair in pairs:
        members[pair.scene] += 1
    chosen: set[str] = set()
    for scene in sorted(members, key=lambda name: hashlib.sha256(os.fsencode(name)).digest()):
        if members[scene] <= num_pairs:
            chosen.add(scene)
            num_pairs -= members[scene]
    return chosen


def _paper_like(pairs: Sequence[Pair]) -> Splits:
    """Random crops of the same scenes in all splits, as frames of the same drives were in Hibikino."""
    sources = [
        pair
        for pair in pairs
        if pair.columns.get("dataset") == "nirscene" and pair.scene.startswith(PAPER_LIKE_CATEGORIES)
        if min(_size_px(pair)) >= PAPER_LIKE_CROP_PX
    ]
    if not sources:
        return {name: [] for name in PAPER_LIKE_CROPS}
    rng = np.random.default_rng(PAPER_LIKE_SEED)
    size = PAPER_LIKE_CROP_PX
    splits: Splits = {}
    for name, count in PAPER_LIKE_CROPS.items():
        crops = []
        for number in range(count):
            pair = sources[rng.integers(len(sources))]
            height, width = _size_px(pair)
            top, left = int(rng.integers(height - size + 1)), int(rng.integers(width - size + 1))
            crops.append(replace(pair, stem=f"{pair.stem}_{name}{number:04d}", crop=(top, left, size, size)))
        splits[name] = crops
    return splits


def _size_px(pair: Pair) -> tuple[int, int]:
    """Height and width as the index gives them."""
    try:
        return int(pair.columns["height"]), int(pair.columns["width"])
    except (KeyError, ValueError) as error:
        raise UserError(f"{INDEX_NAME}: protocol paper-like needs whole numbers in columns width and height") from error


def _folder(pairs: Sequence[Pair]) -> Splits:
    """By the column `split` where there is one, else 80/10/10 in blocks of neighbouring stems, never by frame."""
    if "split" in pairs[0].columns:
        unknown = sorted({pair.columns["split"] for pair in pairs} - {"train", "val", "test", ""})
        if unknown:
            raise UserError(f"{INDEX_NAME}: column split holds {', '.join(unknown)}; use train, val, test or nothing")
        return _by_column("split")(pairs)
    scenes = sorted({pair.scene for pair in pairs})
    num_held_out = max(1, round(len(scenes) / 10)) if len(scenes) > 2 else 0
    test, val = set(scenes[len(scenes) - num_held_out :]), set(scenes[len(scenes) - 2 * num_held_out :])
    return {
        "train": [pair for pair in pairs if pair.scene not in val],
        "val": [pair for pair in pairs if pair.scene in val - test],
        "test": [pair for pair in pairs if pair.scene in test],
    }


def _refuse_leaks(splits: Splits, name: str) -> None:
    scenes = {split: {pair.scene for pair in splits[split]} for split in ("train", "val", "test")}
    held_out = scenes["val"] | scenes["test"]
    leaked = sorted((scenes["train"] & held_out) | (scenes["val"] & scenes["test"]))
    if leaked:
        raise UserError(
            f"protocol {name}: scenes stand in more than one of train, val and test, so scores would lie: "
            f"{', '.join(leaked[:5])}{' ...' if len(leaked) > 5 else ''}; mend the split column of {INDEX_NAME}"
        )


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "nirscene",
            "train and aux rows of nirscene_split; test: 42 whole images of unseen scenes",
            _nirscene,
        ),
        Protocol(
            "vcip2020",
            "350 of the 372 challenge pairs; val: 22 by scene; test: the 28 challenge pairs",
            _vcip2020,
        ),
        Protocol(
            "paper-like",
            "224 px crops of the same scenes in all splits, as leaky as Hibikino",
            _paper_like,
            True,
        ),
        Protocol("roadscene", "thermal road scenes: 141, 15, 25", _by_column("roadscene_split")),
        Protocol("folder", "column split of the index; else 80/10/10 in blocks of neighbouring stems", _folder),
    )
}
