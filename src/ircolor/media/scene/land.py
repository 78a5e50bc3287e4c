"""Sky, hills and ground of the scene."""

import cv2
import numpy as np

from ircolor.media.scene.canvas import CAMERA_HEIGHT_M, FOCAL, HORIZON, Array, Canvas

ROAD_HALF_M = 3.6
SHOULDER_M = 1.1


def draw_sky(canvas: Canvas) -> None:
    """Clear sky scatters little near infrared, clouds much."""
    height, width = canvas.size
    down = np.linspace(0, 1 / HORIZON, height, dtype=np.float32)[:, None].clip(0, 1)
    everywhere = np.ones(canvas.size, np.float32)
    top, bottom = np.array([0.25, 0.45, 0.78], np.float32), np.array([0.74, 0.84, 0.93], np.float32)
    gradient = top + (bottom - top) * (down**1.3)[..., None] * np.ones((1, width, 1), np.float32)
    canvas.paint(everywhere, 0.10 + 0.22 * down**2 * everywhere, gradient)
    stretched = cv2.resize(canvas.noise(width / 9, 6), None, fx=1.0, fy=0.5)[: height // 2]
    clouds = np.zeros(canvas.size, np.float32)
    clouds[: stretched.shape[0]] = np.clip((stretched - 0.35) / 1.5, 0, 1)
    lit = np.clip(0.86 + 0.05 * canvas.noise(width / 30), 0.6, 1)
    canvas.paint(clouds * 0.9, 0.92 * lit, lit[..., None] * np.array([1.0, 1.0, 1.02], np.float32))


def draw_hills(canvas: Canvas) -> None:
    """A wooded ridge, paler with distance."""
    height, width = canvas.size
    across = np.arange(width, dtype=np.float32) / width
    rows = np.arange(height, dtype=np.float32)[:, None]
    leaves = canvas.noise(width / 60, 5)
    for depth, (rise, haze) in enumerate(((0.085, 0.55), (0.05, 0.25))):
        phase = canvas.random.uniform(0, 6, 3)
        ridge = sum(np.sin(across * (5 + 9 * i) + phase[i]) / (1.5 + 2 * i) for i in range(3))
        ragged = cv2.GaussianBlur(canvas.random.standard_normal((1, width)).astype(np.float32), (0, 0), 4)[0]
        top = HORIZON * height - height * (rise + 0.018 * ridge) - ragged * height * 0.012
        mask = np.clip(rows - top[None], 0, 1) * (rows < HORIZON * height + 2)
        light = (0.8 + (0.1 + 0.06 * depth) * leaves)[..., None]
        green = light * np.array([0.24, 0.36, 0.17], np.float32)
        colour = green * (1 - haze) + haze * np.array([0.62, 0.72, 0.82], np.float32)
        canvas.paint(mask, (0.72 * light[..., 0]) * (1 - haze) + haze * 0.45, colour)


def draw_ground(canvas: Canvas, bend: float) -> None:
    """Grass, shoulder, asphalt and lane markings, in metres."""
    height, width = canvas.size
    focal = FOCAL * width
    rows = np.arange(height, dtype=np.float32)[:, None] - HORIZON * height
    z = focal * CAMERA_HEIGHT_M / np.maximum(rows, 0.5)
    x = (np.arange(width, dtype=np.float32)[None] - width / 2) * z / focal - bend * np.minimum(z, 150) ** 2
    z = np.broadcast_to(z, canvas.size)
    below = (rows > 0).astype(np.float32) * np.ones((1, width), np.float32)
    pixel_m = z / focal  # edges are softened over one pixel

    def within(distance_m: Array, half_m: float) -> Array:
        return np.asarray(np.clip((half_m - np.abs(distance_m)) / pixel_m + 0.5, 0, 1) * below)

    patches = _textured(canvas, x, z, 2.5)
    blades = 0.6 * _textured(canvas, x, z, 0.22) + 0.9 * _textured(canvas, x, z, 0.05)
    light = np.clip(0.9 + 0.07 * patches + 0.13 * blades, 0.3, 1.3)
    dry = np.clip(0.35 + 0.25 * patches, 0, 1)[..., None]
    grass = np.array([0.30, 0.42, 0.16], np.float32) * (1 - dry) + np.array([0.50, 0.49, 0.25], np.float32) * dry
    canvas.paint(below, 0.74 * light, grass * light[..., None])
    grain = 1 + 0.16 * _textured(canvas, x, z, 0.04) + 0.05 * patches
    gravel = np.array([0.52, 0.48, 0.42], np.float32)
    canvas.paint(within(x, ROAD_HALF_M + SHOULDER_M), 0.46 * grain, gravel * grain[..., None])
    worn = 1 + 0.10 * np.exp(-((np.abs(np.abs(x) - 1.8) - 0.75) ** 2) / 0.08)  # where wheels polish it
    tar = (1 + 0.10 * _textured(canvas, x, z, 0.018) + 0.03 * patches) * worn
    asphalt = np.array([0.33, 0.33, 0.345], np.float32)
    canvas.paint(within(x, ROAD_HALF_M), 0.23 * tar, asphalt * tar[..., None])
    dash = within((z + 2) % 12 - 3, 1.5)
    paint = np.maximum(within(x, 0.08) * dash, within(np.abs(x) - ROAD_HALF_M + 0.25, 0.07))
    canvas.paint(paint * np.clip(0.85 + 0.1 * blades, 0, 1), 0.85, (0.87, 0.87, 0.84))


def _textured(canvas: Canvas, x: Array, z: Array, cell_m: float) -> Array:
    """Noise laid on the ground, deviation 1; it fades where a cell gets smaller than a pixel."""
    edge = 256
    lattice = canvas.random.standard_normal((edge, edge)).astype(np.float32)
    columns, rows = (x / cell_m % edge).astype(np.float32), (z / cell_m % edge).astype(np.float32)
    sampled = cv2.remap(lattice, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    pixels_a_cell = cell_m * FOCAL * canvas.size[1] * CAMERA_HEIGHT_M / z**2
    return np.asarray(1.5 * sampled * np.clip(pixels_a_cell / 2, 0, 1), np.float32)
