"""The gradients of both methods, against losses written out object by object and against difference quotients."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.self_supervision.contrast import (
    Activation,
    Loss,
    activities,
    best_feedback,
    contrast,
    other_view,
    paired_views,
)
from dlnrepro.dynamics.self_supervision.gradients import backprop_gradients, feedback_gap, layer_loss, local_gradient
from dlnrepro.dynamics.starts.draws import gaussian, normal, orthonormal
from tests.dynamics.self_supervision.by_object import DECAY, SAMPLES, generators, parts, written_out


def _views() -> Tensor:
    one = torch.ones(1, dtype=torch.float64)
    return paired_views(SAMPLES, 6, one, 0.3 * one, 1.0, generators())[0]


@pytest.mark.parametrize("loss", get_args(Loss))
def test_the_loss_of_a_layer_is_the_one_written_out(loss: Loss) -> None:
    layer, feedback, context = parts()

    torch.testing.assert_close(
        layer_loss(layer, feedback, context, loss), written_out(layer, feedback, context, loss), rtol=1e-13, atol=0
    )


@pytest.mark.parametrize("activation", get_args(Activation))
def test_local_gradients_are_those_of_the_layer_s_own_loss_with_a_fixed_context(activation: Activation) -> None:
    weights, views = [one[0] for one in gaussian([6, 5, 4], 1.0, generators())], _views()
    layers = activities(weights, views, activation)
    for index, weight in enumerate(weights):
        seen = other_view(layers[index + 1])
        back = best_feedback(layers[index + 1], seen, contrast("two-sided", SAMPLES), DECAY)
        found = local_gradient(layers[index], weight, back, seen, "two-sided", activation)
        shift, size = torch.ones_like(weight), 1e-6
        ends = [activities([weight + sign * size * shift], layers[index], activation)[-1] for sign in (1, -1)]
        high, low = (float(written_out(end, back, seen, "two-sided")) for end in ends)
        assert float((found * shift).sum()) == pytest.approx((high - low) / (2 * size), rel=1e-6)


def test_the_feedback_gap_of_twice_the_best_linear_feedback_is_a_half() -> None:
    layer, context = normal((2, SAMPLES, 4), generators())[0], normal((2, SAMPLES, 3), generators())[0] + 0.2
    best = best_feedback(layer, context, contrast("linear", SAMPLES), DECAY)

    assert float(feedback_gap(layer, 2 * best, context, "linear", DECAY)) == pytest.approx(0.5)
    assert float(feedback_gap(layer, best, context, "linear", DECAY)) < 1e-14


def test_back_propagation_is_the_difference_quotient_of_the_loss() -> None:
    weights = [weight[0] for weight in gaussian([6, 5, 3], 1.0, generators())]
    views = _views()
    how, top = contrast("difference", SAMPLES), activities(weights, views, "linear")[-1]
    feedback, direction, size = best_feedback(top, other_view(top), how, DECAY), torch.ones(5, 6).double(), 1e-6

    def loss(shift: float) -> float:
        end = activities([weights[0] + shift * direction, weights[1]], views, "linear")[-1]
        return float(written_out(end, feedback, other_view(top), "difference"))

    found = backprop_gradients(weights, views, feedback, other_view(top), "difference", "linear")[0]

    assert float((found * direction).sum()) == pytest.approx((loss(size) - loss(-size)) / (2 * size), rel=1e-7)


def _errors_of_the_first_layer(correlation: Tensor) -> tuple[float, float]:
    """Squared distances to back-propagation of local context and of direct feedback, for layers I and (1, 0, ..)."""
    size = len(correlation)
    weights = [torch.eye(size, dtype=torch.float64), torch.eye(1, size, dtype=torch.float64)]
    # Orthonormal waves without correlation with the next object, so that the mean of (x_i - x_{i+1}) x'_i^T
    # is the correlation of the views, exactly, and the same in both directions.
    turns = torch.arange(12, dtype=torch.float64) * (math.pi / 6)
    waves = [math.sqrt(2) * torch.cos(3 * turns), *(torch.cos(k * turns) + torch.cos((6 - k) * turns) for k in (2, 1))]
    first = torch.stack(waves[:size], -1)
    layers = activities(weights, torch.stack([first, first @ correlation]), "linear")
    how = contrast("linear", 12)
    gradients = []
    for compared in (other_view(layers[1]), other_view(layers[2])):
        back = best_feedback(layers[1], compared, how, DECAY)
        gradients.append(local_gradient(layers[0], weights[0], back, compared, "linear", "linear"))
    top = best_feedback(layers[2], other_view(layers[2]), how, DECAY)
    wanted = backprop_gradients(weights, layers[0], top, other_view(layers[2]), "linear", "linear")[0]
    local, direct = (float((gradient - wanted).square().sum()) for gradient in gradients)
    return local, direct


def test_views_whose_correlation_has_mixed_signs_can_make_direct_feedback_the_worse_one() -> None:
    """A = [[-a, b], [b, d]]: b^2 (a^2 + b^2) for direct feedback, and (b^2 + d^2)^2 + 2 b^2 d^2 - 2 a b^2 d more."""
    a, b, d = 7.0, 1.0, 1.15
    local, direct = _errors_of_the_first_layer(torch.tensor([[-a, b], [b, d]], dtype=torch.float64))

    more = (b**2 + d**2) ** 2 + 2 * b**2 * d**2 - 2 * a * b**2 * d
    assert more < 0
    assert local / direct == pytest.approx(1 + more / (b**2 * (a**2 + b**2)), rel=1e-9)


def test_views_whose_correlation_is_positive_never_do() -> None:
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        frame = orthonormal(3, 3, [generator])[0]
        strengths = torch.rand(3, generator=generator, dtype=torch.float64) ** 3
        local, direct = _errors_of_the_first_layer(frame * strengths @ frame.mT)
        assert direct <= local * (1 + 1e-12)
