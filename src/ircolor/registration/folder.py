"""From the pictures of two cameras to a folder of aligned pairs: every pair, in parallel, and again after a stop."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import isnan
from pathlib import Path
from statistics import median
from typing import Literal, get_args

from ircolor.errors import UserError, did_you_mean
from ircolor.media.sources import resolved
from ircolor.pairs.index import raise_problems, spread_evenly
from ircolor.registration.aligned import Onto
from ircolor.registration.calibration import Calibration
from ircolor.registration.estimate import ModelChoice
from ircolor.registration.output import REPORT_NAME, check_output, earlier_outcome, index_pairs, open_journal
from ircolor.registration.pair import Job, Outcome, Sizes, estimate_frame, fit_points, read_previews, register_pair
from ircolor.registration.parallel import each_done
from ircolor.registration.partners import Partners
from ircolor.registration.points import HandPoints
from ircolor.registration.report import write_report
from ircolor.registration.result import Registration, Verdict
from ircolor.registration.rig import Rig, find_rig
from ircolor.registration.table import TABLE_NAME, write_table

NUM_RIG_FRAMES = 60
KEPT: dict[str, tuple[Verdict, ...]] = {"accept": ("accept",), "review": ("accept", "review")}

Show = Callable[[Mapping[Verdict, int], int], None]


@dataclass(frozen=True, eq=False)
class Settings:
    """How the pairs of a folder are registered.

    Attributes:
        model: what to estimate.
        onto: whose pixels stay as they are.
        keep: list in the index the accepted pairs only, or also those to review.
        rig: the cameras are bolted together: estimate one transform for all pairs first.
        points: points by hand of single pairs by stem, of all other pairs under None, as `read_points` reads them.
        calibration_rgb: lens of the colour camera, to undistort its images.
        calibration_infrared: lens of the infrared camera.
    """

    model: ModelChoice = "auto"
    onto: Onto = "infrared"
    keep: Literal["accept", "review"] = "accept"
    rig: bool = False
    points: Mapping[str | None, HandPoints] = field(default_factory=dict)
    calibration_rgb: Calibration | None = None
    calibration_infrared: Calibration | None = None

    def job(self, partners: Partners) -> Job:
        """What is to be done with one pair."""
        hand = self.points.get(partners.stem) or self.points.get(None)
        return Job(partners, self.model, self.onto, self.calibration_rgb, self.calibration_infrared, hand)


@dataclass(frozen=True, eq=False)
class FolderRig:
    """The transform that the pairs of a folder share.

    Attributes:
        rig: as found.
        stems: of the frames that it was found from.
        sizes: of their images; None where there are no such frames.
    """

    rig: Rig
    stems: tuple[str, ...]
    sizes: Sizes | None

    @property
    def outliers(self) -> tuple[str, ...]:
        """Stems of the frames that contradict it."""
        return tuple(self.stems[number] for number in self.rig.outliers)

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        if not self.rig.num_frames:
            return f"rig: {self.rig.warp.model}, as the points say; the frames show too little to find it"
        against = f"; not {', '.join(self.outliers)}" if self.outliers else ""
        return f"rig: {self.rig.warp.model}, {self.rig.num_frames} of {len(self.stems)} frames agree{against}"


@dataclass(frozen=True, eq=False)
class Summary:
    """What became of a folder.

    Attributes:
        registrations: of all pairs, in their order; those that failed are rejected.
        failures: one line for each pair that could not be processed.
        num_resumed: pairs that an earlier run had finished.
        rig: what they share, if that was asked for.
    """

    registrations: tuple[Registration, ...]
    failures: tuple[str, ...]
    num_resumed: int
    rig: FolderRig | None

    @property
    def by_verdict(self) -> dict[Verdict, tuple[int, float | None]]:
        """Number of pairs and median of their residuals in px, None where none is known."""
        found: dict[Verdict, tuple[int, float | None]] = {}
        for verdict in get_args(Verdict):
            residuals_px = [one.residual_median_px for one in self.registrations if one.verdict == verdict]
            known_px = [residual_px for residual_px in residuals_px if not isnan(residual_px)]
            found[verdict] = len(residuals_px), median(known_px) if known_px else None
        return found


def register_folder(
    partners: Sequence[Partners],
    folder: Path,
    settings: Settings,
    *,
    num_workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    show: Show = lambda _counts, _total: None,
    say: Callable[[str], None] = lambda _text: None,
) -> Summary:
    """Register all pairs and write a folder that training reads, with `registration.csv` and `report.html`.

    Whenever it ends, by an interruption too, the index and the table hold what is finished.

    Args:
        partners: as `find_partners` finds them.
        folder: for the pairs; new or empty, unless `resume` or `overwrite` is given.
        settings: for all pairs.
        num_workers: number of processes, all cores if not given.
        resume: leave out pairs that an earlier run finished with the same files and settings.
        overwrite: replace what an earlier run wrote.
        show: called after each pair with the number of pairs by verdict, and of all pairs.
        say: called with a line for people about the rig, once it is known.

    Raises:
        UserError: the folder cannot be used, the points do not fit, no rig is found, or a worker died. What is wrong
            with single pairs is told in the summary.
    """
    check_output(folder, resume=resume, overwrite=overwrite)
    jobs = [settings.job(pair) for pair in partners]
    _check_jobs(jobs, settings)
    jobs = _with_sizes(jobs)
    rig = None
    if settings.rig:
        rig = _find_rig(jobs, settings.points.get(None), num_workers)
        say(rig.sentence)
        # The points of all pairs are what the rig was found from; now each may differ from it a little.
        jobs = [
            replace(job, rig=rig.rig.warp, hand=settings.points.get(job.partners.stem), sizes=rig.sizes) for job in jobs
        ]

    journal = open_journal(folder, {pair.stem for pair in partners}, resume=resume)
    fingerprints = [job.fingerprint() for job in jobs]
    found: dict[int, Outcome] = {}
    for number, pair in enumerate(partners):
        if outcome := earlier_outcome(journal, fingerprints[number], folder, pair.stem):
            found[number] = outcome
    num_resumed = len(found)
    todo = [number for number in range(len(jobs)) if number not in found]
    counts = Counter(outcome.registration.verdict for outcome in found.values())
    work = partial(register_pair, folder=folder)
    for number in todo:
        journal.begin(jobs[number].partners.stem)
    try:
        for place, outcome in each_done(work, [jobs[number] for number in todo], num_workers):
            number = todo[place]
            found[number] = outcome
            if not outcome.failed:  # the next run tries again
                journal.record(fingerprints[number], outcome.registration, outcome.crop, masked=outcome.masked)
            counts[outcome.registration.verdict] += 1
            show(counts, len(jobs))
    finally:
        done = [(partners[number], found[number]) for number in sorted(found)]
        registrations = tuple(outcome.registration for _, outcome in done)
        write_table(folder / TABLE_NAME, registrations)
        index_pairs(folder, done, KEPT[settings.keep])
    write_report(folder / REPORT_NAME, resolved(folder).name, registrations, partial(read_previews, folder))
    failures = tuple(f"{pair.stem}: {outcome.registration.reason}" for pair, outcome in done if outcome.failed)
    return Summary(registrations, failures, num_resumed, rig)


def _check_jobs(jobs: Sequence[Job], settings: Settings) -> None:
    """Raise UserError where points and pairs, or points and images, do not fit together."""
    stems = {job.partners.stem for job in jobs}
    raise_problems(
        [
            f"{points.name} line {points.lines[0]}: no pair is called {stem}; {did_you_mean(stem, stems)}mend the stem"
            for stem, points in settings.points.items()
            if stem is not None and stem not in stems
        ],
        "stems of points are unknown",
    )
    if settings.model == "thin-plate spline":
        if settings.rig:
            raise UserError("the thin-plate spline is no transform of a rig; give another model, or leave out --rig")
        bare = [job.partners.stem for job in jobs if job.hand is None]
        if bare:
            raise UserError(f"{bare[0]}: the thin-plate spline needs points by hand; give some, or another model")


def _with_sizes(jobs: Sequence[Job]) -> list[Job]:
    """The same jobs, with the sizes that their points by hand are for: of those of all pairs the first one tells.

    Raises:
        UserError: points cannot be used.
    """
    sizes: dict[int, Sizes] = {}
    for job in jobs:
        if id(job.hand) not in sizes and (fitted := fit_points(job) if job.hand else None):
            sizes[id(job.hand)] = fitted[1]
    return [replace(job, sizes=sizes.get(id(job.hand))) for job in jobs]


def _find_rig(jobs: Sequence[Job], points: HandPoints | None, num_workers: int | None) -> FolderRig:
    frames = [jobs[number] for number in spread_evenly(NUM_RIG_FRAMES, len(jobs))]
    estimates = dict(each_done(estimate_frame, frames, num_workers))
    known = {number: one for number in range(len(frames)) if (one := estimates[number])}
    common = next((job for job in jobs if job.hand and job.hand is points), None)
    given = fit_points(common) if common else None
    # A transform in px is that of one size; the frames of the most common one tell it.
    commonest = Counter(sizes for _, sizes in known.values()).most_common(1)
    sizes = given[1] if given else commonest[0][0] if commonest else None
    alike = {number: one for number, (one, theirs) in known.items() if theirs == sizes}
    rig = find_rig(list(alike.values()), frames[0].model, given and given[0])
    return FolderRig(rig, tuple(frames[number].partners.stem for number in alike), sizes)
