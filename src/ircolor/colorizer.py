"""Infrared in, natural colour out: the friendly layer above a network."""

import math
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from ircolor.colorized import Colorized, ColorizedRows, Strip
from ircolor.errors import UserError
from ircolor.inputs import is_pillow, load
from ircolor.machine import cores
from ircolor.media.frames import Frame, Sound
from ircolor.media.images import Infrared
from ircolor.media.intensity import IntensityRule, IntensityWindow
from ircolor.media.provenance import Provenance
from ircolor.memory import lanes_for
from ircolor.sessions.onnx import OnnxSession
from ircolor.stream import ColorizedFrame, colorize_frames, to_frames
from ircolor.tiled import run_strips, run_tiles
from ircolor.tiles import Tiling, check_tile, plan_tiles
from ircolor.weights.catalogue import find_model

if TYPE_CHECKING:
    from PIL import Image as PillowImage

Progress = Callable[[int, int | None], None]
"""Called with the number of tiles, pages or frames done, and of all where that is known."""

_DEPTHS: Mapping[int, type[np.uint8 | np.uint16]] = {8: np.uint8, 16: np.uint16}
# What a row of tiles takes over its pixels and bytes a channel: the infrared and the RGB image, the latter twice more
# where it is encoded or composed.
_STRIP_COPIES = 1 + 3 * 3


