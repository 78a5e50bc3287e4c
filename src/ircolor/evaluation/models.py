"""Models as rows of the comparison, each under a name of its own."""

from collections.abc import Collection, Sequence
from pathlib import Path

from ircolor.colorizer import Colorizer
from ircolor.evaluation.score import Image, Row
from ircolor.weights.catalogue import find_model


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
    gives_trust = find_model(model).gives_trust
    return _TrustedModel(model) if gives_trust else _plain(Colorizer(model))


def _plain(colorizer: Colorizer) -> Row:
    def colorize(_stem: str, infrared: Image) -> Image:
        rgb: Image = colorizer(infrared)
        return rgb

    return colorize


class _TrustedModel:
    """A model that also says how wrong its colours are likely to be."""

    def __init__(self, model: str) -> None:
        self._colorizer = Colorizer(model, return_trust=True)

    def __call__(self, stem: str, infrared: Image, /) -> Image:
        return self.with_expected_error(stem, infrared)[0]

    def with_expected_error(self, _stem: str, infrared: Image) -> tuple[Image, Image]:
        result = self._colorizer.colorize_detailed(infrared)
        assert result.expected_error is not None
        return result.rgb, result.expected_error
