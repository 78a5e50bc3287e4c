"""Write files whole or not at all."""

import os
import tempfile
from pathlib import Path

from ircolor.errors import UserError


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it, then rename: readers see the old file or the new, never half.

    Raises:
        UserError: the folder cannot be written, or the disk is full; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); choose another folder") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); free some space or choose another disk"
        ) from error
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
