import re
from pathlib import Path

import pytest

from ircolor.errors import UserError
from ircolor.media import sources
from ircolor.registration.partners import find_partners

RGB_FRAMES = ["20181007_142530_000.png", "20181007_142530_500.png", "20181007_142531_000.png"]


def cameras(tmp_path: Path, rgb: list[str], infrared: list[str]) -> tuple[Path, Path]:
    """Two folders of files with these names; their content does not matter here."""
    folders = tmp_path / "rgb", tmp_path / "ir"
    for folder, names in zip(folders, (rgb, infrared), strict=True):
        folder.mkdir()
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"")
    return folders


def found(
    folders: tuple[Path, Path], match: Path | None = None, tolerance_s: float | None = None
) -> tuple[dict[str, tuple[str, str]], list[str]]:
    partners, problems = find_partners(*folders, match, tolerance_s)
    return {
        pair.stem: (pair.rgb.relative_to(folders[0]).as_posix(), pair.infrared.relative_to(folders[1]).as_posix())
        for pair in partners
    }, problems


def test_files_of_one_stem_are_partners_whatever_their_formats_and_folders(tmp_path: Path) -> None:
    folders = cameras(tmp_path, ["b.png", "a.jpg", "drive1/0001.png"], ["a.tiff", "b.png", "drive1/0001.png"])
    pairs, problems = found(folders)
    assert list(pairs) == ["a", "b", "drive1_0001"]
    assert pairs["a"] == ("a.jpg", "a.tiff")
    assert pairs["drive1_0001"] == ("drive1/0001.png", "drive1/0001.png")
    assert problems == []


def test_names_that_are_too_long_with_their_folders_are_told_before_any_work(tmp_path: Path) -> None:
    name = f"{'d' * 130}/{'f' * 130}.png"
    with pytest.raises(UserError, match=r"f\.png: its name, that of its folders included, is too long; shorten one"):
        found(cameras(tmp_path, ["a.png", name], ["a.png", name]))


def test_files_without_partner_are_listed(tmp_path: Path) -> None:
    pairs, problems = found(cameras(tmp_path, ["a.png", "b.png"], ["b.png", "c.png"]))
    assert list(pairs) == ["b"]
    assert problems == [
        f"{tmp_path}/rgb/a.png: no image of that name from the infrared camera",
        f"{tmp_path}/ir/c.png: no image of that name from the colour camera",
    ]


@pytest.mark.parametrize(
    ("rgb", "infrared", "stem"),
    [
        ("0001_rgb.png", "0001_nir.png", "0001"),
        ("0001-RGB.png", "0001-ir.png", "0001"),
        ("rgb_0001.png", "nir_0001.png", "0001"),
        ("drive1/vis/0001.png", "drive1/ir/0001.png", "drive1_0001"),
    ],
)
def test_words_for_the_camera_are_ignored(tmp_path: Path, rgb: str, infrared: str, stem: str) -> None:
    assert list(found(cameras(tmp_path, [rgb], [infrared]))[0]) == [stem]


def test_words_for_the_camera_count_as_soon_as_any_plain_name_matches(tmp_path: Path) -> None:
    pairs, problems = found(cameras(tmp_path, ["a.png", "b_rgb.png"], ["a.png", "b_nir.png"]))
    assert list(pairs) == ["a"]
    assert len(problems) == 2


def test_links_are_followed(tmp_path: Path) -> None:
    folders = cameras(tmp_path, ["a.png"], ["z.png"])
    (folders[1] / "a.png").symlink_to(folders[1] / "z.png")
    assert found(folders)[0] == {"a": ("a.png", "a.png")}


@pytest.mark.parametrize(
    ("rgb", "infrared", "complaint"),
    [
        ([], ["a.png"], "rgb: no images or videos in this folder"),
        (["a.png", "a.jpg"], ["a.png"], "a.jpg and {tmp}/rgb/a.png: both would be called a; rename"),
        (["x/1.png", "x_1.png"], ["x_1.png"], "both would be called x_1"),
        (["1_rgb.png", "rgb_1.png"], ["1_nir.png"], "both would be called 1"),
        (["a.png", "b.png", "c.png", "d.png"], ["z.png"], "rgb/c.png ... against {tmp}/ir/z.png"),
    ],
)
def test_what_cannot_be_paired_at_all_is_told(
    tmp_path: Path, rgb: list[str], infrared: list[str], complaint: str
) -> None:
    with pytest.raises(UserError, match=re.escape(complaint.format(tmp=tmp_path))):
        found(cameras(tmp_path, rgb, infrared))


def test_a_folder_that_is_absent_or_given_twice_is_told(tmp_path: Path) -> None:
    folders = cameras(tmp_path, ["a.png"], ["a.png"])
    with pytest.raises(UserError, match=r"none: no such folder"):
        find_partners(folders[0], tmp_path / "none")
    with pytest.raises(UserError, match="given for both cameras"):
        find_partners(folders[0], folders[0])


