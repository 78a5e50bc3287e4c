"""The comparison as a table: which columns, in which units, for the terminal and for the report."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rich import box
from rich.markup import escape
from rich.table import Table

from ircolor.evaluation.score import Scores


@dataclass(frozen=True)
class Column:
    """One score as people read it.

    Attributes:
        key: its name in the scores.
        heading: with the unit.
        digits: after the point.
        best: high, low or 1; a dash where the score ranks nothing.
    """

    key: str
    heading: str
    digits: int
    best: str

    def text(self, scores: Scores) -> str:
        """The number; a dash where it is not defined."""
        value = scores[self.key]
        return "-" if math.isnan(value) else f"{value:.{self.digits}f}"


# ASCII, since a pipe may take nothing else.
COLUMNS = (
    Column("psnr_db", "PSNR dB", 2, "high"),
    Column("ssim", "SSIM", 3, "high"),
    Column("angular_error_deg", "angle deg", 2, "low"),
    Column("delta_e_2000", "CIEDE 2000", 2, "low"),
    Column("chroma_error", "chroma error", 2, "low"),
    Column("chroma_gain", "chroma gain", 3, "1"),
    Column("colorfulness_ratio", "colour ratio", 3, "1"),
    Column("cosine", "cosine", 4, "high"),
    Column("cosine_paper", "cosine paper", 4, "-"),
)


def comparison_table(means: Mapping[str, Scores], title: str) -> Table:
    """A rich table of the mean scores, a row for each model; under each heading, what the best number is."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("\n\nbest is", overflow="fold")  # a long name takes two lines; no number is ever cut
    for column in COLUMNS:
        name, _, unit = column.heading.partition(" ")
        table.add_column(f"{name}\n{unit}\n{column.best}", justify="right", no_wrap=True)
    for name, mean in means.items():
        table.add_row(escape(name), *(column.text(mean) for column in COLUMNS))
    return table
