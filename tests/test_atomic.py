from pathlib import Path

import pytest

from ircolor.atomic import check_writable, write_atomic
from ircolor.errors import UserError


def test_a_file_is_replaced_whole_and_its_folder_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.bin"
    for content in (b"old", b"new content"):
        write_atomic(path, content)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_the_longest_name_that_the_disk_takes_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("\u5e2b" * 83 + ".jpg")  # 253 bytes
    write_atomic(path, b"x")
    assert path.read_bytes() == b"x"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail(_descriptor: int) -> None:
        raise error

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises((UserError, KeyboardInterrupt)):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("num_refusals", "patience_s"), [(3, 30.0), (1000, 0.1)])
def test_a_file_that_another_program_has_open_is_replaced_later_or_the_new_one_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_refusals: int, patience_s: float
) -> None:
    """As Windows does it."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    really_replace = Path.replace
    refusals = iter(range(num_refusals))

    def replace(source: Path, target: Path) -> Path:
        if next(refusals, None) is not None:
            raise PermissionError(13, "Access is denied")
        return really_replace(source, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr("ircolor.atomic.REPLACE_PATIENCE_S", patience_s)
    if num_refusals < 100:
        write_atomic(path, b"new")
        assert path.read_bytes() == b"new"
        assert list(tmp_path.iterdir()) == [path]
        return
    with pytest.raises(UserError, match=r"a\.bin: cannot be replaced \(Access is denied\); .* open in another program"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    (kept,) = set(tmp_path.iterdir()) - {path}
    assert kept.read_bytes() == b"new"
    assert kept.suffix == ".bin"


def test_whether_a_place_can_be_written_is_known_beforehand(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    check_writable(path)
    assert not list(tmp_path.iterdir())
    path.write_bytes(b"mine")
    check_writable(path)
    assert path.read_bytes() == b"mine"
    with pytest.raises(UserError, match="is a folder; give a file"):
        check_writable(tmp_path)
    with pytest.raises(UserError, match="cannot be written"):
        check_writable(path / "below_a_file.json")
