"""The page of `ircolor compare`: pictures first, then the numbers, then why; one file that needs no network."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.evaluation import charts
from ircolor.evaluation.confusion import confused
from ircolor.evaluation.pictures import eight_bit, figure
from ircolor.evaluation.references import INFRARED_COPY
from ircolor.evaluation.report import best_median_worst
from ircolor.evaluation.score import Track, track_silently
from ircolor.evaluation.statistics import standard_error
from ircolor.evaluation.systems import SystemsComparison, category_of, facts
from ircolor.evaluation.systems_page import PAGE, SCRIPT, STYLE
from ircolor.evaluation.tables import COLUMNS, Column
from ircolor.metrics import delta_e_2000_map
from ircolor.pairs.index import Pair

FORGIVING = (
    Column("gray_psnr_db", "own gray, PSNR dB", 2, "high"),
    Column("shift_tolerant_psnr_db", "shifts forgiven, PSNR dB", 2, "high"),
    Column("aligned_psnr_db", "gain and offset forgiven, PSNR dB", 2, "high"),
)
MAX_SIDE_BY_SIDE = 9  # images, one of each category
CROP_PX, ENLARGED = 64, 4  # of the stored picture, and how many times
NUM_WORST = 3
SHOWN_DELTA_E = 50.0


def systems_report(comparison: SystemsComparison, track: Track = track_silently) -> str:
    """The page as HTML; its pictures are colorized again, so that scoring holds no more than one.

    Raises:
        UserError: matplotlib is missing, or an image cannot be read any more.
    """
    by_stem = {pair.stem: pair for pair in comparison.pairs}
    images = comparison.systems[comparison.measure].images
    extremes = best_median_worst(images)
    ranked = sorted(images, key=lambda stem: images[stem]["psnr_db"])
    side_by_side = [pair.stem for pair in _one_of_each_category(comparison)]
    worst = ranked[:NUM_WORST]
    best = {column.key: _best(comparison, column) for column in _columns()}
    drawn = {
        stem: _compared(comparison, by_stem[stem])
        for stem in track(list(dict.fromkeys([*side_by_side, *extremes])), "drawing the page")
    }
    return PAGE.substitute(
        style=STYLE,
        script=SCRIPT,
        title=escape(comparison.title),
        verdict=escape(verdict(comparison)),
        notes="\n".join(f"<p>{escape(note)}</p>" for note in comparison.notes),
        measure=escape(comparison.measure),
        side_by_side="\n".join(f"<h3>{escape(stem)}</h3>\n{drawn[stem]}" for stem in side_by_side),
        headings=_headings(["system", *(column.heading for column in _columns()), *_fact_headings(comparison)],
                           ["", *(f"best: {column.best}" for column in _columns())]),
        rows="\n".join(_row(comparison, name, best) for name in comparison.systems),
        edges=_edges(comparison),
        extremes="\n".join(
            f"<h3>{label}: {escape(stem)}</h3>\n{drawn[stem]}" for stem, label in extremes.items()
        ),
        failures="\n".join(_failure(comparison, by_stem[stem]) for stem in worst),
        charts="\n".join(
            f"<figure><figcaption>{title}</figcaption>{chart}</figure>"
            for title, chart in _charts(comparison).items()
            if chart
        ),
        image_headings=_headings(["image", "category", *comparison.systems]),
        image_rows="\n".join(_image_row(comparison, pair) for pair in comparison.pairs),
    )  # fmt: skip


def verdict(comparison: SystemsComparison) -> str:
    """Which system leads, and whether the measure's lead over each of the others is more than chance."""
    trained = [name for name, system in comparison.systems.items() if system.cards]
    if not trained:
        return "No system here was trained; these are others' images and references."

    def leader(key: str, sign: int) -> str:
        return max(trained, key=lambda name: sign * comparison.systems[name].mean[key])

    sentences = [
        f"Best of the trained systems: {leader('psnr_db', 1)} by PSNR, {leader('ssim', 1)} by SSIM, "
        f"{leader('delta_e_2000', -1)} by CIEDE2000, {leader('chroma_gain', 1)} by chroma gain."
    ]
    found: dict[str, list[str]] = {"clearly below": [], "not clearly apart from": [], "clearly above": []}
    for name in comparison.systems:
        if name != comparison.measure:
            difference = comparison.difference(name, "psnr_db")
            side = "clearly below" if difference.mean < 0 else "clearly above"
            found[side if difference.is_clear else "not clearly apart from"].append(name)
    for where, names in found.items():
        if names:
            sentences.append(f"By PSNR {where} {comparison.measure}: {', '.join(names)}.")
    return " ".join(sentences)


