import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli.conftest import Done
from tests.pairs.test_duplicates import picture
from tests.registration.test_check import write
from tests.tiny_pairs import DATA, real_data, write_index, write_pairs

Run = Callable[..., Done]
DRIVES = [f"drive{drive}_{frame}" for drive, length in enumerate((6, 3, 2)) for frame in range(length)]


def test_split_prints_what_it_wrote(ircolor: Run, tmp_path: Path) -> None:
    write_pairs(tmp_path, DRIVES)
    done = ircolor("pairs", "split", tmp_path, "--train", "6", "--val", "3", "--test", "2")
    assert done.status == 0
    assert [line.split() for line in done.out.splitlines()][3:6] == [
        ["train", "6", "6", "1"],
        ["val", "3", "3", "1"],
        ["test", "2", "2", "1"],
    ]
    assert "unused" not in done.out
    assert "sequences: by the numbers in their names" in done.out
    assert done.err == ""
    with (tmp_path / "index.csv").open(newline="") as file:
        assert [row["split"] for row in csv.DictReader(file)] == ["train"] * 6 + ["val"] * 3 + ["test"] * 2


def test_split_says_by_how_much_it_missed(ircolor: Run, tmp_path: Path) -> None:
    write_pairs(tmp_path, DRIVES)
    done = ircolor("pairs", "split", tmp_path, "--train", "5", "--val", "3", "--test", "2")
    assert done.status == 0
    assert "train +1" in done.err.replace("\n", " ")


def test_split_refuses_in_one_line(ircolor: Run, tmp_path: Path) -> None:
    write_pairs(tmp_path, DRIVES)
    done = ircolor("pairs", "split", tmp_path, "--train", "60", "--val", "3", "--test", "2")
    assert done.status == 2
    assert (
        done.err
        == "error: --train 60, --val 3, --test 2: there are 11 pairs, of which fractions make up 1; ask for less\n"
    )


def test_check_of_sound_pairs(ircolor: Run, tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, str(number), picture(number))
    assert ircolor("pairs", "check", tmp_path) == Done(0, "all 3: nothing wrong\n", "")


def test_check_tells_findings_on_the_terminal_and_as_json(ircolor: Run, tmp_path: Path) -> None:
    data, file = tmp_path / "pairs", tmp_path / "findings.json"
    for stem, seed in (("a", 0), ("b", 1), ("c", 0)):
        write(data, stem, picture(seed))
    write_index(data, [{"stem": "a", "split": "train"}, {"stem": "b", "split": "train"}, {"stem": "c", "split": "val"}])
    done = ircolor("pairs", "check", data, "--json", file)
    assert done.status == 1
    assert "train 2, val 1: 1 x exact duplicates across splits" in done.out
    assert "LEAK" in done.out
    content = json.loads(file.read_text())
    assert content["num_pairs"] == {"train": 2, "val": 1}
    (found,) = content["findings"]
    assert (found["kind"], found["grave"], found["stems"], found["splits"]) == (
        "exact duplicates",
        True,
        ["a", "c"],
        ["train", "val"],
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_findings_are_kept_where_they_cannot_be_shown(tmp_path: Path) -> None:
    for stem in ("a", "b"):
        write(tmp_path, stem, picture(0))
    file = tmp_path / "findings.json"
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "ircolor", "pairs", "check", str(tmp_path), "--json", str(file)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.stderr.decode() == "error: standard output: No space left on device; free some, or send it elsewhere\n"
    assert len(json.loads(file.read_text())["findings"]) == 1


def test_names_that_the_terminal_does_not_know_are_told(tmp_path: Path) -> None:
    for stem in ("夜", "b"):
        write(tmp_path, stem, picture(0))
    command = [sys.executable, "-m", "ircolor", "pairs", "check", str(tmp_path)]
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"\\u591c" in done.stdout


def test_a_large_group_is_shortened_but_shows_the_split_it_leaks_into(ircolor: Run, tmp_path: Path) -> None:
    stems = [f"{number:02d}" for number in range(20)]
    for stem in stems:
        write(tmp_path, stem, picture(0))
    write_index(tmp_path, [{"stem": stem, "split": "test" if stem == "19" else "train"} for stem in stems])
    out = ircolor("pairs", "check", tmp_path).out
    assert "test  19" in out
    assert "and 8 more" in out


def test_piped_findings_keep_long_stems_on_one_line(ircolor: Run, tmp_path: Path) -> None:
    stem = "a_drive_of_which_the_name_is_longer_than_a_terminal_is_wide_" + "0123456789" * 5
    for name in (stem, "b"):
        write(tmp_path, name, picture(0))
    assert stem in ircolor("pairs", "check", tmp_path).out


def test_check_of_a_folder_of_which_nothing_can_be_read(ircolor: Run, tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a"])
    (tmp_path / "rgb" / "a.png").unlink()
    done = ircolor("pairs", "check", tmp_path)
    assert done.status == 1
    assert "no pairs: 1 x missing file" in done.out


@real_data
@pytest.mark.parametrize("layout", ["index", "folders", "none"])
def test_eight_repeated_pairs_of_the_challenge_are_named_and_no_others(
    ircolor: Run, tmp_path: Path, layout: str
) -> None:
    with (DATA / "index.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == "vcip2020"]
    repeated = rows[::50]
    members = [(row, row["stem"], "train") for row in rows]
    members += [(row, f"test_{number:04d}", "test") for number, row in enumerate(repeated)]
    for row, stem, split in members:
        for kind in ("infrared", "rgb"):
            target = (tmp_path / split if layout == "folders" else tmp_path) / kind / f"{stem}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            if stem.endswith(("1", "3")) and split == "test":
                pixels = np.asarray(cv2.imread(str(DATA / row[kind]), cv2.IMREAD_UNCHANGED))
                assert cv2.imwrite(str(target), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])
            else:
                shutil.copyfile(DATA / row[kind], target)
    if layout == "index":
        write_index(tmp_path, [{"stem": stem, "split": split} for _, stem, split in members])
    done = ircolor("pairs", "check", tmp_path, "--json", tmp_path / "findings.json")
    assert done.status == 1
    findings = json.loads((tmp_path / "findings.json").read_text())["findings"]
    found = {frozenset(one["stems"]) for one in findings if "duplicates" in one["kind"] or one["grave"]}
    assert len(repeated) == 8
    assert found == {frozenset({row["stem"], f"test_{number:04d}"}) for number, row in enumerate(repeated)}
    assert {one["kind"] for one in findings} <= {"exact duplicates", "misaligned"}
    assert all(one["grave"] == (layout != "none") for one in findings if one["kind"] == "exact duplicates")


@real_data
def test_the_challenge_pairs_hold_no_duplicates_of_their_own(ircolor: Run, tmp_path: Path) -> None:
    ircolor("pairs", "check", DATA, "--protocol", "vcip2020", "--json", tmp_path / "findings.json")
    findings = json.loads((tmp_path / "findings.json").read_text())["findings"]
    assert {one["kind"] for one in findings} == {"misaligned"}
