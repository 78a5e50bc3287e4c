"""A network that is ready to run over images of any size: so many runs at a time, in tiles that fit the memory."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import index
from threading import BoundedSemaphore, Lock
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from ircolor.colorized import Strip
from ircolor.errors import UserError
from ircolor.machine import threads_to_use
from ircolor.memory import lanes_for
from ircolor.sessions.onnx import OnnxSession
from ircolor.sessions.prediction import Prediction
from ircolor.shrink import seen_size, shrink_mapped
from ircolor.tiled import Paint, painted_by, run_strips, run_tiles
from ircolor.tiles import Tiling, check_tile, cut_strips, plan_tiles
from ircolor.trust import check_fade_strength
from ircolor.view import color_map
from ircolor.weights.catalogue import Model

# What a row of tiles takes over its pixels and bytes a channel: the infrared and the RGB image, the latter twice more
# where it is encoded or composed.
_STRIP_COPIES = 1 + 3 * 3
# With the expected error, in float32, there may be its map beside the RGB image.
_MAP_COPIES, _ERROR_BYTES = 3 * 3, 4
# What it takes to carry colours to full size, in float32: gain and offset and what they are mixed from, the infrared
# image threefold, and an expected error.
_PAINT_BYTES_PER_PX = 4 * (4 * 3 + 3 + 2)


class Network:
    """A loaded network; threads may share it.

    Attributes:
        device: where it runs.
        device_reason: why there.
        lanes: runs at the same time.
        trust: whether it gives the expected error.
        fade_strength: how far colours are faded by it.
    """

    def __init__(
        self,
        model: Model,
        *,
        device: str,
        tile: str | int,
        threads: int | None,
        lanes: int | None,
        trust: bool,
        fade_strength: float,
    ) -> None:
        """Load it; the arguments are those of `Colorizer`.

        Raises:
            UserError: one of them is unknown or unavailable, or the model has no expected error where it is needed.
        """
        check_tile(tile)
        check_fade_strength(fade_strength)
        if lanes is not None and index(lanes) < 1:
            raise UserError(f"lanes {lanes}: at least 1 is needed; None takes as many as are of use")
        self._card, self._tile = model.card, tile
        self.fade_strength = fade_strength
        self.trust = trust or fade_strength > 0
        num_threads = threads_to_use(threads)
        wanted = lanes_for(num_threads) if lanes is None else lanes
        share = max(1, num_threads // wanted)
        self._session = OnnxSession(model.data, model.name, device=device, threads=share, trust=self.trust)
        self.device, self.device_reason = self._session.device, self._session.device_reason
        self.lanes = wanted if self.device == "cpu" else 1
        self._renew_turns()
        _networks.add(self)

    def run(self, infrared: NDArray[np.float32]) -> Prediction:
        """Colorize an image at rest, (H, W) in [0, 1], into one of the same size.

        Raises:
            UserError: not enough memory.
        """
        with lack_of_memory_told(infrared.shape):
            paint = self._paint(infrared, np.asarray)
            return self._run_tiled(paint, infrared, self.tiling(infrared.shape), self.fade_strength)

    def strips(
        self,
        pixels: NDArray[Any],
        tiling: Tiling,
        to_unit: Callable[[NDArray[Any]], NDArray[np.float32]],
        dtype: np.dtype[Any],
        progress: Callable[[int, int], None] | None,
    ) -> Iterator[Strip]:
        """As `ircolor.tiled.run_strips`.

        Raises:
            UserError: not enough memory.
        """
        with lack_of_memory_told(pixels.shape):
            yield from run_strips(
                self._paint(pixels, to_unit),
                pixels,
                tiling,
                to_unit,
                dtype,
                lanes=self.lanes,
                fade_strength=self.fade_strength,
                progress=progress,
            )

    def tiling(self, shape: tuple[int, ...]) -> Tiling:
        """How `run` cuts an image of a shape, (H, W), and why so."""
        float_bytes = 4 * math.prod(shape)
        return self._plan(shape, held_bytes=(1 + 3 + self.trust) * float_bytes)

    def strip_tiling(self, shape: tuple[int, ...], dtype: np.dtype[Any], held_bytes: int) -> Tiling:
        """How an image is to be cut for `strips`.

        Args:
            shape: of the image, (H, W).
            dtype: of the strips.
            held_bytes: memory that the image takes already.
        """
        bytes_per_px = (_STRIP_COPIES + _MAP_COPIES * self.trust) * dtype.itemsize + _ERROR_BYTES * self.trust
        return self._plan(shape, held_bytes=held_bytes, strip_bytes_per_px=bytes_per_px)

    def _paint(self, pixels: NDArray[Any], to_unit: Callable[[NDArray[Any]], NDArray[np.float32]]) -> Paint:
        """What colorizes the tiles of an image: the network, or colours that it gave to the image made small."""
        view = self._card.view
        if not view.carries(pixels.shape):
            return painted_by(self._run)
        size = seen_size(pixels.shape, view.px)
        small = shrink_mapped(pixels, size, to_unit)
        # A tile's edge that was asked for is meant for large images; what is this small needs tiles where it is long.
        prediction = self._run_tiled(painted_by(self._run), small, self._network_tiling(size, "auto"), fade_strength=0)
        colors, height = color_map(small, prediction, view.grade), len(pixels)
        return lambda seen, rows, kept: colors.paint(seen[kept], rows, height)

    def _run_tiled(
        self, paint: Paint, infrared: NDArray[np.float32], tiling: Tiling, fade_strength: float
    ) -> Prediction:
        tiles = run_tiles(paint, infrared, tiling, fade_strength=fade_strength)
        if tiling.num_tiles == 1:
            (tile,) = tiles
            return Prediction(tile.rgb, tile.expected_error)
        rgb = np.empty((*infrared.shape, 3), np.float32)
        expected_error = np.empty(infrared.shape, np.float32) if self.trust else None
        for tile in tiles:
            rgb[tile.rows, tile.columns] = tile.rgb
            if expected_error is not None:
                expected_error[tile.rows, tile.columns] = tile.expected_error
        return Prediction(rgb, expected_error)

    def _renew_turns(self) -> None:
        """Let nobody have a turn: however many threads ask, memory was reckoned for so many runs."""
        # A lock loses no turn where Ctrl-C comes between taking it and knowing so; Python's own semaphore may.
        self._turns = Lock() if self.lanes == 1 else BoundedSemaphore(self.lanes)

    def _run(self, infrared: NDArray[np.float32]) -> Prediction:
        with self._turns:
            return self._session.run(infrared)

    def _plan(self, shape: tuple[int, ...], *, held_bytes: int, strip_bytes_per_px: int = 0) -> Tiling:
        view = self._card.view
        if not view.carries(shape):
            return self._network_tiling(shape, self._tile, held_bytes, strip_bytes_per_px)
        size = seen_size(shape, view.px)
        bytes_per_px = self.lanes * _PAINT_BYTES_PER_PX + strip_bytes_per_px
        return cut_strips(shape, bytes_per_px, held_bytes, f"seen whole, as {size[1]}x{size[0]} px")

    def _network_tiling(
        self, shape: tuple[int, ...], tile: str | int, held_bytes: int = 0, strip_bytes_per_px: int = 0
    ) -> Tiling:
        card = self._card
        height, width = (length + -length % card.grid_px for length in shape)
        return plan_tiles(
            height,
            width,
            tile,
            grid_px=card.grid_px,
            halo_px=card.halo_px + (card.error_halo_px if self.trust else 0),
            bytes_per_px=card.bytes_per_px,
            strip_bytes_per_px=strip_bytes_per_px,
            held_bytes=held_bytes,
            lanes=self.lanes,
        )


@contextmanager
def lack_of_memory_told(shape: tuple[int, ...]) -> Iterator[None]:
    """Turn a lack of memory into what a user can mend."""
    try:
        yield
    except MemoryError as error:
        raise UserError(f"not enough memory for an image of {shape}; cut it into parts") from error


_networks: WeakSet[Network] = WeakSet()


def _renew_all_turns() -> None:
    """In a process that was forked: threads that had a turn are not in it, and would never give it back."""
    for network in list(_networks):
        network._renew_turns()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all_turns)
