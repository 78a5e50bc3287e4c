"""Write files whole or not at all."""

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ircolor.errors import UserError

PART_SUFFIX = ".part"
# Windows replaces no file that a program has open. Virus scanners and indexers do so for moments.
REPLACE_PATIENCE_S = 3.0 if os.name == "nt" else 0.0


@contextmanager
def open_atomic(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing under a temporary name beside it; it gets its own name when the block ends well.

    Readers see the old file or the new, never half. The folder is made when it is missing. After any failure, an
    interruption included, nothing is left behind; but what is whole and cannot replace the old file is kept beside it.

    Args:
        path: the file; replaced when it exists.

    Raises:
        UserError: it cannot be written: no permission, no space, a file where a folder is needed;
            or the block raised an OSError.
    """
    # Not by tempfile, whose files only their owner may read: a result is as readable as any other new file.
    temporary = path.parent / f".{secrets.token_hex(8)}{PART_SUFFIX}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _replace(temporary, path)
        except BaseException:  # also KeyboardInterrupt
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); free some space or choose another place"
        ) from error


def _replace(temporary: Path, path: Path) -> None:
    give_up_s = time.monotonic() + REPLACE_PATIENCE_S
    while True:
        try:
            temporary.replace(path)
        except PermissionError as error:
            if time.monotonic() < give_up_s:
                time.sleep(0.05)
                continue
            if not REPLACE_PATIENCE_S:
                raise
            kept = path.with_stem(f"{path.stem}_{secrets.token_hex(4)}")
            temporary.rename(kept)
            raise UserError(
                f"{path}: cannot be replaced ({error.strerror}); is it open in another program? its new version was "
                f"written to {kept}"
            ) from error
        return


def write_atomic(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file as `open_atomic` does.

    Args:
        path: the file; replaced when it exists.
        data: all of it, or the parts of a file too large to hold in memory, made as they are written.

    Raises:
        UserError: it cannot be written.
    """
    with open_atomic(path) as file:
        file.writelines([data] if isinstance(data, bytes) else data)


def check_writable(path: Path) -> None:
    """Find out before long work whether its result can be written; a file that exists is not touched.

    Raises:
        UserError: it cannot.
    """
    probe = path.parent / f".{secrets.token_hex(8)}{PART_SUFFIX}"
    if path.is_dir():
        raise UserError(f"{path}: is a folder; give a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); choose another place") from error


def check_outputs(report: Path | None, json_file: Path | None) -> None:
    """As `check_writable`, for the outputs of a comparison as far as they are wanted.

    Raises:
        UserError: one cannot be written, or both are one file.
    """
    if report and json_file and os.path.realpath(report) == os.path.realpath(json_file):
        raise UserError(f"{report}: is to be both the report and the JSON; give another name")
    for file in (report, json_file):
        if file:
            check_writable(file)
