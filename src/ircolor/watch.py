"""Follow a folder: what arrives in it is colorized once it is whole."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ircolor.plan import DEFAULT_SETTINGS, Job, Settings, plan_jobs

POLL_S = 2.0
GONE = (-1, -1)


def watch_jobs(
    sources: Sequence[str],
    output: str | None,
    settings: Settings = DEFAULT_SETTINGS,
    tell: Callable[[str], None] | None = None,
) -> Iterator[Job]:
    """The jobs of a plan, then those of each file that arrives, without end.

    A file counts as whole when neither its size nor its time has changed between two looks. One that failed is taken
    up again when it changes. Folders are looked through, rather than watched by the system, so that network disks and
    cards of cameras work too.

    Args:
        sources: as `plan_jobs` takes them; folders and globs.
        output: as `plan_jobs` takes it.
        settings: as `plan_jobs` takes them.
        tell: is called once with each failure: what cannot be read, or would have the result of another.
    """
    told: set[str] = set()
    given: dict[str, tuple[int, int]] = {}
    seen: dict[str, tuple[int, int]] = {}
    while True:
        now: dict[str, tuple[int, int]] = {}
        plan = plan_jobs(sources, output, resume=True, strict=False, settings=settings)
        for failure in plan.failures:
            if tell and failure not in told:
                tell(failure)
        told |= set(plan.failures)
        for job in plan.jobs:
            assert isinstance(job.source.content, Path), "standard input is not watched"
            key = str(job.source.content)  # as it is called: links to one file have results of their own
            state = now[key] = _state(key)
            if seen.get(key) == state != given.get(key) and state != GONE:
                given[key] = state
                yield job
        seen = now
        time.sleep(POLL_S)


def _state(path: str) -> tuple[int, int]:
    """Size in bytes and time of change in ns; of a file that has gone, nothing that a file could have."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return GONE
    return status.st_size, status.st_mtime_ns
