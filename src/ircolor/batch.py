"""Colorize many images and videos: reading, the network and writing overlap, and a bad file does not stop the rest."""

import sys
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from ircolor.colorized import ColorizedRows, Strip
from ircolor.colorizer import Colorizer, Progress
from ircolor.errors import UserError, reader_has_gone
from ircolor.media.encode import encode_image, write_rows
from ircolor.media.images import Image, Infrared, page_sizes, read_infrared, read_pages
from ircolor.media.tiff_write import Page, write_pages
from ircolor.picture import PictureMaker
from ircolor.pipeline import in_order
from ircolor.plan import DEFAULT_SETTINGS, Job, Settings
from ircolor.video import colorize_video

# Files up to this size, and of so many pixels, are read ahead.
READ_AHEAD_BYTES, READ_AHEAD_PX = 1 << 24, 1 << 24


@dataclass(frozen=True)
class Outcome:
    """What became of one job.

    Attributes:
        input: name of the image or video.
        output: the file written, - for standard output.
        seconds: of work on it, from reading to having written; the work on several files overlaps.
        low: stored infrared value taken for black, in the first page or frame.
        high: stored infrared value taken for white, likewise.
        intensity: how low and high were found.
        tiles: how the image was cut.
        num_frames: of a video, or pages of a TIFF file.
        mean_expected_error: of all pixels, CIEDE2000, where trust is on.
        notes: what the user should know of.
        error: one line; None when all of the source was colorized. Of a damaged video, what precedes the damage was.
    """

    input: str
    output: str
    seconds: float
    low: float | None = None
    high: float | None = None
    intensity: str | None = None
    tiles: str | None = None
    num_frames: int | None = None
    mean_expected_error: float | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def run_jobs(
    colorizer: Colorizer,
    jobs: Iterable[Job],
    settings: Settings = DEFAULT_SETTINGS,
    progress: Progress | None = None,
) -> Generator[Outcome, None, None]:
    """Read, colorize and write each job; the outcomes come in the order of the jobs.

    What is wrong with a file is told in its outcome, not raised. Files are read ahead, and `colorizer.lanes` of them
    are in the network at once; large images, pages and videos have all lanes for themselves, one after the other.

    Args:
        colorizer: the network.
        jobs: as planned; may be endless.
        settings: how results are written.
        progress: called with the tiles, pages or frames done and their number, as a file is worked on.
    """

    def read() -> Iterator[_Task]:
        for job in jobs:
            yield _Task(job, colorizer, settings, progress).read()

    for task in in_order(read(), _Task.infer, colorizer.lanes):
        yield task.finish()


