"""The page of `ircolor compare`: pictures first, then the numbers, then why; one file that needs no network."""

from collections.abc import Sequence
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.evaluation import charts
from ircolor.evaluation.confusion import confused
from ircolor.evaluation.pictures import eight_bit, figure
from ircolor.evaluation.references import INFRARED_COPY
from ircolor.evaluation.report import best_median_worst, by_psnr, median
from ircolor.evaluation.score import Track, track_silently
from ircolor.evaluation.systems import SystemsComparison, category_of
from ircolor.evaluation.systems_page import PAGE, SCRIPT, STYLE
from ircolor.evaluation.systems_tables import (
    budget,
    images_table,
    numbers_table,
    scores_link,
    scores_of_images,
    verdict,
)
from ircolor.metrics import delta_e_2000_map, usable_pixels
from ircolor.pairs.index import Pair

MAX_SIDE_BY_SIDE = 9  # images, one of each category
CROP_PX, ENLARGED = 64, 4  # of the stored picture, and how many times
MAX_AT_EDGES = 4
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
    worst = by_psnr(images)[: -NUM_WORST - 1 : -1]
    categories = _by_category(comparison)
    side_by_side = [median(by_psnr({pair.stem: images[pair.stem] for pair in pairs})) for pairs in categories.values()][
        :MAX_SIDE_BY_SIDE
    ]
    drawn = {
        stem: _compared(comparison, by_stem[stem], list(comparison.systems))
        for stem in track(list(dict.fromkeys([*side_by_side, *extremes])), "drawing systems side by side")
    }
    links = {stem: scores_link(pair) for stem, pair in by_stem.items()}
    return PAGE.substitute(
        style=STYLE,
        script=SCRIPT,
        title=escape(comparison.title),
        verdict=escape(verdict(comparison)),
        notes="\n".join(f"<p>{escape(note)}</p>" for note in comparison.notes),
        measure=escape(comparison.measure),
        side_by_side="\n".join(f"<h3>{links[stem]}</h3>\n{drawn[stem]}" for stem in side_by_side),
        budget=escape(budget(comparison)),
        numbers=numbers_table(comparison),
        edges=_edges(comparison, [by_stem[stem] for stem in side_by_side]),
        extremes="\n".join(f"<h3>{label}: {links[stem]}</h3>\n{drawn[stem]}" for stem, label in extremes.items()),
        categories="\n".join(
            _extremes_of_category(comparison, category, pairs)
            for category, pairs in track(list(categories.items()), "drawing the categories")
        ),
        failures="\n".join(_failure(comparison, by_stem[stem]) for stem in worst),
        charts="\n".join(
            f"<figure><figcaption>{title}</figcaption>{chart}</figure>"
            for title, chart in _charts(comparison).items()
            if chart
        ),
        images=images_table(comparison),
        scores=scores_of_images(comparison),
    )


def _by_category(comparison: SystemsComparison) -> dict[str, list[Pair]]:
    categories: dict[str, list[Pair]] = {}
    for pair in comparison.pairs:
        categories.setdefault(category_of(pair), []).append(pair)
    return categories


def _compared(comparison: SystemsComparison, pair: Pair, names: Sequence[str]) -> str:
    """One image as infrared, as some systems have it, and as it is."""
    infrared, true_rgb = pair.read()
    figures = [figure(infrared, "infrared", "infrared")]
    for name in names:
        if name != INFRARED_COPY:
            system = comparison.systems[name]
            caption = f"{name}, {system.images[pair.stem]['psnr_db']:.1f} dB"
            figures.append(figure(system.row(pair.stem, infrared), caption, name))
    figures.append(figure(true_rgb, "truth", "truth"))
    return '<div class="images compared">' + "\n".join(figures) + "</div>"


def _extremes_of_category(comparison: SystemsComparison, category: str, pairs: Sequence[Pair]) -> str:
    """The measure's best, median and worst image of a category, in a row."""
    images = comparison.systems[comparison.measure].images
    by_stem = {pair.stem: pair for pair in pairs}
    parts = [
        f"<div>{label}: {scores_link(by_stem[stem])}{_compared(comparison, by_stem[stem], [comparison.measure])}</div>"
        for stem, label in best_median_worst({stem: images[stem] for stem in by_stem}).items()
    ]
    return f'<h3>{escape(category)}</h3><div class="trio">' + "\n".join(parts) + "</div>"


def _edges(comparison: SystemsComparison, pairs: Sequence[Pair]) -> str:
    """ColorNet alone against SNet at the strongest edges, enlarged: the paper's figure 4."""
    names = [name for name in ("colornet", "snet") if name in comparison.systems]
    if len(names) < 2:
        return ""
    parts = []
    for pair in pairs[:MAX_AT_EDGES]:
        infrared, true_rgb = pair.read()
        rows, columns = _sharpest(true_rgb)
        pictures = {"infrared": eight_bit(infrared)}
        pictures |= {name: eight_bit(comparison.systems[name].row(pair.stem, infrared)) for name in names}
        pictures["truth"] = true_rgb
        figures = [
            figure(np.kron(image[rows, columns], np.ones((ENLARGED, ENLARGED, 1), np.uint8)), name, name)
            for name, image in pictures.items()
        ]
        parts.append(f'<h3>{scores_link(pair)}</h3><div class="images compared crops">' + "\n".join(figures) + "</div>")
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
    """One image, its error map, black where a mask leaves it out, and which colours were taken for which."""
    infrared, true_rgb, mask = pair.read_masked()
    system = comparison.systems[comparison.measure]
    pred_rgb = system.row(pair.stem, infrared)
    error = np.clip(delta_e_2000_map(pred_rgb, true_rgb) / SHOWN_DELTA_E, 0, 1)
    if mask is not None:
        error[~mask] = 0
    heat = cv2.applyColorMap(np.rint(255 * error).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    figures = [
        figure(infrared, "infrared", "infrared"),
        figure(pred_rgb, f"{system.name}, {system.images[pair.stem]['psnr_db']:.1f} dB", system.name),
        figure(heat, "CIEDE2000", "error"),
        figure(true_rgb, "truth", "truth"),
    ]
    found = confused(usable_pixels(pred_rgb, mask), usable_pixels(true_rgb, mask))
    confusions = ", ".join(f"{true} as {pred} ({share:.0%})" for true, pred, share in found)
    text = "Colours are about right."
    if confusions:
        text = f"Taken for another colour, as a share of the pixels: {confusions}."
    return (
        f'<h3>{scores_link(pair)}</h3><p>{escape(text)}</p><div class="images compared">'
        + "\n".join(figures)
        + "</div>"
    )


def _charts(comparison: SystemsComparison) -> dict[str, str | None]:
    return {
        "Learning curves": charts.learning_curves({name: system.logs for name, system in comparison.systems.items()}),
        "Error against distance from edges": charts.error_by_distance(comparison),
        "PSNR by category": charts.psnr_by_category(comparison),
        "Colour by hue": charts.chroma_by_hue(comparison),
    }
