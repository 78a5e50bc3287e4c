"""Models as rows of the comparison, each under a name of its own."""

from collections.abc import Collection, Sequence
from pathlib import Path

from ircolor.colorizer import Colorizer
from ircolor.evaluation.score import Image, Row


def model_rows(models: Sequence[str], taken: Collection[str] = ()) -> dict[str, Row]:
    """Load models by name or by `.onnx` file.

    Args:
        models: e.g. `snet`, or `runs/mine/best.onnx`, which is called `best`.
        taken: names of other rows.

    Raises:
        UserError: an unknown model, or a file that is none.
    """
    rows: dict[str, Row] = {}
    for model in models:
        name = Path(model).stem if model.endswith(".onnx") else model
        rows[distinct_name(name, model, {*taken, *rows})] = _model_row(model)
    return rows


def distinct_name(name: str, path: str, taken: Collection[str]) -> str:
    """The name, else the path it was given by, else that path with a number: the first that is not taken."""
    candidates = [name, path]
    while candidates[0] in taken:
        candidates = candidates[1:] or [f"{path} ({len(taken)})"]
    return candidates[0]


def _model_row(model: str) -> Row:
    colorizer = Colorizer(model)

    def colorize(_stem: str, infrared: Image) -> Image:
        return colorizer(infrared)

    return colorize
