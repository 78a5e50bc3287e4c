import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.media.encode import write_image
from ircolor.pairs.dataset import load_pairs
from ircolor.pairs.index import check_pairs, find_pairs
from ircolor.pairs.splitting import split_folder
from tests.tiny_pairs import scene, write_index, write_mask, write_pairs

USABLE = np.random.default_rng(0).random((40, 48)) < 0.5


def test_two_folders_of_equal_stems(tmp_path: Path) -> None:
    pairs = find_pairs(write_pairs(tmp_path, ["b", "a"]))
    assert [pair.stem for pair in pairs] == ["a", "b"]
    infrared, rgb = pairs[0].read()
    expected_infrared, expected_rgb = scene(40, 48, seed=1)
    np.testing.assert_array_equal(infrared, expected_infrared)
    np.testing.assert_array_equal(rgb, expected_rgb)


def test_index_gives_order_scene_and_columns(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a", "b"])
    write_index(tmp_path, [{"stem": "b", "scene": "park", "camera": "7"}, {"stem": "a", "scene": "", "camera": ""}])
    first, second = find_pairs(tmp_path)
    assert (first.stem, first.scene, first.columns["camera"]) == ("b", "park", "7")
    assert second.scene == "a"


def test_a_crop_keeps_nothing_of_the_rest_in_memory(tmp_path: Path) -> None:
    write_mask(write_pairs(tmp_path, ["a"]), "a", USABLE)
    kept = replace(find_pairs(tmp_path)[0], crop=(3, 5, 16, 20)).read_masked()
    for pixels in kept:
        assert pixels is not None
        whole = pixels if pixels.base is None else pixels.base
        assert whole.nbytes == pixels.nbytes


def test_names_may_be_of_any_bytes(tmp_path: Path) -> None:
    """As old cameras and file systems gave them; what register and split write of them can be read."""
    stem = os.fsdecode(b"caf\xe9")
    write_pairs(tmp_path, ["a", "b", "c"])
    for kind in ("infrared", "rgb"):
        (tmp_path / kind / "a.png").rename(tmp_path / kind / f"{stem}.png")
    split_folder(tmp_path, {"train": "1", "val": "1", "test": "1"})
    pairs = find_pairs(tmp_path)
    assert [pair.stem for pair in pairs] == ["b", "c", stem]
    assert len(load_pairs(pairs, 0).digest) == 16


def test_a_crop_outside_of_a_picture_is_named(tmp_path: Path) -> None:
    (pair,) = find_pairs(write_pairs(tmp_path, ["a"], (20, 30)))
    for crop in ((0, 0, 21, 30), (10, 20, 10, 11)):
        with pytest.raises(UserError, match=r"a.png is 30x20, smaller than its columns width and height say"):
            replace(pair, crop=crop).read()


def test_masks_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    write_mask(write_pairs(tmp_path, ["a", "b"]), "b", USABLE)
    without, masked = find_pairs(tmp_path)
    assert without.mask is None
    assert without.read_masked()[2] is None
    mask = masked.read_masked()[2]
    assert mask is not None
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, USABLE)
    assert len(masked.read()) == 2


def test_masks_are_named_by_the_index_and_cropped_with_the_pair(tmp_path: Path) -> None:
    write_mask(write_pairs(tmp_path, ["a", "b"]), "other", USABLE)
    write_index(tmp_path, [{"stem": "a", "mask": "mask/other.png"}, {"stem": "b", "mask": ""}])
    masked, without = find_pairs(tmp_path)
    assert without.mask is None
    infrared, _, mask = replace(masked, crop=(3, 5, 16, 20)).read_masked()
    assert infrared.shape == (16, 20)
    np.testing.assert_array_equal(mask, USABLE[3:19, 5:25])


def test_masks_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a", "b", "c", "d"])
    write_mask(tmp_path, "a", np.ones((40, 50), np.bool_))
    write_mask(tmp_path, "b", np.zeros((40, 48), np.bool_))
    write_mask(tmp_path, "c", USABLE)
    (tmp_path / "mask" / "d.png").write_text("no image")
    with pytest.raises(UserError, match=r"mask/a\.png is 50x40 but .*infrared/a\.png is 48x40") as error:
        list(check_pairs(find_pairs(tmp_path)))
    assert "3 of the pairs" in str(error.value)
    assert "mask/b.png: leaves no pixel of pair b to use" in str(error.value)
    assert "mask/d.png: not an image" in str(error.value)
    with pytest.raises(UserError, match="50x40"):  # though the crop lies in both
        replace(find_pairs(tmp_path)[0], crop=(0, 0, 8, 8)).read()


