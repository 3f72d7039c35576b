"""The Jacobian in factors, and systems with it, against the same Jacobian as a matrix."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.linalg import lu_factor, lu_solve

from dlnrepro.dynamics.classification.separable_data import separable
from dlnrepro.dynamics.classification.training import start
from dlnrepro.dynamics.risks.margin_losses import LossName, log_risk, squared
from dlnrepro.dynamics.stiff_flow.low_rank_jacobian import LowRankJacobian, low_rank_jacobian
from dlnrepro.dynamics.stiff_flow.low_rank_solvers import Combination
from dlnrepro.dynamics.stiff_flow.margin_flow import MarginFlow, vector_of
from dlnrepro.dynamics.stiff_flow.path import follow
from dlnrepro.dynamics.tensors.arrays import Array


def example(depth: int, loss: LossName, equal: bool) -> tuple[MarginFlow, Array]:
    random = np.random.Generator(np.random.PCG64(depth))
    widths = [3, *[4, 6, 5, 2][: depth - 1], 1]
    shapes = tuple((after, before) for before, after in pairwise(widths))
    weights = [random.normal(size=shape) for shape in shapes]
    theta = vector_of(weights)
    rates = np.ones_like(theta) if equal else random.uniform(0.2, 5, size=theta.shape)
    signed = random.normal(size=(9, 3))
    predictor = np.linalg.multi_dot([*weights[::-1], np.eye(3)])[0]
    signed *= np.where(signed @ predictor > 0, 1, -0.1)[:, None]  # all points but a few nearly right: log(1/R) > 0
    return MarginFlow(signed, log_risk(loss), shapes, rates), theta


def classifier(depth: int, layer_rate: float) -> tuple[MarginFlow, Array]:
    """A run as the claims have it, the second layer learning faster by the factor."""
    generator = torch.Generator().manual_seed(0)
    signed = separable(4, 40, 0.15, True, 0.05, generator).signed
    tensors = start([4, *[5] * (depth - 1), 1], 1.0, "logistic", [signed], False, [generator])
    layers = [weight[0].numpy() for weight in tensors]
    rates = [np.full_like(layer, layer_rate if place == 1 else 1.0) for place, layer in enumerate(layers)]
    shapes = tuple((layer.shape[0], layer.shape[1]) for layer in layers)
    return MarginFlow(signed, log_risk("logistic"), shapes, vector_of(rates)), vector_of(layers)


def matrix(jacobian: LowRankJacobian) -> Array:
    return np.stack([jacobian.lift(jacobian.project(unit)) for unit in np.eye(jacobian.rates.size)], axis=1)


def solved(jacobian: LowRankJacobian, step: float, right: Array) -> Array:
    """(1 - step J)^-1 r."""
    return (Combination(1.0, 0.0, None) - step * Combination(0.0, 1.0, jacobian)).inverse()(right)


@pytest.mark.parametrize("loss", ["logistic", "exponential", "squared"])
@pytest.mark.parametrize("depth", [2, 3, 4, 5])
@pytest.mark.parametrize("equal", [True, False])
def test_the_factors_multiply_to_the_jacobian(loss: LossName, depth: int, equal: bool) -> None:
    flow, theta = example(depth, loss, equal)
    dense = flow.jacobian(theta)

    error = np.abs(matrix(low_rank_jacobian(flow, theta)) - dense).max()

    assert error < 1e-13 * np.abs(dense).max()


@pytest.mark.parametrize("loss", ["logistic", "exponential", "squared"])
@pytest.mark.parametrize("depth", [2, 3, 4, 5])
@pytest.mark.parametrize("equal", [True, False])
def test_the_core_is_one_factor_times_the_other(loss: LossName, depth: int, equal: bool) -> None:
    jacobian = low_rank_jacobian(*example(depth, loss, equal))

    units = np.eye(len(jacobian.core))
    expected = np.stack([jacobian.project(jacobian.lift(unit)) for unit in units], axis=1)

    assert jacobian.core.shape == (2 * sum(rows for rows, _ in jacobian.shapes[:-1]) + 3 + 1,) * 2
    np.testing.assert_allclose(jacobian.core, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("loss", ["logistic", "exponential", "squared"])
@pytest.mark.parametrize("depth", [2, 3, 4, 5])
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("shift", [1.0, 0.7 - 0.4j])
def test_a_shifted_system_has_the_solution_of_the_dense_one(
    loss: LossName, depth: int, equal: bool, shift: complex
) -> None:
    flow, theta = example(depth, loss, equal)
    right = np.random.Generator(np.random.PCG64(1)).normal(size=theta.shape)
    system = shift * np.eye(len(theta)) - 0.05 * flow.jacobian(theta)

    found = Combination(shift, -0.05, low_rank_jacobian(flow, theta)).inverse()(right + 0 * shift)

    expected = np.linalg.solve(system, right)
    assert np.abs(found - expected).max() < 1e-11 * np.abs(expected).max()


@pytest.mark.slow
@pytest.mark.parametrize(("depth", "layer_rate"), [(2, 1.0), (3, 1.0), (3, 1e4), (4, 1.0)])
def test_systems_are_solved_as_well_as_with_the_matrix_from_the_start_to_the_horizon(
    depth: int, layer_rate: float
) -> None:
    # Rounding makes either Jacobian uncertain by eps ||J||, and solutions by as much of their size; more with unequal
    # rates, where J = D H is symmetric only once it is scaled by D^(1/2). The start is left out: there J has large
    # positive eigenvalues, and 1 - step J may be nearly singular.
    flow, theta = classifier(depth, layer_rate)
    random = np.random.Generator(np.random.PCG64(2))
    path = follow(flow, theta, np.linspace(0, 28, 15), 1e12, 1e-8, lambda _: None).points

    for point in path[1:]:
        dense = flow.jacobian(point)
        jacobian = low_rank_jacobian(flow, point)
        known = 1e-13 + 10 * layer_rate**0.5 * np.finfo(float).eps * float(np.linalg.norm(dense))
        for step in (0.01, 0.3):
            factors = lu_factor(np.eye(len(point)) - step * dense)
            for right in (random.normal(size=point.shape), dense @ random.normal(size=point.shape)):
                found, expected = solved(jacobian, step, right), lu_solve(factors, right)
                error = found - expected

                assert np.linalg.norm(error) < known * np.linalg.norm(expected)
                # Where the flow is stiff solutions are small, and so would an error be; times J it is not.
                assert np.linalg.norm(dense @ error) < known * np.linalg.norm(dense @ expected)
    assert flow.log_inverse_risk(path[-1]) > 0.99e12


def test_where_the_gradient_vanishes_the_jacobian_is_that_of_plain_gradient_flow() -> None:
    # Margins 1/2 and 3/2 at w = 1/2: the slope of the squared loss is 3 (-1/2) + 3/2 = 0.
    flow = MarginFlow(np.array([[1.0], [1.0], [1.0], [3.0]]), squared, ((2, 1), (1, 2)), np.ones(4))
    theta = np.array([0.5, 0.25, 1.0, 0.0])
    jacobian = low_rank_jacobian(flow, theta)

    assert np.abs(flow.velocity(theta)).max() == 0
    np.testing.assert_allclose(matrix(jacobian), flow.jacobian(theta), rtol=0, atol=1e-10)
    expected = np.linalg.solve(np.eye(4) - 0.1 * flow.jacobian(theta), np.ones(4))
    np.testing.assert_allclose(solved(jacobian, 0.1, np.ones(4)), expected, rtol=1e-10)


def test_a_curvature_that_is_not_finite_is_said() -> None:
    flow, theta = example(3, "logistic", True)

    with pytest.raises(FloatingPointError, match=r"the curvature of log R is not finite"), np.errstate(all="ignore"):
        low_rank_jacobian(flow, np.full_like(theta, np.nan))
