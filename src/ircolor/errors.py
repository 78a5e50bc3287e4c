"""What a user can do wrong, said in one line."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Wrong input: the message names the input and what to do about it.

    The command line prints the message alone, on one line, and exits with status 2. What is our own
    fault is an assertion or an ordinary exception, and keeps its traceback.
    """


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a question that ends in a blank; nothing where none is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return f"did you mean {near[0]}? " if near else ""


def brief(error: BaseException) -> str:
    """The first line of an error's message, or its type where it has none (for use inside a UserError)."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
