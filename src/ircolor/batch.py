"""Colorize many images: decide beforehand where each result goes, then do one after the other."""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ircolor.colorizer import Colorizer, Progress
from ircolor.errors import UserError
from ircolor.media.compose import side_by_side
from ircolor.media.encode import WRITABLE_SUFFIXES, check_writable_suffix, encode_image, write_image
from ircolor.media.images import read_infrared
from ircolor.media.sources import Source, SourceImage, exists, is_folder, open_source, resolved


@dataclass(frozen=True)
class Job:
    """One image and the file that its colours go to; None for standard output."""

    image: SourceImage
    output: Path | None


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        jobs: in order.
        failures: one line for each part of the sources that could not be read.
        num_done: images left out because their output exists (with resume).
        num_outputs: images left out because they are outputs of this very command.
    """

    jobs: tuple[Job, ...]
    failures: tuple[str, ...]
    num_done: int
    num_outputs: int


@dataclass(frozen=True)
class Outcome:
    """What became of one job; `error` is None when the output was written.

    Attributes:
        input: name of the image.
        output: the file written, - for standard output.
        seconds: from reading to having written.
        low: stored infrared value taken for black.
        high: stored infrared value taken for white.
        intensity: how low and high were found.
        tiles: how the image was cut.
        notes: conversions that the user should know of.
        error: one line.
    """

    input: str
    output: str
    seconds: float
    low: float | None = None
    high: float | None = None
    intensity: str | None = None
    tiles: str | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def plan_jobs(
    sources: Sequence[str], output: str | None = None, *, overwrite: bool = False, resume: bool = False
) -> Plan:
    """Decide what is read and where each result goes, before anything is done.

    Args:
        sources: as `open_source` takes them.
        output: a file (for one image), a folder, or - for standard output. Without it the result of an image
            is NAME_rgb.png beside it, that of a folder the tree FOLDER_rgb, that of standard input standard
            output.
        overwrite: replace outputs that exist.
        resume: leave out images whose output exists.

    Raises:
        UserError: the outputs exist, collide, or would replace an input; or sources and output do not fit.
    """
    if overwrite and resume:
        raise UserError("--overwrite and --resume contradict each other; give one of them")
    skip = Path(output) if output and is_folder(Path(output)) else None
    opened = [open_source(source, skip) for source in sources]
    jobs = _pair(opened, output)
    targets = {resolved(job.output) for job in jobs.values() if job.output}
    chosen: list[Job] = []
    claimed: dict[Path, str] = {}
    num_outputs = num_done = 0
    for key, job in jobs.items():
        target = resolved(job.output) if job.output else None
        if target and target == key:
            raise UserError(f"{job.image.name}: would be replaced by its own result; give another -o")
        if key in targets:
            num_outputs += 1
            continue
        if target in claimed:
            raise UserError(
                f"{job.image.name}: its result {job.output} is also that of {claimed[target]}; "
                "rename one, or colorize them into different folders"
            )
        if target:
            claimed[target] = job.image.name
        if target and exists(target) and not overwrite:
            if not resume:
                raise UserError(f"{job.output}: exists; use --overwrite to replace it, --resume to keep it")
            num_done += 1
            continue
        chosen.append(job)
    failures = tuple(failure for source in opened for failure in source.failures)
    return Plan(tuple(chosen), failures, num_done, num_outputs)


def run_job(colorizer: Colorizer, job: Job, *, compare: bool = False, progress: Progress | None = None) -> Outcome:
    """Read, colorize and write one image; what is wrong with it is told in the outcome, not raised.

    Args:
        colorizer: the network.
        job: the image and its output.
        compare: write the infrared image and the colours side by side.
        progress: called after each tile.
    """
    start = time.perf_counter()
    name, output = job.image.name, str(job.output or "-")
    try:
        result = colorizer.colorize_detailed(read_infrared(job.image.content, name), progress)
        picture = side_by_side([result.infrared, result.rgb]) if compare else result.rgb
        if job.output:
            write_image(job.output, picture, result.provenance)
        else:
            _write_stdout(encode_image(picture, ".png", result.provenance))
    except (UserError, MemoryError) as error:
        message = str(error) if isinstance(error, UserError) else "not enough memory for it; cut it into parts"
        message = message if name in message else f"{name}: {message}"
        return Outcome(name, output, time.perf_counter() - start, error=message)
    return Outcome(
        input=name,
        output=output,
        seconds=time.perf_counter() - start,
        low=result.window.low,
        high=result.window.high,
        intensity=result.window.reason,
        tiles=result.tiling.reason,
        notes=result.notes,
    )


def _write_stdout(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # the reader has gone; the command line ends quietly
    except OSError as error:
        raise UserError(f"standard output: cannot be written ({error.strerror}); free some space") from error


def _pair(sources: Sequence[Source], output: str | None) -> dict[Path | bytes, Job]:
    """A job for each image, by its resolved path or its bytes: an image that is given twice is done once."""
    streams = [source.kind for source in sources].count("stdin")
    num_images = sum(len(source.images) for source in sources)
    if streams and len(sources) > 1:
        raise UserError("-: standard input must be the only source")
    if output == "-" and num_images > 1:
        raise UserError(f"-o -: standard output takes one image, not {num_images}; give a folder")
    alone = len(sources) == 1 and sources[0].kind in ("image", "stdin")
    if output and output != "-" and not is_folder(Path(output)):
        if exists(Path(output)) and not alone:
            raise UserError(f"{output}: is a file, but the results of the sources need a folder; give another -o")
        if Path(output).suffix.lower() in WRITABLE_SUFFIXES and not alone:
            raise UserError(f"{output}: is the name of a file, but the results of the sources need a folder")
    jobs: dict[Path | bytes, Job] = {}
    for source in sources:
        for image in source.images:
            key = image.content if isinstance(image.content, bytes) else resolved(image.content)
            jobs.setdefault(key, Job(image, _output_of(image, source, output, alone)))
    return jobs


def _output_of(image: SourceImage, source: Source, output: str | None, alone: bool) -> Path | None:
    if output == "-" or (output is None and source.kind == "stdin"):
        return None
    if output is not None:
        path = Path(output)
        names_a_file = path.suffix and not output.endswith(("/", "\\")) and not is_folder(path)
        if alone and names_a_file:
            check_writable_suffix(path)
            return path
        return path / image.relative.with_suffix(".png")
    if source.kind == "folder":
        named = source.base if source.base.name not in ("", "..") else source.base.resolve()
        return Path(f"{named}_rgb") / image.relative.with_suffix(".png")
    return source.base / image.relative.with_name(f"{image.relative.stem}_rgb.png")
