from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.registration.check import Finding, check_splits, find_splits
from tests.pairs.test_duplicates import picture
from tests.tiny_pairs import write_index

ALIGNED = lambda rgb, infrared: 0.0  # noqa: ARG005, E731


def write(folder: Path, stem: str, rgb: NDArray[np.uint8], infrared: NDArray[np.uint8] | None = None) -> None:
    """Write one pair; without infrared, that of the red channel."""
    for kind, pixels in (("rgb", rgb[..., ::-1]), ("infrared", rgb[..., 0] if infrared is None else infrared)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / kind / f"{stem}.png"), pixels)


def findings(data: Path, protocol: str | None = None) -> list[Finding]:
    splits, missing = find_splits(data, protocol)
    return check_splits(splits, ALIGNED) + missing


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six pairs with nothing wrong."""
    for number in range(6):
        write(tmp_path, f"p{number}", picture(number))
    return tmp_path


def index(data: Path, column: str, *splits: str, **columns: str) -> Path:
    stems = sorted(path.stem for path in (data / "rgb").iterdir())
    return write_index(data, [{"stem": s, column: split} | columns for s, split in zip(stems, splits, strict=True)])


def test_sound_pairs_are_found_sound(data: Path) -> None:
    assert findings(data) == []


@pytest.mark.parametrize("column", ["split", "vcip_split", "my_split"])
def test_copies_in_another_split_are_a_leak(data: Path, column: str) -> None:
    write(data, "p6", picture(2))
    write(data, "p7", picture(3))
    index(data, column, *["train"] * 6, "test", "train")
    leak, within = findings(data)
    assert leak == Finding("exact duplicates", True, ("p2", "p6"), ("train", "test"), "rgb and infrared")
    assert within == Finding("exact duplicates", False, ("p3", "p7"), ("train", "train"), "rgb and infrared")


def test_sub_folders_are_splits_whose_stems_may_be_the_same(tmp_path: Path) -> None:
    write(tmp_path / "train", "0", picture(0))
    write(tmp_path / "train", "1", picture(1))
    write(tmp_path / "test", "0", picture(1))
    write(tmp_path / "test", "1", picture(2))
    assert findings(tmp_path) == [Finding("exact duplicates", True, ("1", "0"), ("train", "test"), "rgb and infrared")]


def test_without_splits_copies_are_named_as_such(data: Path) -> None:
    write(data, "q", picture(2))
    assert findings(data) == [Finding("exact duplicates", False, ("p2", "q"), ("all", "all"), "rgb and infrared")]


def test_stems_that_are_not_unique_give_way_to_files(data: Path) -> None:
    write(data / "more", "p2", picture(2))
    kinds = {kind: f"more/{kind}/p2.png" for kind in ("infrared", "rgb")}
    write_index(data, [{"stem": f"p{number}"} for number in range(6)] + [{"stem": "p2"} | kinds])
    (found,) = findings(data)
    assert found.stems == (str(data / "rgb" / "p2.png"), str(data / "more" / "rgb" / "p2.png"))


def test_near_and_partial_copies_are_told_once_and_as_what_they_are(data: Path) -> None:
    brighter = picture(1) // 8 * 7 + 20
    write(data, "near", brighter)
    write(data, "mirrored", np.ascontiguousarray(brighter[:, ::-1]))
    write(data, "same_rgb", picture(2), infrared=picture(9)[..., 0])
    assert findings(data) == [
        Finding("exact duplicates", False, ("p2", "same_rgb"), ("all", "all"), "rgb"),
        Finding("near duplicates", False, ("near", "p1"), ("all", "all"), "rgb and infrared"),
        Finding("near duplicates", False, ("mirrored", "near", "p1"), ("all",) * 3, "rgb and infrared, mirrored"),
    ]


def test_scenes_on_both_sides_are_found_in_every_protocol(data: Path) -> None:
    index(data, "split", "train", "train", "val", "test", "test", "", scene="park")
    (found,) = findings(data)
    assert (found.kind, found.grave, found.stems) == ("scene on both sides", True, ("p0", "p1", "p2", "p3", "p4"))
    index(data, "nirscene_split", "train", "aux", "val", "test", "exclude", "exclude", scene="park")
    (found,) = findings(data, "nirscene")
    assert found.stems == ("p0", "p1", "p2", "p3")
    assert found.splits == ("train", "train", "val", "test")
    assert findings(data) == [found]


def test_all_that_cannot_be_read_is_listed_and_the_others_are_looked_at(data: Path) -> None:
    (data / "rgb" / "p0.png").unlink()
    (data / "rgb" / "p1.png").write_bytes(b"no image")
    write(data, "p2", picture(2), infrared=picture(2, 48, 64)[..., 0])
    write(data, "q", picture(3))
    copies, unreadable, mismatch, missing = findings(data)
    assert (copies.kind, copies.stems) == ("exact duplicates", ("p3", "q"))
    assert (unreadable.kind, unreadable.stems) == ("unreadable", ("p1",))
    assert (mismatch.kind, mismatch.stems) == ("size mismatch", ("p2",))
    assert "64x48" in mismatch.detail
    assert (missing.kind, missing.stems) == ("missing file", ())
    assert "p0.png" in missing.detail


def test_bad_exposure_and_gray_colours(data: Path) -> None:
    dark, bright = picture(10) // 40, np.where(picture(11) > 100, 255, picture(11)).astype(np.uint8)
    gray = np.repeat(picture(12)[..., :1], 3, axis=2)
    write(data, "a_dark", dark, infrared=picture(10)[..., 0])
    write(data, "b_bright", picture(11), infrared=bright[..., 0])
    write(data, "c_gray", gray, infrared=picture(13)[..., 0])
    found = {(one.kind, one.stems, one.detail.partition(":")[0]) for one in findings(data)}
    assert found >= {("under-exposed", ("a_dark",), "RGB"), ("over-exposed", ("b_bright",), "infrared")}
    assert {kind for kind, stems, _ in found if stems == ("c_gray",)} == {"gray RGB"}
    assert not any(stems[0].startswith("p") for _, stems, _ in found)


def test_misalignment_is_what_the_given_measure_says(data: Path) -> None:
    shifts_px = iter([0.5, 7.25, float("nan"), 2.9, 3.1, 0.0])
    splits, _ = find_splits(data)
    shown: list[tuple[int, int]] = []
    found = check_splits(splits, lambda _rgb, _infrared: next(shifts_px), lambda *done: shown.append(done))
    assert sorted(one.detail for one in found) == ["by 3.1 px", "by 7.2 px"]
    assert {one.kind for one in found} == {"misaligned"}
    assert shown == [(number, 6) for number in range(1, 7)]


def test_an_unknown_protocol_and_one_without_pairs(data: Path) -> None:
    with pytest.raises(UserError, match="no protocol is called vcip; there are: nirscene"):
        find_splits(data, "vcip")
    with pytest.raises(UserError, match="roadscene has no pairs"):
        find_splits(data, "roadscene")


@pytest.mark.parametrize(("width", "found"), [(200, True), (2400, False)])
def test_large_images_may_be_off_by_more_px_as_for_register(tmp_path: Path, width: int, found: bool) -> None:
    write(tmp_path, "a", cv2.resize(picture(0), (width, width // 2)).astype(np.uint8))
    splits, _ = find_splits(tmp_path)
    kinds = [finding.kind for finding in check_splits(splits, lambda *_: 4.0)]
    assert ("misaligned" in kinds) == found
