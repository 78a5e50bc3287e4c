"""Charts of a comparison as SVG, to stand in an HTML page."""

import importlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.evaluation.anatomy import DISTANCES_PX, NUM_HUES
from ircolor.evaluation.systems import TRUTH, SystemsComparison
from ircolor.metrics import lab_to_rgb

SIZE_INCHES = (7.0, 4.0)
NUM_COLORS = 20
# Settings for a page in light or dark: no background, text as text, gray that reads on both; and no time or chance in
# the file.
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ircolor",
    "font.size": 10,
    "text.color": "#777",
    "axes.edgecolor": "#777",
    "axes.labelcolor": "#777",
    "xtick.color": "#777",
    "ytick.color": "#777",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


def error_by_distance(comparison: SystemsComparison) -> str:
    """RMSE of each system against the distance from edges of the truth."""
    figure, axes = _figure()
    for name, system in comparison.systems.items():
        axes.plot(
            range(len(DISTANCES_PX)), [255 * rmse for rmse in system.anatomy.rmse_by_distance], label=_label(name)
        )
    axes.set_xticks(range(len(DISTANCES_PX)), [f"{px}+" if px == DISTANCES_PX[-1] else str(px) for px in DISTANCES_PX])
    axes.set_xlabel("distance from an edge, px")
    axes.set_ylabel("RMSE, 8-bit levels")
    return _svg(figure, axes)


def psnr_by_category(comparison: SystemsComparison) -> str:
    """Mean PSNR of each system in each category."""
    figure, axes = _figure()
    scores = {name: comparison.by_category(name) for name in comparison.systems}
    categories = list(next(iter(scores.values())))
    for name, by_category in scores.items():
        values = [by_category[category]["psnr_db"] for category in categories]
        axes.plot(categories, values, marker="o", linestyle="none", label=_label(name))
    axes.tick_params(axis="x", rotation=30)
    axes.set_ylabel("PSNR, dB")
    return _svg(figure, axes)


def chroma_by_hue(comparison: SystemsComparison) -> str:
    """How much colour of each hue a system gives, beside the truth."""
    figure, axes = _figure()
    hues = (np.arange(NUM_HUES) + 0.5) * 360 / NUM_HUES
    axes.bar(hues, comparison.truth.chroma_by_hue, 360 / NUM_HUES, label=TRUTH, alpha=0.5, color=colors_of(hues))
    for name, system in comparison.systems.items():
        axes.plot(hues, system.anatomy.chroma_by_hue, label=_label(name))
    axes.set_xticks(range(0, 361, 90), ["0 red", "90 yellow", "180 green", "270 blue", "360"])
    axes.set_xlabel("hue in CIELAB, degrees")
    axes.set_ylabel("chroma")
    return _svg(figure, axes)


def colors_of(hues_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """RGB in [0, 1] of hues in CIELAB, (N) -> (N, 3), as vivid as sRGB holds at nearly all of them."""
    angles = np.radians(hues_deg)
    return lab_to_rgb(np.stack([np.full_like(angles, 65), 45 * np.cos(angles), 45 * np.sin(angles)], axis=-1))


def learning_curves(logs: Mapping[str, Sequence[Path]]) -> str | None:
    """Sum of the losses that a system's colours are blamed for, over its first value, against the share of training.

    The losses of different systems are of different things, so only their course is to be compared. None where no log
    is at hand. Systems without one count, too: each has its colour in all charts, by its place.
    """
    figure, axes = _figure()
    drawn = False
    for number, (name, files) in enumerate(logs.items()):
        for file in files[:1]:
            losses = _losses(file)
            if len(losses) > 1:
                course = np.array(losses) / losses[0]
                axes.plot(np.linspace(0, 1, len(losses)), course, label=_label(name), color=_color(number))
                drawn = True
    axes.set_yscale("log")
    axes.set_xlabel("share of the training")
    axes.set_ylabel("loss over its first value")
    return _svg(figure, axes) if drawn else None


def _losses(log: Path) -> list[float]:
    """Of the steps that a log tells; a line that was torn when a run was killed tells none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UserError(f"{log}: cannot be read ({error.strerror}); train the system anew") from error
    losses = []
    for line in lines:
        with suppress(ValueError, AttributeError, TypeError):
            record = json.loads(line)
            if record.get("event") == "train":
                blamed = [key for key in record if key.endswith("_loss") and key != "adversary_loss"]
                losses.append(float(sum(record[key] for key in blamed)))
    return losses


def _label(name: str) -> str:
    """A name as it stands in a legend: matplotlib leaves out what begins with _, and reads $ as mathematics."""
    return ("\u200b" if name.startswith("_") else "") + name.replace("$", r"\$")


def load_matplotlib() -> tuple[Any, Any]:
    """Matplotlib and its figures.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module("matplotlib"), importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise UserError("charts need matplotlib; install it with: pip install 'ircolor[eval]'") from error


def _figure() -> tuple[Any, Any]:
    matplotlib, figures = load_matplotlib()
    with matplotlib.rc_context(STYLE):
        figure = figures.Figure(figsize=SIZE_INCHES, layout="constrained")
        axes = figure.subplots()
        axes.set_prop_cycle(color=[_color(number) for number in range(NUM_COLORS)])
    return figure, axes


def _color(number: int) -> Any:
    """That of a system, by its place."""
    matplotlib, _ = load_matplotlib()
    return matplotlib.colormaps["tab20"](number % NUM_COLORS)


def _svg(figure: Any, axes: Any) -> str:
    """The figure as an element of HTML, with a legend beside it."""
    matplotlib, _ = load_matplotlib()
    with matplotlib.rc_context(STYLE):
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        text = StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
