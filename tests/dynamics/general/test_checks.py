"""The comparison with autograd: wrong gradients are found, and rounding at a solution is not taken for a fault."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.general.architecture import Architecture
from dlnrepro.dynamics.general.checks import checked_observer
from dlnrepro.dynamics.general.losses import moment_loss
from dlnrepro.dynamics.general.rules import Gradient
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.errors import Disagreement
from tests.runners.running import seeded

ARCHITECTURE = Architecture(((4, 5, 3),))


def observed(gradient: Gradient, weights: Weights, target: torch.Tensor, records: int = 3) -> int:
    """The number of records of an observer that compares a gradient at the first, the middle and the last one."""
    calls: list[Weights] = []
    loss = moment_loss(target, None)

    def observe(now: Weights) -> Record:
        calls.append(now)
        return {}

    checked = checked_observer(ARCHITECTURE, loss, gradient, observe, records, lambda _, plain: plain)
    for _ in range(records):
        checked(weights)
    return len(calls)


def test_a_gradient_that_is_right_passes_and_one_that_is_wrong_by_one_part_in_a_million_does_not() -> None:
    weights, target = gaussian((4, 5, 3), 1.0, seeded([0, 1])), normal((3, 4), seeded([2, 3]))
    right = ARCHITECTURE.gradient(moment_loss(target, None).slope)

    def wrong(now: Weights) -> Weights:
        first, second = right(now)
        return [first * (1 + 1e-6), second]

    assert observed(right, weights, target) == 3
    with pytest.raises(Disagreement, match="the gradient at record 1 of 3: expected a relative difference of at most"):
        observed(wrong, weights, target)


def test_rounding_in_a_gradient_that_vanishes_is_no_fault() -> None:
    weights = gaussian((4, 5, 3), 1.0, seeded([0, 1]))
    target = weights[1] @ weights[0] * (1 + 1e-13)

    assert observed(ARCHITECTURE.gradient(moment_loss(target, None).slope), weights, target) == 3


def test_a_run_that_is_lost_is_left_out() -> None:
    weights, target = gaussian((4, 5, 3), 1.0, seeded([0, 1])), normal((3, 4), seeded([2, 3]))
    lost = [torch.cat([weight[:1] * torch.inf, weight[1:]]) for weight in weights]

    assert observed(ARCHITECTURE.gradient(moment_loss(target, None).slope), lost, target) == 3
