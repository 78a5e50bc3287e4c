import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from ircolor.errors import UserError
from ircolor.media.sources import open_source

Gray = Callable[..., Path]


def found(source: str, skip: Path | None = None) -> list[str]:
    return [image.relative.as_posix() for image in open_source(source, skip).items]


def test_a_folder_gives_its_images_in_order_with_their_tree(gray: Gray, tmp_path: Path) -> None:
    for name in ("b.png", "a.PNG", "sub/c.tiff", "sub/notes.txt", ".hidden.png", ".cache/d.png"):
        gray(name)
    assert found(str(tmp_path)) == ["a.PNG", "b.png", "sub/c.tiff"]


def test_files_of_a_locked_folder_are_found_for_reading_to_tell(
    gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that can be listed but not entered; the files beside it are to be done all the same."""
    for name in ("a.png", "locked/b.png"):
        gray(name)
    stat = Path.stat

    def locked(path: Path, **options: bool) -> os.stat_result:
        if path.parent.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", locked)
    assert found(str(tmp_path)) == found(f"{tmp_path}/**/*.png") == ["a.png", "locked/b.png"]


def test_a_folder_of_outputs_is_left_out(gray: Gray, tmp_path: Path) -> None:
    gray("a.png"), gray("out/a.png"), gray("out/sub/b.png")
    assert found(str(tmp_path), skip=tmp_path / "out") == ["a.png"]
    assert found(f"{tmp_path}/**/*.png", skip=tmp_path / "out") == ["a.png"]


def test_a_glob_counts_from_its_fixed_part(gray: Gray, tmp_path: Path) -> None:
    gray("x/1/a.png"), gray("x/2/b.png"), gray("y/c.png"), gray("x/1/notes.txt")
    assert found(f"{tmp_path}/x/**/*") == ["1/a.png", "2/b.png"]
    assert found(f"{tmp_path}/?/*.png") == ["y/c.png"]


def test_a_file_whose_name_looks_like_a_glob_is_a_file(gray: Gray) -> None:
    assert found(str(gray("night[1].png"))) == ["night[1].png"]


def test_what_has_no_images_is_a_failure(tmp_path: Path) -> None:
    assert "no images or videos in this folder" in open_source(str(tmp_path)).failures[0]
    assert "no image or video matches" in open_source(str(tmp_path / "*.png")).failures[0]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"bytes")))
    assert open_source("-").items[0].content == b"bytes"


def test_videos_are_found_among_images(gray: Gray, tmp_path: Path) -> None:
    for name in ("a.png", "b.MP4", "sub/c.mkv"):
        gray(name)
    assert [item.kind for item in open_source(str(tmp_path)).items] == ["image", "video", "video"]
    assert [item.kind for item in open_source(f"{tmp_path}/**/*").items] == ["image", "video", "video"]


def test_a_file_of_unknown_suffix_is_an_image_if_it_looks_like_one(gray: Gray, tmp_path: Path) -> None:
    (tmp_path / "clip.dat").write_bytes(b"nothing that an image begins with")
    assert open_source(str(gray("photo.dat"))).items[0].kind == "image"
    assert open_source(str(tmp_path / "clip.dat")).items[0].kind == "video"
    assert open_source(str(tmp_path / "absent.dat")).items[0].kind == "image"


def test_a_name_that_is_no_utf_8_can_be_looked_into(gray: Gray, tmp_path: Path) -> None:
    """OpenCV ended the process."""
    try:
        path = gray("photo.png").rename(tmp_path / os.fsdecode(b"\xe4\xff.dat"))
    except OSError:
        pytest.skip("this file system has names in UTF-8 only")
    assert open_source(str(path)).items[0].kind == "image"


def test_an_empty_source_is_refused() -> None:
    with pytest.raises(UserError, match="an empty SOURCE"):
        open_source("")


def test_an_unreadable_folder_is_a_failure_and_the_rest_is_found(gray: Gray, locked: Path) -> None:
    gray("a.png")
    source = open_source(str(locked.parent))
    assert [image.relative.name for image in source.items] == ["a.png"]
    assert "locked: the folder cannot be read (Permission denied)" in source.failures[0]


def test_an_image_of_an_unknown_ending_is_one_whatever_opencv_says(
    gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows it does not find files whose names the system's own alphabet lacks."""
    monkeypatch.setattr("cv2.haveImageReader", lambda _: False)
    (item,) = open_source(str(gray("photo.jfif"))).items
    assert item.kind == "image"
    (tmp_path / "clip.unknown").write_bytes(b"something else")
    (item,) = open_source(str(tmp_path / "clip.unknown")).items
    assert item.kind == "video"
