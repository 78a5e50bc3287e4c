from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ircolor.errors import UserError
from ircolor.pairs.index import Pair
from ircolor.pairs.protocols import PROTOCOLS, split_pairs
from tests.tiny_pairs import DATA, real_data, write_index, write_pairs

SPLITS = ("train", "val", "test")


def make_pair(stem: str, scene: str, **columns: str) -> Pair:
    return Pair(stem, Path(f"{stem}-ir.png"), Path(f"{stem}.png"), scene, columns)


def scenes(pairs: Iterable[Pair]) -> set[str]:
    return {pair.scene for pair in pairs}


@real_data
def test_sizes_are_those_of_the_design() -> None:
    sizes = {
        protocol: [len(split_pairs(DATA, protocol, split)) for split in SPLITS]
        for protocol in ("nirscene", "paper-like", "roadscene")
    }
    assert sizes == {"nirscene": [128 + 455, 22, 42], "paper-like": [1806, 97, 75], "roadscene": [141, 15, 25]}
    assert [len(split_pairs(DATA, "vcip2020", split)) for split in ("train", "val")] == [350, 22]


@real_data
@pytest.mark.parametrize("protocol", ["nirscene", "vcip2020", "roadscene"])
def test_no_scene_of_val_or_test_is_in_training(protocol: str) -> None:
    splits = PROTOCOLS[protocol].split(split_all())
    held_out = [pair for name, pairs in splits.items() if name != "train" for pair in pairs]
    assert held_out
    assert not scenes(splits["train"]) & scenes(held_out)
    assert not {pair.rgb for pair in splits["train"]} & {pair.rgb for pair in held_out}


@real_data
def test_nirscene_trains_on_no_excluded_row() -> None:
    used = {pair.columns["nirscene_split"] for pair in split_pairs(DATA, "nirscene", "train")}
    assert used == {"train", "aux"}
    assert all(pair.columns["band"] == "NIR" for pair in split_pairs(DATA, "nirscene", "train"))


@real_data
def test_paper_like_crops_lie_within_their_images_and_the_same_every_time() -> None:
    crops = split_pairs(DATA, "paper-like", "test")
    assert crops == split_pairs(DATA, "paper-like", "test")
    for pair in crops:
        assert pair.crop is not None
        top, left, height, width = pair.crop
        assert (height, width) == (224, 224)
        assert top + height <= int(pair.columns["height"])
        assert left + width <= int(pair.columns["width"])
        assert pair.scene.split("_")[0] in ("street", "urban", "oldbuilding", "country")
    infrared, rgb = crops[0].read()
    assert (infrared.shape, rgb.shape) == ((224, 224), (224, 224, 3))


def split_all() -> list[Pair]:
    from ircolor.pairs.index import find_pairs

    return find_pairs(DATA)


def test_nirscene_takes_aux_rows_for_training_and_never_excluded_ones() -> None:
    splits = PROTOCOLS["nirscene"].split(
        [make_pair(split, split, nirscene_split=split) for split in ("train", "aux", "exclude", "val", "test", "")]
    )
    assert {name: [pair.stem for pair in pairs] for name, pairs in splits.items()} == {
        "train": ["train", "aux"],
        "val": ["val"],
        "test": ["test"],
    }


def test_vcip_tests_on_all_and_on_those_that_did_not_leak() -> None:
    tests = [make_pair(f"{number:04d}", f"t{number}", vcip_split="test") for number in range(1, 29)]
    trains = [make_pair(f"c{number}", f"s{number // 3}", vcip_split="train") for number in range(90)]
    splits = PROTOCOLS["vcip2020"].split([*tests, *trains])
    assert len(splits["test"]) == 28
    assert len(splits["test-clean"]) == 20
    assert len(splits["val"]) == 21  # whole scenes of three
    assert not scenes(splits["val"]) & scenes(splits["train"])


@given(st.lists(st.integers(0, 8), min_size=3, max_size=40))
def test_a_folder_without_splits_is_cut_between_scenes(scene_numbers: list[int]) -> None:
    pairs = [make_pair(str(number), f"scene{scene}") for number, scene in enumerate(scene_numbers)]
    splits = PROTOCOLS["folder"].split(pairs)
    assert Counter(pair.stem for members in splits.values() for pair in members) == Counter(p.stem for p in pairs)
    assert not scenes(splits["train"]) & scenes([*splits["val"], *splits["test"]])
    assert not scenes(splits["val"]) & scenes(splits["test"])
    assert splits["train"]


def test_a_split_column_that_leaks_a_scene_is_refused(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a", "b", "c"])
    rows = [
        {"stem": "a", "scene": "park", "split": "train"},
        {"stem": "b", "scene": "road", "split": "val"},
        {"stem": "c", "scene": "park", "split": "test"},
    ]
    write_index(tmp_path, rows)
    with pytest.raises(UserError, match="scores would lie: park"):
        split_pairs(tmp_path, None, "train")
    rows[2]["scene"] = "road"
    write_index(tmp_path, rows)
    with pytest.raises(UserError, match="scores would lie: road"):
        split_pairs(tmp_path, None, "test")
    rows[2] |= {"scene": "lake", "split": "Test"}
    write_index(tmp_path, rows)
    with pytest.raises(UserError, match="column split holds Test"):
        split_pairs(tmp_path, None, "test")
    rows[2]["split"] = "test"
    write_index(tmp_path, rows)
    assert [pair.stem for pair in split_pairs(tmp_path, None, "test")] == ["c"]


def test_unknown_names_are_answered_with_those_there_are(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a", "b", "c"])
    with pytest.raises(UserError, match="no protocol is called nirscenes; there are: nirscene, vcip2020"):
        split_pairs(tmp_path, "nirscenes", "train")
    with pytest.raises(UserError, match="no split trial; it has: train, val, test"):
        split_pairs(tmp_path, None, "trial")
    with pytest.raises(UserError, match="no pairs for split test of protocol nirscene"):
        split_pairs(tmp_path, "nirscene", "test")
