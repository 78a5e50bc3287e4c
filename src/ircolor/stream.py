"""Colorize frame after frame: intensity and colours are held steady over time, and the network runs ahead."""

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.inputs import load
from ircolor.media.frames import Frame, Sound
from ircolor.media.intensity import IntensityRule, IntensityTracker, IntensityWindow
from ircolor.pipeline import in_order, one_ahead
from ircolor.sessions.prediction import Prediction
from ircolor.steadiness import Look, Steadier

Run = Callable[[NDArray[np.float32]], Prediction]
"""Of an image at rest, (H, W) in [0, 1]."""


@dataclass(frozen=True)
class ColorizedFrame:
    """A frame and its colours. `infrared` and `rgb` cannot be written to: later frames are held steady by them.

    Attributes:
        frame: as it was read.
        window: the stored values that were taken for black and white.
        infrared: (H, W), float32 in [0, 1]: the frame seen through the window.
        rgb: (H, W, 3), float32 in [0, 1].
        expected_error: (H, W), float32, CIEDE2000: what the network says of its colours for this frame alone; None
            where it is not wanted.
    """

    frame: Frame
    window: IntensityWindow
    infrared: NDArray[np.float32]
    rgb: NDArray[np.float32]
    expected_error: NDArray[np.float32] | None


@dataclass(frozen=True)
class _Seen:
    """A frame on its way into the network."""

    frame: Frame
    window: IntensityWindow
    infrared: NDArray[np.float32]
    look: Look | None


def colorize_frames(
    items: Iterable[Frame | Sound], run: Run, rule: IntensityRule, *, lanes: int, steady: bool = True
) -> Generator[ColorizedFrame | Sound, None, None]:
    """Colorize the frames of one video, in their order; sound passes through at its place.

    Args:
        items: frames of one size, and sound.
        run: the network; called from `lanes` threads.
        rule: which stored values are black and white.
        lanes: frames in the network at the same time, at least 1; 0 to draw a frame only when the last has left the
            network and was taken, as a camera wants it.
        steady: keep brightness and colours from flickering.
    """
    steadier = Steadier() if steady else None

    def seen() -> Iterator[_Seen | Sound]:
        tracker = IntensityTracker(rule)
        for item in items:
            if isinstance(item, Sound):
                yield item
                continue
            window = tracker.window(item.pixels, item.bits)
            infrared = window.apply(item.pixels)
            look = None
            if steadier:
                num_cuts = steadier.num_cuts
                look = steadier.look(infrared)
                if steadier.num_cuts > num_cuts:  # the window of the last scene is void
                    tracker.reset()
                    window = tracker.window(item.pixels, item.bits)
                    infrared = window.apply(item.pixels)
                    look = steadier.begin(infrared)
            yield _Seen(item, window, infrared, look)

    def predicted(item: _Seen | Sound) -> tuple[_Seen, Prediction] | Sound:
        return item if isinstance(item, Sound) else (item, run(item.look.infrared if item.look else item.infrared))

    for item in in_order(seen(), predicted, lanes) if lanes else one_ahead(map(predicted, seen())):
        if isinstance(item, Sound):
            yield item
            continue
        seen_frame, (rgb, expected_error) = item
        if steadier and seen_frame.look:
            rgb = steadier.settle(seen_frame.look, rgb)
        infrared = seen_frame.infrared
        yield ColorizedFrame(seen_frame.frame, seen_frame.window, _fixed(infrared), _fixed(rgb), expected_error)


def _fixed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same values, to be read only."""
    view = values.view()
    view.flags.writeable = False
    return view


def to_frames(arrays: Iterable[Any]) -> Iterator[Frame]:
    """Frames of images as `ircolor.inputs.load` takes them, numbered; what was done to obtain them is warned of once.

    Raises:
        UserError: an array of another size than the first, of a wrong shape or type, or with NaN or infinite values.
    """
    shape: tuple[int, ...] | None = None
    told: set[str] = set()
    for number, array in enumerate(arrays):
        infrared = load(array, f"frame {number}")
        for note in set(infrared.notes) - told:
            warnings.warn(f"frame {number}: {note}", stacklevel=2)
        told.update(infrared.notes)
        pixels = infrared.pixels
        shape = shape or pixels.shape
        if pixels.shape != shape:
            raise UserError(f"frame {number}: its size is {pixels.shape}, that of the first {shape}; resize it")
        yield Frame(pixels, 8 * pixels.dtype.itemsize, number, Fraction(1))