class _Task:
    """A job on its way. Each step runs in another thread, one after the other, and does nothing after an error."""

    def __init__(self, job: Job, colorizer: Colorizer, settings: Settings, progress: Progress | None) -> None:
        self._job, self._colorizer, self._settings, self._progress = job, colorizer, settings, progress
        self._name = job.source.name
        self._maker = PictureMaker(settings)
        self._content = job.source.content
        self._num_pages = 1
        self._rows: ColorizedRows | None = None
        self._strips: list[Strip] = []
        self._facts: dict[str, Any] = {}
        self._seconds = 0.0
        self._error: str | None = None

    def read(self) -> Self:
        """Decode an image; videos and pages are read as they are colorized."""
        with self._step():
            if self._job.source.kind == "image":
                self._content = _read_if_pipe(self._content)
                sizes = page_sizes(self._content, self._name)
                if self._job.output:  # standard output takes the first page
                    self._num_pages = len(sizes)
                if self._num_pages == 1 and self._is_small(sizes[0]):
                    self._rows = self._read_image()
        return self

    def infer(self) -> Self:
        """Run the network, unless the result is too large to be held and is made as it is written."""
        with self._step():
            if self._rows and self._rows.tiling.num_tiles == 1:
                self._strips = list(self._rows)
        return self

    def finish(self) -> Outcome:
        """Write the result."""
        with self._step():
            if self._error:
                pass
            elif self._rows:
                self._write_image(self._rows, self._strips or self._rows)
            elif self._job.source.kind == "video":
                self._write_video(self._content)
            elif self._num_pages > 1:
                self._write_pages()
            else:
                rows = self._read_image()
                self._write_image(rows, rows)
        output = str(self._job.output or "-")
        return Outcome(self._name, output, self._seconds, error=self._error, **self._facts)

    @contextmanager
    def _step(self) -> Iterator[None]:
        """Count the time, and keep the error; what comes after one is not done."""
        start = time.perf_counter()
        try:
            yield
        except (UserError, MemoryError) as error:
            message = str(error) if isinstance(error, UserError) else "not enough memory for it; cut it into parts"
            self._error = message if self._name in message else f"{self._name}: {message}"
        finally:
            self._seconds += time.perf_counter() - start

    def _is_small(self, num_px: int | None) -> bool:
        """Whether several such images may wait in memory; a large one is read when its turn comes.

        Args:
            num_px: that it claims to have: few bytes may hold many.
        """
        content = self._content
        try:
            num_bytes = len(content) if isinstance(content, bytes) else content.stat().st_size
        except OSError:  # reading tells what is wrong
            return True
        return num_bytes <= READ_AHEAD_BYTES and (num_px is None or num_px <= READ_AHEAD_PX)

    def _read_image(self) -> ColorizedRows:
        infrared = read_infrared(self._content, self._name)
        return self._colorizer.colorize_rows(infrared, depth_bits=self._settings.depth_bits, progress=self._progress)

    def _write_image(self, rows: ColorizedRows, strips: Iterable[Strip]) -> None:
        pictures, inscription = self._maker.pictures(strips), self._maker.inscription(rows.provenance)
        if self._job.output:
            write_rows(self._job.output, pictures, rows.height, self._maker.width(rows.width), rows.dtype, inscription)
        else:
            _write_stdout(encode_image(np.concatenate(list(pictures)), ".png", inscription))
        self._facts |= _facts(rows) | {"mean_expected_error": self._maker.mean_error.delta_e}

    def _write_pages(self) -> None:
        """Colorize and write the pages of a TIFF file, with few of them in memory."""
        assert self._job.output

        def colorized(infrared: Infrared) -> tuple[ColorizedRows, Image]:
            rows = self._colorizer.colorize_rows(infrared, depth_bits=self._settings.depth_bits)
            return rows, np.concatenate(list(self._maker.pictures(rows)))

        def pages() -> Iterator[Page]:
            images = read_pages(self._content, self._name)
            with closing(in_order(images, colorized, self._colorizer.lanes)) as results:
                for done, (rows, picture) in enumerate(results, start=1):
                    self._facts = self._facts or _facts(rows)
                    yield picture, self._maker.inscription(rows.provenance)
                    if self._progress:
                        self._progress(done, self._num_pages)

        write_pages(self._job.output, pages(), self._num_pages)
        self._facts |= {"num_frames": self._num_pages, "mean_expected_error": self._maker.mean_error.delta_e}

    def _write_video(self, content: Path | bytes) -> None:
        assert isinstance(content, Path), "standard input is an image, or raw frames, which come another way"
        result = colorize_video(self._colorizer, content, self._job.output, self._settings, self._progress)
        self._error = result.damage and f"{self._name}: {result.damage}; what precedes that was colorized"
        self._facts = {
            "low": result.window.low,
            "high": result.window.high,
            "intensity": result.window.reason,
            "tiles": result.tiles,
            "num_frames": result.num_frames,
            "mean_expected_error": result.mean_expected_error,
            "notes": result.notes,
        }


def _read_if_pipe(content: Path | bytes) -> Path | bytes:
    """The bytes of a pipe, which can be read but once; files as they are."""
    try:
        return content.read_bytes() if isinstance(content, Path) and content.is_fifo() else content
    except OSError:  # reading the image tells what is wrong
        return content


def _facts(rows: ColorizedRows) -> dict[str, Any]:
    window = rows.window
    return {
        "low": window.low,
        "high": window.high,
        "intensity": window.reason,
        "tiles": rows.tiling.reason,
        "notes": rows.notes,
    }


def _write_stdout(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        if reader_has_gone(error):
            raise  # the command line ends quietly
        raise UserError(f"standard output: cannot be written ({error.strerror}); free some space") from error