def test_masks_without_a_pair_are_named(tmp_path: Path) -> None:
    write_mask(write_pairs(tmp_path, ["a"]), "b", USABLE)
    with pytest.raises(UserError, match=r"mask/b\.png: no file of that stem in .*rgb"):
        find_pairs(tmp_path)


def test_infrared_of_sixteen_bits_is_read_as_the_runtime_reads_it(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a"])
    twelve_bits = np.full((40, 48), 2048, np.uint16)
    twelve_bits[0, 0] = 4095
    assert cv2.imwrite(str(tmp_path / "infrared" / "a.png"), twelve_bits)
    infrared, _ = find_pairs(tmp_path)[0].read()
    assert infrared.dtype == np.uint8
    assert infrared[0, 0] == 255
    assert infrared[1, 1] == 128


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder: folder / "absent", "no such folder"),
        (lambda folder: folder, "neither index.csv nor"),
        (lambda folder: write_index(write_pairs(folder, ["a"]), [{"stem": "b"}]), "b.png does not exist"),
        (lambda folder: write_index(folder, [{"stem": "a", "rgb": ""}]), "line 2: no infrared or rgb"),
        (
            lambda folder: write_index(write_pairs(folder, ["a"]), [{"stem": "a", "mask": "mask/a.png"}]),
            r"line 2: .*mask/a\.png does not exist",
        ),
    ],
)
def test_unusable_folders_are_named(tmp_path: Path, prepare: object, message: str) -> None:
    assert callable(prepare)
    with pytest.raises(UserError, match=message):
        find_pairs(prepare(tmp_path))


def test_index_without_the_two_columns(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("nir,colour\na.png,b.png\n")
    with pytest.raises(UserError, match="needs the columns infrared and rgb; it has nir, colour"):
        find_pairs(tmp_path)


def test_every_file_without_a_partner_is_named(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a", "b", "c"])
    (tmp_path / "rgb" / "a.png").unlink()
    (tmp_path / "infrared" / "c.png").unlink()
    with pytest.raises(UserError) as error:
        find_pairs(tmp_path)
    assert "2 files" in str(error.value)
    assert "infrared/a.png" in str(error.value)
    assert "rgb/c.png" in str(error.value)


def test_every_broken_or_mismatched_pair_is_named_after_the_sound_ones_were_given(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a", "b", "c", "d"])
    (tmp_path / "rgb" / "a.png").write_bytes((tmp_path / "rgb" / "a.png").read_bytes()[:100])
    (tmp_path / "infrared" / "b.png").write_text("no image")
    assert cv2.imwrite(str(tmp_path / "infrared" / "d.png"), np.zeros((7, 9), np.uint8))
    given: list[object] = []
    with pytest.raises(UserError) as error:
        given.extend(check_pairs(find_pairs(tmp_path)))
    assert len(given) == 1
    message = str(error.value)
    assert "3 of the pairs" in message
    assert all(part in message for part in ("rgb/a.png", "infrared/b.png", "d.png is 9x7", "48x40"))


def test_folders_that_look_swapped_are_told(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["a"])
    (tmp_path / "rgb").rename(tmp_path / "other")
    (tmp_path / "infrared").rename(tmp_path / "rgb")
    (tmp_path / "other").rename(tmp_path / "infrared")
    with pytest.raises(UserError, match="are the two swapped"):
        find_pairs(tmp_path)[0].read()


@pytest.mark.parametrize("value", [200.0, float("nan")])
def test_float_colours_out_of_range_are_refused(tmp_path: Path, value: float) -> None:
    import tifffile

    write_pairs(tmp_path, ["a"])
    (tmp_path / "rgb" / "a.png").unlink()
    tifffile.imwrite(tmp_path / "rgb" / "a.tiff", np.full((40, 48, 3), value, np.float32), photometric="rgb")
    with pytest.raises(UserError, match=r"a\.tiff: (float32 values outside|\d+ values are NaN)"):
        find_pairs(tmp_path)[0].read()


def test_a_locked_folder_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pairs(tmp_path, ["a"])

    def locked(path: Path) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", locked)
    with pytest.raises(UserError, match=r"infrared: cannot be read \(Permission denied\)"):
        find_pairs(tmp_path)


def test_what_macos_lays_beside_files_is_no_pair(tmp_path: Path) -> None:
    for folder in ("infrared", "rgb"):
        write_image(tmp_path / folder / "a.png", np.zeros((4, 5, 3), np.uint8))
        (tmp_path / folder / "._a.png").write_bytes(b"\0\5\x16\7")
    assert [pair.stem for pair in find_pairs(tmp_path)] == ["a"]
