"""Steps of the discrete descents, held to autograd, to torch's Adam and to their first-order meaning."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.classification.training import log_risk_gradient
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.risks.margin_losses import batched_log_risk
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.training.step_rules import direction

RUNS = 3


def example() -> tuple[list[Tensor], Tensor]:
    generators = [torch.Generator().manual_seed(seed) for seed in range(RUNS)]
    return gaussian([5, 4, 4, 1], 1.0, generators), normal((7, 5), generators)


def log_risk(weights: Weights, signed: Tensor) -> Tensor:
    margins = (signed @ product(weights).mT)[..., 0]
    return torch.nn.functional.softplus(-margins).mean(-1).log()


@pytest.mark.parametrize("spread", [1.0, 5.0])
def test_a_normalised_step_lowers_the_log_risk_by_its_size(spread: float) -> None:
    weights, signed = example()
    rates = [torch.linspace(1 / spread, spread, 5, dtype=torch.float64)[None], *[torch.ones(1, 1)] * 2]
    step = direction("normalised", lambda now: log_risk_gradient(now, signed, "logistic"), rates)
    size = 1e-6

    after = [weight - size * push for weight, push in zip(weights, step(weights), strict=True)]

    fall = batched_log_risk("logistic", (signed @ product(weights).mT)[..., 0])[0]
    fall = fall - batched_log_risk("logistic", (signed @ product(after).mT)[..., 0])[0]
    torch.testing.assert_close(fall / size, torch.ones(RUNS, dtype=torch.float64), rtol=1e-3, atol=0)


def test_rates_scale_the_columns_of_the_first_layer_alone() -> None:
    weights, signed = example()
    gradient = log_risk_gradient(weights, signed, "logistic")
    rates = torch.linspace(0.2, 5, 5, dtype=torch.float64)
    step = direction("normalised", lambda _: gradient, [rates[None], *[torch.ones(1, 1)] * 2])

    first, second, _ = (push / slope for push, slope in zip(step(weights), gradient, strict=True))

    torch.testing.assert_close(first / second[:, :1, :1], rates.expand_as(first), rtol=1e-12, atol=0)


def test_a_sign_step_moves_every_weight_by_one() -> None:
    weights, signed = example()
    gradient = log_risk_gradient(weights, signed, "logistic")
    step = direction("sign", lambda _: gradient, [])

    for push, slope in zip(step(weights), gradient, strict=True):
        assert torch.equal(push.abs(), torch.ones_like(push))
        assert bool((push * slope > 0).all())


@pytest.mark.slow
def test_adam_is_that_of_torch() -> None:
    weights, signed = example()
    leaves = [weight.clone().requires_grad_() for weight in weights]
    theirs = torch.optim.Adam(leaves, lr=0.05, eps=1e-12)
    ours = [weight.clone() for weight in weights]
    step = direction("adam", lambda now: log_risk_gradient(now, signed, "logistic"), [])

    for _ in range(20):
        theirs.zero_grad()
        log_risk(leaves, signed).sum().backward()  # type: ignore[no-untyped-call]
        theirs.step()
        ours = [weight - 0.05 * push for weight, push in zip(ours, step(ours), strict=True)]

    for leaf, weight in zip(leaves, ours, strict=True):
        torch.testing.assert_close(leaf.detach(), weight, rtol=1e-9, atol=1e-11)
