"""Contrastive losses written out object by object, and everything else by autograd of them."""

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
    backprop_gradients,
    best_feedback,
    contrast,
    feedback_gap,
    local_gradient,
    other_view,
    output_errors,
    paired_views,
    scores,
)
from dlnrepro.dynamics.starts.draws import gaussian, normal, orthonormal

SAMPLES, DECAY = 5, 0.02
LOSSES = get_args(Loss)


def _generators(count: int = 1) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def _written_out(layer: Tensor, feedback: Tensor, context: Tensor, loss: Loss) -> Tensor:
    """The loss of one run, without its penalty: views one by one, objects one by one."""
    total = torch.zeros((), dtype=torch.float64)
    soft = torch.nn.functional.softplus
    for view in range(2):
        for index in range(SAMPLES):
            toward = feedback[view] @ context[view, index]
            own, following = layer[view, index] @ toward, layer[view, (index + 1) % SAMPLES] @ toward
            if loss == "two-sided":
                total = total + soft(1 - own) + soft(1 + following)
            elif loss == "difference":
                total = total + soft(following - own)
            else:
                total = total + following - own
    return total / (2 * SAMPLES)


def _parts() -> tuple[Tensor, Tensor, Tensor]:
    layer, context = normal((2, SAMPLES, 4), _generators())[0], normal((2, SAMPLES, 3), _generators())[0] + 0.2
    return layer, 0.5 * normal((2, 4, 3), _generators())[0], context


