"""Tan, Gai, Zhang 2026 (arXiv:2606.05863), equation (2.7): the least mean squared norm of factors is a Schatten norm.

(1/L) min sum_l ||W_l||_F^2 over W_L ... W_1 = A is sum_i sigma_i(A)^(2/L). The minimum is approached by L-BFGS on the
factors themselves, with a penalty for another product.
"""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor


def product(factors: list[Tensor]) -> Tensor:
    result = factors[0]
    for factor in factors[1:]:
        result = factor @ result
    return result


def matrix() -> Tensor:
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


def schatten(depth: int) -> float:
    return depth * float((torch.linalg.svdvals(matrix()) ** (2 / depth)).sum())


def draw(depth: int, seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    widths = [4, *[5] * (depth - 1), 3]
    return [
        0.6 * torch.randn(rows, columns, generator=generator, dtype=torch.float64)
        for columns, rows in itertools.pairwise(widths)
    ]


def least_cost(factors: list[Tensor], penalty: float) -> float:
    """The least sum_l ||W_l||_F^2 + ||W_L ... W_1 - A||_F^2 / penalty, which L-BFGS finds from these factors."""
    training = torch.optim.LBFGS(factors, max_iter=2000, tolerance_change=1e-16, line_search_fn="strong_wolfe")

    def objective() -> Tensor:
        training.zero_grad()
        size = sum(((factor**2).sum() for factor in factors), torch.zeros((), dtype=torch.float64))
        value = ((product(factors) - matrix()) ** 2).sum() / penalty + size
        value.backward()  # type: ignore[no-untyped-call]
        return value

    training.step(objective)  # type: ignore[no-untyped-call]
    return float(objective().detach())


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_cheapest_factors_cost_the_schatten_quasi_norm(depth: int) -> None:
    """The cost with a penalty is too small by an amount in proportion to the penalty; two penalties extrapolate it."""
    factors = [factor.requires_grad_() for factor in draw(depth, 0)]

    weak, strong = least_cost(factors, 1e-2), least_cost(factors, 5e-3)

    assert weak < strong < schatten(depth)
    assert 2 * strong - weak == pytest.approx(schatten(depth), rel=1e-3)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_balanced_factors_reach_the_least_cost_and_other_factors_cost_more(depth: int) -> None:
    left, sizes, right = torch.linalg.svd(matrix(), full_matrices=False)
    root = torch.diag(sizes ** (1 / depth))
    factors = [root @ right, *[root] * (depth - 2), left @ root]
    gauge = torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    others = [gauge @ factors[0], factors[1] @ torch.linalg.inv(gauge), *factors[2:]]

    for found in (factors, others):
        torch.testing.assert_close(product(found), matrix())
    assert sum(float((factor**2).sum()) for factor in factors) == pytest.approx(schatten(depth), rel=1e-12)
    assert sum(float((factor**2).sum()) for factor in others) > 1.05 * schatten(depth)
