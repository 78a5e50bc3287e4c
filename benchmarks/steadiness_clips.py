"""Clips made of still pairs, so that their true colours and their true motion are known.

A window pans over a pair, turning and zooming a little, at fractions of a px; a patch of another pair may move over
it, a camera's automatic gain drifts and its sensor adds noise. Everything is drawn by one seed.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]

EDGE_PX = 8  # how near to the edge of a foreground a pixel tells of ghosts


@dataclass(frozen=True)
class Kind:
    """What happens in a clip.

    Attributes:
        name: of the row in the results.
        noise: standard deviation of the sensor's noise at white, over the range; half of it at black.
        gain: amplitude of the drift of the gain, over 1.
        gain_jump: factor of the gain from the middle of the clip on.
        pan_px: speed of the window between frames; it turns round when it comes to an edge.
        shaking: share of the ordinary turning, zooming and swaying of the camera.
        foreground: whether a patch of another scene crosses the view.
    """

    name: str
    noise: float = 0.0
    gain: float = 0.0
    gain_jump: float = 1.0
    pan_px: float = 2.0
    shaking: float = 1.0
    foreground: bool = False


@dataclass(frozen=True)
class Shot:
    """One frame of a clip.

    Attributes:
        infrared: (H, W) in [0, 1], as the camera gives it, of 256 levels.
        clean: (H, W) in [0, 1], without noise and drift of the gain.
        true_rgb: (H, W, 3) in [0, 1].
        flow: (H, W, 2), (x, y) in px from where a pixel is to where it was in the frame before; None in the first.
        reliable: (H, W) bool, where that is known: seen in both frames, not at the edge of a foreground.
        edge: (H, W) bool, at most EDGE_PX from the edge of the foreground.
    """

    infrared: Image
    clean: Image
    true_rgb: Image
    flow: Image | None
    reliable: NDArray[np.bool_]
    edge: NDArray[np.bool_]


@dataclass(frozen=True)
class _Layer:
    """A pair, (H, W, 4): RGB and infrared; and for each frame the (3, 3) matrix from window to pair."""

    pixels: Image
    matrices: list[Floats]

    def draw(self, number: int, size: tuple[int, int]) -> Image:
        drawn = cv2.warpAffine(
            self.pixels,
            self.matrices[number][:2],
            size[::-1],
            flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        return np.asarray(np.clip(drawn, 0, 1))

    def flow(self, number: int, grid: Floats) -> Floats:
        to_before = np.linalg.inv(self.matrices[number - 1]) @ self.matrices[number]
        return np.asarray(grid @ to_before[:2, :2].T + to_before[:2, 2] - grid)


def make_clip(
    kind: Kind,
    pair: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    other: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    *,
    num_frames: int,
    size: tuple[int, int],
    seed: int,
) -> list[Shot]:
    """Film a pair.

    Args:
        kind: what happens.
        pair: infrared (H, W) and RGB (H, W, 3), both larger than the window by half.
        other: as `pair`, what a foreground is made of.
        num_frames: how many.
        size: (height, width) of the window.
        seed: of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    background = _layer(kind, pair, num_frames, size, rng)
    discs = _discs(num_frames, size, rng)
    foreground = _attached(other, discs, rng)
    gain = _gain(kind, num_frames, rng)
    grid = np.stack(np.meshgrid(np.arange(size[1]), np.arange(size[0])), axis=-1).astype(np.float64)
    shots: list[Shot] = []
    before: Floats | None = None
    for number in range(num_frames):
        pixels = background.draw(number, size)
        disc = _disc(discs[number], grid) if kind.foreground else np.zeros(size)
        matte = np.clip(disc + 0.5, 0, 1).astype(np.float32)[..., None]  # antialiased: disc is in px from its edge
        pixels = matte * foreground.draw(number, size) + (1 - matte) * pixels if kind.foreground else pixels
        near = np.abs(disc) <= EDGE_PX if kind.foreground else np.zeros(size, np.bool_)
        flow = None
        reliable: NDArray[np.bool_] = np.zeros(size, np.bool_)
        if before is not None:
            inside = disc[..., None] > 0
            flow = np.where(inside, foreground.flow(number, grid), background.flow(number, grid)).astype(np.float32)
            source = (grid + flow).astype(np.float32)
            was = cv2.remap(
                before.astype(np.float32), source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderValue=0.0
            )
            within = ((source >= 2) & (source <= np.array(size[::-1]) - 3)).all(axis=-1)
            same = (np.sign(was) == np.sign(disc)) & (np.minimum(abs(was), abs(disc)) > 3)
            reliable = np.asarray(within & same if kind.foreground else within)
        before = disc
        clean = pixels[..., 3]
        sigma = kind.noise * np.sqrt(0.25 + 0.75 * clean)
        seen = gain[number] * clean + sigma * rng.standard_normal(size)
        infrared = np.rint(np.clip(seen, 0, 1) * 255).astype(np.float32) / 255
        shots.append(Shot(infrared, clean, np.ascontiguousarray(pixels[..., :3]), flow, reliable, near))
    return shots


