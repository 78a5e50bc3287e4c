"""What a user can do wrong, said in one line."""


class UserError(Exception):
    """Wrong input: the message names the input and what to do about it.

    The command line prints the message alone, on one line, and exits with status 2. What is our own
    fault is an assertion or an ordinary exception, and keeps its traceback.
    """


def brief(error: BaseException) -> str:
    """The first line of an error's message, or its type where it has none (for use inside a UserError)."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
