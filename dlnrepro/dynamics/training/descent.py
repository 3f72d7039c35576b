"""Gradient descent of all runs at once, with a series recorded at given steps.

`descend` is for a gradient that depends on the weights alone; a GPU replays its steps (`repetition`).
`descend_with_memory` is for one that keeps numbers of its own from one call to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.tensors.records import Record, stack
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
    current = [weight.clone() for weight in weights]
    if not current[0].is_cuda:
        return _descend(current, _update(current, gradient), step_size, steps, records, observe, progress)
    size = torch.zeros((), dtype=current[0].dtype, device=current[0].device)
    replayed = repeated(lambda: _update(current, gradient)(size), current[0])
    last: float | None = None

    def advance(value: float) -> None:
        nonlocal last
        if value != last:
            size.fill_(value)
            last = value
        replayed()

    return _descend(current, advance, step_size, steps, records, observe, progress)


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
    return _descend(current, _update(current, gradient), step_size, steps, records, observe, progress)


def _update(current: Weights, gradient: Callable[[Weights], Sequence[Tensor]]) -> Callable[[float | Tensor], None]:
    """The function that takes a step of a given size from the current weights, in place."""

    def update(size: float | Tensor) -> None:
        # A product and a difference, each rounded. One fused update would round the remainder of a vectorised loop in
        # another way than the rest, so a result would depend on the run's place in the batch.
        torch._foreach_sub_(current, torch._foreach_mul(list(gradient(current)), size))

    return update


def _descend(
    current: Weights,
    advance: Callable[[float], object],
    step_size: Callable[[int], float],
    steps: int,
    records: Sequence[int],
    observe: Callable[[Weights], Record],
    progress: Progress,
) -> tuple[Weights, dict[str, Tensor]]:
    """The current weights after all steps, and the series recorded on the way."""
    wanted = set(records)
    kept = []
    stride = max(1, steps // 100)
    for step in range(steps):
        if step in wanted:
            kept.append(_copied(observe(current)))
        if step % stride == 0:
            progress(step / steps, f"step {step} of {steps}")
        advance(step_size(step))
    if steps in wanted:
        kept.append(_copied(observe(current)))
    return current, stack(kept) if kept else {}


def _copied(record: Record) -> Record:
    """The record as its own tensors: what is observed may be a view of weights that move on in place."""
    return {name: value.clone() for name, value in record.items()}