def _layer(
    kind: Kind,
    pair: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    num_frames: int,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> _Layer:
    pixels = np.dstack([pair[1], pair[0]]).astype(np.float32) / np.float32(255)
    time = np.arange(num_frames)
    middle = np.array(pixels.shape[1::-1]) / 2
    half = np.array(size[::-1]) / 2
    room = middle - 1.02 * half - 12
    heading = rng.uniform(0, 2 * np.pi)
    heading_xy = np.array([np.cos(heading), np.sin(heading) * room[1] / room[0]])
    start = rng.uniform(-1, 1, 2) * room
    path = start + kind.pan_px * time[:, None] * heading_xy / np.hypot(*heading_xy)
    path = np.abs((path + room) % (4 * room) - 2 * room) - room  # turned round at the edges
    sway = kind.shaking * np.stack([_wave(num_frames, rng, 2.5) for _ in range(2)], axis=1)
    angle = np.radians(kind.shaking * _wave(num_frames, rng, 1.5))
    scale = 0.95 + kind.shaking * _wave(num_frames, rng, 0.04)
    matrices = []
    for number in range(num_frames):
        cos, sin = scale[number] * np.cos(angle[number]), scale[number] * np.sin(angle[number])
        turn = np.array([[cos, -sin], [sin, cos]])
        shift = middle + np.clip(path[number] + sway[number], -room, room) - turn @ half
        matrices.append(np.vstack([np.column_stack([turn, shift]), [0, 0, 1]]))
    return _Layer(pixels, matrices)


def _attached(pair: tuple[NDArray[np.uint8], NDArray[np.uint8]], discs: Floats, rng: np.random.Generator) -> _Layer:
    """A part of a pair that moves with the foreground and turns a little."""
    pixels = np.dstack([pair[1], pair[0]]).astype(np.float32) / np.float32(255)
    anchor = np.array(pixels.shape[1::-1]) * rng.uniform(0.35, 0.65, 2)
    matrices = []
    for disc, angle in zip(discs, np.radians(_wave(len(discs), rng, 4)), strict=True):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrices.append(np.vstack([np.column_stack([turn, anchor - turn @ disc[:2]]), [0, 0, 1]]))
    return _Layer(pixels, matrices)


def _wave(num_frames: int, rng: np.random.Generator, amplitude: float) -> Floats:
    """A smooth oscillation of some 10 to 40 frames."""
    time = np.arange(num_frames)
    waves = [np.sin(2 * np.pi * (time / rng.uniform(10, 40) + rng.uniform())) for _ in range(2)]
    return np.asarray(amplitude * np.mean(waves, axis=0))


def _gain(kind: Kind, num_frames: int, rng: np.random.Generator) -> Floats:
    """Oscillates, as automatic gain does, and hunts a little from frame to frame."""
    time = np.arange(num_frames)
    drift = np.sin(2 * np.pi * (time / rng.uniform(8, 24) + rng.uniform()))
    hunting = 0.1 * rng.standard_normal(num_frames)
    return np.asarray((1 + kind.gain * (drift + hunting)) * np.where(time < num_frames // 2, 1, kind.gain_jump))


def _discs(num_frames: int, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """(N, 3): x, y and radius in px of the foreground, which crosses the view."""
    radius = 0.22 * min(size)
    ends = np.array([[0.25, rng.uniform(0.3, 0.7)], [0.75, rng.uniform(0.3, 0.7)]]) * size[::-1]
    along = np.linspace(0, 1, num_frames)[:, None]
    centres = ends[0] + along * (ends[1] - ends[0])
    return np.column_stack([centres, np.full(num_frames, radius)])


def _disc(disc: Floats, grid: Floats) -> Floats:
    """(H, W): distance in px to the edge of the foreground, positive inside."""
    return np.asarray(disc[2] - np.hypot(grid[..., 0] - disc[0], grid[..., 1] - disc[1]))
