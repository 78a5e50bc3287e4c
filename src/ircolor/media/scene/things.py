"""What stands on the ground of the scene: buildings, trees, a car."""

import cv2
import numpy as np

from ircolor.media.scene.canvas import FOCAL, HORIZON, Canvas, Colour, Outline, box, project


def draw_buildings(canvas: Canvas) -> None:
    """Houses of brick and plaster, their long side to the camera."""
    grain = 1 + 0.04 * canvas.noise(6, 3) + 0.03 * canvas.noise(80, 3)
    houses: tuple[tuple[float, float, float, float, float, Colour], ...] = (
        (-34, -21, 6.5, 58, 0.62, (0.78, 0.70, 0.56)),
        (9.5, 20, 6.0, 66, 0.52, (0.62, 0.36, 0.28)),
        (-21, -12.5, 5.5, 46, 0.56, (0.66, 0.40, 0.31)),
    )
    for left, right, tall, z, infrared, colour in houses:
        wall = canvas.polygon(box(canvas, left, right, -0.1, tall, z))
        canvas.paint(wall, infrared * grain, np.array(colour, np.float32) * grain[..., None])
        # The gable roof, seen from its long side.
        corners = [
            (left - 0.5, tall),
            (right + 0.5, tall),
            (right - 1.2, tall + 2.6),
            (left + 1.2, tall + 2.6),
        ]
        roof = canvas.polygon([project(canvas, x, z, up) for x, up in corners])
        canvas.paint(roof, 0.36 * grain, np.array([0.42, 0.26, 0.22], np.float32) * grain[..., None])
        canvas.shade(canvas.polygon(box(canvas, left, right, tall - 0.5, tall, z)), 0.7)
        for storey in (0.9, 3.6):
            for x in np.arange(left + 1.0, right - 1.4, 2.6):
                canvas.fill(box(canvas, x - 0.12, x + 1.32, storey - 0.12, storey + 1.62, z), 0.8, (0.86, 0.85, 0.82))
                canvas.fill(box(canvas, x, x + 1.2, storey, storey + 1.5, z), 0.14, (0.20, 0.25, 0.31))
                canvas.fill(box(canvas, x + 0.57, x + 0.63, storey, storey + 1.5, z), 0.7, (0.8, 0.8, 0.78))


def draw_tree(canvas: Canvas, x_m: float, z_m: float, tall_m: float) -> None:
    """A leafy tree with its shadow, `x_m` right of the camera and `z_m` ahead."""
    height, width = canvas.size
    random = canvas.random
    x, ground = project(canvas, x_m, z_m)
    metre = FOCAL * width / z_m
    shadow = np.zeros(canvas.size, np.float32)
    centre = (int(x + 0.30 * tall_m * metre), int(ground))
    axes = (int(0.42 * tall_m * metre), int(0.028 * tall_m * metre) + 2)
    cv2.ellipse(shadow, centre, axes, 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    below_horizon = np.arange(height)[:, None] > HORIZON * height
    canvas.shade(cv2.GaussianBlur(shadow, (0, 0), max(1.0, 0.05 * metre)) * below_horizon, 0.5)
    feet = ((-0.17, -0.05), (0.17, -0.05), (0.1, 0.5 * tall_m), (-0.1, 0.5 * tall_m))
    trunk = [project(canvas, x_m + side, z_m, up) for side, up in feet]
    canvas.fill(trunk, 0.34, (0.27, 0.21, 0.16))
    # The crown: clumps of leaves from the back (dark) to the front and the sunny upper left (bright).
    num_clumps = 1800
    angle, radius = random.uniform(0, 2 * np.pi, num_clumps), np.sqrt(random.uniform(0, 1, num_clumps))
    side, up = radius * np.cos(angle), radius * np.sin(angle)
    lumpy = 1 + 0.16 * np.sin(3 * angle + x_m) + 0.10 * np.sin(7 * angle + z_m)
    front = random.uniform(0, 1, num_clumps)
    light = 0.42 + 0.33 * front + 0.16 * up - 0.12 * side + random.normal(0, 0.06, num_clumps)
    for i in np.argsort(front):
        middle = x + 0.33 * tall_m * metre * side[i] * lumpy[i]
        level = ground - tall_m * metre * (0.64 + 0.34 * up[i] * lumpy[i])
        reach = tall_m * metre * random.uniform(0.009, 0.024) * random.uniform(0.45, 1.3, 9)
        turn = random.uniform(0, 2 * np.pi) + 0.7 * np.arange(9)
        leaves = np.stack([middle + reach * np.cos(turn), level + 0.8 * reach * np.sin(turn)], axis=1)
        shine = float(light[i])
        canvas.fill(leaves.tolist(), 0.25 + 0.85 * shine, (0.34 * shine, 0.52 * shine, 0.17 * shine))


def draw_car(canvas: Canvas, x_m: float, z_m: float) -> None:
    """A red car in the right lane, from behind."""

    def shape(*points: tuple[float, float]) -> Outline:
        return [project(canvas, x_m + side, z_m, up) for side, up in points]

    under = canvas.polygon(shape((-0.98, -0.06), (1.3, -0.06), (1.15, 0.22), (-0.95, 0.22)))
    canvas.shade(cv2.GaussianBlur(under, (0, 0), canvas.size[1] / 400), 0.3)
    for side in (-1, 1):
        tyre = shape((side * 0.82, 0), (side * 0.58, 0), (side * 0.58, 0.5), (side * 0.82, 0.5))
        canvas.fill(tyre, 0.07, (0.06, 0.06, 0.06))
    body = shape((-0.88, 0.26), (0.88, 0.26), (0.92, 0.62), (0.86, 0.95), (-0.86, 0.95), (-0.92, 0.62))
    cabin = shape((-0.80, 0.93), (0.80, 0.93), (0.60, 1.42), (0.45, 1.48), (-0.45, 1.48), (-0.60, 1.42))
    window = shape((-0.68, 0.98), (0.68, 0.98), (0.52, 1.38), (-0.52, 1.38))
    reflection = shape((-0.60, 1.02), (-0.15, 1.02), (-0.30, 1.36), (-0.50, 1.36))
    bumper = shape((-0.88, 0.26), (0.88, 0.26), (0.9, 0.42), (-0.9, 0.42))
    plate = shape((-0.25, 0.50), (0.25, 0.50), (0.25, 0.62), (-0.25, 0.62))
    canvas.fill(body, 0.52, (0.62, 0.09, 0.08))
    canvas.fill(cabin, 0.56, (0.66, 0.11, 0.10))
    canvas.fill(window, 0.12, (0.13, 0.16, 0.19))
    canvas.fill(reflection, 0.18, (0.24, 0.29, 0.34))
    canvas.fill(bumper, 0.18, (0.12, 0.11, 0.11))
    canvas.fill(plate, 0.85, (0.88, 0.88, 0.84))
    for side in (-1, 1):
        lamp = shape((side * 0.88, 0.66), (side * 0.62, 0.66), (side * 0.62, 0.84), (side * 0.85, 0.84))
        canvas.fill(lamp, 0.66, (0.85, 0.16, 0.10))
