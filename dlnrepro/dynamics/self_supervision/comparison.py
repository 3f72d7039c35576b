"""Layers that learn from losses of their own, compared with back-propagation of the last layer's loss.

The feedback B^l is at the optimum of its layer's loss, or fixed. The gradient g_l of this loss with respect to W_l is
compared with the gradient g_BP,l of the last layer's loss. Conventions of `dynamics.self_supervision.contrast`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.self_supervision.contrast import (
    Activation,
    Loss,
    activities,
    best_feedback,
    contrast,
    other_view,
)
from dlnrepro.dynamics.self_supervision.distances import Distances, distances
from dlnrepro.dynamics.self_supervision.gradients import backprop_gradients, feedback_gap, local_gradient
from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.dynamics.tensors.per_run import each
from dlnrepro.dynamics.tensors.progress import Progress

Context = Literal["own", "top", "stranger"]
"""The activity for the other view with which a layer is compared: its own, that of the last layer, or that of the last
layer for another object, half a batch away."""


class Learning(NamedTuple):
    """How every layer learns.

    Attributes:
        loss: the loss of every layer.
        decay: the factor on ||B||_F^2 in this loss.
        activation: the activation function of every layer.
    """

    loss: Loss
    decay: float
    activation: Activation


class Comparison(NamedTuple):
    """The gradients of layers that learn by themselves, compared with those of back-propagation.

    Attributes:
        distances: of g_l from g_BP,l, each of shape (runs, L).
        slope: the largest relative slope of a layer's loss in its feedback, of shape (runs,); 0 for fixed feedback.
    """

    distances: Distances
    slope: Tensor


def identical_feedback(width: int, layers: int, runs: int) -> list[Tensor]:
    """The feedback B = I of `layers` layers of the same width, each of shape (runs, 2, width, width)."""
    return [torch.eye(width, dtype=torch.float64).expand(runs, 2, -1, -1)] * layers


def random_feedback(widths: Sequence[int], context: Context, generators: Sequence[Generator]) -> list[Tensor]:
    """The feedback B^1 .. B^(L-1), uniform between -1 / sqrt(n_c) and 1 / sqrt(n_c), n_c being the context's width.

    Args:
        widths: n_1 .. n_L.
        context: the context of every layer.
        generators: one per run; B^1 is drawn first.

    Returns:
        B^l of shape (runs, 2, n_l, n_c).
    """
    shapes = [(width, width if context == "own" else widths[-1]) for width in widths[:-1]]
    return [uniform((2, *shape), -(shape[1] ** -0.5), shape[1] ** -0.5, generators) for shape in shapes]


def compared(
    weights: Sequence[Tensor],
    views: Tensor,
    fixed: Sequence[Tensor],
    context: Context,
    learning: Learning,
    progress: Progress,
) -> Comparison:
    """The comparison of local gradients with back-propagation, for every run.

    Runs are computed one after another, because the rounding of logistic functions depends on a run's place in a batch.

    Args:
        weights: W_1 .. W_L, each of shape (runs, n_l, n_(l-1)).
        views: the inputs, of shape (runs, 2, S, n_0).
        fixed: the feedback of the first layers if it is fixed; all further layers have the best feedback.
        context: the context of every layer.
        learning: how every layer learns.
        progress: of all runs together.
    """
    rows, slopes = [], []
    for run, _ in each(progress, len(views)):
        feedback = [matrix[run] for matrix in fixed]
        row, slope = _of_run([weight[run] for weight in weights], views[run], feedback, context, learning)
        rows.append(row)
        slopes.append(slope)
    return Comparison(Distances(*(torch.stack(values) for values in zip(*rows, strict=True))), torch.stack(slopes))


def _of_run(
    weights: Sequence[Tensor], views: Tensor, fixed: Sequence[Tensor], context: Context, learning: Learning
) -> tuple[Distances, Tensor]:
    """The comparison for one run."""
    layers = activities(weights, views, learning.activation)
    how = contrast(learning.loss, views.shape[-2])
    gradients, slopes = [], []
    for index in range(1, len(layers)):
        seen = other_view(layers[index] if context == "own" else layers[-1])
        if context == "stranger" and index < len(layers) - 1:
            seen = seen.roll(views.shape[-2] // 2, -2)
        known = index <= len(fixed)
        feedback = fixed[index - 1] if known else best_feedback(layers[index], seen, how, learning.decay)
        slope = feedback_gap(layers[index], feedback, seen, learning.loss, learning.decay)
        slopes.append(torch.zeros_like(slope) if known else slope)
        gradients.append(
            local_gradient(layers[index - 1], weights[index - 1], feedback, seen, learning.loss, learning.activation)
        )
    wanted = backprop_gradients(weights, views, feedback, seen, learning.loss, learning.activation)
    return distances(gradients, wanted, weights), torch.stack(slopes).amax()
