"""A synthetic road scene in near infrared and in colour, for when no photograph is at hand.

It follows what makes near-infrared photographs look as they do: leaves and grass reflect it strongly, clear
sky scatters little of it, clouds much, water and asphalt swallow it. Everything on the ground is drawn in
metres and projected by a pinhole camera, so lane markings and textures converge. It is a drawing, and is to
be labelled as one.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.media.scene.canvas import Canvas
from ircolor.media.scene.land import draw_ground, draw_hills, draw_sky
from ircolor.media.scene.things import draw_buildings, draw_car, draw_tree

OVERSAMPLING = 2


def draw_road_scene(height: int = 480, width: int = 640, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw the scene.

    Args:
        height: of the image, pixels, at least 32.
        width: of the image, pixels, at least 32.
        seed: another seed, another road.

    Returns:
        Near infrared, (height, width) uint8, and the same view in colour, (height, width, 3) uint8 RGB.
    """
    size = (height * OVERSAMPLING, width * OVERSAMPLING)
    random = np.random.default_rng(seed)
    canvas = Canvas(np.zeros(size, np.float32), np.zeros((*size, 3), np.float32), random)
    draw_sky(canvas)
    draw_hills(canvas)
    draw_ground(canvas, bend=float(random.uniform(-4e-4, 4e-4)))
    draw_buildings(canvas)
    for x_m, z_m, tall_m in (
        (-17, 64, 9),
        (15, 56, 8),
        (21, 42, 9),
        (-9.5, 34, 6.5),
        (9.2, 26, 6.5),
        (-7.6, 19, 5.2),
    ):
        draw_tree(canvas, x_m + float(random.uniform(-0.6, 0.6)), z_m, tall_m * float(random.uniform(0.9, 1.15)))
    draw_car(canvas, 1.8, float(random.uniform(15, 19)))
    return _photograph(canvas, height, width)


def _photograph(canvas: Canvas, height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What a lens and a sensor make of it: averaging, falling off to the corners, noise."""
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    corners = (1 - 0.13 * (rows**2 + columns**2)).astype(np.float32)
    infrared = cv2.resize(canvas.infrared, (width, height), interpolation=cv2.INTER_AREA) * corners
    rgb = cv2.resize(canvas.rgb, (width, height), interpolation=cv2.INTER_AREA) * corners[..., None]
    infrared = infrared + canvas.random.normal(0, 0.012, infrared.shape)
    rgb = rgb + canvas.random.normal(0, 0.006, rgb.shape)
    return (
        np.rint(np.clip(infrared, 0, 1) * 255).astype(np.uint8),
        np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8),
    )
