"""Colorize one image by one call; the network of the last call is kept."""

import os
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from ircolor.colorizer import Colorizer
from ircolor.weights import DEFAULT_MODEL


def colorize(
    infrared: Any,
    model: str | Path = DEFAULT_MODEL,
    *,
    device: str = "auto",
    tile: str | int = "auto",
    intensity: str = "auto",
    threads: int | None = None,
    return_trust: bool = False,
    fade_strength: float = 0.0,
) -> Any:
    """Colorize one image; see `Colorizer` for the arguments, and for the result, which mirrors the input.

    The network of the last call is kept, so that a loop over images loads it once.
    """
    with _loading:  # of threads that begin together one loads it for all
        colorizer = _last_colorizer(
            model,
            os.stat(model).st_mtime_ns if os.path.isfile(model) else None,  # noqa: PTH113, PTH116  (any text is a name)
            device=device,
            tile=tile,
            intensity=intensity,
            threads=threads,
            return_trust=return_trust,
            fade_strength=fade_strength,
        )
    return colorizer.mirrored(infrared, callers=1)


_loading = Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_loading.acquire, after_in_parent=_loading.release, after_in_child=_loading.release)


@lru_cache(maxsize=1)
def _last_colorizer(model: str | Path, _changed_ns: int | None, **options: Any) -> Colorizer:
    """For a file that has not changed since."""
    return Colorizer(model, **options)
