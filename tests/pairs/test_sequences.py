from pathlib import Path

import pytest

from ircolor.errors import UserError
from ircolor.pairs.index import Pair, find_pairs
from ircolor.pairs.sequences import find_sequences
from tests.media.test_times import write_exif
from tests.tiny_pairs import write_index, write_pairs


def unread(*stems: str, **columns: str) -> list[Pair]:
    """Pairs of which nothing but the names is looked at."""
    return [Pair(stem, Path(f"i/{stem}.png"), Path(f"r/{stem}.png"), stem, columns) for stem in stems]


def test_a_jump_in_the_numbers_begins_a_new_sequence() -> None:
    drive = [f"drive03_{number:06d}" for number in (*range(5), *range(500, 504))]
    pairs = unread(*drive, "drive04_000004", "drive04_000005")
    names = find_sequences(pairs).names
    assert names == (
        *["drive03_000000..drive03_000004"] * 5,
        *["drive03_000500..drive03_000503"] * 4,
        *["drive04_000004..drive04_000005"] * 2,
    )


def test_sparsely_picked_frames_are_one_sequence() -> None:
    pairs = unread(*(f"a_{number:05d}" for number in range(0, 3000, 300)), "b_00001", "b_00002")
    assert len(set(find_sequences(pairs).names)) == 2


def test_what_stands_behind_the_number_is_part_of_the_series() -> None:
    pairs = unread("0001_left", "0002_left", "0001_right", "0002_right")
    assert find_sequences(pairs).names == (*["0001_left..0002_left"] * 2, *["0001_right..0002_right"] * 2)


@pytest.mark.parametrize("stems", [["0003", "0001", "0002"], ["rome", "athens", "oslo"]])
def test_names_that_tell_nothing_are_one_run_of_neighbours(stems: list[str]) -> None:
    found = find_sequences(unread(*stems))
    assert len(set(found.names)) == 1
    assert found.run is not None
    assert [stems[number] for number in found.run] == sorted(stems)


def test_a_pause_begins_a_new_sequence() -> None:
    pairs = unread("20181007_142530", "20181007_142555", "20181007_142710", "20181007_142630")
    assert find_sequences(pairs).names[0] == find_sequences(pairs).names[1]
    assert len(set(find_sequences(pairs).names)) == 3
    assert len(set(find_sequences(pairs, gap_s=40).names)) == 1


def test_times_in_exif_go_before_numbers(tmp_path: Path) -> None:
    stems = [f"{number:04d}" for number in range(4)]
    write_pairs(tmp_path, stems)
    for stem, minute in zip(stems, (10, 30, 10, 30), strict=True):
        (tmp_path / "rgb" / f"{stem}.png").unlink()
        write_exif(tmp_path / "rgb" / f"{stem}.jpg", f"2018:10:07 14:{minute}:00")
    found = find_sequences(find_pairs(tmp_path))
    assert found.names == ("0000..0002", "0001..0003") * 2
    assert "EXIF" in found.source


def test_the_column_scene_counts_where_it_says_more_than_the_stems(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a1", "a2", "b1"])
    write_index(tmp_path, [{"stem": "a1", "scene": "park"}, {"stem": "a2", "scene": ""}, {"stem": "b1", "scene": "x"}])
    assert find_sequences(find_pairs(tmp_path)).names == ("park", "a2", "x")
    write_index(tmp_path, [{"stem": stem, "scene": scene} for stem, scene in (("a1", "a1"), ("a2", "a1..a2"))])
    assert find_sequences(find_pairs(tmp_path)).names == ("a1..a2", "a1..a2")  # found by number, not by column


def test_a_table_goes_before_all(tmp_path: Path) -> None:
    table = tmp_path / "drives.csv"
    table.write_text("stem,sequence\nb,2\na,1\n")
    assert find_sequences(unread("a", "b", scene="x"), table).names == ("1", "2")


def test_a_table_may_tell_of_pairs_that_were_not_kept(tmp_path: Path) -> None:
    table = tmp_path / "drives.csv"
    table.write_text("stem,sequence\nb,2\nrejected,1\na,1\n")
    found = find_sequences(unread("a", "b"), table)
    assert found.names == ("1", "2")
    assert found.source.endswith("drives.csv says (1 of its rows name no pair that is there)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stem,drive\na,1\n", "needs the columns stem and sequence"),
        ("stem,sequence\na,1\nbb,2\n", r"line 3: no pair is called bb; did you mean b\?(.|\n)*no row for b;"),
        ("stem,sequence\na,1\nb,\n", "line 3: stem or sequence is empty"),
        ("stem,sequence\na,1\nb,2\na,2\n", "line 4: a is in 1 already"),
        ("stem,sequence\na\n", "line 2: stem or sequence is empty"),
    ],
)
def test_wrong_tables_are_told_line_by_line(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "drives.csv"
    table.write_text(text)
    with pytest.raises(UserError, match=message):
        find_sequences(unread("a", "b"), table)
