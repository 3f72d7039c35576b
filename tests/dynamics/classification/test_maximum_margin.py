"""The maximum-margin oracle, compared with closed forms and with a general-purpose optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.optimize import minimize

from dlnrepro.dynamics.classification.maximum_margin import limit_offset, maximum_margin


def cloud(seed: int, samples: int = 30, dimension: int = 4) -> np.ndarray:
    """Points on the positive side of a random plane, not close to it."""
    random = np.random.Generator(np.random.PCG64(seed))
    normal = random.normal(size=dimension)
    normal /= np.linalg.norm(normal)
    points = random.normal(size=(4 * samples, dimension))
    heights = points @ normal
    kept = np.abs(heights) > 0.3
    return np.asarray((points * np.sign(heights)[:, None])[kept][:samples])


def test_two_points_in_the_plane_are_separated_along_their_bisector() -> None:
    solution = maximum_margin(np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 3.0]]))

    assert solution is not None
    np.testing.assert_allclose(solution.direction, np.full(2, 0.5**0.5), rtol=1e-14)
    assert solution.margin == pytest.approx(0.5**0.5, rel=1e-14)
    assert solution.support.tolist() == [0, 1]
    assert solution.rank == 2


@pytest.mark.parametrize("seed", range(5))
def test_a_general_optimiser_finds_no_larger_margin(seed: int) -> None:
    signed = cloud(seed)
    solution = maximum_margin(signed)
    assert solution is not None

    constraint = {"type": "ineq", "fun": lambda w: signed @ w - 1, "jac": lambda _: signed}
    other = minimize(
        lambda w: w @ w / 2,
        solution.direction * 3 / solution.margin,
        jac=lambda w: w,
        method="SLSQP",
        constraints=constraint,
        options={"ftol": 1e-14, "maxiter": 500},
    ).x

    assert 1 / np.linalg.norm(other) == pytest.approx(solution.margin, rel=1e-6)
    np.testing.assert_allclose(other / np.linalg.norm(other), solution.direction, atol=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_the_certificate_holds_to_rounding(seed: int) -> None:
    signed = cloud(seed)
    solution = maximum_margin(signed)

    assert solution is not None
    assert solution.residual <= 1e-12
    assert (signed @ solution.direction).min() == pytest.approx(solution.margin, rel=1e-12)
    np.testing.assert_allclose(signed.T @ solution.multipliers * solution.margin, solution.direction, atol=1e-12)


def test_data_that_cannot_be_separated_have_no_maximum_margin() -> None:
    assert maximum_margin(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])) is None
    assert maximum_margin(np.concatenate([cloud(0), -cloud(0)])) is None


@pytest.mark.parametrize("seed", range(5))
def test_the_offset_minimises_the_sum_of_exponentials_across_the_direction(seed: int) -> None:
    signed = cloud(seed)
    solution = maximum_margin(signed)
    assert solution is not None
    support = signed[solution.support]
    across = null_space(solution.direction[None])
    spanned = support @ across

    other = minimize(lambda v: np.exp(-spanned @ v).sum(), np.zeros(3), method="BFGS", options={"gtol": 1e-10}).x
    offset = limit_offset(signed, solution)

    assert offset @ solution.direction == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(spanned @ (across.T @ offset), spanned @ other, atol=1e-4)
