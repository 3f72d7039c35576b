"""Dai, Karzand, Srebro (NeurIPS 2021): the least squared norm of weights that realise a linear predictor.

The cost is found by an augmented Lagrangian and L-BFGS from random weights, with each network as one line of PyTorch.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

SIZE = 6
OPTIONS = {"gtol": 1e-10, "ftol": 1e-15, "maxiter": 3000}


def diagonal(depth: int) -> tuple[int, Callable[[Tensor], Tensor]]:
    return depth * SIZE, lambda theta: theta.view(depth, SIZE).prod(0)


def group(depth: int) -> tuple[int, Callable[[Tensor], Tensor]]:
    """Three groups of two entries, each multiplied by depth - 1 scalars."""

    def network(theta: Tensor) -> Tensor:
        return (theta[:SIZE].view(3, 2) * theta[SIZE:].view(depth - 1, 3).prod(0)[:, None]).flatten()

    return SIZE + 3 * (depth - 1), network


def convolutional(depth: int) -> tuple[int, Callable[[Tensor], Tensor]]:
    return depth * SIZE, lambda theta: torch.fft.ifft(torch.fft.fft(theta.view(depth, SIZE)).prod(0)).real


def subsets(k: int) -> tuple[int, Callable[[Tensor], Tensor]]:
    chosen = torch.tensor(list(itertools.combinations(range(SIZE), k)))
    count = len(chosen)

    def network(theta: Tensor) -> Tensor:
        vectors = theta[count:].view(count, k) * theta[:count, None]
        return torch.zeros(SIZE, dtype=torch.float64).index_add(0, chosen.flatten(), vectors.flatten())

    return count * (1 + k), network


def cost(network: Callable[[Tensor], Tensor], count: int, target: Tensor, seed: int) -> float:
    """The least ||theta||^2 with network(theta) = target."""
    theta = torch.randn(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).numpy()
    multiplier, stiffness = torch.zeros_like(target), 100.0

    def lagrangian(flat: np.ndarray) -> tuple[float, np.ndarray]:
        values = torch.from_numpy(flat.copy()).requires_grad_()
        lack = network(values) - target
        value = (values**2).sum() / 2 + multiplier @ lack + stiffness / 2 * (lack**2).sum()
        (slope,) = torch.autograd.grad(value, values)
        return float(value.detach()), slope.numpy()

    for _ in range(8):
        theta = minimize(lagrangian, theta, jac=True, method="L-BFGS-B", options=OPTIONS).x
        multiplier = multiplier + stiffness * (network(torch.from_numpy(theta)) - target)
    assert float((network(torch.from_numpy(theta)) - target).norm()) < 1e-5
    return float(theta @ theta)


def predictor() -> Tensor:
    return torch.tensor([1.5, -0.2, 0.6, 2.5, -0.9, 0.4], dtype=torch.float64)


@pytest.mark.parametrize("depth", [2, 3])
def test_diagonal_layers_cost_a_power_of_the_entries(depth: int) -> None:
    w = predictor()
    assert cost(diagonal(depth)[1], diagonal(depth)[0], w, 0) == pytest.approx(
        depth * float((w.abs() ** (2 / depth)).sum()), rel=1e-5
    )


@pytest.mark.parametrize("depth", [2, 3])
def test_groups_cost_a_power_of_their_lengths(depth: int) -> None:
    count, network = group(depth)
    lengths = predictor().view(3, 2).norm(dim=-1)
    assert cost(network, count, predictor(), 1) == pytest.approx(
        depth * float((lengths ** (2 / depth)).sum()), rel=1e-5
    )


@pytest.mark.parametrize("depth", [2, 3])
def test_convolutions_cost_a_power_of_the_fourier_coefficients(depth: int) -> None:
    count, network = convolutional(depth)
    sizes = torch.fft.fft(predictor(), norm="ortho").abs()
    law = depth * SIZE ** (1 / depth - 1) * float((sizes ** (2 / depth)).sum())
    assert cost(network, count, predictor(), 2) == pytest.approx(law, rel=1e-5)


@pytest.mark.parametrize("k", [2, 3])
def test_weights_on_subsets_cost_twice_the_k_support_norm(k: int) -> None:
    """The norm is max <u, w> over all u whose k largest entries have at most length 1, by its definition."""
    w = predictor().numpy()
    limits = [
        {"type": "ineq", "fun": lambda u, s=list(s): 1 - u[s] @ u[s]} for s in itertools.combinations(range(SIZE), k)
    ]
    dual = minimize(lambda u: -u @ w, 0.1 * np.sign(w), constraints=limits, method="SLSQP", options={"ftol": 1e-12})

    count, network = subsets(k)

    assert cost(network, count, torch.from_numpy(w), 3) == pytest.approx(-2 * dual.fun, rel=1e-3)


def test_two_diagonal_layers_with_weight_decay_are_the_lasso() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(24, SIZE, generator=generator, dtype=torch.float64)
    y = x @ predictor() + 0.3 * torch.randn(24, generator=generator, dtype=torch.float64)
    theta = (0.5 * torch.randn(2, SIZE, generator=generator, dtype=torch.float64)).requires_grad_()
    velocity = torch.zeros_like(theta)
    for _ in range(800):
        (slope,) = torch.autograd.grad(((x @ theta.prod(0) - y) ** 2).sum() / 48 + 0.1 * (theta**2).sum(), theta)
        velocity = 0.9 * velocity + slope
        theta = (theta - 0.05 * velocity).detach().requires_grad_()

    lasso, step = torch.zeros(SIZE, dtype=torch.float64), 24 / float(torch.linalg.matrix_norm(x, 2)) ** 2
    for _ in range(600):
        moved = lasso - step * x.T @ (x @ lasso - y) / 24
        lasso = moved.sign() * (moved.abs() - 0.2 * step).clamp_min(0)

    end = theta.detach()
    torch.testing.assert_close(end.prod(0), lasso, rtol=0, atol=1e-5)
    assert float((end**2).sum()) == pytest.approx(2 * float(lasso.abs().sum()), rel=1e-5)
    assert math.isclose(float((end[0].abs() - end[1].abs()).abs().max()), 0, abs_tol=1e-6)
