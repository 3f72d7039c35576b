"""Arora, Cohen, Hazan, 1802.06509: the product of balanced layers moves by a closed equation."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.independent.flow import balanced, gradient_flow, gradients, normal, orthogonal, product

DEPTH = 3
INPUTS, OUTPUTS = normal(3, 12, seed=1), normal(3, 12, seed=2)


def loss(weights: list[Tensor]) -> Tensor:
    """The squared loss of the product."""
    return 0.5 * (product(weights) @ INPUTS - OUTPUTS).square().mean()


def power(matrix: Tensor, exponent: float) -> Tensor:
    """A power of a positive definite matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    found: Tensor = vectors @ torch.diag(values**exponent) @ vectors.T
    return found


def test_the_product_moves_by_the_closed_equation() -> None:
    start = balanced(orthogonal(3, 3), torch.tensor([1.2, 0.7, 0.3]).double(), orthogonal(3, 4), DEPTH)
    width, middle = 1e-3, 0.8
    before, now, after = gradient_flow(start, loss, [middle - width, middle, middle + width])
    velocity = (product(after) - product(before)) / (2 * width)
    whole = product(now)
    (gradient,) = gradients([whole], loss)
    closed = sum(
        power(whole @ whole.T, (j - 1) / DEPTH) @ gradient @ power(whole.T @ whole, (DEPTH - j) / DEPTH)
        for j in range(1, DEPTH + 1)
    )
    torch.testing.assert_close(velocity, -closed, rtol=0, atol=1e-5 * float(velocity.norm()))


def test_layers_that_are_not_balanced_do_not_follow_it() -> None:
    start = [2.0 * orthogonal(3, 3), orthogonal(3, 4), 0.5 * orthogonal(3, 5)]
    before, now, after = gradient_flow(start, loss, [0.099, 0.1, 0.101])
    velocity, whole = (product(after) - product(before)) / 0.002, product(now)
    (gradient,) = gradients([whole], loss)
    closed = sum(
        power(whole @ whole.T, (j - 1) / DEPTH) @ gradient @ power(whole.T @ whole, (DEPTH - j) / DEPTH)
        for j in range(1, DEPTH + 1)
    )
    assert float((velocity + closed).norm() / velocity.norm()) > 0.1
