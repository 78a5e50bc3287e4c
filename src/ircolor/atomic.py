"""Write files whole or not at all."""

import os
import secrets
from pathlib import Path

from ircolor.errors import UserError


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it, then rename: readers see the old file or the new, never half.

    The folder is made when it is missing. After any failure, an interruption included, nothing is left behind.

    Raises:
        UserError: it cannot be written: no permission, no space, a file where a folder is needed.
    """
    # Not by tempfile, whose files only their owner may read: a result is as readable as any other new file.
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:  # also KeyboardInterrupt
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); free some space or choose another place"
        ) from error
