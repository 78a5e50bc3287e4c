"""What happened between two frames: where pixels moved, how the gain of the camera changed, whether there was a cut."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.noise import at_brightness, spatial_variance

Image = NDArray[np.float32]

# Dense flow begins with what moved as a whole, found at this fraction of the size: it alone loses fast pans.
COARSE = 2
# Share of the structure that motion leaves unexplained: below 0.1 in pans, up to 0.4 behind large things that cross the
# view, from 0.43 between two scenes.
CUT = 0.42
# Correlation below which what seems to have moved as a whole is noise that happens to agree.
LEAST_OVERLAP = 0.5
# Squared differences over those that noise makes: nothing has moved below the first, something above the second.
STILL, MOVED = 1.3, 2.0
# Squared differences that flow leaves, of those that the motion of the camera leaves.
BY_NOISE, BY_MOTION = 0.55, 0.35
EVIDENCE_PX = 9  # what they are averaged over
BLUR_PX = 1.2  # sigma
CAMERA_STEP_PX = 6
# A motion of the camera must leave at most this share of the squared differences; noise allows no such gain.
CAMERA_EXPLAINS = 0.9
SETTLED = 1e-4  # of the gain
WHITE = 0.9  # of what may be clipped nothing tells of the gain
LEAST_STRUCTURE = 0.001  # standard deviation, of the range
FINE_PX, COARSE_PX = 1.5, 8.0  # structure is what lies between these sigmas: coarser than noise, finer than lighting


@dataclass(frozen=True)
class Motion:
    """What happened between two frames.

    Attributes:
        flow: (H, W, 2), (x, y) in px from where a pixel is to where it was.
        gain: brightness of the frame over that of the one before, where both show the same.
        unexplained: share of the structure that motion does not explain; 0 at best, about 1 between two scenes.
    """

    flow: Image
    gain: float
    unexplained: float

    @property
    def is_cut(self) -> bool:
        """Whether the two frames are of different scenes."""
        return self.unexplained > CUT


class MotionFinder:
    """Finds motion between frames of one size; not shared by threads.

    Dense flow (DIS, Kroeger et al. 2016) around the shift of the whole frame (phase correlation). Both see
    structure alone, so that a change of gain does not move anything.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        """Prepare for frames of a size, (height, width)."""
        self._dense = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._dense.setFinestScale(0)
        self._dense.setPatchStride(6)
        self._dense.setVariationalRefinementIterations(2)
        height, width = size
        self._grid = pixel_grid(height, width)
        self._coarse_size = (max(width // COARSE, 1), max(height // COARSE, 1))
        self._window = cv2.createHanningWindow(self._coarse_size, cv2.CV_32F)

    def __call__(self, before: Image, now: Image) -> Motion:
        """Compare two frames.

        Args:
            before: (H, W) in [0, 1], the frame before.
            now: as `before`.
        """
        gain = (float(now.mean()) + 1e-3) / (float(before.mean()) + 1e-3)
        stretch = 0.8 / max(float(np.percentile(before[::4, ::4], 99)), 1e-2)
        before_8, now_8 = _to_8_bits(before * stretch), _to_8_bits(now * (stretch / gain))
        shift = self._shift(before_8, now_8)
        height, width = now.shape
        if shift.any():
            matrix = np.column_stack([np.eye(2), shift])
            flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
            size = width, height
            before_8 = np.asarray(
                cv2.warpAffine(before_8, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
            )
        dense = np.asarray(self._dense.calc(now_8, before_8, np.zeros_like(self._grid)), np.float32) + shift
        flow = self._believed(dense, shift, _blurred(before) * gain, _blurred(now), now)
        source = self._grid + flow
        was = self._warped(before, flow)
        inside = cv2.inRange(source, (0.0, 0.0), (width - 1.0, height - 1.0)) > 0
        gain = _gain(was, now, inside, gain)
        return Motion(flow, gain, _unexplained(was * gain, now, inside & (was * gain < WHITE) & (now < WHITE)))

    def _warped(self, before: Image, flow: Image) -> Image:
        source = self._grid + flow
        return look_up(before, source, cv2.INTER_LINEAR)

    def _camera_motion(self, flow: Image) -> Image:
        """The affine motion that most of a flow agrees with: what noise did to single places averages out."""
        sample = np.s_[CAMERA_STEP_PX // 2 :: CAMERA_STEP_PX, CAMERA_STEP_PX // 2 :: CAMERA_STEP_PX]
        vectors, places = flow[sample].reshape(-1, 2), self._grid[sample].reshape(-1, 2)
        design = np.column_stack([places, np.ones(len(places), np.float32)])
        agreeing = np.ones(len(places), bool)
        for _ in range(3):
            if np.count_nonzero(agreeing) < 6:
                break
            affine = np.linalg.lstsq(design[agreeing], vectors[agreeing], rcond=None)[0].astype(np.float32)
            distance_px = np.linalg.norm(design @ affine - vectors, axis=1)
            agreeing = distance_px <= 2 * np.median(distance_px) + 0.05
        return np.asarray(cv2.transform(self._grid, affine.T), np.float32)

    def _refined(self, camera: Image, before: Image, now: Image) -> Image:
        """An affine motion after one Gauss-Newton step towards what explains most of a frame by the one before.

        It tells fractions of a pixel better than the places of dense flow, so that flow may be rough and quick.
        """
        height, width = now.shape
        sample = np.s_[2:-2:2, 2:-2:2]
        was = self._warped(before, camera)
        left = (now - was)[sample].ravel()
        slope_x, slope_y = (
            cv2.Sobel(was, cv2.CV_32F, *order, scale=1 / 8)[sample].ravel() for order in ((1, 0), (0, 1))
        )
        size = np.abs(left)
        agreeing = size <= 2.5 * np.median(size)
        x, y = (self._grid[sample].reshape(-1, 2) / (width, height) - 0.5).T.astype(np.float32)
        design = agreeing * np.stack([slope_x, slope_x * x, slope_x * y, slope_y, slope_y * x, slope_y * y])
        # Damped: a view without structure tells nothing.
        normal = (design @ design.T).astype(np.float64) + 1e-6 * np.eye(6)
        change = np.linalg.solve(normal, design @ left).reshape(2, 3)
        by_px = np.column_stack(
            [change[:, 1] / width, change[:, 2] / height, change[:, 0] - change[:, 1:].sum(axis=1) / 2]
        )
        return np.asarray(camera + cv2.transform(self._grid, by_px.astype(np.float32)), np.float32)

    def _believed(self, dense: Image, shift: Image, before: Image, blurred: Image, now: Image) -> Image:
        """Dense flow where there is evidence for it, elsewhere the motion of the camera: noise too looks like flow.

        Args:
            dense: (H, W, 2).
            shift: (2,), motion as a whole.
            before: (H, W), blurred: interpolating would take noise from it, and any motion would seem to explain it.
            blurred: (H, W), likewise the frame.
            now: (H, W), the frame.
        """
        still = np.broadcast_to(shift, dense.shape)
        camera = self._refined(self._camera_motion(dense), before, blurred)
        left_still, left_camera, left_dense = (
            np.square(blurred - self._warped(before, flow)) for flow in (still, camera, dense)
        )
        if left_camera.mean() > CAMERA_EXPLAINS * left_still.mean():
            camera, left_camera = still, left_still
        left_camera, left_dense = (cv2.blur(left, (EVIDENCE_PX, EVIDENCE_PX)) for left in (left_camera, left_dense))
        noise = 2 * at_brightness(spatial_variance(now), now) / (4 * np.pi * BLUR_PX**2)
        unexplained = np.clip((left_camera / noise - STILL) / (MOVED - STILL), 0, 1)
        explained = np.clip((BY_NOISE - left_dense / (left_camera + np.float32(1e-9))) / (BY_NOISE - BY_MOTION), 0, 1)
        evidence = cv2.blur(np.maximum(unexplained, explained), (EVIDENCE_PX // 2, EVIDENCE_PX // 2))
        return np.asarray(cv2.blendLinear(dense, np.ascontiguousarray(camera), evidence, 1 - evidence), np.float32)

    def _shift(self, before_8: NDArray[np.uint8], now_8: NDArray[np.uint8]) -> Image:
        """(2,) whole px that the frame as a whole has moved; 0 where standing still explains as much."""
        before, now = (
            _structure(cv2.resize(image, self._coarse_size, interpolation=cv2.INTER_AREA).astype(np.float32), 0.0, 4.0)
            for image in (before_8, now_8)
        )
        (x, y), _ = cv2.phaseCorrelate(now, before, self._window)
        shift = np.rint([x, y]).astype(np.int64)
        moved, still = _overlap(before, now, shift), _overlap(before, now, 0 * shift)
        return (COARSE * shift * (moved > max(still, LEAST_OVERLAP))).astype(np.float32)


@lru_cache(maxsize=8)
def pixel_grid(height: int, width: int) -> Image:
    """(H, W, 2): (x, y) of each pixel; not to be changed."""
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    grid.flags.writeable = False
    return grid


def look_up(image: Image, places: Image, interpolation: int, outside: float | None = None) -> Image:
    """An image at given places, (H, W, 2), (x, y) in px; beyond its border a given value, or that of the border."""
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    found = cv2.remap(image, places, None, interpolation, borderMode=border, borderValue=outside or 0.0)  # type: ignore[call-overload]
    return np.asarray(found, np.float32)


def _to_8_bits(image: Image) -> NDArray[np.uint8]:
    return np.asarray(cv2.convertScaleAbs(image, alpha=255.0))


def _structure(image: Image, fine_px: float, coarse_px: float) -> Image:
    """Details between two sigmas."""
    fine = cv2.GaussianBlur(image, (0, 0), fine_px) if fine_px else image
    return np.asarray(fine - cv2.GaussianBlur(fine, (0, 0), coarse_px))


def _overlap(before: Image, now: Image, shift: NDArray[np.int64]) -> float:
    """Correlation of the parts of two images that lie on each other when `now` came from `shift` px away."""
    (height, width), (x, y) = now.shape, shift
    if max(2 * abs(x) / width, 2 * abs(y) / height) > 1:
        return -1.0  # the less lies on each other, the better it agrees by chance
    a = now[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)]
    b = before[max(0, y) : height - max(0, -y), max(0, x) : width - max(0, -x)]
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-9))


def _blurred(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), BLUR_PX), np.float32)


def _gain(was: Image, now: Image, inside: NDArray[np.bool_], gain: float) -> float:
    """Ratio of sums over the pixels that agree with it; those that moved otherwise drop out as it settles.

    1 where nearly all is clipped, or came from outside.
    """
    sample = np.s_[::2, ::2]
    was, now, inside = was[sample], now[sample], inside[sample]
    for _ in range(4):
        usable = inside & (was * gain < WHITE)  # chosen by the frame before alone: noise does not choose its own pixels
        if np.count_nonzero(usable) < usable.size / 20:
            return 1.0
        difference = np.abs(now - gain * was)
        agreeing = usable & (difference <= 2.5 * np.median(difference[usable]))
        last, gain = gain, float(now[agreeing].sum() + 1e-3) / float(was[agreeing].sum() + 1e-3)
        if abs(gain - last) < SETTLED:
            break
    return gain


def _unexplained(was: Image, now: Image, usable: NDArray[np.bool_]) -> float:
    if np.count_nonzero(usable) < usable.size / 20:
        return 0.0  # all white, or all from outside: nothing tells of a cut
    before, after = _structure(was, FINE_PX, COARSE_PX), _structure(now, FINE_PX, COARSE_PX)
    energy = float(np.square(before)[usable].mean() + np.square(after)[usable].mean())
    # In a view without structure noise is all that changes: what of it is as coarse as structure is no cut.
    deviation = 1.48 * float(np.median(np.abs(now - cv2.GaussianBlur(now, (0, 0), FINE_PX))))
    noise = deviation**2 / (4 * np.pi * FINE_PX**2) + LEAST_STRUCTURE**2
    return float(np.square(after - before)[usable].mean()) / (energy + 3 * noise)
