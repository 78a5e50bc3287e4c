"""Decide beforehand where the result of each image and video goes, so that nothing is lost or written twice."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ircolor.errors import UserError, did_you_mean
from ircolor.media.addresses import is_live, shown
from ircolor.media.encode import WRITABLE_SUFFIXES, check_writable_suffix
from ircolor.media.images import num_pages
from ircolor.media.provenance import is_result
from ircolor.media.sources import Source, SourceItem, exists, is_folder, open_source, place_of
from ircolor.media.video_codecs import CODECS
from ircolor.media.video_writer import WRITABLE_VIDEO_SUFFIXES, check_video_output, default_video_suffix

TIFF_SUFFIXES = (".tif", ".tiff")
TRUST_MODES = ("map", "fade")


@dataclass(frozen=True)
class Settings:
    """How results are written.

    Attributes:
        depth_bits: 8 or 16 a channel.
        codec: of videos, one of `media.video_writer.CODECS`.
        compare: the infrared image beside its colours.
        steady: videos are kept from flickering (`steadiness.Steadier`).
        trust: map to write the expected error in place of the colours, or beside them where the infrared image is; fade
            where colours are faded by it, which the Colorizer does; None for neither.
    """

    depth_bits: int = 8
    codec: str = "h264"
    compare: bool = False
    steady: bool = True
    trust: str | None = None

    def __post_init__(self) -> None:
        """Check what users choose.

        Raises:
            UserError: an unknown codec or way to show trust, or a depth that nothing is written in.
        """
        if self.codec not in CODECS:
            known = ", ".join(CODECS)
            raise UserError(f"--codec {self.codec}: unknown; {did_you_mean(self.codec, CODECS)}use one of {known}")
        if self.depth_bits not in (8, 16):
            raise UserError(f"depth {self.depth_bits}: results have 8 or 16 bits a channel; give one of them")
        if self.trust not in (None, *TRUST_MODES):
            known = " or ".join(TRUST_MODES)
            raise UserError(f"--trust {self.trust}: unknown; {did_you_mean(self.trust, TRUST_MODES)}use {known}")


DEFAULT_SETTINGS = Settings()


@dataclass(frozen=True)
class Job:
    """One image or video and the file that its colours go to; None for standard output."""

    source: SourceItem
    output: Path | None


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        jobs: in order.
        failures: one line for each part of the sources that could not be read.
        num_done: sources left out because their output exists (with resume).
        num_outputs: sources left out because they are outputs of this very command.
    """

    jobs: tuple[Job, ...]
    failures: tuple[str, ...]
    num_done: int
    num_outputs: int


def plan_jobs(
    sources: Sequence[str],
    output: str | None = None,
    *,
    overwrite: bool = False,
    resume: bool = False,
    strict: bool = True,
    settings: Settings = DEFAULT_SETTINGS,
) -> Plan:
    """Decide what is read and where each result goes, before anything is done.

    Args:
        sources: as `open_source` takes them.
        output: a file (for one source), a folder, or - for standard output. Without it the result of an image
            is NAME_rgb.png beside it (.tiff for one of several pages), that of a video NAME_rgb in the container
            of the input where that can be written, that of a folder the tree FOLDER_rgb, that of standard input
            standard output; of a map of trust NAME_trust and FOLDER_trust.
        overwrite: replace outputs that exist.
        resume: leave out sources whose output exists.
        strict: a source that cannot have its result is an error; else it is a failure, and the others are done.
        settings: what the outputs must be able to hold.

    Raises:
        UserError: the outputs exist, collide, would replace an input, or cannot hold what is wanted; or sources and
            output do not fit.
    """
    if overwrite and resume:
        raise UserError("--overwrite and --resume contradict each other; give one of them")
    if output == "":
        raise UserError("an empty -o (an unset variable?); give a file, a folder, or -")
    if output and is_live(output):
        raise UserError(f"-o {shown(output)}: results of files do not go to a URL; give a file or a folder")
    skip = Path(output) if output and is_folder(Path(output)) else None
    opened = [open_source(source, skip) for source in sources]
    jobs, targets = _pair(opened, output, settings)
    chosen: list[Job] = []
    failures = [failure for source in opened for failure in source.failures]
    claimed: dict[Path, str] = {}
    num_outputs = num_done = 0
    for job in jobs.values():
        key = _identity(job.source)
        target = place_of(job.output) if job.output else None
        problem = ""
        if isinstance(key, Path) and targets.get(key, {key}) != {key}:
            if not overwrite or (isinstance(job.source.content, Path) and is_result(job.source.content)):
                num_outputs += 1
                continue
            problem = f"{job.source.name}: would be replaced by the result of another source; give another -o"
        elif target and target == key:
            problem = f"{job.source.name}: would be replaced by its own result; give another -o"
        elif target in claimed:
            problem = (
                f"{job.source.name}: its result {job.output} is also that of {claimed[target]}; "
                "rename one, or colorize them into different folders"
            )
        if problem and strict:
            raise UserError(problem)
        if problem:
            failures.append(problem)
            continue
        if target:
            claimed[target] = job.source.name
        if job.output and exists(job.output) and not overwrite:
            if not resume:
                raise UserError(f"{job.output}: exists; use --overwrite to replace it, --resume to keep it")
            num_done += 1
            continue
        chosen.append(job)
    return Plan(tuple(chosen), tuple(failures), num_done, num_outputs)


