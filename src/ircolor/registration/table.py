"""`registration.csv`: one row a pair, for people and for other programs."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ircolor.atomic import write_atomic
from ircolor.errors import UserError, brief
from ircolor.registration.result import ModelName, Registration, Verdict

TABLE_NAME = "registration.csv"
MATRIX_COLUMNS = tuple(f"m{row}{column}" for row in range(3) for column in range(3))
# Attributes of Registration, rounded to four digits.
NUMBERS = ("coverage", "residual_median_px", "residual_p90_px", "correlation_before", "correlation_after", "overlap")
COLUMNS = ("stem", "verdict", "model", *MATRIX_COLUMNS, "num_inliers", *NUMBERS, "seconds", "reason")
# File names that are no valid text go through unharmed.
ENCODING, ENCODING_ERRORS = "utf-8", "surrogateescape"


def write_table(file: Path, registrations: Iterable[Registration]) -> None:
    """Write the table: the matrix in full precision, other numbers with four digits, NaN as an empty cell.

    Raises:
        UserError: it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for found in registrations:
        matrix = [_cell(value) for value in found.matrix.flat]
        numbers = [_cell(round(float(getattr(found, name)), 4)) for name in (*NUMBERS, "seconds")]
        writer.writerow(
            [found.stem, found.verdict, found.model or "", *matrix, found.num_inliers, *numbers, found.reason]
        )
    write_atomic(file, text.getvalue().encode(ENCODING, ENCODING_ERRORS))


def read_table(file: Path) -> list[Registration]:
    """Read the table that `write_table` wrote.

    Raises:
        UserError: it cannot be read, or is not such a table; names the line.
    """
    try:
        # Spreadsheets begin what they save with a byte order mark.
        text = file.read_bytes().decode(ENCODING, ENCODING_ERRORS).removeprefix("\ufeff")
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); give the folder that register wrote") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    registrations = []
    try:
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError("its columns are not those that register writes")
        registrations = [_registration(row) for row in reader]
    except (ValueError, csv.Error) as error:
        line = max(reader.line_num, 1)
        raise UserError(f"{file}, line {line}: {brief(error)}; mend it or run register again") from error
    return registrations


def _registration(row: dict[str | None, str | None]) -> Registration:
    cells = {name: cell for name, cell in row.items() if name is not None and cell is not None}
    if len(cells) != len(COLUMNS) or len(row) != len(COLUMNS):
        raise ValueError(f"needs {len(COLUMNS)} cells")
    numbers = {name: _number(cells[name]) for name in (*MATRIX_COLUMNS, *NUMBERS, "seconds")}
    matrix = np.array([numbers.pop(name) for name in MATRIX_COLUMNS]).reshape(3, 3)
    return Registration(
        stem=cells["stem"],
        verdict=_one_of(get_args(Verdict), cells["verdict"]),
        reason=cells["reason"],
        model=_one_of(get_args(ModelName), cells["model"]) if cells["model"] else None,
        matrix=matrix,
        num_inliers=int(cells["num_inliers"]),
        **numbers,
    )


def _one_of(known: tuple[Any, ...], cell: str) -> Any:
    if cell not in known:
        raise ValueError(f"{cell!r} is none of {', '.join(known)}")
    return cell


def _cell(value: float) -> str:
    return "" if np.isnan(value) else repr(float(value))


def _number(cell: str) -> float:
    return float(cell) if cell else float("nan")
