"""What the commands tell people, on standard error: standard output is for images, frames and JSON."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ircolor.errors import one_line

if TYPE_CHECKING:
    from ircolor.colorizer import Colorizer


def say(text: str) -> None:
    """Print a line on standard error, if that is not closed: print would turn to standard output, where images go."""
    if sys.stderr:
        print(text, file=sys.stderr, flush=True)


def say_network(colorizer: "Colorizer") -> None:
    """Which network runs, where, and why there."""
    card = colorizer.model.card
    lanes = f", {colorizer.lanes} images at once" if colorizer.lanes > 1 else ""
    say(f"{card.name} {card.version} on {colorizer.device} ({colorizer.device_reason}{lanes})")


def in_words(intensity: str, tiles: str | None, mean_expected_error: float | None) -> str:
    """How something was colorized: its window, its tiles, and how far it can be trusted where that was asked."""
    trust = "" if mean_expected_error is None else f"expected error {mean_expected_error:.1f} CIEDE2000 on the average"
    return "; ".join(text for text in (intensity, tiles, trust) if text)


def say_errors(errors: Sequence[str]) -> None:
    """Each error on a line of its own."""
    for error in errors:
        say(f"error: {one_line(error)}")
