import errno
from types import SimpleNamespace

import pytest

from ircolor.errors import MAX_SHOWN_LENGTH, brief, did_you_mean, one_line, reader_has_gone


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a file:  two  blanks, and \u00e9\u4e2d\u00a0stay", "a file:  two  blanks, and \u00e9\u4e2d\u00a0stay"),
        ("x: bad\nerror: all is lost", "x: bad error: all is lost"),
        ("first \r\n  second\u2028third", "first second third"),
        ("\x1b[31mred\x07 \u202eback \udce9", r"\x1b[31mred\x07 \u202eback \udce9"),
        ("a" * 9999, "a" * MAX_SHOWN_LENGTH + " ..."),
    ],
)
def test_a_terminal_gets_one_line_that_steers_nothing(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_of_an_error_the_first_line_is_told() -> None:
    assert brief(ValueError("\n\x1b[1mbad\nmore")) == r"\x1b[1mbad"
    assert brief(KeyError()) == "KeyError"


def test_only_near_names_are_suggested() -> None:
    known = ["fast", "snet", "snet_plus"]
    assert did_you_mean("snt", known) == "did you mean snet? "
    assert did_you_mean("nope", known) == did_you_mean("None", known) == ""


@pytest.mark.parametrize(("platform", "gone"), [("linux", False), ("win32", True)])
def test_windows_calls_a_pipe_that_nobody_reads_an_invalid_argument(
    monkeypatch: pytest.MonkeyPatch, platform: str, gone: bool
) -> None:
    monkeypatch.setattr("ircolor.errors.sys", SimpleNamespace(platform=platform))
    assert reader_has_gone(OSError(errno.EINVAL, "Invalid argument")) is gone
    assert reader_has_gone(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert not reader_has_gone(OSError(errno.ENOSPC, "No space left on device"))
