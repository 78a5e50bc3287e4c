import math

import numpy as np
from rich.console import Console

from ircolor.evaluation.score import mean_scores, score_image
from ircolor.evaluation.tables import COLUMNS, comparison_table


def scores() -> dict[str, float]:
    rng = np.random.default_rng(0)
    return mean_scores([score_image(rng.random((12, 12, 3)), rng.random((12, 12, 3)))])


def test_a_column_for_every_score() -> None:
    assert {column.key for column in COLUMNS} == set(scores())


def test_the_table_fits_a_terminal_of_80_columns_uncut() -> None:
    mean = scores() | {"angular_error_deg": math.nan, "psnr_db": 22.534}
    long_name = "runs/[bold]/a-rather-long-name-of-a-model"
    console = Console(width=80)
    with console.capture() as capture:
        console.print(comparison_table(dict.fromkeys(("infrared-copy", long_name), mean), "x"))
    lines = capture.get().splitlines()
    assert lines[0].strip() == "x"
    row = next(line for line in lines if "infrared-copy" in line).split()
    assert row[:4] == ["infrared-copy", "22.53", f"{mean['ssim']:.3f}", "-"]
    assert len(row) == 1 + len(COLUMNS)
    assert "".join(line[:12].strip() for line in lines[-5:]).count("[bold]") == 1
    assert "…" not in capture.get()
