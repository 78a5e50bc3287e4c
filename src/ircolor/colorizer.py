"""Infrared in, natural colour out: the friendly layer above a network."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.media.images import Infrared, read_infrared, to_infrared
from ircolor.media.intensity import IntensityRule, IntensityWindow
from ircolor.media.provenance import Provenance
from ircolor.sessions.onnx import OnnxSession
from ircolor.tiles import Tiling, check_tile, plan_tiles
from ircolor.weights.catalogue import find_model

if TYPE_CHECKING:
    from PIL import Image as PillowImage

Progress = Callable[[int, int], None]
"""Called with the number of tiles done and their total."""


@dataclass(frozen=True)
class Colorized:
    """A result and how it came about.

    Attributes:
        rgb: (H, W, 3), uint8: the predicted colours.
        infrared: (H, W), uint8: the infrared image as the network saw it.
        window: the stored values that were taken for black and white.
        tiling: how the image was cut.
        provenance: what an output file should say about itself.
        notes: one sentence per conversion the user should know of.
    """

    rgb: NDArray[np.uint8]
    infrared: NDArray[np.uint8]
    window: IntensityWindow
    tiling: Tiling
    provenance: Provenance
    notes: tuple[str, ...]


class Colorizer:
    """A network, loaded once, that colorizes images of any size; it may be shared by threads.

    Attributes:
        model: the network's file and its card.
        device: where it runs, cpu or cuda.
        device_reason: why there.

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
    ) -> None:
        """Load a network.

        Args:
            model: a bundled name (see `list_models`) or a FILE.onnx.
            device: auto, cpu or cuda.
            tile: off (the whole image at once), a tile's edge in pixels, or auto (whole while it fits the
                memory budget of `ircolor.tiles`). The result is the same.
            intensity: which stored values are black and white: auto (the rule on the model's card), full,
                percentile or LOW:HIGH.
            threads: CPU threads; all cores when not given.

        Raises:
            UserError: one of them is unknown, unavailable, or a file that is not whole.
        """
        check_tile(tile)
        self._tile = tile
        rule = IntensityRule.parse(intensity)
        self.model = find_model(model)
        self._rule = IntensityRule.parse(self.model.card.intensity) if rule.kind == "auto" else rule
        self._session = OnnxSession(self.model.data, self.model.name, device=device, threads=threads)
        self.device, self.device_reason = self._session.device, self._session.device_reason

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
        if _is_pillow(infrared):
            from PIL import Image as PillowImage

            return PillowImage.fromarray(result.rgb)
        return result.rgb

    def colorize_detailed(self, infrared: Any, progress: Progress | None = None) -> Colorized:
        """As calling the object, but returns also how the result came about, and does not warn.

        Args:
            infrared: as for a call, or an `Infrared` that was read before.
            progress: called after each tile.
        """
        source = _load(infrared)
        card = self.model.card
        try:
            window = self._rule.window(source.pixels)
            seen = window.apply(source.pixels)
            height, width = seen.shape
            grid_px = card.grid_px
            padding = ((0, -height % grid_px), (0, -width % grid_px))
            padded = np.pad(seen, padding, mode="reflect")
            tiling = plan_tiles(
                padded.shape[0],
                padded.shape[1],
                self._tile,
                grid_px=grid_px,
                halo_px=card.halo_px,
                bytes_per_px=card.bytes_per_px,
            )
            rgb = self._run_tiles(padded, tiling, progress)[:height, :width]
            shown = np.rint(seen * 255).astype(np.uint8)
        except MemoryError as error:
            raise UserError(f"not enough memory for an image of {source.pixels.shape}; cut it into parts") from error
        provenance = Provenance(card.name, card.version, self.model.sha256, window.low, window.high)
        return Colorized(np.ascontiguousarray(rgb), shown, window, tiling, provenance, source.notes)

    def _run_tiles(self, infrared: NDArray[np.float32], tiling: Tiling, progress: Progress | None) -> NDArray[np.uint8]:
        """(H, W) in [0, 1], on the grid -> (H, W, 3) uint8."""
        rgb = np.empty((*infrared.shape, 3), np.uint8)
        for done, (row, column) in enumerate(tiling, start=1):
            tile = infrared[row.start : row.end, column.start : column.end] * 2 - 1
            predicted = self._session.run(tile[None, None])[0]
            kept = predicted[
                :,
                row.keep_start - row.start : row.keep_end - row.start,
                column.keep_start - column.start : column.keep_end - column.start,
            ]
            pixels = np.rint(np.clip((kept + 1) * 127.5, 0, 255)).astype(np.uint8)
            rgb[row.keep_start : row.keep_end, column.keep_start : column.keep_end] = pixels.transpose(1, 2, 0)
            if progress:
                progress(done, tiling.num_tiles)
        return rgb


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


def _is_pillow(image: object) -> bool:
    """Whether this is a PIL image; PIL need not be installed to ask."""
    return type(image).__module__.partition(".")[0] == "PIL"


def _load(image: Any) -> Infrared:
    if isinstance(image, Infrared):
        return image
    if isinstance(image, str | Path):
        return read_infrared(Path(image))
    return to_infrared(_pillow_pixels(image) if _is_pillow(image) else image)


def _pillow_pixels(image: "PillowImage.Image") -> NDArray[Any]:
    """The pixels as stored, or as RGB where the stored numbers are not intensities (e.g. a palette)."""
    if image.mode in ("1", "L", "LA", "RGB", "RGBA", "F") or image.mode.startswith("I;16"):
        return np.asarray(image)
    if image.mode == "I":
        pixels = np.asarray(image)
        return pixels.astype(np.uint16) if pixels.min() >= 0 and pixels.max() < 1 << 16 else pixels.astype(np.float32)
    return np.asarray(image.convert("RGB"))
