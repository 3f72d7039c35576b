"""Gradient descent of all runs at once, with a series recorded at given steps.

`descend` is for a gradient that depends on the weights alone. Where a compiled kernel knows the gradient, it takes the
steps (`compiled_descent`), and a GPU replays them (`repetition`). `descend_with_memory` is for a gradient that keeps
numbers of its own from one call to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.tensors.records import Record, stack
from dlnrepro.dynamics.training.compiled_descent import CompiledDescent, can_descend
from dlnrepro.dynamics.training.repetition import repeated


def descend(
    weights: Sequence[Tensor],
    gradient: Callable[[Weights], Sequence[Tensor]],
    step_size: Callable[[int], float],
    steps: int,
    records: Sequence[int],
    observe: Callable[[Weights], Record],
    progress: Progress,
) -> tuple[Weights, dict[str, Tensor]]:
    """The weights after `steps` steps W_l <- W_l - step_size(t) dR/dW_l, and the series recorded on the way.

    A run that diverges becomes NaN and does not change the other runs; nothing is clipped.

    Args:
        weights: W_1 .. W_L, shape (runs, ..., n_l, n_{l-1}); left unchanged.
        gradient: from weights to the gradients, in the same order and shapes; it depends on the weights alone.
        step_size: from the step, 0 .. steps - 1, to a number.
        steps: the number of updates.
        records: the steps, in rising order and within [0, steps], at whose start `observe` is called.
        observe: from weights to named tensors of shape (runs, ...).
        progress: called with the fraction done about a hundred times; may raise to stop.
    """
    if can_descend(gradient, weights):
        return follow(CompiledDescent(weights, gradient), step_size, steps, records, observe, progress)
    current = [weight.clone() for weight in weights]
    if not current[0].is_cuda:
        return follow(_InPlace(current, gradient), step_size, steps, records, observe, progress)
    return follow(_OnGpu(current, gradient), step_size, steps, records, observe, progress)


def gradient_taken(gradient: Callable[[Weights], Sequence[Tensor]], weights: Sequence[Tensor]) -> Weights:
    """The gradients along which `descend` moves the weights, from one step as long as the weights."""
    slopes = gradient(list(weights))
    size = float(max(weight.abs().amax() for weight in weights) / max(slope.abs().amax() for slope in slopes))
    moved, _ = descend(weights, gradient, lambda _: size, 1, [], lambda _: {}, lambda *_: None)
    return [(weight - after) / size for weight, after in zip(weights, moved, strict=True)]


def descend_with_memory(
    weights: Sequence[Tensor],
    gradient: Callable[[Weights], Sequence[Tensor]],
    step_size: Callable[[int], float],
    steps: int,
    records: Sequence[int],
    observe: Callable[[Weights], Record],
    progress: Progress,
) -> tuple[Weights, dict[str, Tensor]]:
    """The results of `descend`, for a gradient that may keep numbers from one call to the next: one call per step."""
    current = [weight.clone() for weight in weights]
    return follow(_InPlace(current, gradient), step_size, steps, records, observe, progress)


class Descent(Protocol):
    """Weights and what moves them.

    Attributes:
        weights: W_1 .. W_L, which change in place.
    """

    weights: Weights

    def advance(self, sizes: Sequence[float]) -> None:
        """Take a step of each of these sizes."""


class _InPlace:
    """Weights that are moved in place by a function."""

    def __init__(self, weights: Weights, gradient: Callable[[Weights], Sequence[Tensor]]) -> None:
        self.weights = weights
        self._gradient = gradient

    def advance(self, sizes: Sequence[float]) -> None:
        """Take a step of each of these sizes."""
        for size in sizes:
            self._take(size)

    def _take(self, size: float | Tensor) -> None:
        # A product and a difference, each rounded. One fused update would round the remainder of a vectorised loop in
        # another way than the rest, so a result would depend on the run's place in the batch.
        torch._foreach_sub_(self.weights, torch._foreach_mul(list(self._gradient(self.weights)), size))


class _OnGpu(_InPlace):
    """Weights on a GPU, where steps are recorded once and replayed; their size is read from a tensor."""

    def __init__(self, weights: Weights, gradient: Callable[[Weights], Sequence[Tensor]]) -> None:
        super().__init__(weights, gradient)
        size = torch.zeros((), dtype=weights[0].dtype, device=weights[0].device)
        self._size = size
        self._last: float | None = None
        self._replayed = repeated(lambda: self._take(size), weights[0])

    def advance(self, sizes: Sequence[float]) -> None:
        """Take a step of each of these sizes."""
        for size in sizes:
            if size != self._last:
                self._size.fill_(size)
                self._last = size
            self._replayed()


def follow(
    descent: Descent,
    step_size: Callable[[int], float],
    steps: int,
    records: Sequence[int],
    observe: Callable[[Weights], Record],
    progress: Progress,
) -> tuple[Weights, dict[str, Tensor]]:
    """The weights after all steps, and the series recorded on the way; the arguments are those of `descend`."""
    wanted, stride = set(records), max(1, steps // 100)
    reported = range(0, steps, stride)
    kept = []
    for step, onward in pairwise(sorted({*wanted, *reported, 0, steps})):
        if step in wanted:
            kept.append(_copied(observe(descent.weights)))
        if step in reported:
            progress(step / steps, f"step {step} of {steps}")
        descent.advance([step_size(number) for number in range(step, onward)])
    if steps in wanted:
        kept.append(_copied(observe(descent.weights)))
    return descent.weights, stack(kept) if kept else {}


def _copied(record: Record) -> Record:
    """The record as its own tensors: what is observed may be a view of weights that move on in place."""
    return {name: value.clone() for name, value in record.items()}
