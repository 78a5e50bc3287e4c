"""Score anyone's images: a folder of predictions as a row of the comparison."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ircolor.errors import UserError, brief
from ircolor.evaluation.score import Image, Row, Track, track_silently
from ircolor.media.images import images_in, read_rgb
from ircolor.pairs.index import Pair, raise_problems


def predictions_row(folder: Path, pairs: Sequence[Pair], track: Track = track_silently) -> Row:
    """Match the images of a folder to the pairs by stem, and check them all before any is scored.

    The prediction for `street_01` is `street_01.*` or `street_01_rgb.*`, of exactly the size of the truth: an
    image that was resized on the way would be scored for the resizing. Other files in the folder are ignored.

    Args:
        folder: images of any format that `ircolor` reads; 8 or 16 bit, or float in [0, 1].
        pairs: the pairs to predict.
        track: shows the progress of the check.

    Raises:
        UserError: names every prediction that is missing, ambiguous, unreadable or of another size.
    """
    try:
        present = images_in(folder)
    except OSError as error:
        raise UserError(f"{folder}: cannot be listed ({error.strerror}); give a folder of images") from error
    by_stem: dict[str, list[Path]] = {}
    for file in present:
        by_stem.setdefault(file.stem, []).append(file)
    stems = {pair.stem for pair in pairs}
    files = {}
    problems = []
    for pair in track(pairs, "checking predictions"):
        # A pair that is itself called "x_rgb" keeps its file from the pair "x".
        names = [pair.stem] + [f"{pair.stem}_rgb"] * (f"{pair.stem}_rgb" not in stems)
        found = [file for name in names for file in by_stem.get(name, [])]
        if not found:
            problems.append(f"{folder / pair.stem}: no image of this stem; predict it, with suffix _rgb or without")
        elif len(found) > 1:
            problems.append(f"{' and '.join(map(str, found))}: two predictions of one image; keep one")
        else:
            files[pair.stem] = found[0]
            problems += _problem(found[0], pair)
    raise_problems(problems, f"of {len(pairs)} predictions in {folder} cannot be scored")
    return lambda stem, _infrared: _read(files[stem])


def _problem(file: Path, pair: Pair) -> list[str]:
    """What is wrong with a prediction: nothing, or one line."""
    try:
        pred_rgb, (_, true_rgb) = _read(file), pair.read()
    except UserError as error:
        return [brief(error)]
    if pred_rgb.shape == true_rgb.shape:
        return []
    (height, width), (true_height, true_width) = pred_rgb.shape[:2], true_rgb.shape[:2]
    return [f"{file}: {width}x{height}, but the truth is {true_width}x{true_height}; predict at the stored size"]


def _read(file: Path) -> Image:
    pixels = read_rgb(file)
    return pixels / 65535.0 if pixels.dtype == np.uint16 else pixels
