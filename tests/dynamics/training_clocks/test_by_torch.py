"""Steps of torch, against steps that are written out for one run."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.dynamics.training_clocks.by_torch import (
    AdamSteps,
    DescentSteps,
    NormalisedSteps,
    cross_entropy,
    loss_path,
    move_error,
    optimised,
    squared_fit,
)
from tests.runners.running import seeded

WEIGHTS = gaussian([4, 3, 2], 1.0, seeded([0, 1]))
TARGET = normal((2, 4), seeded([2, 3]))


def test_losses_are_those_of_each_run_alone() -> None:
    x, labels = normal((5, 4), seeded([4, 5])), torch.tensor([[0, 1, 0, 1, 1], [1, 1, 0, 0, 1]])
    risks = cross_entropy(x, labels)(WEIGHTS)
    fits = squared_fit(TARGET)(WEIGHTS)

    for run in range(2):
        product = WEIGHTS[1][run] @ WEIGHTS[0][run]
        chosen = torch.log_softmax(x[run] @ product.T, -1)[torch.arange(5), labels[run]]
        assert float(risks[run]) == pytest.approx(-float(chosen.mean()), rel=1e-12)
        assert float(fits[run]) == pytest.approx(0.5 * float((product - TARGET[run]).square().sum()), rel=1e-12)


def test_steps_of_descent_with_weight_decay_are_those_written_out() -> None:
    rule = partial(DescentSteps, lr=0.1, weight_decay=0.3)
    found = optimised(WEIGHTS, lambda: squared_fit(TARGET), rule, 1)

    gap = WEIGHTS[1] @ WEIGHTS[0] - TARGET
    wanted = [
        WEIGHTS[0] - 0.1 * (WEIGHTS[1].mT @ gap + 0.3 * WEIGHTS[0]),
        WEIGHTS[1] - 0.1 * (gap @ WEIGHTS[0].mT + 0.3 * WEIGHTS[1]),
    ]
    assert float(move_error(WEIGHTS, found, wanted).max()) < 1e-14
    longer = [old + 1.05 * (new - old) for old, new in zip(WEIGHTS, wanted, strict=True)]
    torch.testing.assert_close(move_error(WEIGHTS, longer, wanted), torch.full((2,), 0.05, dtype=torch.float64))


def test_normalised_steps_lower_the_loss_by_their_size_to_first_order() -> None:
    path = loss_path(WEIGHTS, lambda: squared_fit(TARGET), partial(NormalisedSteps, lr=1e-4), 3)

    torch.testing.assert_close(path[:-1] - path[1:], torch.full((3, 2), 1e-4, dtype=torch.float64), rtol=1e-2, atol=0)


def test_the_path_of_losses_is_that_of_the_optimiser() -> None:
    rule = partial(DescentSteps, lr=0.1)
    path = loss_path(WEIGHTS, lambda: squared_fit(TARGET), rule, 2)

    for steps in range(3):
        end = optimised(WEIGHTS, lambda: squared_fit(TARGET), rule, steps)
        assert torch.equal(path[steps], squared_fit(TARGET)(end))


def test_the_first_step_of_adam_has_the_step_size_in_every_entry() -> None:
    """m / (sqrt(v) + eps) is the sign of the gradient at the first step, whatever the memory."""
    found = optimised(WEIGHTS, lambda: squared_fit(TARGET), partial(AdamSteps, lr=0.01, memory=0.99, eps=1e-12), 1)

    gap = WEIGHTS[1] @ WEIGHTS[0] - TARGET
    slopes = [WEIGHTS[1].mT @ gap, gap @ WEIGHTS[0].mT]
    wanted = [old - 0.01 * slope.sign() for old, slope in zip(WEIGHTS, slopes, strict=True)]
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=0)
