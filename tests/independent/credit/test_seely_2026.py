"""Seely, 2605.31022: predictive coding with Lagrange multipliers has the gradients of back-propagation."""

from __future__ import annotations

import torch

from tests.independent.flow import gradients, normal, product


def test_the_scalar_example_has_its_printed_numbers() -> None:
    x = y = second = rho = 1.0
    first = 0.2
    # Predictive coding minimises (y - w_2 h)^2 / 2 + rho (h - w_1 x)^2 / 2 over the activity h.
    hidden = (second * y + rho * first * x) / (second**2 + rho)
    assert round(hidden, 12) == 0.6
    assert (round(-rho * (hidden - first * x) * x, 12), round(-(y - second * hidden) * hidden, 12)) == (-0.40, -0.24)
    # With a multiplier the constraint h = w_1 x holds, and the multiplier is the error of back-propagation.
    hidden = first * x
    multiplier = second * (y - second * hidden)
    assert (round(hidden, 12), round(multiplier, 12)) == (0.2, 0.8)
    by_multipliers = (-multiplier * x, -(y - second * hidden) * hidden)
    weights = [torch.tensor([[value]], dtype=torch.float64) for value in (first, second)]
    by_autograd = gradients(weights, lambda layers: 0.5 * (product(layers) * x - y).square().sum())
    assert [round(float(part), 12) for part in by_autograd] == [-0.80, -0.16]
    assert [round(part, 12) for part in by_multipliers] == [-0.80, -0.16]


def test_the_equilibrium_of_a_linear_network_has_the_gradients_of_back_propagation() -> None:
    weights = [0.6 * normal(3, 3, seed=seed) for seed in range(4)]
    x, y = normal(3, 1, seed=10), normal(3, 1, seed=11)
    hidden = [normal(3, 1, seed=20 + layer) for layer in range(3)]
    multipliers = [torch.zeros(3, 1, dtype=torch.float64) for _ in range(3)]
    step, alpha, rho = 0.1, 1.0, 1.0

    for _ in range(6000):
        below = [x, *hidden]
        # The energy is |y - W_4 h_3|^2 / 2 plus, for each hidden layer, <multiplier, residual> + rho |residual|^2 / 2.
        forces = [multipliers[k] + rho * (hidden[k] - weights[k] @ below[k]) for k in range(3)]
        above = [weights[k + 1].T @ forces[k + 1] for k in range(2)] + [weights[3].T @ (y - weights[3] @ hidden[2])]
        hidden = [hidden[k] - step * (forces[k] - above[k]) for k in range(3)]
        below = [x, *hidden]
        multipliers = [multipliers[k] + step * alpha * (hidden[k] - weights[k] @ below[k]) for k in range(3)]
    below = [x, *hidden]
    local = [-multipliers[k] @ below[k].T for k in range(3)] + [(weights[3] @ hidden[-1] - y) @ hidden[-1].T]
    whole = gradients(weights, lambda layers: 0.5 * (product(layers) @ x - y).square().sum())
    for ours, theirs in zip(local, whole, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-8)
