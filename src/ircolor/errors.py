"""What a user can do wrong, said in one line."""

import difflib
import errno
import sys
from collections.abc import Iterable

REINSTALL = "reinstall with: pip install --force-reinstall ircolor"
MAX_SHOWN_LENGTH = 5000  # longer than any path


class UserError(Exception):
    """Wrong input: the message names the input and what to do about it.

    The command line prints the message alone, on one line, and exits with status 2. What is our own
    fault is an assertion or an ordinary exception, and keeps its traceback.
    """


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a question that ends in a blank; nothing where none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}? " if near else ""


def reader_has_gone(error: OSError) -> bool:
    """Whether writing to a pipe failed as nobody reads it any more, which Windows calls an invalid argument."""
    return error.errno == errno.EPIPE or (sys.platform == "win32" and error.errno == errno.EINVAL)


def brief(error: BaseException) -> str:
    """The first line of an error's message, or its type where it has none (for use inside a UserError)."""
    return one_line((str(error).strip().splitlines() or [type(error).__name__])[0])


def one_line(text: str) -> str:
    """Text as a terminal may get it: what is in it may come from a file, and that from anybody.

    Lines are joined, what cannot be printed (such as a terminal's own commands) is written as Python would, and of a
    book the beginning is left.
    """
    joined = " ".join(map(str.strip, text.splitlines()))
    shown = joined if len(joined) <= MAX_SHOWN_LENGTH else joined[:MAX_SHOWN_LENGTH] + " ..."
    return "".join(
        letter if letter.isprintable() or letter.isspace() else letter.encode("unicode_escape").decode("ascii")
        for letter in shown
    )