@pytest.mark.parametrize("loss", LOSSES)
def test_the_scores_make_the_loss_written_out(loss: Loss) -> None:
    layer, feedback, context = _parts()
    how = contrast(loss, SAMPLES)

    found = scores(layer, feedback, context, how)
    values = -found if how.margin is None else torch.nn.functional.softplus(how.margin - found)

    torch.testing.assert_close(
        values.sum() / (2 * SAMPLES), _written_out(layer, feedback, context, loss), rtol=1e-13, atol=1e-13
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_errors_are_derivatives_of_the_loss_by_the_layer_alone(loss: Loss) -> None:
    layer, feedback, context = _parts()
    free = layer.clone().requires_grad_()

    (expected,) = torch.autograd.grad(_written_out(free, feedback, context, loss), free)

    torch.testing.assert_close(output_errors(layer, feedback, context, contrast(loss, SAMPLES)), expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_best_feedback_has_no_slope_left_in_loss_and_penalty(loss: Loss) -> None:
    layer, _, context = _parts()
    how = contrast(loss, SAMPLES)
    best = best_feedback(layer, context, how, DECAY).requires_grad_()

    # The loss is half the sum over the views, and so is the penalty.
    whole = _written_out(layer, best, context, loss) + 0.5 * DECAY * best.square().sum()
    (slope,) = torch.autograd.grad(whole, best)

    assert float(slope.norm() / (DECAY * best.detach().norm())) < 1e-11
    assert float(feedback_gap(layer, best.detach(), context, how, DECAY).max()) < 1e-11


def test_the_feedback_gap_of_twice_the_best_linear_feedback_is_a_half() -> None:
    layer, _, context = _parts()
    how = contrast("linear", SAMPLES)
    twice = 2 * best_feedback(layer, context, how, DECAY)

    torch.testing.assert_close(feedback_gap(layer, twice, context, how, DECAY), torch.full((2,), 0.5).double())


def test_the_best_feedback_is_found_where_scores_are_large() -> None:
    """Weak penalty and long vectors: scores saturate far from where Newton's method starts."""
    layer, _, context = _parts()
    how = contrast("two-sided", SAMPLES)

    best = best_feedback(10 * layer, 10 * context, how, 1e-4)

    assert float(feedback_gap(10 * layer, best, 10 * context, how, 1e-4).max()) < 1e-7


@pytest.mark.parametrize("activation", get_args(Activation))
def test_local_gradients_and_back_propagation_agree_with_autograd(activation: Activation) -> None:
    weights = [weight[0].requires_grad_() for weight in gaussian([6, 5, 4, 3], 1.0, _generators())]
    views = paired_views(SAMPLES, 6, 1.0, 0.3, 1.0, _generators())[0]
    how = contrast("two-sided", SAMPLES)
    layers = activities(weights, views, activation)
    plain = [layer.detach() for layer in layers]
    top = best_feedback(plain[-1], other_view(plain[-1]), how, DECAY)
    expected = torch.autograd.grad(
        _written_out(layers[-1], top, other_view(plain[-1]), "two-sided"), weights, retain_graph=True
    )

    found = backprop_gradients(weights, views, top, other_view(plain[-1]), how, activation)

    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)
    for index, weight in enumerate(weights):
        alone = activities([weight], plain[index], activation)[1]
        back = best_feedback(plain[index + 1], other_view(plain[index + 1]), how, DECAY)
        loss = _written_out(alone, back, other_view(plain[index + 1]), "two-sided")
        here = output_errors(plain[index + 1], back, other_view(plain[index + 1]), how)
        torch.testing.assert_close(
            local_gradient(plain[index], plain[index + 1], here, activation), torch.autograd.grad(loss, weight)[0]
        )


def test_back_propagation_is_the_difference_quotient_of_the_loss() -> None:
    weights = [weight[0] for weight in gaussian([6, 5, 3], 1.0, _generators())]
    views = paired_views(SAMPLES, 6, 1.0, 0.3, 1.0, _generators())[0]
    how, top = contrast("difference", SAMPLES), activities(weights, views, "linear")[-1]
    feedback, direction, size = best_feedback(top, other_view(top), how, DECAY), torch.ones(5, 6).double(), 1e-6

    def loss(shift: float) -> float:
        end = activities([weights[0] + shift * direction, weights[1]], views, "linear")[-1]
        return float(_written_out(end, feedback, other_view(top), "difference"))

    found = backprop_gradients(weights, views, feedback, other_view(top), how, "linear")[0]

    assert float((found * direction).sum()) == pytest.approx((loss(size) - loss(-size)) / (2 * size), rel=1e-7)


def test_newtons_last_step_leaves_rounding_only() -> None:
    how = contrast("two-sided", SAMPLES)
    for seed in range(200):
        layer = normal((2, SAMPLES, 4), [torch.Generator().manual_seed(seed)])[0]
        best = best_feedback(layer, other_view(layer), how, DECAY)
        assert float(feedback_gap(layer, best, other_view(layer), how, DECAY).max()) < 2e-13


def test_views_have_the_size_the_spectrum_and_the_correlation_asked_for() -> None:
    views = paired_views(4000, 6, 1.5, 0.3, 2.0, _generators())[0]

    variances = views.square().mean((0, 1))
    ranks = torch.arange(1, 7, dtype=torch.float64)
    torch.testing.assert_close(variances / variances[0], ranks**-1.5, rtol=0.1, atol=0)
    assert math.sqrt(float(variances.mean())) == pytest.approx(2, rel=0.03)
    shared = (views[0] * views[1]).mean(0) / variances
    torch.testing.assert_close(shared, torch.full((6,), 0.7).double(), rtol=0.1, atol=0)


def test_views_do_not_depend_on_the_batch() -> None:
    together, alone = (
        paired_views(3, 4, 1.0, 0.5, 1.0, _generators(4)),
        paired_views(3, 4, 1.0, 0.5, 1.0, [torch.Generator().manual_seed(2)]),
    )

    assert torch.equal(together[2], alone[0])


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
        gradients.append(local_gradient(layers[0], layers[1], output_errors(layers[1], back, compared, how), "linear"))
    top = best_feedback(layers[2], other_view(layers[2]), how, DECAY)
    wanted = backprop_gradients(weights, layers[0], top, other_view(layers[2]), how, "linear")[0]
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
