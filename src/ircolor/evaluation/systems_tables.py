"""The tables of the page of `ircolor compare`, as HTML, and what they come to in words."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import isfinite
from typing import Any
from urllib.parse import quote

import numpy as np

from ircolor.evaluation.systems import System, SystemsComparison, category_of, facts
from ircolor.evaluation.tables import COLUMNS, Column
from ircolor.pairs.index import Pair

FORGIVING = (
    Column("gray_psnr_db", "own gray, PSNR dB", 2, "high"),
    Column("shift_tolerant_psnr_db", "shifts forgiven, PSNR dB", 2, "high"),
    Column("aligned_psnr_db", "gain and offset forgiven, PSNR dB", 2, "high"),
)
SCORES = (COLUMNS[0], *FORGIVING, *COLUMNS[1:])
SAID = {"psnr_db": "PSNR", "ssim": "SSIM", "delta_e_2000": "CIEDE2000", "chroma_gain": "chroma gain"}


def verdict(comparison: SystemsComparison) -> str:
    """Which system leads, and which others' distance to the measure is more than the choice of images explains."""
    trained = [name for name, system in comparison.systems.items() if system.cards]
    if not trained:
        return "No system here was trained; these are others' images and references."

    leaders = {SAID[column.key]: _best(comparison, column) for column in COLUMNS if column.key in SAID}
    led = ", ".join(f"{name} by {score}" for score, name in leaders.items() if name)
    sentences = [f"Best of the trained systems: {led}."]
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


def budget(comparison: SystemsComparison) -> str:
    """What the trainings had, in a sentence; nothing where there were none."""
    cards = [card for system in comparison.systems.values() for card in system.cards]
    if not cards:
        return ""
    epochs = _from_to([card.epochs for card in cards])
    minutes = _from_to([round(card.train_seconds / 60, 1) for card in cards])
    hardware = "; ".join(sorted({card.hardware for card in cards}))
    return f"Each training had {epochs} epochs, which took {minutes} minutes ({hardware})."


def _from_to(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def numbers_table(comparison: SystemsComparison) -> str:
    """A row for each system, with how sure its numbers are and how far it lies from the measure."""
    best = {column.key: _best(comparison, column) for column in SCORES}
    headings = ["system", *(column.heading for column in SCORES), *_fact_headings(comparison)]
    notes = ["", *(f"best: {column.best}" for column in SCORES)]
    return _table(_headings(headings, notes), (_row(comparison, name, best) for name in comparison.systems))


def images_table(comparison: SystemsComparison) -> str:
    """PSNR of each system on each image, a row for each image; its stem leads to all its scores."""
    rows = []
    for pair in comparison.pairs:
        cells = "".join(f"<td>{system.images[pair.stem]['psnr_db']:.2f}</td>" for system in comparison.systems.values())
        rows.append(f"<tr><td>{scores_link(pair)}</td><td>{escape(category_of(pair))}</td>{cells}</tr>")
    return _table(_headings(["image", "category", *comparison.systems]), rows)


def scores_link(pair: Pair) -> str:
    """The stem of an image, as a link to all its scores."""
    return f'<a href="#{_anchor(pair)}">{escape(pair.stem)}</a>'


def scores_of_images(comparison: SystemsComparison) -> str:
    """All scores of all systems, a table for each image; shown where a link leads to it."""
    headings = _headings(["system", *(column.heading for column in SCORES)])
    sections = []
    for pair in comparison.pairs:
        rows = []
        for name, system in comparison.systems.items():
            cells = "".join(f"<td>{column.text(system.images[pair.stem])}</td>" for column in SCORES)
            rows.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
        sections.append(
            f'<section class="scores" id="{_anchor(pair)}"><h3>All scores of {escape(pair.stem)}</h3>'
            f"{_table(headings, rows)}</section>"
        )
    return "\n".join(sections)


def _anchor(pair: Pair) -> str:
    """A stem may hold what an anchor may not."""
    return f"scores-{quote(pair.stem, safe='', errors='replace')}"


def _table(headings: str, rows: Iterable[str]) -> str:
    body = "\n".join(rows)
    return f'<div class="wide"><table><thead><tr>{headings}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def _headings(texts: Sequence[str], notes: Sequence[str] = ()) -> str:
    padded = [*notes, *[""] * (len(texts) - len(notes))]
    return "".join(
        f"<th><button>{escape(text)}</button>{f'<small>{escape(note)}</small>' if note else ''}</th>"
        for text, note in zip(texts, padded, strict=True)
    )


def _row(comparison: SystemsComparison, name: str, best: Mapping[str, str | None]) -> str:
    """A row of the table; `best` tells which system has the best of each score."""
    system = comparison.systems[name]
    about = [card.summary for card in system.cards[:1]]
    if len(system.seeds) > 1:
        about.append(f"{len(system.seeds)} trainings")
    cells = [f"<td>{escape(name)}{''.join(f'<small>{escape(line)}</small>' for line in about)}</td>"]
    for column in SCORES:
        error = comparison.standard_error(name, column.key)
        difference = comparison.difference(name, column.key)
        sure = f"<small>&plusmn; {error:.{column.digits}f}</small>" if isfinite(error) else ""
        below = ""
        if name != comparison.measure and isfinite(difference.low):
            below = (
                f"<small>{difference.mean:+.{column.digits}f} "
                f"({difference.low:+.{column.digits}f} to {difference.high:+.{column.digits}f})</small>"
            )
        mark = ' class="best"' if name == best[column.key] else ""
        cells.append(
            f'<td{mark} data-value="{system.mean[column.key]}">{column.text(system.mean)}'
            f"{sure}{_spread(system, column)}{below}</td>"
        )
    known = facts(system)
    for key in _fact_headings(comparison).values():
        value = _fact(known, key)
        cells.append(f'<td data-value="{value}">{value:g}</td>' if value is not None else "<td>-</td>")
    return "<tr>" + "".join(cells) + "</tr>"


def _spread(system: System, column: Column) -> str:
    """How far the trainings of a system lie apart; nothing of a single one."""
    if len(system.seeds) < 2:
        return ""
    spread = float(np.std([seed[column.key] for seed in system.seeds], ddof=1))
    return f"<small>of a training &plusmn; {spread:.{column.digits}f}</small>" if isfinite(spread) else ""


def _best(comparison: SystemsComparison, column: Column) -> str | None:
    """Name of the trained system with the best score."""
    trained = {name: system.mean[column.key] for name, system in comparison.systems.items() if system.cards}
    trained = {name: value for name, value in trained.items() if isfinite(value)}
    if not trained or column.best == "-":
        return None
    distance = {"high": lambda value: -value, "low": lambda value: value, "1": lambda value: abs(value - 1)}
    return min(trained, key=lambda name: distance[column.best](trained[name]))


def _fact_headings(comparison: SystemsComparison) -> dict[str, str]:
    """Headings of what is known of models, with where it stands in `facts`."""
    if not any(system.cards for system in comparison.systems.values()):
        return {}
    sizes = sorted({size for s in comparison.systems.values() for size in s.latency_ms})
    return {
        "parameters, millions": "num_parameters",
        "seen at px": "view_px",
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
