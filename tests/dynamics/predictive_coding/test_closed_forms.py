"""Closed forms of predictive coding, against fixed points, dense solves, polynomial roots and spectra."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.predictive_coding.closed_forms import (
    backprop_adjoints,
    credit_speed,
    plain_equilibrium_credit,
    squared_moduli,
    stability_limit,
    stability_limit_with_loss,
)
from dlnrepro.dynamics.predictive_coding.iteration import constraint_matrix, iteration_matrix
from dlnrepro.dynamics.predictive_coding.network import Network, Rule, State, draw_network, forward, residuals, step


def _network(samples: int = 5) -> Network:
    generators = [torch.Generator().manual_seed(seed) for seed in range(2)]
    return draw_network(5, 4, 3, 2, samples, "identity", 1.0, generators)


def test_adjoints_are_derivatives_of_the_loss_by_the_activities() -> None:
    network = _network()
    activities = forward(network)
    adjoints = backprop_adjoints(network)

    for index in range(4):
        here = activities[:, index].clone().requires_grad_()
        top = here
        for above in range(index, 3):
            top = network.hidden[:, above] @ top
        loss = 0.5 * (network.last @ top - network.targets).square().sum()
        torch.testing.assert_close(adjoints[:, index], torch.autograd.grad(loss, here)[0], rtol=1e-12, atol=1e-13)


def test_a_forward_pass_with_minus_the_adjoints_is_a_fixed_point_of_the_step() -> None:
    network = _network()
    state = State(forward(network), -backprop_adjoints(network))

    moved = step(network, state, Rule(torch.full((2,), 0.3, dtype=torch.float64), 0.7, 0.4))

    torch.testing.assert_close(moved.activities, state.activities, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(moved.multipliers, state.multipliers, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("penalty", [0.5, 1.0, 3.0])
def test_plain_equilibrium_is_the_minimum_of_the_energy(penalty: float) -> None:
    network = _network()
    matrix = constraint_matrix(network)
    curvature = penalty * matrix.mT @ matrix
    curvature[:, -4:, -4:] += network.last.mT @ network.last
    side = torch.zeros(2, 16, 5, dtype=torch.float64)
    side[:, :4] = penalty * network.drive
    side[:, -4:] += network.last.mT @ network.targets

    activities = torch.linalg.solve(curvature, side).reshape(2, 4, 4, 5)

    found = plain_equilibrium_credit(network, penalty)
    torch.testing.assert_close(found, penalty * residuals(network, activities), rtol=1e-10, atol=1e-12)


def test_plain_equilibrium_tends_to_back_propagation_as_the_penalty_grows() -> None:
    network = _network()
    adjoints = backprop_adjoints(network)

    gaps = [float((plain_equilibrium_credit(network, rho) + adjoints).norm() / adjoints.norm()) for rho in (1e3, 1e4)]

    assert gaps[1] == pytest.approx(gaps[0] / 10, rel=0.01)


@pytest.mark.parametrize(("rho", "alpha"), [(1.0, 1.0), (2.0, 0.5), (0.3, 2.0), (1.0, 0.0)])
def test_at_the_limit_a_mode_has_the_eigenvalue_minus_one(rho: float, alpha: float) -> None:
    sigma = 1.7
    eta = float(stability_limit(torch.tensor(sigma, dtype=torch.float64), rho, alpha))

    for ratio, stable in ((0.999, True), (1.001, False)):
        size = eta * ratio * sigma**2
        roots = np.roots([1, size * (rho + alpha) - 2, 1 - size * rho])
        # Without multipliers one root is the multiplier's own, exactly 1.
        moving = [root for root in roots if alpha > 0 or abs(root - 1) > 1e-9]
        assert bool(max(abs(np.array(moving))) < 1) is stable


def test_with_the_loss_the_limit_is_exact() -> None:
    network = _network(1)
    limit = stability_limit_with_loss(network, 0.7, 0.4)

    for index in range(2):
        matrix = iteration_matrix(network, Rule(limit, 0.7, 0.4))[index]
        values = torch.linalg.eigvals(matrix)
        assert float((values + 1).abs().min()) < 1e-9
        assert float(values.abs().max()) == pytest.approx(1, abs=1e-9)


def test_the_limit_with_a_vanishing_loss_is_that_of_the_constraints() -> None:
    network = _network(1)
    silent = Network(network.first, network.hidden, 0 * network.last, network.inputs, network.targets)
    largest = torch.linalg.svdvals(constraint_matrix(network))[:, 0]

    torch.testing.assert_close(
        stability_limit_with_loss(silent, 0.7, 0.4), stability_limit(largest, 0.7, 0.4), rtol=1e-12, atol=0
    )


def test_complex_roots_have_the_squared_modulus_whatever_the_dual_step() -> None:
    sigma, eta, rho = 0.8, 0.4, 0.6
    expected = float(
        squared_moduli(torch.full((1, 1), sigma, dtype=torch.float64), torch.tensor([eta], dtype=torch.float64), rho)
    )

    for alpha in (0.5, 1.0, 2.0):
        size = eta * sigma**2
        roots = np.roots([1, size * (rho + alpha) - 2, 1 - size * rho])
        assert abs(roots[0].imag) > 0.1
        assert abs(roots) ** 2 == pytest.approx(expected, rel=1e-12)


def test_long_waves_in_a_chain_of_identities_move_at_the_credits_speed() -> None:
    """The phase of a mode sigma(k) = 2 sin(k/2) grows by speed x k a step."""
    eta, alpha, rho, wave = 0.2, 0.5, 1.0, 1e-3
    size = eta * (2 * math.sin(wave / 2)) ** 2

    root = np.roots([1, size * (rho + alpha) - 2, 1 - size * rho])[0]

    assert abs(np.angle(root)) / wave == pytest.approx(float(credit_speed(torch.tensor(eta), alpha)), rel=1e-4)
