"""Cross-entropy by soft margins, held to torch's own and to autograd."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.dynamics.training_clocks.cross_entropy import (
    cross_entropy_gradient,
    cross_entropy_log_gradient,
    soft_margins,
)

GENERATORS = [Generator().manual_seed(0)]
X = normal((8, 5), GENERATORS)
LABELS = torch.arange(8) % 3
HOT = torch.nn.functional.one_hot(LABELS, 3).double()[None]


def _weights(scale: float) -> list[Tensor]:
    return [weight.requires_grad_() for weight in gaussian([5, 4, 4, 3], scale, [Generator().manual_seed(1)])]


def _risk(weights: list[Tensor]) -> Tensor:
    return torch.nn.functional.cross_entropy((X @ product(weights).mT)[0], LABELS)


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_risk_and_gradient_agree_with_autograd(scale: float) -> None:
    weights = _weights(scale)
    expected = torch.autograd.grad(_risk(weights), weights)

    value, slopes = cross_entropy_gradient(weights, X, HOT)

    torch.testing.assert_close(value[0], _risk(weights))
    for slope, wanted in zip(slopes, expected, strict=True):
        torch.testing.assert_close(slope, wanted)


def test_the_logarithm_and_its_gradient_agree_with_autograd() -> None:
    weights = _weights(1.0)
    expected = torch.autograd.grad(_risk(weights).log(), weights)

    value, slopes = cross_entropy_log_gradient(weights, X, HOT)

    torch.testing.assert_close(value[0], _risk(weights).log())
    for slope, wanted in zip(slopes, expected, strict=True):
        torch.testing.assert_close(slope, wanted)


def test_for_two_classes_the_soft_margin_is_the_margin() -> None:
    logits = normal((8, 2), GENERATORS)
    hot = torch.nn.functional.one_hot(torch.arange(8) % 2, 2).double()[None]

    margins, _ = soft_margins(logits, hot)

    torch.testing.assert_close(margins, (logits * (2 * hot - 1)).sum(-1))


def test_the_soft_margin_lies_below_the_margin_by_at_most_the_logarithm_of_the_other_classes() -> None:
    logits = 5 * normal((8, 3), GENERATORS)
    rest = torch.where(HOT > 0, -torch.inf, logits).amax(-1)
    margin = (logits * HOT).sum(-1) - rest

    soft, _ = soft_margins(logits, HOT)

    assert bool((soft <= margin).all())
    assert bool((soft >= margin - math.log(2)).all())


def test_the_logarithm_does_not_underflow() -> None:
    """Logits of a thousand at the label: R is exp(-1000) times a number between 1 and 2."""
    weights = [1000 * torch.eye(3, dtype=torch.float64)[None]]
    x = HOT

    value, slopes = cross_entropy_log_gradient(weights, x, HOT)

    assert -1000 <= float(value) <= -1000 + math.log(2) + 1e-9
    assert bool(torch.isfinite(slopes[0]).all())
