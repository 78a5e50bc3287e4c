import csv
from pathlib import Path

import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.pairs.index import find_pairs
from ircolor.pairs.protocols import split_pairs
from ircolor.pairs.splitting import count_pairs, deal, split_folder
from tests.tiny_pairs import write_index, write_mask, write_pairs

DRIVES = [f"drive{drive}_{frame:03d}" for drive, length in enumerate((6, 3, 2, 1)) for frame in range(length)]


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("seed", range(20))
def test_counts_are_met_wherever_that_is_possible(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 40, 9)
    targets = np.bincount(rng.integers(0, 4, 9), sizes, minlength=4).astype(np.int64)
    dealt = np.bincount(deal(sizes, targets, seed), sizes, minlength=4)
    np.testing.assert_array_equal(dealt, targets)


def test_counts_that_cannot_be_met_are_met_as_nearly_as_can_be() -> None:
    sizes, targets = np.array([50, 40, 11, 9]), np.array([88, 12, 10, 0])
    dealt = np.bincount(deal(sizes, targets, 0), sizes, minlength=4)
    np.testing.assert_array_equal(dealt, [90, 11, 9, 0])


def test_no_split_stays_empty_though_the_counts_would_be_nearer_so() -> None:
    dealt = deal(np.array([100, 50, 48]), np.array([180, 10, 8, 0]), 0)
    assert set(dealt.tolist()) == {0, 1, 2}


def test_the_numbers_of_the_paper_work_for_drives_and_for_one_long_run() -> None:
    rng = np.random.default_rng(2018)
    lengths = rng.multinomial(1978, rng.dirichlet(np.ones(40)))
    targets = np.array([1806, 97, 75, 0])
    for sizes in (lengths[lengths > 0], np.ones(1978, np.int64)):
        np.testing.assert_array_equal(np.bincount(deal(sizes, targets, 0), sizes, minlength=4), targets)


def test_whole_sequences_are_written_into_a_new_index(tmp_path: Path) -> None:
    write_pairs(tmp_path, DRIVES)
    division = split_folder(tmp_path, {"train": "7", "val": "3", "test": None})
    assert division.num_pairs == {"train": 7, "val": 3, "test": 2, "": 0}
    assert division.num_sequences == {"train": 2, "val": 1, "test": 1, "": 0}
    assert not division.notes
    written = rows(tmp_path)
    assert [row["stem"] for row in written] == DRIVES
    assert {row["split"] for row in written if row["stem"].startswith("drive1")} == {"val"}
    assert {row["scene"] for row in written if row["split"] == "test"} == {"drive2_000..drive2_001"}
    assert [pair.stem for pair in split_pairs(tmp_path, None, "val")] == DRIVES[6:9]


def test_masks_of_a_folder_stay_with_their_pairs(tmp_path: Path) -> None:
    write_pairs(tmp_path, [f"{number}" for number in range(4)])
    write_mask(tmp_path, "2", np.ones((40, 48), np.bool_))
    before = find_pairs(tmp_path)
    split_folder(tmp_path, {"train": "2", "val": "1", "test": "1"})
    assert [pair.mask for pair in find_pairs(tmp_path)] == [pair.mask for pair in before]


def test_rows_and_columns_of_an_index_stay_as_they_are(tmp_path: Path) -> None:
    write_pairs(tmp_path, DRIVES)
    before = [{"stem": stem, "camera": f"{stem[::-1]}, left"} for stem in DRIVES[::-1]]
    write_index(tmp_path, before)
    split_folder(tmp_path, {"train": "0.5", "val": "0.25", "test": "0.25"})
    after = rows(tmp_path)
    assert [{"stem": row["stem"], "camera": row["camera"]} for row in after] == before
    assert list(after[0]) == ["infrared", "rgb", "stem", "camera", "scene", "split"]


def test_the_seed_decides_and_the_same_seed_decides_the_same(tmp_path: Path) -> None:
    write_pairs(tmp_path, [f"{drive}_{frame}" for drive in "abcdefgh" for frame in range(2)], size=(4, 4))
    wanted = {"train": "8", "val": "4", "test": "4"}
    splits = [split_folder(tmp_path, wanted, seed=seed, overwrite=True).splits for seed in (0, 0, 1, 2)]
    assert splits[0] == splits[1]
    assert len(set(splits)) > 1


