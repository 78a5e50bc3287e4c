import numpy as np
import pytest

from ircolor.registration.consensus import QUANTILE, find_consensus, magsac_weights
from ircolor.registration.resample import Points
from ircolor.registration.result import ModelName
from ircolor.registration.transforms import MIN_POINTS, Matrix, apply_matrix
from tests.registration.test_transforms import KNOWN

NUM, NUM_RIGHT = 200, 60


def contaminated(matrix: Matrix, noise_px: float = 0.4, seed: int = 0) -> tuple[Points, Points]:
    """The first NUM_RIGHT matches are right but for noise, the rest point anywhere."""
    rng = np.random.default_rng(seed)
    source = rng.uniform(0, 600, (NUM, 2))
    target = apply_matrix(matrix, source) + rng.normal(0, noise_px, (NUM, 2))
    target[NUM_RIGHT:] = rng.uniform(0, 600, (NUM - NUM_RIGHT, 2))
    return source, target


def test_weights_are_those_of_magsac() -> None:
    special = pytest.importorskip("scipy.special")
    residuals_px, sigma_px = np.linspace(0, 12, 200), 2.5
    # Equation 7 of MAGSAC++ for the 4 degrees of freedom of a point match, 1 at 0.
    gamma = special.gammaincc(1.5, residuals_px**2 / (2 * sigma_px**2))
    least = special.gammaincc(1.5, QUANTILE**2 / 2)
    expected = np.maximum(gamma - least, 0) / (1 - least)
    np.testing.assert_allclose(magsac_weights(residuals_px, sigma_px), expected, atol=0.01)


def test_weights_fall_from_one_to_nothing() -> None:
    weights = magsac_weights(np.linspace(0, 3.7, 1000), 1.0)
    assert weights[0] == 1
    assert (np.diff(weights) <= 0).all()
    np.testing.assert_array_equal(magsac_weights(np.array([[3.64, 50, np.inf]]), 1.0), [[0, 0, 0]])
    assert magsac_weights(np.array(3.5), 1.0) > 0


@pytest.mark.parametrize(("model", "matrix"), KNOWN)
@pytest.mark.parametrize("seed", range(3))
def test_a_transform_is_found_among_seventy_percent_of_outliers(model: ModelName, matrix: Matrix, seed: int) -> None:
    source, target = contaminated(matrix, seed=seed)
    found = find_consensus(source, target, model, 1.0)
    assert found is not None
    corners = np.array([[0, 0], [600, 0], [0, 600], [600, 600.0]])
    errors_px = np.linalg.norm(apply_matrix(found.matrix, corners) - apply_matrix(matrix, corners), axis=1)
    assert errors_px.mean() < 1
    assert found.weights[:NUM_RIGHT].mean() > 0.6
    far = np.linalg.norm(apply_matrix(matrix, source) - target, axis=1) > 8
    assert far.sum() > 100
    assert found.weights[far].max() == 0


@pytest.mark.parametrize(("model", "matrix"), KNOWN)
def test_there_is_no_consensus_without_agreement_or_with_too_few(model: ModelName, matrix: Matrix) -> None:
    rng = np.random.default_rng(3)
    source, target = rng.uniform(0, 600, (2, 15, 2))
    assert find_consensus(source, target, model, 0.2) is None
    few = MIN_POINTS[model]
    source, target = (places[: few + 1] for places in contaminated(matrix, noise_px=0))
    assert find_consensus(source[:few], target[:few], model, 1.0) is None
    assert find_consensus(source, target, model, 1.0) is not None


def test_matches_at_one_place_are_no_consensus() -> None:
    assert find_consensus(np.full((9, 2), 7.0), np.full((9, 2), 5.0), "similarity", 1.0) is None
