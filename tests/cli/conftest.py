"""Run the command line in the same process, or as a process of its own where that is the point."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from ircolor.cli.main import main

ROOT = Path(__file__).parents[2]


class Done(NamedTuple):
    """What a command left: exit status, standard output, standard error."""

    status: int
    out: str
    err: str


@pytest.fixture
def ircolor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run `ircolor ARGUMENTS` in this process."""

    def run(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["ircolor", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        status = stopped.value.code
        assert isinstance(status, int | None)
        return Done(status or 0, captured.out, captured.err)

    return run


def run_process(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run `ircolor ARGUMENTS` as a process."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "ircolor", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, env=environment, check=False)


@pytest.fixture
def colorize(ircolor: Callable[..., Done], tiny_onnx: Path) -> Callable[..., Done]:
    """`ircolor colorize` with the tiny network."""
    return lambda *arguments: ircolor("colorize", "--model", tiny_onnx, "--threads", "1", *arguments)


def files(folder: Path) -> list[str]:
    """The files below a folder, by name."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