class Colorizer:
    """A network, loaded once, that colorizes images of any size; it may be shared by threads.

    Attributes:
        model: the network's file and its card.
        device: where it runs.
        device_reason: why there.
        lanes: how many runs of the network at the same time make the best use of the machine.

    Example:
        >>> colorizer = Colorizer("snet")
        >>> rgb = colorizer(infrared)  # (H, W) uint8 -> (H, W, 3) uint8
    """

    def __init__(
        self,
        model: str | Path = "snet",
        *,
        device: str = "auto",
        tile: str | int = "auto",
        intensity: str = "auto",
        threads: int | None = None,
        lanes: int | None = 1,
    ) -> None:
        """Load a network.

        Args:
            model: a bundled name (see `list_models`) or a FILE.onnx.
            device: auto, or a name of `ircolor.sessions.providers.DEVICES`.
            tile: off (the whole image at once), a tile's edge in pixels, or auto (whole while it fits the
                memory budget of `ircolor.memory`). The result is the same.
            intensity: which stored values are black and white: auto (the rule on the model's card), full,
                percentile or LOW:HIGH.
            threads: CPU threads, for all lanes together; all cores when not given.
            lanes: runs of the network at the same time, for videos, folders and tiles. 1 is best for a single image
                and for what must not wait; None takes as many as there are threads and memory for, which is best for
                all else: on a CPU, runs side by side are faster than one run on all cores.

        Raises:
            UserError: one of them is unknown, unavailable, or a file that is not whole.
        """
        check_tile(tile)
        self._tile = tile
        rule = IntensityRule.parse(intensity)
        self.model = find_model(model)
        self._rule = IntensityRule.parse(self.model.card.intensity) if rule.kind == "auto" else rule
        if threads is not None and threads < 1:
            raise UserError(f"threads {threads}: at least 1 is needed; leave it out for all cores")
        if lanes is not None and lanes < 1:
            raise UserError(f"lanes {lanes}: at least 1 is needed; None takes as many as are of use")
        num_threads = threads or cores().usable
        wanted = lanes_for(num_threads) if lanes is None else lanes
        share = max(1, num_threads // wanted)
        self._session = OnnxSession(self.model.data, self.model.name, device=device, threads=share)
        self.device, self.device_reason = self._session.device, self._session.device_reason
        self.lanes = wanted if self.device == "cpu" else 1
        # However many threads ask: memory was reckoned for so many runs.
        self._turns = BoundedSemaphore(self.lanes)

    @overload
    def __call__(self, infrared: "PillowImage.Image") -> "PillowImage.Image": ...
    @overload
    def __call__(self, infrared: NDArray[Any] | str | Path) -> NDArray[np.uint8]: ...
    def __call__(self, infrared: Any) -> Any:
        """Colorize an image.

        Args:
            infrared: array, (H, W) or (H, W, 1) of uint8, uint16 or float, from 1x1 upward; a PIL image; or
                the path of an image file. A colour image is reduced to its luma, with a warning.

        Returns:
            An RGB image of the same height and width: a PIL image for a PIL image, else an array, (H, W, 3)
            of uint8.

        Raises:
            UserError: unreadable file, wrong shape or type, NaN or infinite values, or not enough memory.
        """
        result = self.colorize_detailed(infrared)
        for note in result.notes:
            warnings.warn(note, stacklevel=2)
        if is_pillow(infrared):
            from PIL import Image as PillowImage

            return PillowImage.fromarray(result.rgb)
        return result.rgb

    def colorize_detailed(self, infrared: Any, progress: Progress | None = None, *, depth_bits: int = 8) -> Colorized:
        """As calling the object, but returns also how the result came about, and does not warn.

        Args:
            infrared: as for a call, or an `Infrared` that was read before.
            progress: called after each tile.
            depth_bits: of the result: 8 or 16.
        """
        source = load(infrared)
        height, width = source.pixels.shape
        dtype = _dtype(depth_bits)
        with _told(source.pixels.shape):
            rgb = np.empty((height, width, 3), dtype)
            shown = np.empty((height, width), dtype)
        rows = self._rows(source, dtype, None, progress, held_bytes=rgb.nbytes + shown.nbytes)
        top = 0
        for strip in rows:
            bottom = top + len(strip.rgb)
            rgb[top:bottom], shown[top:bottom] = strip.rgb, strip.infrared
            top = bottom
        return Colorized(rgb, shown, rows.window, rows.tiling, rows.provenance, rows.notes)

    def colorize_rows(
        self,
        infrared: Any,
        *,
        depth_bits: int = 8,
        window: IntensityWindow | None = None,
        progress: Progress | None = None,
    ) -> ColorizedRows:
        """Colorize an image strip by strip, for results that do not fit into memory; does not warn.

        Args:
            infrared: as for a call, or an `Infrared` that was read before.
            depth_bits: of the result: 8 or 16.
            window: stored values for black and white, where they are known; by the intensity rule when not given.
            progress: called after each tile.

        Returns:
            The strips, made as they are iterated.

        Raises:
            UserError: unreadable file, wrong shape or type, NaN or infinite values, another depth, or not enough
                memory.
        """
        return self._rows(load(infrared), _dtype(depth_bits), window, progress, held_bytes=0)

    def run(self, infrared: NDArray[np.float32]) -> NDArray[np.float32]:
        """The bare network: for frames whose stored values were mapped before.

        Args:
            infrared: (H, W), float32 in [0, 1], from 1x1 upward.

        Returns:
            RGB, (H, W, 3), float32 in [0, 1].

        Raises:
            UserError: not enough memory.
        """
        with _told(infrared.shape):
            rgb = np.empty((*infrared.shape, 3), np.float32)
            for tile in run_tiles(self._run_network, infrared, self.tiling(infrared.shape)):
                rgb[tile.rows, tile.columns] = tile.rgb
        return rgb

    def stream(self, frames: Iterable[Any], *, steady: bool = True) -> Iterator[NDArray[np.uint8]]:
        """Colorize the frames of a video as they come: brightness and colours are held steady from frame to frame.

        Frames are drawn ahead of the results by up to `lanes` + 1, in a thread of their own. Each stream has a state
        of its own; several may run at once.

        Args:
            frames: arrays as for a call, of one size and type.
            steady: keep the colours from flickering (`ircolor.steadiness`).

        Yields:
            RGB, (H, W, 3), uint8, one a frame, in their order.

        Raises:
            UserError: a frame of another size, of a wrong shape or type, or with NaN or infinite values.

        Example:
            >>> for rgb in Colorizer("snet", lanes=None).stream(camera):
            ...     show(rgb)
        """
        for colorized in self.colorize_frames(to_frames(frames), steady=steady):
            if isinstance(colorized, ColorizedFrame):
                yield np.rint(colorized.rgb * 255).astype(np.uint8)

    def colorize_frames(
        self, items: Iterable[Frame | Sound], *, steady: bool = True, ahead: bool = True
    ) -> Generator[ColorizedFrame | Sound, None, None]:
        """As `stream`, for frames with time stamps, and with the sound between them; see `ircolor.stream`.

        Args:
            items: frames of one size, and sound, which passes through.
            steady: as for `stream`.
            ahead: False to draw a frame only when the last is done, as a live camera wants it.
        """
        lanes = self.lanes if ahead else 0
        return colorize_frames(items, self.run, self._rule, lanes=lanes, steady=steady)

    def tiling(self, shape: tuple[int, ...]) -> Tiling:
        """How `run` cuts a frame of a shape, (H, W), and why so."""
        float_bytes = 4 * math.prod(shape)
        return self._plan(shape, held_bytes=(1 + 3) * float_bytes, strip_bytes_per_px=0)

    def provenance(self, window: IntensityWindow) -> Provenance:
        """What an output file should say about itself, given the stored values that became black and white."""
        card = self.model.card
        rule = f"{self._rule.low:g}:{self._rule.high:g}" if self._rule.kind == "range" else self._rule.kind
        return Provenance(card.name, card.version, self.model.sha256, window.low, window.high, rule)

    def _rows(
        self,
        source: Infrared,
        dtype: np.dtype[Any],
        window: IntensityWindow | None,
        progress: Progress | None,
        held_bytes: int,
    ) -> ColorizedRows:
        height, width = source.pixels.shape
        with _told(source.pixels.shape):
            chosen = window or self._rule.window(source.pixels)
        tiling = self._plan(
            source.pixels.shape,
            held_bytes=source.pixels.nbytes + held_bytes,
            strip_bytes_per_px=_STRIP_COPIES * dtype.itemsize,
        )
        provenance = self.provenance(chosen)

        def make() -> Iterator[Strip]:
            with _told(source.pixels.shape):
                yield from run_strips(
                    self._run_network, source.pixels, tiling, chosen.apply, dtype, lanes=self.lanes, progress=progress
                )

        return ColorizedRows(height, width, dtype, chosen, tiling, provenance, source.notes, make)

    def _run_network(self, infrared: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._turns:
            return self._session.run(infrared)

    def _plan(self, shape: tuple[int, ...], *, held_bytes: int, strip_bytes_per_px: int) -> Tiling:
        card = self.model.card
        height, width = shape
        return plan_tiles(
            height + -height % card.grid_px,
            width + -width % card.grid_px,
            self._tile,
            grid_px=card.grid_px,
            halo_px=card.halo_px,
            bytes_per_px=card.bytes_per_px,
            strip_bytes_per_px=strip_bytes_per_px,
            held_bytes=held_bytes,
            lanes=self.lanes,
        )


def _dtype(depth_bits: int) -> np.dtype[Any]:
    if depth_bits not in _DEPTHS:
        raise UserError(f"depth {depth_bits}: results have 8 or 16 bits; use 8 or 16")
    return np.dtype(_DEPTHS[depth_bits])


@contextmanager
def _told(shape: tuple[int, ...]) -> Iterator[None]:
    """Turn a lack of memory into what a user can mend."""
    try:
        yield
    except MemoryError as error:
        raise UserError(f"not enough memory for an image of {shape}; cut it into parts") from error


def colorize(
    infrared: Any,
    model: str | Path = "snet",
    *,
    device: str = "auto",
    tile: str | int = "auto",
    intensity: str = "auto",
    threads: int | None = None,
) -> Any:
    """Colorize one image; see `Colorizer` for the arguments, and for the result, which mirrors the input.

    The network of the last call is kept, so that a loop over images loads it once.
    """
    return _last_colorizer(model, device, tile, intensity, threads)(infrared)


@lru_cache(maxsize=1)
def _last_colorizer(model: str | Path, device: str, tile: str | int, intensity: str, threads: int | None) -> Colorizer:
    return Colorizer(model, device=device, tile=tile, intensity=intensity, threads=threads)
