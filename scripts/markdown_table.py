"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers.

    Args:
        headings: of all columns.
        rows: the cells of each row; a shorter one is filled up with empty cells.
    """
    filled = ([*row, *[""] * (len(headings) - len(row))] for row in rows)
    lines = [_line(headings), f"|---|{'---:|' * (len(headings) - 1)}", *map(_line, filled)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
