"""The gradients of layers that learn by themselves, compared with autograd of losses written out object by object."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.self_supervision.comparison import (
    Context,
    Learning,
    compared,
    identical_feedback,
    random_feedback,
)
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.runner import silent
from tests.runners.running import seeded

WIDTHS, SAMPLES = [5, 4, 3, 3], 6
LEARNING = Learning("difference", 0.05, "relu")


def _gradient(weights: list[Tensor], views: Tensor, feedback: Tensor, context: Context, layer: int) -> list[Tensor]:
    """The gradients of the loss of one layer on all weights up to it, by autograd, with the context held fixed."""
    free = [weight.clone().requires_grad_() for weight in weights]
    activity = [views]
    for weight in free:
        activity.append((activity[-1] @ weight.T).relu())
    seen = (activity[layer] if context == "own" else activity[-1]).detach().flip(0)
    if context == "stranger" and layer < len(weights):
        seen = torch.stack([torch.stack([view[(i - SAMPLES // 2) % SAMPLES] for i in range(SAMPLES)]) for view in seen])
    total = torch.zeros((), dtype=torch.float64)
    for view in range(2):
        for index in range(SAMPLES):
            apart = activity[layer][view, index] - activity[layer][view, (index + 1) % SAMPLES]
            total = total + torch.nn.functional.softplus(-(apart @ feedback[view] @ seen[view, index]))
    return list(torch.autograd.grad(total / (2 * SAMPLES), free[:layer]))


@pytest.mark.parametrize("context", ["own", "top", "stranger"])
def test_distances_are_those_of_the_gradients_that_autograd_finds(context: Context) -> None:
    weights, views = gaussian(WIDTHS, 1.3, seeded([0, 1])), normal((2, SAMPLES, WIDTHS[0]), seeded([2, 3]))
    fixed = [*random_feedback(WIDTHS[1:], context, seeded([4, 5])), *identical_feedback(WIDTHS[-1], 1, 2)]
    found = compared(weights, views, fixed, context, LEARNING, silent)

    for run in range(2):
        own = [weight[run] for weight in weights]
        wanted = _gradient(own, views[run], fixed[-1][run], context, 3)
        for layer in (1, 2, 3):
            local = _gradient(own, views[run], fixed[layer - 1][run], context, layer)[-1]
            error = torch.linalg.matrix_norm(local - wanted[layer - 1]) / torch.linalg.matrix_norm(wanted[layer - 1])
            torch.testing.assert_close(found.distances.error[run, layer - 1], error, rtol=1e-10, atol=1e-12)
    assert torch.equal(found.slope, torch.zeros(2, dtype=torch.float64))


def test_the_best_feedback_leaves_no_slope_and_no_distance_in_the_last_layer() -> None:
    weights, views = gaussian(WIDTHS, 1.3, seeded([0, 1])), normal((2, SAMPLES, WIDTHS[0]), seeded([2, 3]))
    found = compared(weights, views, [], "top", LEARNING, silent)

    assert 0 < float(found.slope.max()) < 1e-10
    assert float(found.distances.error[:, -1].max()) < 1e-14
    assert float(found.distances.error[:, 0].min()) > 1e-3


def test_random_feedback_reads_the_width_of_its_context_within_its_bound() -> None:
    own, top = (random_feedback(WIDTHS[1:], context, seeded([0, 1])) for context in ("own", "top"))

    assert [matrix.shape for matrix in own] == [(2, 2, 4, 4), (2, 2, 3, 3)]
    assert [matrix.shape for matrix in top] == [(2, 2, 4, 3), (2, 2, 3, 3)]
    assert 0.4 < float(own[0].abs().max()) <= 0.5
