"""What benchmarks found, and the columns of its scores."""

import json
from collections.abc import Container
from pathlib import Path
from typing import Any

from ircolor.evaluation.tables import COLUMNS, Column

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
SHOWN = ("psnr_db", "ssim", "delta_e_2000", "angular_error_deg", "chroma_gain", "colorfulness_ratio")


def result(benchmark: str) -> Any:
    """The JSON of a file in `benchmarks/results/`, named without its ending."""
    return json.loads((RESULTS / f"{benchmark}.json").read_text(encoding="utf-8"))


def columns_of(keys: Container[str]) -> list[Column]:
    """Those of the comparison, in its order."""
    return [column for column in COLUMNS if column.key in keys]
