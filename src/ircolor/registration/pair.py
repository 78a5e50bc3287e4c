"""One pair: from two files to the aligned images, their pictures, and what is known of them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

import ircolor
from ircolor.atomic import write_atomic
from ircolor.errors import UserError, brief
from ircolor.media.images import Image
from ircolor.media.sources import resolved
from ircolor.pairs.index import read_both
from ircolor.registration.aligned import AlignedPair, Crop, Onto, align, write_pair
from ircolor.registration.calibration import Calibration
from ircolor.registration.estimate import Estimate, ModelChoice, estimate
from ircolor.registration.partners import Partners
from ircolor.registration.points import HandPoints, fit_by_hand
from ircolor.registration.preview import KINDS, PreviewKind, preview_file, previews
from ircolor.registration.result import Registration
from ircolor.registration.transforms import Warp

# What ends the work on a pair, and not on the others.
PROBLEMS = UserError, MemoryError, cv2.error, np.linalg.LinAlgError
# An image drawn at more times its size than this is too blurred to learn from.
MAX_ENLARGEMENT = 2.0


Sizes = tuple[tuple[int, int], tuple[int, int]]
"""Height and width of an RGB and of an infrared image."""


class View(NamedTuple):
    """What goes into an estimate, lens distortion removed: RGB (H, W, 3), infrared (h, w), and points by hand.

    And which pixels of a straightened image its camera saw, (H, W) and (h, w); None for all.
    """

    rgb: Image
    infrared: Image
    hand: HandPoints | None
    notes: tuple[str, ...]
    seen_rgb: NDArray[np.bool_] | None = None
    seen_infrared: NDArray[np.bool_] | None = None

    @property
    def sizes(self) -> Sizes:
        """Of the two images."""
        (height, width, _), (rows, columns) = self.rgb.shape, self.infrared.shape
        return (height, width), (rows, columns)


class Outcome(NamedTuple):
    """What became of a pair.

    Attributes:
        registration: with the verdict reject where the pair failed.
        crop: of the images written; None where none were.
        failed: it could not be processed at all.
        masked: a mask was written with the images.
    """

    registration: Registration
    crop: Crop | None
    failed: bool
    masked: bool = False


@dataclass(frozen=True, eq=False)
class Job:
    """A pair to register, and how.

    Attributes:
        partners: the two files.
        model: to estimate.
        onto: whose pixels stay as they are.
        calibration_rgb: of the lens, to undistort first.
        calibration_infrared: the same of the infrared camera.
        hand: points by hand in the images as stored, which take the place of found ones.
        rig: the transform that all pairs share nearly.
        sizes: of the images that the points by hand or the rig are of; None where there are neither.
    """

    partners: Partners
    model: ModelChoice = "auto"
    onto: Onto = "infrared"
    calibration_rgb: Calibration | None = None
    calibration_infrared: Calibration | None = None
    hand: HandPoints | None = None
    rig: Warp | None = None
    sizes: Sizes | None = None

    def fingerprint(self) -> str:
        """Tells this job from any other one, and from itself once a file has changed."""
        calibrations = self.calibration_rgb, self.calibration_infrared
        facts = (
            ircolor.__version__,
            self.partners.stem,
            self.model,
            self.onto,
            [_identity(file) for file in (self.partners.rgb, self.partners.infrared)],
            [one and (one.size, one.camera_matrix.tolist(), one.distortion.tolist()) for one in calibrations],
            self.hand and (self.hand.rgb.tolist(), self.hand.infrared.tolist()),
            self.rig and (self.rig.model, self.rig.matrix.tolist()),
            self.sizes,
        )
        return sha256(repr(facts).encode()).hexdigest()

    def read(self) -> View:
        """Read both images and straighten them, and the points with them.

        Raises:
            UserError: one is unreadable or does not fit its calibration, or the two look swapped.
        """
        read, rgb = read_both(self.partners.infrared, self.partners.rgb)
        infrared = read.pixels
        hand, seen_rgb, seen_infrared = self.hand, None, None
        if self.calibration_rgb:
            if hand:
                straight = self.calibration_rgb.undistort_points(hand.rgb, rgb.shape)
                hand = replace(hand, rgb=straight, clicked=self.hand)
            rgb, seen_rgb = self.calibration_rgb.undistort(rgb)
        if self.calibration_infrared:
            if hand:
                straight = self.calibration_infrared.undistort_points(hand.infrared, infrared.shape)
                hand = replace(hand, infrared=straight, clicked=self.hand)
            infrared, seen_infrared = self.calibration_infrared.undistort(infrared)
        return View(rgb, infrared, hand, read.notes, seen_rgb, seen_infrared)

    def estimate(self, view: View) -> Estimate:
        """Estimate the transform.

        Raises:
            UserError: the points by hand cannot be used, or they or the rig are those of images of another size.
        """
        if self.sizes and view.sizes != self.sizes:
            ours, theirs = (
                " and ".join(f"{width}x{height}" for height, width in two) for two in (view.sizes, self.sizes)
            )
            raise UserError(
                f"its RGB and infrared image have {ours} px, those of the {'rig' if self.rig else 'points'} {theirs}; "
                "register images of one size at a time"
            )
        return estimate(view.rgb, view.infrared, self.model, hand=view.hand, rig=self.rig)


def fit_points(job: Job) -> tuple[Warp, Sizes] | None:
    """What the points by hand of a pair say, for images of its sizes; None without any, or where these cannot be read.

    Raises:
        UserError: the points cannot be used.
    """
    try:
        view = job.read()
    except UserError:
        return None
    if view.hand is None:
        return None
    return fit_by_hand(view.hand, job.model, view.rgb.shape, view.infrared.shape).warp, view.sizes


def estimate_frame(job: Job) -> tuple[Estimate, Sizes] | None:
    """The estimate of one frame of a rig, less what only its own images need, and its sizes; None where it failed."""
    try:
        view = job.read()
        return replace(job.estimate(view), usable=None), view.sizes
    except PROBLEMS:
        return None


def register_pair(job: Job, folder: Path) -> Outcome:
    """Register a pair and write it into a folder of pairs: no images if rejected, previews if they could be read.

    Raises:
        UserError: the folder cannot be written; what is wrong with the pair itself is told in the outcome.
    """
    start_s = time.perf_counter()
    stem = job.partners.stem
    remove_outputs(folder, stem)  # of an earlier run with another verdict
    try:
        view = job.read()
        found = job.estimate(view)
        aligned, mask = _aligned(view, found, job.onto)
        pictures = previews(view.rgb, view.infrared, aligned)
    except PROBLEMS as error:
        message = "not enough memory; give fewer --workers"
        if isinstance(error, UserError):
            message = " ".join(str(error).split())
        elif not isinstance(error, MemoryError):
            message = f"no transform can be found ({brief(error)}); give points by hand, or leave it out"
        return Outcome(_failure(stem, message, time.perf_counter() - start_s), None, True)
    for kind, picture in pictures.items():
        write_atomic(preview_file(folder, stem, kind), picture)
    crop, masked = None, False
    if aligned is not None and found.verdict != "reject":
        masked = write_pair(folder, stem, aligned, mask)
        crop = aligned.crop
    registration = found.to_registration(stem, time.perf_counter() - start_s)
    blur = _enlargement(found, job.onto)
    verdict = "review" if blur and registration.verdict == "accept" else registration.verdict
    reason = "; ".join((registration.reason, *blur, *view.notes))
    return Outcome(replace(registration, verdict=verdict, reason=reason), crop, False, masked)


def outputs(folder: Path, stem: str) -> Iterator[Path]:
    """All files that a pair may have in a folder of pairs: infrared and RGB image first."""
    for kind in ("infrared", "rgb", "mask"):
        yield folder / kind / f"{stem}.png"
    for picture in KINDS:
        yield preview_file(folder, stem, picture)


def remove_outputs(folder: Path, stem: str) -> None:
    """Remove what an earlier run wrote of a pair."""
    for file in outputs(folder, stem):
        file.unlink(missing_ok=True)


def read_previews(folder: Path, stem: str) -> dict[PreviewKind, bytes]:
    """The pictures that `register_pair` wrote."""
    files = {kind: preview_file(folder, stem, kind) for kind in KINDS}
    return {kind: file.read_bytes() for kind, file in files.items() if file.is_file()}


def _aligned(view: View, found: Estimate, onto: Onto) -> tuple[AlignedPair | None, NDArray[np.bool_] | None]:
    """The aligned images and which of their pixels can be used; None where there is no transform, or no area left."""
    if found.warp is None:
        return None, None
    try:
        aligned = align(view.rgb, view.infrared, found.warp, onto, view.seen_rgb, view.seen_infrared)
    except UserError:
        if found.verdict == "reject":
            return None, None
        raise
    usable = found.usable
    if usable is not None:
        if onto == "rgb":
            gray, _ = found.warp.infrared_onto_rgb(usable.astype(np.uint8) * 255, view.rgb.shape[:2])
            usable = gray > 127
        top, left, height, width = aligned.crop
        usable = usable[top : top + height, left : left + width]
    return aligned, usable


def _enlargement(found: Estimate, onto: Onto) -> list[str]:
    """A line where warping draws one image so much larger that it is blurred."""
    if found.warp is None:
        return []
    scale = float(abs(np.linalg.det(found.warp.matrix[:2, :2])) ** 0.5)
    enlarged, other, scale = ("RGB", "rgb", scale) if onto == "infrared" else ("infrared", "infrared", 1 / scale)
    if scale <= MAX_ENLARGEMENT:
        return []
    return [f"the {enlarged} image is enlarged {scale:.1f} times; --onto {other} would keep both sharp"]


def _failure(stem: str, reason: str, seconds: float) -> Registration:
    nan = float("nan")
    return Registration(stem, "reject", reason, None, np.full((3, 3), nan), 0, nan, nan, nan, nan, nan, nan, seconds)


def _identity(file: Path) -> tuple[Any, ...]:
    """Path, size and time of a file; a file that is gone is told when it is read."""
    try:
        state = file.stat()
    except OSError:
        return (str(resolved(file)),)
    return str(resolved(file)), state.st_size, state.st_mtime_ns