def test_a_table_says_who_belongs_together_and_bad_rows_are_listed(tmp_path: Path) -> None:
    folders = cameras(tmp_path, ["x.png", "y.png", "d/z.png"], ["1.png", "e/2.png"])
    table = tmp_path / "pairs.csv"
    table.write_text(
        f"rgb,infrared,stem\nx.png,1.png,first\n{folders[0]}/y.png,e/2.png,\nd/z.png,3.png,\nx.png,1.png,../out\n"
    )
    pairs, problems = found(folders, table)
    assert pairs == {"first": ("x.png", "1.png"), "e_2": ("y.png", "e/2.png")}
    assert problems[0] == f"{table} line 4: no file {folders[1]}/3.png"
    assert "line 5: stem ../out cannot name a file" in problems[1]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a,b\n1,2\n", "needs the columns rgb and infrared; it has a, b"),
        ("", "it has none"),
        ("rgb,infrared\n", "no rows"),
        ("rgb,infrared\nq.png,a.png\n", "line 2: no file"),
        ("rgb,infrared\na.png,\n", "line 2: no file"),
        ("rgb,infrared\na.png,a.png\na.png,a.png\n", "line 3: is called a as line 2"),
    ],
)
def test_a_wrong_table_is_told(tmp_path: Path, text: str, complaint: str) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text(text)
    with pytest.raises(UserError, match=complaint):
        find_partners(*cameras(tmp_path, ["a.png"], ["a.png"]), table)


def test_times_pair_the_nearest_one_to_one_within_the_tolerance(tmp_path: Path) -> None:
    infrared = ["ir_20181007_142530_040.png", "ir_20181007_142530_100.png", "ir_20181007_142531_030.png", "ir_x.png"]
    pairs, problems = found(cameras(tmp_path, RGB_FRAMES, infrared), tolerance_s=0.2)
    assert pairs == {
        "ir_20181007_142530_040": (RGB_FRAMES[0], infrared[0]),
        "ir_20181007_142531_030": (RGB_FRAMES[2], infrared[2]),
    }
    assert [problem.split(tmp_path.name)[1] for problem in problems] == [
        "/ir/ir_x.png: no time in EXIF or name",
        "/rgb/20181007_142530_500.png: no partner within 0.2 s",
        "/ir/ir_20181007_142530_100.png: no partner within 0.2 s",
    ]


def test_two_that_are_nearest_to_one_do_not_share_it(tmp_path: Path) -> None:
    folders = cameras(tmp_path, ["20181007_142530_040.png", "20181007_142530_100.png"], ["20181007_142530_000.png"])
    pairs, problems = found(folders, tolerance_s=0.2)
    assert list(pairs.values()) == [("20181007_142530_040.png", "20181007_142530_000.png")]
    assert len(problems) == 1


def test_clocks_that_are_an_hour_apart_are_suspected(tmp_path: Path) -> None:
    folders = cameras(tmp_path, RGB_FRAMES, ["20181007_152530.png"])
    with pytest.raises(UserError, match=r"the nearest times differ by 3599\.5 s: are the clocks 1 h apart"):
        found(folders, tolerance_s=0.2)


def test_no_time_on_one_side_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ir/a\.png: no time in EXIF or name"):
        found(cameras(tmp_path, RGB_FRAMES, ["a.png"]), tolerance_s=0.2)


def test_pictures_of_one_time_go_by_the_order_of_their_names(tmp_path: Path) -> None:
    names = ["20181007_142530_a.png", "20181007_142530_b.png", "20181007_142600.png"]
    folders = cameras(tmp_path, names, [name.replace(".png", "_ir.png") for name in names])
    pairs, problems = find_partners(*folders, tolerance_s=0.5)
    assert [(pair.rgb.stem, pair.infrared.stem) for pair in pairs] == [(n[:-4], n[:-4] + "_ir") for n in names]
    assert problems == []
    (folders[0] / names[1]).unlink()
    pairs, (problem,) = find_partners(*folders, tolerance_s=0.5)
    assert [pair.stem for pair in pairs] == ["20181007_142600_ir"]
    assert "20181007_142530_b_ir.png: of one time, but not as many of both cameras" in problem


def test_a_table_with_one_stem_twice_is_told_by_its_lines(tmp_path: Path) -> None:
    rgb, infrared = cameras(tmp_path, ["a.png", "b.png"], ["a.png", "b.png"])
    table = tmp_path / "pairs.csv"
    table.write_text("rgb,infrared,stem\na.png,a.png,one\nb.png,b.png,one\n")
    with pytest.raises(UserError, match=r"pairs\.csv line 3: is called one as line 2; name another stem"):
        find_partners(rgb, infrared, table)


def test_names_that_differ_by_case_alone_are_one_on_some_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = cameras(tmp_path, ["a.png", "A.jpg"], ["a.png", "A.png"])
    assert len(found(folders)[0]) == 2
    monkeypatch.setattr(sources, "FOLDS_NAMES", True)
    with pytest.raises(UserError, match="both would be called"):
        found(folders)