def _columns() -> list[Column]:
    first, *others = COLUMNS
    return [first, *FORGIVING, *others]


def _one_of_each_category(comparison: SystemsComparison) -> list[Pair]:
    """Of each category the image whose PSNR by the measure is the median of the category."""
    images = comparison.systems[comparison.measure].images
    by_category: dict[str, list[Pair]] = {}
    for pair in comparison.pairs:
        by_category.setdefault(category_of(pair), []).append(pair)
    chosen = []
    for pairs in by_category.values():
        ranked = sorted(pairs, key=lambda pair: images[pair.stem]["psnr_db"])
        chosen.append(ranked[len(ranked) // 2])
    return chosen[:MAX_SIDE_BY_SIDE]


def _compared(comparison: SystemsComparison, pair: Pair) -> str:
    """One image as infrared, as each system has it, and as it is."""
    infrared, true_rgb = pair.read()
    figures = [figure(infrared, "infrared", "infrared")]
    for name, system in comparison.systems.items():
        if name != INFRARED_COPY:
            caption = f"{name}, {system.images[pair.stem]['psnr_db']:.1f} dB"
            figures.append(figure(system.row(pair.stem, infrared), caption, name))
    figures.append(figure(true_rgb, "truth", "truth"))
    return '<div class="images compared">' + "\n".join(figures) + "</div>"


def _headings(texts: Sequence[str], notes: Sequence[str] = ()) -> str:
    padded = [*notes, *[""] * (len(texts) - len(notes))]
    return "".join(
        f"<th><button>{escape(text)}</button>{f'<small>{escape(note)}</small>' if note else ''}</th>"
        for text, note in zip(texts, padded, strict=True)
    )


def _row(comparison: SystemsComparison, name: str, best: Mapping[str, str | None]) -> str:
    """A row of the table; `best` tells which system has the best of each score."""
    system = comparison.systems[name]
    spread = f"<small>{len(system.seeds)} trainings</small>" if len(system.seeds) > 1 else ""
    cells = [f"<td>{escape(name)}{spread}</td>"]
    for column in _columns():
        error = standard_error(comparison.values(name, column.key))
        difference = comparison.difference(name, column.key)
        below = (
            ""
            if name == comparison.measure
            else f"<small>{difference.mean:+.{column.digits}f} "
            f"({difference.low:+.{column.digits}f} to {difference.high:+.{column.digits}f})</small>"
        )
        mark = ' class="best"' if name == best[column.key] else ""
        cells.append(
            f'<td{mark} data-value="{system.mean[column.key]}">{column.text(system.mean)}'
            f"<small>&plusmn; {error:.{column.digits}f}</small>{below}</td>"
        )
    known = facts(system)
    for key in _fact_headings(comparison).values():
        value = _fact(known, key)
        cells.append(f'<td data-value="{value}">{value:g}</td>' if value is not None else "<td>-</td>")
    return "<tr>" + "".join(cells) + "</tr>"


def _best(comparison: SystemsComparison, column: Column) -> str | None:
    """Name of the trained system with the best score."""
    trained = {name: system.mean[column.key] for name, system in comparison.systems.items() if system.cards}
    if not trained or column.best == "-":
        return None
    distance = {"high": lambda value: -value, "low": lambda value: value, "1": lambda value: abs(value - 1)}
    return min(trained, key=lambda name: distance[column.best](trained[name]))


def _fact_headings(comparison: SystemsComparison) -> dict[str, str]:
    """Headings of what is known of models, with where it stands in `facts`."""
    if not any(system.cards for system in comparison.systems.values()):
        return {}
    sizes = sorted({size for s in comparison.systems.values() for card in s.cards for size in card.latency_ms})
    return {
        "parameters, millions": "num_parameters",
        "GFLOP at 224": "gflop_224",
        **{f"ms at {size}": f"latency_ms {size}" for size in sizes},
        "epochs": "epochs",
        "trained, s": "train_seconds",
    }


def _fact(known: Mapping[str, Any], key: str) -> float | None:
    if not known:
        return None
    key, _, size = key.partition(" ")
    value = known[key].get(size) if size else known[key]
    if isinstance(value, list):
        return round(float(np.mean(value)))
    return None if value is None else round(value / 1e6, 2) if key == "num_parameters" else float(value)


def _edges(comparison: SystemsComparison) -> str:
    """ColorNet alone against SNet at the strongest edges, enlarged: the paper's figure 4."""
    names = [name for name in ("colornet", "snet") if name in comparison.systems]
    if len(names) < 2:
        return ""
    parts = []
    for pair in _one_of_each_category(comparison)[:4]:
        infrared, true_rgb = pair.read()
        rows, columns = _sharpest(true_rgb)
        pictures = {"infrared": eight_bit(infrared)}
        pictures |= {name: eight_bit(comparison.systems[name].row(pair.stem, infrared)) for name in names}
        pictures["truth"] = true_rgb
        figures = [
            figure(np.kron(image[rows, columns], np.ones((ENLARGED, ENLARGED, 1), np.uint8)), name, name)
            for name, image in pictures.items()
        ]
        parts.append(f'<h3>{escape(pair.stem)}</h3><div class="images compared crops">' + "\n".join(figures) + "</div>")
    return "<h2>ColorNet alone and SNet at edges</h2>\n" + "\n".join(parts)


def _sharpest(true_rgb: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns of the crop with the most gradient."""
    gray = cv2.cvtColor(true_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gradient = np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    side = min(CROP_PX, *gray.shape)
    sums = cv2.boxFilter(gradient, -1, (side, side), anchor=(0, 0), normalize=False)
    inner = sums[: gray.shape[0] - side + 1, : gray.shape[1] - side + 1]
    top, left = np.unravel_index(int(inner.argmax()), inner.shape)
    return slice(int(top), int(top) + side), slice(int(left), int(left) + side)


def _failure(comparison: SystemsComparison, pair: Pair) -> str:
    """One image, its error map, and which colours were taken for which."""
    infrared, true_rgb = pair.read()
    system = comparison.systems[comparison.measure]
    pred_rgb = system.row(pair.stem, infrared)
    error = np.clip(delta_e_2000_map(pred_rgb, true_rgb) / SHOWN_DELTA_E, 0, 1)
    heat = cv2.applyColorMap(np.rint(255 * error).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    figures = [
        figure(infrared, "infrared", "infrared"),
        figure(pred_rgb, f"{system.name}, {system.images[pair.stem]['psnr_db']:.1f} dB", system.name),
        figure(heat, "CIEDE2000", "error"),
        figure(true_rgb, "truth", "truth"),
    ]
    confusions = ", ".join(f"{true} as {pred} ({share:.0%})" for true, pred, share in confused(pred_rgb, true_rgb))
    text = "Colours are about right."
    if confusions:
        text = f"Taken for another colour, as a share of the pixels: {confusions}."
    return (
        f'<h3>{escape(pair.stem)}</h3><p>{escape(text)}</p><div class="images compared">'
        + "\n".join(figures)
        + "</div>"
    )


def _charts(comparison: SystemsComparison) -> dict[str, str | None]:
    logs = {name: system.logs for name, system in comparison.systems.items() if system.logs}
    return {
        "Learning curves": charts.learning_curves(logs),
        "Error against distance from edges": charts.error_by_distance(comparison),
        "PSNR by category": charts.psnr_by_category(comparison),
        "Colour by hue": charts.chroma_by_hue(comparison),
    }


def _image_row(comparison: SystemsComparison, pair: Pair) -> str:
    cells: Iterable[str] = (
        f"<td>{system.images[pair.stem]['psnr_db']:.2f}</td>" for system in comparison.systems.values()
    )
    return f"<tr><td>{escape(pair.stem)}</td><td>{escape(category_of(pair))}</td>{''.join(cells)}</tr>"
