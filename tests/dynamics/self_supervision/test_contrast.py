"""The views and the best feedback, against a loss that is written out object by object."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.self_supervision.contrast import Loss, best_feedback, contrast, other_view, paired_views
from dlnrepro.dynamics.self_supervision.gradients import feedback_gap
from dlnrepro.dynamics.starts.draws import normal
from tests.dynamics.self_supervision.by_object import DECAY, SAMPLES, generators, parts, written_out

LOSSES = get_args(Loss)


def _numbers(value: float, count: int = 1) -> Tensor:
    return torch.full((count,), value, dtype=torch.float64)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_best_feedback_has_no_slope_left_in_loss_and_penalty(loss: Loss) -> None:
    layer, _, context = parts()
    how = contrast(loss, SAMPLES)
    best = best_feedback(layer, context, how, DECAY).requires_grad_()

    # The loss is half the sum over the views, and so is the penalty.
    whole = written_out(layer, best, context, loss) + 0.5 * DECAY * best.square().sum()
    (slope,) = torch.autograd.grad(whole, best)

    assert float(slope.norm() / (DECAY * best.detach().norm())) < 1e-11
    assert float(feedback_gap(layer, best.detach(), context, loss, DECAY)) < 1e-11


def test_the_best_feedback_is_found_where_scores_are_large() -> None:
    """Weak penalty and long vectors: scores saturate far from where Newton's method starts."""
    layer, _, context = parts()
    how = contrast("two-sided", SAMPLES)

    best = best_feedback(10 * layer, 10 * context, how, 1e-4)

    assert float(feedback_gap(10 * layer, best, 10 * context, "two-sided", 1e-4)) < 1e-7


def test_newtons_last_step_leaves_rounding_only() -> None:
    how = contrast("two-sided", SAMPLES)
    for seed in range(200):
        layer = normal((2, SAMPLES, 4), [torch.Generator().manual_seed(seed)])[0]
        best = best_feedback(layer, other_view(layer), how, DECAY)
        assert float(feedback_gap(layer, best, other_view(layer), "two-sided", DECAY)) < 2e-13


def test_views_have_the_size_the_spectrum_and_the_correlation_asked_for() -> None:
    views = paired_views(4000, 6, _numbers(1.5), _numbers(0.3), 2.0, generators())[0]

    variances = views.square().mean((0, 1))
    ranks = torch.arange(1, 7, dtype=torch.float64)
    torch.testing.assert_close(variances / variances[0], ranks**-1.5, rtol=0.1, atol=0)
    assert math.sqrt(float(variances.mean())) == pytest.approx(2, rel=0.03)
    shared = (views[0] * views[1]).mean(0) / variances
    torch.testing.assert_close(shared, torch.full((6,), 0.7).double(), rtol=0.1, atol=0)


def test_views_do_not_depend_on_the_batch() -> None:
    together, alone = (
        paired_views(3, 4, _numbers(1.0, 4), _numbers(0.5, 4), 1.0, generators(4)),
        paired_views(3, 4, _numbers(1.0), _numbers(0.5), 1.0, [torch.Generator().manual_seed(2)]),
    )

    assert torch.equal(together[2], alone[0])
