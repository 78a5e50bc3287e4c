"""`report.html`: a contact sheet of all pairs in one file that needs no network."""

import base64
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from statistics import median
from string import Template
from typing import get_args

from ircolor.atomic import write_atomic
from ircolor.registration.page import HEAD, SCRIPT, STYLE, TAIL
from ircolor.registration.preview import KINDS, PreviewKind
from ircolor.registration.result import Registration, Verdict

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
# What needs a look stands first.
ORDER: tuple[Verdict, ...] = ("review", "reject", "accept")
ABSENT = "-"


def write_report(
    file: Path,
    title: str,
    registrations: Sequence[Registration],
    previews: Callable[[str], Mapping[PreviewKind, bytes]],
) -> None:
    """Write the report: a summary, and a card for each pair with its pictures, numbers and verdict.

    Choosing the picture and the verdicts works without scripts, sorting needs them.

    Args:
        file: the page; replaced when it exists.
        title: heading, for example the folder's name.
        registrations: of all pairs.
        previews: the pictures of a stem as JPEG; called once a pair, so that never more than one pair is in memory.

    Raises:
        UserError: it cannot be written.
    """
    write_atomic(file, (chunk.encode(errors="replace") for chunk in _chunks(title, registrations, previews)))


def _chunks(
    title: str, registrations: Sequence[Registration], previews: Callable[[str], Mapping[PreviewKind, bytes]]
) -> Iterator[str]:
    counts = {verdict: sum(found.verdict == verdict for found in registrations) for verdict in VERDICTS}
    yield HEAD.substitute(
        title=escape(title),
        policy=f"default-src 'none'; img-src data:; style-src '{_hash(STYLE)}'; script-src '{_hash(SCRIPT)}'",
        style=STYLE,
        summary=escape(summary(registrations)),
        **counts,
    )
    for found in sorted(registrations, key=lambda found: (ORDER.index(found.verdict), found.stem)):
        yield _card(found, previews(found.stem))
    yield TAIL.substitute(script=SCRIPT)


def summary(registrations: Sequence[Registration]) -> str:
    """How it went, in a line or two for people: pairs, median residual, correlation before and after, time."""
    accepted = [found for found in registrations if found.verdict == "accept"]
    residual_px = _median(accepted, lambda found: found.residual_median_px)
    before = _median(accepted, lambda found: found.correlation_before)
    after = _median(accepted, lambda found: found.correlation_after)
    seconds = _median(registrations, lambda found: found.seconds)
    return (
        f"{len(accepted)} of {len(registrations)} pairs accepted. Medians of these: residual {_text(residual_px)} px, "
        f"structure correlation {_text(before)} before and {_text(after)} after. {_text(seconds)} s a pair."
    )


CARD = Template("""<article class="$verdict" data-stem="$stem" data-verdict="$rank" data-residual="$residual"
 data-correlation="$correlation">
<header><h2>$stem</h2><b>$verdict</b></header>
$figures
<p>$reason</p>
<dl>$facts</dl>
</article>
""")


def _card(found: Registration, pictures: Mapping[PreviewKind, bytes]) -> str:
    facts = {
        "model": found.model or "none",
        "residual": f"{_text(found.residual_median_px)} px, P90 {_text(found.residual_p90_px)} px",
        "correlation": f"{_text(found.correlation_before)} → {_text(found.correlation_after)}",
        "inliers": str(found.num_inliers),
        "coverage": _percent(found.coverage),
        "overlap": _percent(found.overlap),
    }
    return CARD.substitute(
        verdict=found.verdict,
        rank=ORDER.index(found.verdict),
        residual=found.residual_median_px,
        correlation=found.correlation_after,
        stem=escape(found.stem),
        figures="".join(_figure(kind, pictures.get(kind)) for kind in KINDS),
        reason=escape(found.reason),
        facts="".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items()),
    )


def _figure(kind: PreviewKind, jpeg: bytes | None) -> str:
    if jpeg is None:
        return f'<div class="picture {kind}">no picture: nothing was aligned</div>'
    source = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    return f'<img class="picture {kind}" alt="{kind}" loading="lazy" decoding="async" src="{source}">'


def _median(registrations: Sequence[Registration], value: Callable[[Registration], float]) -> float:
    values = [number for number in map(value, registrations) if not math.isnan(number)]
    return median(values) if values else math.nan


def _text(number: float) -> str:
    return ABSENT if math.isnan(number) else f"{number:.2f}"


def _percent(share: float) -> str:
    return ABSENT if math.isnan(share) else f"{share:.0%}"


def _hash(text: str) -> str:
    """How a content security policy names the one style or script that it lets in."""
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode()
