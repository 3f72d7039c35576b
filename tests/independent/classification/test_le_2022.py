"""Le, Jegelka, 2201.11968: what a ReLU network with a linear head conserves along gradient flow."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.independent.flow import gradient_flow, normal

INPUTS = normal(3, 12, seed=1).abs() + 0.2
LABELS = torch.sign(normal(1, 12, seed=2))


def loss(weights: list[Tensor]) -> Tensor:
    """The logistic risk of a ReLU layer and a head of two linear layers."""
    first, second, third = weights
    return torch.nn.functional.softplus(-LABELS * (third @ second @ torch.relu(first @ INPUTS))).mean()


def test_the_head_conserves_its_imbalance_and_the_relu_layer_that_of_neurons_that_stay_active() -> None:
    first = normal(4, 3, seed=3)
    first[:2] = first[:2].abs()  # active on all inputs, which are positive
    start = [first, 0.5 * normal(4, 4, seed=4), 0.5 * normal(1, 4, seed=5)]
    end = gradient_flow(start, loss, [3.0], method="RK45")[0]
    assert bool((end[0][:2] @ INPUTS > 0).all())
    head = [w[2].T @ w[2] - w[1] @ w[1].T for w in (start, end)]
    border = [w[1].T @ w[1] - w[0] @ w[0].T for w in (start, end)]
    moves = float((end[1] - start[1]).norm())
    assert float((head[1] - head[0]).norm()) < 1e-6 * moves
    change = border[1] - border[0]
    assert float(change[:2, :2].norm()) < 1e-6 * moves
    assert float(change.norm()) > 1e-3 * moves
