"""Infrared in, natural colour out: the friendly layer above a network."""

import os
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ircolor.colorized import Colorized, ColorizedRows, Strip
from ircolor.errors import UserError
from ircolor.inputs import is_pillow, load
from ircolor.media.frames import Frame, Sound
from ircolor.media.images import Infrared
from ircolor.media.intensity import IntensityRule, IntensityWindow
from ircolor.media.provenance import Provenance
from ircolor.network import Network, lack_of_memory_told
from ircolor.sessions.prediction import Prediction
from ircolor.stream import ColorizedFrame, colorize_frames, to_frames
from ircolor.tiles import Tiling
from ircolor.weights import DEFAULT_MODEL
from ircolor.weights.catalogue import find_model

Progress = Callable[[int, int | None], None]
"""Called with the number of tiles, pages or frames done, and of all where that is known."""

_DEPTHS: Mapping[int, type[np.uint8 | np.uint16]] = {8: np.uint8, 16: np.uint16}


class Colorizer:
    """A network, loaded once, that colorizes images of any size; it may be shared by threads.

    Attributes:
        model: the network's file and its card.
        device: where it runs.
        device_reason: why there.
        lanes: how many runs of the network at the same time make the best use of the machine.

    Example:
        >>> colorizer = Colorizer()
        >>> rgb = colorizer(infrared)  # (H, W) uint8 -> (H, W, 3) uint8
        >>> rgb, expected_error = Colorizer(return_trust=True)(infrared)
    """

    def __init__(
        self,
        model: str | Path = DEFAULT_MODEL,
        *,
        device: str = "auto",
        tile: str | int = "auto",
        intensity: str = "auto",
        threads: int | None = None,
        lanes: int | None = 1,
        return_trust: bool = False,
        fade_strength: float = 0.0,
    ) -> None:
        """Load a network.

        Args:
            model: a bundled name (see `list_models`) or a FILE.onnx.
            device: auto, or a name of `ircolor.sessions.providers.DEVICES`.
            tile: off (the whole image at once), a tile's edge in pixels, or auto (whole while it fits the
                memory budget of `ircolor.memory`). The result is the same. Models that see pictures made small
                (`ircolor.view`) need none.
            intensity: which stored values are black and white: auto (the rule on the model's card), full,
                percentile or LOW:HIGH.
            threads: CPU threads, for all lanes together, no more than there are cores; all cores when not given.
            lanes: runs of the network at the same time, for videos, folders and tiles. 1 is best for a single image
                and for what must not wait; None takes as many as there are threads and memory for, which is best for
                all else: on a CPU, runs side by side are faster than one run on all cores.
            return_trust: whether calls and streams give, with the colours, how wrong each is likely to be: its expected
                CIEDE2000, (H, W), float32 (`ircolor.trust.error_picture` makes a picture of it).
            fade_strength: how far colours that are likely to be wrong are faded toward gray: 0 not at all, 1 to gray
                where they are not to be trusted (`ircolor.trust.fade`).

        Raises:
            UserError: one of them is unknown, unavailable, or a file that is not whole; or trust is asked of a model
                that does not give it.
        """
        self._made_with: dict[str, Any] = {
            "model": os.path.abspath(model) if os.path.isfile(model) else model,  # noqa: PTH100, PTH113
            "device": device,
            "tile": tile,
            "intensity": intensity,
            "threads": threads,
            "lanes": lanes,
            "return_trust": return_trust,
            "fade_strength": fade_strength,
        }
        self.model = find_model(model)
        rule = IntensityRule.parse(intensity)
        self._rule = IntensityRule.parse(self.model.card.intensity) if rule.kind == "auto" else rule
        self._return_trust = return_trust
        self._network = Network(
            self.model,
            device=device,
            tile=tile,
            threads=threads,
            lanes=lanes,
            trust=return_trust,
            fade_strength=fade_strength,
        )
        self.device, self.device_reason = self._network.device, self._network.device_reason
        self.lanes = self._network.lanes

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how it was made: processes load a network of their own, e.g. one for each worker of a pool."""
        return partial(type(self), **self._made_with), ()

    def __copy__(self) -> Self:
        return self  # nothing in it changes, and a network of its own would take memory

    def __call__(self, infrared: Any) -> Any:
        """Colorize an image.

        Args:
            infrared: array, (H, W) or (H, W, 1) of uint8, uint16 or float, from 1x1 upward; a PIL image; the path of
                an image file, or its bytes. A colour image is reduced to its luma, with a warning.

        Returns:
            An RGB image of the same height and width: a PIL image for a PIL image, else an array, (H, W, 3)
            of uint8. With `return_trust` a pair: that image, and the expected CIEDE2000 of each pixel, (H, W) of
            float32.

        Raises:
            UserError: unreadable file, wrong shape or type, NaN or infinite values, or not enough memory.
        """
        return self.mirrored(infrared, callers=1)

    def mirrored(self, infrared: Any, callers: int) -> Any:
        """As calling the object, on behalf of a function.

        Args:
            infrared: as for a call.
            callers: how many calls above this one the line lies that warnings are to name.
        """
        result = self.colorize_detailed(infrared)
        for note in result.notes:
            warnings.warn(note, stacklevel=2 + callers)
        rgb: Any = result.rgb
        if is_pillow(infrared):
            from PIL import Image as PillowImage

            rgb = PillowImage.fromarray(rgb)
        return (rgb, result.expected_error) if self._return_trust else rgb

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
        with lack_of_memory_told(source.pixels.shape):
            rgb = np.empty((height, width, 3), dtype)
            shown = np.empty((height, width), dtype)
            expected_error = np.empty((height, width), np.float32) if self._network.trust else None
        held_bytes = rgb.nbytes + shown.nbytes + (0 if expected_error is None else expected_error.nbytes)
        rows = self._rows(source, dtype, None, progress, held_bytes)
        top = 0
        for strip in rows:
            bottom = top + len(strip.rgb)
            rgb[top:bottom], shown[top:bottom] = strip.rgb, strip.infrared
            if expected_error is not None:
                expected_error[top:bottom] = strip.expected_error
            top = bottom
        return Colorized(rgb, shown, expected_error, rows.window, rows.tiling, rows.provenance, rows.notes)

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

    def run(self, infrared: NDArray[np.float32]) -> Prediction:
        """The bare network: for frames whose stored values were mapped before.

        Args:
            infrared: (H, W), float32 in [0, 1], from 1x1 upward.

        Returns:
            RGB, (H, W, 3), float32 in [0, 1], and where trust is on the expected error, (H, W).

        Raises:
            UserError: not enough memory.
        """
        return self._network.run(infrared)

    def stream(self, frames: Iterable[Any], *, steady: bool = True) -> Generator[Any, None, None]:
        """Colorize the frames of a video as they come: brightness and colours are held steady from frame to frame.

        Frames are drawn ahead of the results by up to `lanes` + 1, in a thread of their own. Each stream has a state
        of its own; several may run at once.

        Args:
            frames: images as for a call, of one size and type; what a call warns of is told once.
            steady: keep the colours from flickering (`ircolor.steadiness`).

        Yields:
            RGB, (H, W, 3), uint8, one a frame, in their order; with `return_trust` pairs, as a call gives.

        Raises:
            UserError: a frame of another size, of a wrong shape or type, or with NaN or infinite values.

        Example:
            >>> for rgb in Colorizer("snet", lanes=None).stream(camera):
            ...     show(rgb)
        """
        for colorized in self.colorize_frames(to_frames(frames), steady=steady):
            if isinstance(colorized, ColorizedFrame):
                rgb = np.rint(colorized.rgb * 255).astype(np.uint8)
                yield (rgb, colorized.expected_error) if self._return_trust else rgb

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
        return self._network.tiling(shape)

    def provenance(self, window: IntensityWindow) -> Provenance:
        """What an output file should say about itself, given the stored values that became black and white."""
        card = self.model.card
        rule = f"{self._rule.low:g}:{self._rule.high:g}" if self._rule.kind == "range" else self._rule.kind
        strength = self._network.fade_strength
        remark = f"Colours likely to be wrong are faded toward gray (strength {strength:g})." if strength else ""
        return Provenance(card.name, card.version, self.model.sha256, window.low, window.high, rule, remark)

    def _rows(
        self,
        source: Infrared,
        dtype: np.dtype[Any],
        window: IntensityWindow | None,
        progress: Progress | None,
        held_bytes: int,
    ) -> ColorizedRows:
        height, width = source.pixels.shape
        with lack_of_memory_told(source.pixels.shape):
            chosen = window or self._rule.window(source.pixels)
        tiling = self._network.strip_tiling(source.pixels.shape, dtype, source.pixels.nbytes + held_bytes)
        provenance = self.provenance(chosen)

        def make() -> Iterator[Strip]:
            return self._network.strips(source.pixels, tiling, chosen.apply, dtype, progress)

        return ColorizedRows(height, width, dtype, chosen, tiling, provenance, source.notes, make)


def _dtype(depth_bits: int) -> np.dtype[Any]:
    if depth_bits not in _DEPTHS:
        raise UserError(f"depth {depth_bits}: results have 8 or 16 bits; use 8 or 16")
    return np.dtype(_DEPTHS[depth_bits])
