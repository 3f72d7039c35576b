"""The second route to gradients, against hand-written gradients, closed forms and layers that are wrong on purpose."""

from __future__ import annotations

import math

import pytest
import torch

from dlnrepro.dynamics.networks.plain import check_agreement, data_of, drifted, gradients, squared_error, stepped
from dlnrepro.dynamics.risks.squared_loss import regression_gradient
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.errors import Disagreement

GENERATORS = 2


def _problem() -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
    """Weights, and moments S and Z."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(GENERATORS)]
    draw = normal((4, 9), generators)
    return gaussian([4, 5, 3], 1.0, generators), draw @ draw.mT, normal((3, 4), generators)


def test_the_data_have_the_moments_that_were_asked_for() -> None:
    _, moment, cross = _problem()

    inputs, outputs = data_of(moment, cross)

    torch.testing.assert_close(inputs @ inputs.mT, moment)
    torch.testing.assert_close(outputs @ inputs.mT, cross)


def test_autograd_finds_the_gradients_that_are_written_by_hand() -> None:
    weights, moment, cross = _problem()
    with torch.inference_mode():
        found = gradients(squared_error(*data_of(moment, cross)), weights)

    torch.testing.assert_close(found, regression_gradient(moment, cross)(weights), rtol=1e-11, atol=1e-11)


def test_two_steps_are_two_steps_of_the_gradient() -> None:
    weights, moment, cross = _problem()
    gradient = regression_gradient(moment, cross)
    expected = weights
    for _ in range(2):
        expected = [weight - 0.01 * part for weight, part in zip(expected, gradient(expected), strict=True)]

    found = stepped(squared_error(*data_of(moment, cross)), weights, 0.01, 2)

    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)


def test_the_flow_of_one_layer_is_an_exponential() -> None:
    start, aim = torch.ones(1, 2, 2, dtype=torch.float64), torch.full((1, 2, 2), 3.0, dtype=torch.float64)
    identity = torch.eye(2, dtype=torch.float64)[None]

    (found,) = drifted(squared_error(*data_of(identity, aim)), [start], 0.4, 40)

    torch.testing.assert_close(found, aim + math.exp(-0.4) * (start - aim), rtol=1e-9, atol=0)


@pytest.mark.parametrize(
    ("rates", "end"), [(None, 2 / (1 + math.exp(-1.2))), ((1.0, 0.0), 2 - math.exp(-0.3))], ids=["equal", "one layer"]
)
def test_two_scalar_layers_flow_along_a_known_curve(rates: tuple[float, float] | None, end: float) -> None:
    """From 1, the product s follows s' = 2 s (2 - s) if both layers move, and s' = 2 - s if only the first one does."""
    one = torch.ones(1, 1, 1, dtype=torch.float64)

    first, second = drifted(squared_error(one, 2 * one), [one, one], torch.tensor([[[0.3]]]).double(), 100, rates)

    assert float(first * second) == pytest.approx(end, rel=1e-7)


def test_layers_that_differ_are_refused_and_layers_that_diverged_are_left_out() -> None:
    weights, _, _ = _problem()
    diverged = [weight.clone() for weight in weights]
    diverged[0][0] = torch.nan

    check_agreement(diverged, weights, 1e-11, "step 3")
    words = r"^step 3: expected W_2 within 1e-11 of its value by autograd, found a relative difference of 1\.0e-3$"
    with pytest.raises(Disagreement, match=words):
        check_agreement([weights[0], 1.001 * weights[1]], weights, 1e-11, "step 3")
