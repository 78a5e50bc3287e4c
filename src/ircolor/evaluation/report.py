"""The comparison as one self-contained HTML file: the table, and the best, median and worst image."""

from collections.abc import Mapping, Sequence
from html import escape
from string import Template

from ircolor.evaluation.comparison import Comparison
from ircolor.evaluation.pictures import figure
from ircolor.evaluation.score import Scores
from ircolor.evaluation.tables import COLUMNS
from ircolor.pairs.index import Pair

PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ircolor: $title</title>
<style>
:root { color-scheme: light dark; --line: #8886; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1500px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
th, td { text-align: right; vertical-align: bottom; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
small { font-weight: normal; opacity: .75; display: block; }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: .8rem; }
figure { margin: 0; } img { width: 100%; display: block; } figcaption { font-size: .9em; }
</style>
<h1>$title</h1>
<p>Chroma gain and colour ratio are 0 for a gray image and 1 at
best; PSNR and SSIM hardly see colour. Cosine paper is for comparison with the paper only and ranks nothing.
Numbers are comparable on the same images at the same size only.</p>
<div class="wide"><table>
<tr><th><small>best is</small></th>$headings</tr>
$rows
</table></div>
$notes
$examples
<p><strong>Before you publish this page:</strong> it contains images of the data set. If the terms of the
data are research-only or forbid publication, the numbers may be shared, the images may not.</p>
</html>
""")


def html_report(comparison: Comparison) -> str:
    """The report as HTML, with the pictures embedded as JPEG of at most 480 px width.

    The images shown are those on which the first model has its best, its median and its worst PSNR; they are
    read and predicted again, so that scoring never holds more than one.

    Raises:
        UserError: an image cannot be read any more.
    """
    headings = "".join(f"<th>{escape(column.heading)}<small>{column.best}</small></th>" for column in COLUMNS)
    rows = "\n".join(
        f"<tr><td>{escape(name)}</td>" + "".join(f"<td>{column.text(scores.mean)}</td>" for column in COLUMNS) + "</tr>"
        for name, scores in comparison.scores.items()
    )
    by_stem = {pair.stem: pair for pair in comparison.pairs}
    chosen = best_median_worst(comparison.scores[comparison.first_model].images)
    return PAGE.substitute(
        title=escape(comparison.title),
        headings=headings,
        rows=rows,
        notes="\n".join(f"<p>{escape(note)}</p>" for note in comparison.notes),
        examples="\n".join(_example(comparison, label, by_stem[stem]) for stem, label in chosen.items()),
    )


def best_median_worst(images: Mapping[str, Scores]) -> dict[str, str]:
    """Stems with the best, the median and the worst PSNR, each with its label; none stands twice."""
    ranked = by_psnr(images)
    chosen: dict[str, str] = {}
    for label, stem in (("best", ranked[0]), ("median", median(ranked)), ("worst", ranked[-1])):
        chosen.setdefault(stem, label)
    return chosen


def by_psnr(images: Mapping[str, Scores]) -> list[str]:
    """Stems, from the best PSNR to the worst."""
    return sorted(images, key=lambda stem: images[stem]["psnr_db"], reverse=True)


def median(ranked: Sequence[str]) -> str:
    """The stem in the middle; of an even number the latter of the two."""
    return ranked[len(ranked) // 2]


def _example(comparison: Comparison, label: str, pair: Pair) -> str:
    infrared, true_rgb = pair.read()
    figures = [figure(infrared, "infrared")]
    for name, row in comparison.rows.items():
        psnr_db = comparison.scores[name].images[pair.stem]["psnr_db"]
        figures.append(figure(row(pair.stem, infrared), f"{name}, {psnr_db:.2f} dB"))
    figures.append(figure(true_rgb, "truth"))
    heading = f"{label} PSNR of {comparison.first_model}: {pair.stem}"
    return f'<h2>{escape(heading)}</h2>\n<div class="images">\n' + "\n".join(figures) + "\n</div>"
