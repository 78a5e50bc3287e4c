"""Registrations for tests."""

from dataclasses import fields
from typing import Any

import numpy as np

from ircolor.registration.result import Registration


def make_registration(stem: str = "a", **changes: Any) -> Registration:
    """An accepted one, but for the changes."""
    values: dict[str, Any] = {
        "stem": stem,
        "verdict": "accept",
        "reason": "structure agrees everywhere",
        "model": "similarity",
        "matrix": np.array([[1.1, 0.1, 5.0], [-0.1, 1.1, -7.0], [0.0, 0.0, 1.0]]),
        "num_inliers": 120,
        "coverage": 0.9,
        "residual_median_px": 0.2,
        "residual_p90_px": 0.5,
        "correlation_before": 0.1,
        "correlation_after": 0.6,
        "overlap": 0.95,
        "seconds": 0.4,
    }
    return Registration(**(values | changes))


def assert_same(one: Registration, other: Registration, digits: int = 20) -> None:
    """Compare all fields, NaN equal to NaN; the numbers up to that many digits after the point, the matrix fully."""
    for field in fields(Registration):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if field.name == "matrix":
            np.testing.assert_array_equal(mine, theirs, strict=True)
        elif isinstance(mine, float):
            np.testing.assert_equal(theirs, round(mine, digits))
        else:
            assert mine == theirs