def test_one_long_run_is_cut_into_blocks_and_said_so(tmp_path: Path) -> None:
    write_pairs(tmp_path, [f"{number:04d}" for number in range(12)])
    division = split_folder(tmp_path, {"train": "6", "val": "3", "test": "2"})
    assert [row["split"] for row in rows(tmp_path)] == ["train"] * 6 + ["val"] * 3 + ["test"] * 2 + [""]
    assert rows(tmp_path)[6]["scene"] == "0006..0008"
    assert "blocks of neighbours" in division.notes[0]
    again = split_folder(tmp_path, {"train": "4", "val": "4", "test": "4"}, overwrite=True)
    assert again.num_pairs == {"train": 4, "val": 4, "test": 4, "": 0}  # not held by the blocks of the first time


def test_a_miss_is_told(tmp_path: Path) -> None:
    write_pairs(tmp_path, DRIVES)
    division = split_folder(tmp_path, {"train": "4", "val": "4", "test": "4"})
    missed = {split: division.num_pairs[split] - 4 for split in ("train", "val", "test")}
    assert sum(map(abs, missed.values())) == 4
    assert all(f"{split} {missed[split]:+d}" in division.notes[0] for split in missed if missed[split])


def test_a_split_by_frame_is_told(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["20181007_142530", "20181007_152530", "20181007_162530"])
    assert "split by frame" in split_folder(tmp_path, {"train": "1", "val": "1", "test": "1"}).notes[0]


def test_what_the_index_holds_is_replaced_only_on_demand(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a", "b", "c"])
    write_index(tmp_path, [{"stem": stem, "scene": f"s{stem}", "split": ""} for stem in "abc"])
    table = tmp_path / "drives.csv"
    table.write_text("stem,sequence\na,1\nb,2\nc,3\n")
    wanted = {"train": "1", "val": "1", "test": "1"}
    with pytest.raises(UserError, match="column scene tells sequences already; use --overwrite"):
        split_folder(tmp_path, wanted, table=table)
    split_folder(tmp_path, wanted)
    before = (tmp_path / "index.csv").read_bytes()
    with pytest.raises(UserError, match="holds a split already; use --overwrite"):
        split_folder(tmp_path, wanted)
    assert (tmp_path / "index.csv").read_bytes() == before
    split_folder(tmp_path, wanted, table=table, overwrite=True)
    assert [row["scene"] for row in rows(tmp_path)] == ["1", "2", "3"]


def test_fewer_sequences_than_splits(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a", "b", "c"])
    table = tmp_path / "drives.csv"
    table.write_text("stem,sequence\na,1\nb,1\nc,1\n")
    with pytest.raises(
        UserError, match=r"3 splits \(train, val, test\) cannot be made of 1 sequence \(as .*drives.csv"
    ):
        split_folder(tmp_path, {"train": "1", "val": "1", "test": "1"}, table=table)
    assert not (tmp_path / "index.csv").exists()


def counts(train: str | None, val: str | None, test: str | None) -> list[int]:
    return list(count_pairs({"train": train, "val": val, "test": test}, 1978).values())


def test_counts_and_fractions() -> None:
    assert counts("1806", "97", "75") == [1806, 97, 75, 0]
    assert counts("1806", "97", None) == [1806, 97, 75, 0]
    assert counts("1000", "97", "75") == [1000, 97, 75, 806]
    assert counts("0.8", "0.1", "0.1") == [1582, 198, 198, 0]
    assert counts(None, ".1", "0") == [1780, 198, 0, 0]
    assert sum(counts("0.5", "0.1", "0.1")) == 1978


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (("1806", "98", "75"), "there are 1978 pairs"),
        (("0.8", "0.2", "0.1"), "fractions make up 1; ask for less"),
        (("1.5", None, "0.1"), "fractions make up 1"),
        (("-1", "2", "3"), "ask for less"),
        (("1806", "0.1", "75"), "mixes numbers of pairs with fractions"),
        (("many", "1", "1"), "--train many, --val 1, --test 1: give numbers"),
        (("1806", None, None), "only one may be left out"),
        ((None, "0.0001", "0.0001"), "of 1978 pairs that leaves none for val, test; give numbers"),
    ],
)
def test_counts_that_make_no_sense(wanted: tuple[str | None, str | None, str | None], message: str) -> None:
    with pytest.raises(UserError, match=message):
        counts(*wanted)
