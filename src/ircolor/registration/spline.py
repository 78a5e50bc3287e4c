"""The thin-plate spline: the smoothest map that takes given points to given places (Bookstein 1989)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ThinPlate:
    """A map of the plane, affine plus one bend around each node.

    Attributes:
        nodes: (N, 2), where the spline was given.
        scale_px: distances are divided by it, which keeps the equations well conditioned.
        coefficients: (N + 3, 2): bend of each node in px, then the affine part of (1, x, y), normalised.
    """

    nodes: Points
    scale_px: float
    coefficients: Points

    def __call__(self, points: Points) -> Points:
        """Map (M, 2) points."""
        return _design(points, self.nodes, self.scale_px) @ self.coefficients


def thin_plate(source: Points, target: Points) -> ThinPlate:
    """Fit the spline from (N, 2) points, N >= 4, not on one line, to (N, 2) points.

    Args:
        source: where the points are.
        target: where they are to go.
    """
    scale_px = float(np.sqrt(source.var(axis=0).sum()))
    num = len(source)
    top = _design(source, source, scale_px)
    system = np.zeros((num + 3, num + 3))
    system[:num] = top
    system[num:, :num] = top[:, num:].T
    coefficients = np.asarray(np.linalg.solve(system, np.vstack([target, np.zeros((3, 2))])), np.float64)
    return ThinPlate(source, scale_px, coefficients)


def _design(points: Points, nodes: Points, scale_px: float) -> Points:
    """What multiplies the coefficients: (M, N + 3)."""
    here, there = ((each - nodes.mean(axis=0)) / scale_px for each in (points, nodes))
    # Component by component, as an (M, N, 2) array would only cost memory.
    squared = np.square(here[:, :1] - there[:, 0]) + np.square(here[:, 1:] - there[:, 1])
    bends = squared * np.log(np.maximum(squared, np.finfo(np.float64).tiny))
    return np.hstack([bends, np.ones((len(here), 1)), here])
