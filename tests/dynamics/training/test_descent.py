"""Gradient descent of all runs at once, and the records it keeps."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.networks.chain import prefixes, product, pull_back
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.errors import BudgetSpent
from dlnrepro.runner import silent


def squared_gradient(weights: Weights) -> Weights:
    """Of 1/2 ||W_L ... W_1 - 1||_F^2."""
    partial = prefixes(weights)
    return pull_back(weights, partial, partial[-1] - torch.eye(3, dtype=torch.float64))


def start(runs: int, generator: torch.Generator) -> Weights:
    """Three layers of size 3: odd, so that vectorised loops have leftovers."""
    return [torch.randn(runs, 3, 3, dtype=torch.float64, generator=generator) * 0.5 for _ in range(3)]


def test_descent_takes_the_steps_of_an_autograd_loop(generator: torch.Generator) -> None:
    weights = start(4, generator)
    found, _ = descend(weights, squared_gradient, lambda _: 0.05, 20, [], lambda _: {}, silent)
    expected = [weight.clone() for weight in weights]
    for _ in range(20):
        leaves = [weight.requires_grad_() for weight in expected]
        loss = 0.5 * ((product(leaves) - torch.eye(3, dtype=torch.float64)) ** 2).sum()
        slopes = torch.autograd.grad(loss, leaves)
        expected = [(leaf - 0.05 * slope).detach() for leaf, slope in zip(leaves, slopes, strict=True)]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-13, atol=1e-13)


def test_the_start_is_left_alone_and_records_are_taken_before_the_step(generator: torch.Generator) -> None:
    weights = start(2, generator)
    kept = [weight.clone() for weight in weights]
    end, series = descend(
        weights, squared_gradient, lambda _: 0.01, 5, [0, 3, 5], lambda w: {"corner": w[0][:, 0, 0]}, silent
    )
    assert all(torch.equal(one, other) for one, other in zip(weights, kept, strict=True))
    assert torch.equal(series["corner"][:, 0], weights[0][:, 0, 0])
    assert torch.equal(series["corner"][:, 2], end[0][:, 0, 0])
    assert series["corner"].shape == (2, 3)


def test_a_run_in_a_batch_is_bitwise_identical_to_the_run_alone(generator: torch.Generator) -> None:
    weights = start(7, generator)
    together, _ = descend(weights, squared_gradient, lambda _: 0.05, 200, [], lambda _: {}, silent)
    alone, _ = descend([w[4:5] for w in weights], squared_gradient, lambda _: 0.05, 200, [], lambda _: {}, silent)
    assert all(torch.equal(one[4:5], other) for one, other in zip(together, alone, strict=True))


def test_a_diverging_run_does_not_stop_other_runs(generator: torch.Generator) -> None:
    weights = start(2, generator)
    weights[0][0] *= 1e6
    end, _ = descend(weights, squared_gradient, lambda _: 0.5, 60, [], lambda _: {}, silent)
    assert not torch.isfinite(end[0][0]).all()
    assert torch.isfinite(end[0][1]).all()


def test_progress_may_stop_the_run(generator: torch.Generator) -> None:
    def stop(fraction: float, note: str) -> None:
        assert note.endswith("of 100")
        if fraction >= 0.5:
            raise BudgetSpent

    with pytest.raises(BudgetSpent):
        descend(start(1, generator), squared_gradient, lambda _: 0.1, 100, [], lambda _: {}, stop)