def _pair(
    sources: Sequence[Source], output: str | None, settings: Settings
) -> tuple[dict[Path | bytes, Job], dict[Path, set[Path | bytes]]]:
    """A job for each source, by its absolute path or its bytes: what is given twice is done once, links are not.

    And where results may lie, be they colours or maps of trust, with the resolved sources that they would be of: what
    is a result of another source is none itself.
    """
    streams = [source.kind for source in sources].count("stdin")
    num_items = sum(len(source.items) for source in sources)
    if streams and len(sources) > 1:
        raise UserError("-: standard input must be the only source")
    if output == "-" and num_items > 1:
        raise UserError(f"-o -: standard output takes one image or video, not {num_items}; give a folder")
    alone = len(sources) == 1 and sources[0].kind in ("file", "stdin")
    if output and output != "-" and not is_folder(Path(output)):
        if exists(Path(output)) and not alone:
            raise UserError(f"{output}: is a file, but the results of the sources need a folder; give another -o")
        if Path(output).suffix.lower() in (*WRITABLE_SUFFIXES, *WRITABLE_VIDEO_SUFFIXES) and not alone:
            raise UserError(f"{output}: is the name of a file, but the results of the sources need a folder")
    jobs: dict[Path | bytes, Job] = {}
    targets: dict[Path, set[Path | bytes]] = {}
    for source in sources:
        for item in source.items:
            key = item.content if isinstance(item.content, bytes) else Path(os.path.abspath(item.content))  # noqa: PTH100
            if output == "-" or (output is None and source.kind == "stdin"):
                jobs.setdefault(key, Job(item, None))
                continue
            suffix = _result_suffix(item, settings.codec)
            colors, trust = (_output_of(item, source, output, alone, suffix, ending) for ending in ("_rgb", "_trust"))
            target = trust if settings.trust == "map" else colors
            _check_output(item, target, settings)
            jobs.setdefault(key, Job(item, target))
            for result in (colors, trust):
                targets.setdefault(place_of(result), set()).add(_identity(item))
    return jobs, targets


def _identity(item: SourceItem) -> Path | bytes:
    return place_of(item.content) if isinstance(item.content, Path) else item.content


def _output_of(item: SourceItem, source: Source, output: str | None, alone: bool, suffix: str, ending: str) -> Path:
    if output is not None:
        path = Path(output)
        names_a_file = path.suffix and not output.endswith(("/", "\\")) and not is_folder(path)
        return path if alone and names_a_file else path / item.relative.with_suffix(suffix)
    if source.kind == "folder":
        named = source.base if source.base.name not in ("", "..") else source.base.resolve()
        return Path(f"{named}{ending}") / item.relative.with_suffix(suffix)
    return source.base / item.relative.with_name(f"{item.relative.stem}{ending}{suffix}")


def _result_suffix(item: SourceItem, codec: str) -> str:
    if item.kind == "video":
        return default_video_suffix(item.relative, codec)
    return ".tiff" if _has_pages(item) else ".png"


def _has_pages(item: SourceItem) -> bool:
    if isinstance(item.content, Path) and not os.path.isfile(item.content):  # noqa: PTH113  (a pipe is read but once)
        return False
    try:
        return item.relative.suffix.lower() in TIFF_SUFFIXES and num_pages(item.content) > 1
    except UserError:  # it is told when its turn comes
        return False


def _check_output(item: SourceItem, path: Path, settings: Settings) -> None:
    if item.kind == "video":
        if not _can_hold(path.suffix, settings.codec):
            check_video_output(path, settings.codec, ())  # says why
        return
    check_writable_suffix(path, settings.depth_bits)
    if _has_pages(item) and path.suffix.lower() not in TIFF_SUFFIXES:
        raise UserError(f"{path}: cannot hold the pages of {item.name}; give a name that ends in .tiff")


@lru_cache
def _can_hold(suffix: str, codec: str) -> bool:
    """Tried once for all videos of a folder: it opens an encoder."""
    try:
        check_video_output(Path(f"video{suffix}"), codec, ())
    except UserError:
        return False
    return True
