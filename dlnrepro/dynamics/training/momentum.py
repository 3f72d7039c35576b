"""Gradient descent with momentum: an optimiser to compare with plain gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.compiled_descent import CompiledDescent, can_descend
from dlnrepro.dynamics.training.descent import descend, follow


def descend_with_momentum(
    weights: Sequence[Tensor],
    gradient: Callable[[Weights], Sequence[Tensor]],
    step_size: float,
    momentum: float,
    steps: int,
    records: Sequence[int],
    observe: Callable[[Weights], Record],
    progress: Progress,
) -> tuple[Weights, dict[str, Tensor]]:
    """The weights after `steps` steps of gradient descent with momentum, and the recorded series (see `descend`).

    V <- momentum V + dR/dW, W <- W - step_size V, with V = 0 at the start (Polyak 1964). With momentum 0 this is plain
    gradient descent, at its cost.

    Args:
        weights: W_1 .. W_L.
        gradient: from weights to the gradients.
        step_size: the step size, the same at every step.
        momentum: the factor of V, in [0, 1).
        steps: the number of updates.
        records: the steps at whose start `observe` is called.
        observe: from weights to named tensors.
        progress: called with the fraction done; may raise to stop.
    """

    def size(_: int) -> float:
        return step_size

    if momentum and can_descend(gradient, weights):
        return follow(CompiledDescent(weights, gradient, momentum), size, steps, records, observe, progress)
    if momentum == 0:
        return descend(weights, gradient, size, steps, records, observe, progress)
    depth = len(weights)

    def motion(state: Weights) -> Weights:
        """Minus the change of weights and velocities in a step, over the step size that `descend` multiplies it by."""
        before = state[depth:]
        after = [momentum * old + new for old, new in zip(before, gradient(state[:depth]), strict=True)]
        return [*after, *((old - new) / step_size for old, new in zip(before, after, strict=True))]

    def observe_weights(state: Weights) -> Record:
        return observe(state[:depth])

    start = [*weights, *(torch.zeros_like(weight) for weight in weights)]
    end, recorded = descend(start, motion, size, steps, records, observe_weights, progress)
    return end[:depth], recorded
