"""Directions of steps against torch's own optimisers, and against their definitions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.general.rules import Rule, decayed, direction_of, rated
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import Weights
from tests.runners.running import seeded

SIZE, STEPS = 0.05, 6
OPTIMISERS: dict[Rule, Callable[..., Any]] = {
    "descent": torch.optim.SGD,
    "heavy-ball": partial(torch.optim.SGD, momentum=0.8),
    "nesterov": partial(torch.optim.SGD, momentum=0.8, nesterov=True),
    "adam": partial(torch.optim.Adam, betas=(0.9, 0.95), eps=1e-12),
}


def start() -> Weights:
    """Two parameters of two runs."""
    return [normal((3, 2), seeded([0, 1])), normal((2, 3), seeded([2, 3]))]


def loss(weights: list[Tensor]) -> Tensor:
    """A loss of the product of two parameters, one number per run."""
    return ((weights[1] @ weights[0] - 1) ** 2).sum((-2, -1)) / 2


def gradient(weights: Weights) -> Weights:
    """Its gradient by autograd."""
    leaves = [weight.detach().clone().requires_grad_() for weight in weights]
    return list(torch.autograd.grad(loss(leaves).sum(), leaves))


def stepped(step: Callable[[Weights], Weights], steps: int = STEPS) -> Weights:
    """The parameters after some steps."""
    current = start()
    for _ in range(steps):
        current = [weight - SIZE * part for weight, part in zip(current, step(current), strict=True)]
    return current


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("rule", OPTIMISERS)
def test_steps_are_those_of_the_optimiser_of_torch(rule: Rule, decay: float) -> None:
    leaves = [weight.requires_grad_() for weight in start()]
    optimiser = OPTIMISERS[rule](leaves, lr=SIZE, weight_decay=decay)
    for _ in range(STEPS):
        for leaf, slope in zip(leaves, gradient(leaves), strict=True):
            leaf.grad = slope
        optimiser.step()

    found = stepped(direction_of(rule, decayed(gradient, [decay, decay]), 0.8, 0.95, 0.0))

    for one, other in zip(found, leaves, strict=True):
        torch.testing.assert_close(one, other.detach(), rtol=1e-10, atol=1e-12)


def test_a_step_of_muon_has_singular_values_of_one() -> None:
    step = direction_of("muon", gradient, 0.5, 0.0, 0.0)
    step(start())

    for part in step(start()):
        torch.testing.assert_close(torch.linalg.svdvals(part), torch.ones(2, 2, dtype=torch.float64))


def test_a_muon_step_of_a_run_that_is_lost_is_nan_and_changes_no_other_run() -> None:
    weights = start()
    lost = [torch.stack([weight[0] * torch.nan, weight[1]]) for weight in weights]

    found, expected = (direction_of("muon", gradient, 0.0, 0.0, 0.0)(now) for now in (lost, weights))

    assert all(bool(torch.isnan(part[0]).all()) for part in found)
    assert all(torch.equal(part[1], other[1]) for part, other in zip(found, expected, strict=True))


def test_sam_takes_the_gradient_at_a_distance_uphill() -> None:
    weights, slopes = start(), gradient(start())
    length = torch.stack([(part * part).sum((-2, -1)) for part in slopes]).sum(0).sqrt()[:, None, None]

    found = direction_of("sam", gradient, 0.0, 0.0, 0.1)(weights)

    moved = gradient([weight + 0.1 * part / length for weight, part in zip(weights, slopes, strict=True)])
    for one, other in zip(found, moved, strict=True):
        torch.testing.assert_close(one, other)


def test_a_normalised_step_lowers_the_logarithm_by_its_size_to_first_order() -> None:
    def of_logarithm(weights: Weights) -> Weights:
        return [part / loss(weights)[:, None, None] for part in gradient(weights)]

    step, before = direction_of("normalised", of_logarithm, 0.0, 0.0, 0.0)(start()), loss(start()).log()

    falls = [before - loss([w - size * p for w, p in zip(start(), step, strict=True)]).log() for size in (1e-3, 5e-4)]

    errors = [fall - size for fall, size in zip(falls, (1e-3, 5e-4), strict=True)]
    torch.testing.assert_close(errors[0] / errors[1], torch.full((2,), 4.0, dtype=torch.float64), rtol=0.01, atol=0)


def test_rates_multiply_the_direction_of_their_layer() -> None:
    found = rated(gradient, [2.0, 1.0])(start())

    assert torch.equal(found[0], 2 * gradient(start())[0])
    assert torch.equal(found[1], gradient(start())[1])
