"""Gradient flow: the chain rule in numpy, known solutions, another solver, conservation, and runs that diverge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from dlnrepro.dynamics.networks.chain import imbalance, prefixes, product, pull_back
from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.errors import BudgetSpent
from dlnrepro.runner import silent

SHAPES = [(3, 5), (3, 3), (2, 3)]  # one square layer: a transposed factor would fit there


def some_weights(generator: torch.Generator, runs: int = 2) -> list[Tensor]:
    return [0.5 * torch.randn(runs, *shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


def towards(target: Tensor) -> Callable[[int, Array], Array]:
    matrices = target.numpy()

    def gradient(run: int, whole: Array) -> Array:
        slopes: Array = whole - matrices[run]
        return slopes

    return gradient


def test_a_scalar_network_of_two_layers_follows_the_logistic_curve() -> None:
    root = torch.tensor([0.1, 0.3], dtype=torch.float64).sqrt().reshape(2, 1, 1)
    times = torch.linspace(0, 4, 9, dtype=torch.float64)
    target = torch.full((2, 1, 1), 2.0, dtype=torch.float64)

    whole = product(flow([root, root], towards(target), times, [1.0, 1.0], 1e-11, 1e-13, silent))[..., 0, 0]

    start = torch.tensor([[0.1], [0.3]], dtype=torch.float64)
    exact = 2 / (1 + (2 / start - 1) * torch.exp(-4 * times))
    torch.testing.assert_close(whole, exact, rtol=1e-9, atol=0)


def test_the_velocity_is_the_one_of_the_chain_rule(generator: torch.Generator) -> None:
    """After a time so short that the path is straight, the weights have moved against autograd's gradient."""
    weights = some_weights(generator)
    target = torch.randn(2, 2, 5, generator=generator, dtype=torch.float64)
    tracked = [weight.clone().requires_grad_() for weight in weights]
    loss = ((product(tracked) - target) ** 2).sum() / 2
    slopes = torch.autograd.grad(loss, tracked)
    partial = prefixes(weights)

    short = 1e-7
    path = flow(
        weights, towards(target), torch.tensor([short], dtype=torch.float64), [1.0, 2.0, 3.0], 1e-12, 1e-14, silent
    )

    for layer, (end, begin, slope) in enumerate(zip(path, weights, slopes, strict=True)):
        torch.testing.assert_close((begin - end[:, 0]) / short, (layer + 1) * slope, rtol=0, atol=1e-4)
    for ours, slope in zip(pull_back(weights, partial, partial[-1] - target), slopes, strict=True):
        torch.testing.assert_close(ours, slope, rtol=0, atol=1e-13)


def test_another_solver_gives_the_same_path(generator: torch.Generator) -> None:
    weights = some_weights(generator, runs=1)
    target = torch.randn(1, 2, 5, generator=generator, dtype=torch.float64)

    def velocity(_: float, state: np.ndarray) -> np.ndarray:
        pieces = torch.split(torch.from_numpy(state.copy()), [rows * columns for rows, columns in SHAPES])
        layers = [piece.reshape(1, *shape) for piece, shape in zip(pieces, SHAPES, strict=True)]
        partial = prefixes(layers)
        slopes = pull_back(layers, partial, partial[-1] - target)
        return -torch.cat([slope.reshape(-1) for slope in slopes]).numpy()

    start = torch.cat([weight.reshape(-1) for weight in weights]).numpy()
    other = solve_ivp(velocity, (0, 5), start, method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]

    path = flow(
        weights, towards(target), torch.tensor([1.0, 5.0], dtype=torch.float64), [1.0] * 3, 1e-11, 1e-13, silent
    )

    ours = torch.cat([layer[0, 1].reshape(-1) for layer in path]).numpy()
    np.testing.assert_allclose(ours, other, rtol=0, atol=1e-7)


def test_imbalances_are_conserved_unless_layers_learn_at_different_rates(generator: torch.Generator) -> None:
    weights = some_weights(generator)
    target = torch.randn(2, 2, 5, generator=generator, dtype=torch.float64)
    times = torch.tensor([10.0], dtype=torch.float64)

    def change(rates: list[float]) -> float:
        path = flow(weights, towards(target), times, rates, 1e-10, 1e-12, silent)
        now = imbalance([layer[:, 0] for layer in path])
        return max(float((a - b).abs().max()) for a, b in zip(now, imbalance(weights), strict=True))

    assert change([1.0, 1.0, 1.0]) < 1e-8
    assert change([2.0, 1.0, 1.0]) > 0.1


def test_a_run_that_diverges_is_nan_from_there_and_does_not_change_other_runs() -> None:
    weights = [torch.ones(2, 1, 1, dtype=torch.float64) for _ in range(3)]

    def gradient(run: int, whole: Array) -> Array:
        slopes: Array = -(whole**3) if run == 0 else whole
        return slopes

    times = torch.tensor([0.0, 0.01, 5.0], dtype=torch.float64)
    whole = product(flow(weights, gradient, times, [1.0] * 3, 1e-9, 1e-12, silent))[..., 0, 0]

    assert bool(torch.isfinite(whole[0, :2]).all())
    assert bool(torch.isnan(whole[0, 2]))
    assert bool(torch.isfinite(whole[1]).all())


def test_a_start_that_is_not_finite_gives_nan() -> None:
    weights = [torch.full((1, 1, 1), torch.nan, dtype=torch.float64), torch.ones(1, 1, 1, dtype=torch.float64)]
    times = torch.tensor([0.0, 1.0], dtype=torch.float64)

    path = flow(weights, lambda _, whole: whole, times, [1.0, 1.0], 1e-9, 1e-12, silent)

    assert all(bool(torch.isnan(layer).all()) for layer in path)


def test_a_run_does_not_depend_on_its_neighbours(generator: torch.Generator) -> None:
    weights = some_weights(generator, runs=3)
    target = torch.randn(3, 2, 5, generator=generator, dtype=torch.float64)
    times = torch.linspace(0, 3, 4, dtype=torch.float64)

    together = flow(weights, towards(target), times, [1.0] * 3, 1e-10, 1e-12, silent)
    alone = flow([weight[1:2] for weight in weights], towards(target[1:2]), times, [1.0] * 3, 1e-10, 1e-12, silent)

    assert all(torch.equal(layer[1:2], single) for layer, single in zip(together, alone, strict=True))


def test_progress_may_stop_a_flow(generator: torch.Generator) -> None:
    fractions: list[float] = []

    def progress(fraction: float, _: str) -> None:
        fractions.append(fraction)
        if len(fractions) > 1:
            raise BudgetSpent

    weights = some_weights(generator)
    with pytest.raises(BudgetSpent):
        flow(
            weights,
            towards(torch.zeros(2, 2, 5, dtype=torch.float64)),
            torch.ones(1, dtype=torch.float64),
            [1.0] * 3,
            1e-9,
            1e-12,
            progress,
        )
    assert fractions == sorted(fractions)
