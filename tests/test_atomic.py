import errno
import os
from pathlib import Path

import pytest

from ircolor.atomic import write_atomic
from ircolor.errors import UserError


@pytest.mark.parametrize("failing", ["fsync", "replace", "write"])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    elif failing == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    else:
        really_open = Path.open
        monkeypatch.setattr(Path, "open", lambda *_: really_open(Path("/dev/full"), "wb"))
    path = tmp_path / "night_rgb.png"
    with pytest.raises(UserError, match=r"night_rgb.png: cannot be written \(No space left on device\); free"):
        write_atomic(path, b"x" * 100_000)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_the_old_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "night_rgb.png"
    path.write_bytes(b"old")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_result_is_as_readable_as_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_atomic(tmp_path / "new" / "result", b"")
    assert (tmp_path / "new" / "result").stat().st_mode == (tmp_path / "plain").stat().st_mode
