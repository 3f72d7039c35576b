"""Du, Hu, Lee, 1806.00900: gradient flow conserves the balance at every hidden node, linear or ReLU."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.independent.flow import gradient_flow, normal

INPUTS, OUTPUTS = normal(3, 20, seed=1), normal(2, 20, seed=2)


def moved(activation: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """The change of W_1 W_1^T - W_2^T W_2 along the flow, and the change of W_1 W_1^T."""

    def loss(weights: list[Tensor]) -> Tensor:
        return 0.5 * (weights[1] @ activation(weights[0] @ INPUTS) - OUTPUTS).square().mean()

    start = [normal(4, 3, seed=3), normal(2, 4, seed=4)]
    end = gradient_flow(start, loss, [2.0], method="RK45")[0]
    change = [first @ first.T - second.T @ second for first, second in (start, end)]
    return change[1] - change[0], end[0] @ end[0].T - start[0] @ start[0].T


def test_a_linear_network_conserves_the_whole_matrix() -> None:
    change, moves = moved(lambda hidden: hidden)
    assert float(change.norm()) < 1e-7 * float(moves.norm())


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_a_relu_network_conserves_the_diagonal_and_not_the_rest(slope: float) -> None:
    change, moves = moved(lambda hidden: torch.nn.functional.leaky_relu(hidden, slope))
    assert float(torch.diag(change).norm()) < 1e-5 * float(moves.norm())
    assert float(change.norm()) > 1e-2 * float(moves.norm())


def test_a_network_that_is_not_homogeneous_conserves_neither() -> None:
    change, moves = moved(torch.tanh)
    assert float(torch.diag(change).norm()) > 1e-2 * float(moves.norm())
