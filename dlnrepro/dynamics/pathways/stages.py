"""Gradient descent in stages of constant step size, each begun by a small displacement of the weights.

In floating point a residual can vanish exactly; then no step size moves the weights, and an unstable solution would
pass for a stable one. A displacement far below every measured quantity, at the start of a stage, prevents that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress, part_of
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.descent import descend


class Stage(NamedTuple):
    """A stretch of descent: its step size, its steps, and the factor on the displacement before it (0: none)."""

    step_size: float
    steps: int
    kick: float


def stairs(first: float, last: float, count: int, steps: int, kick: float) -> list[Stage]:
    """Stages that rise from `first` towards `last` by equal increments, `last` itself not among them."""
    rise = (last - first) / max(count, 1)
    return [Stage(first + rise * stair, steps, kick) for stair in range(count)]


def descend_in_stages(
    weights: Sequence[Tensor],
    gradient: Callable[[Weights], Sequence[Tensor]],
    stages: Sequence[Stage],
    directions: Sequence[Tensor],
    records: Sequence[int],
    observe: Callable[[Weights], Record],
    progress: Progress,
) -> tuple[Weights, dict[str, Tensor]]:
    """The weights after all stages, and the series recorded on the way.

    Args:
        weights: W_1 .. W_L; left unchanged.
        gradient: from weights to the gradients, in the same order and shapes.
        stages: carried out one after the other.
        directions: the displacement at kick 1, shaped as the weights; the same before every stage.
        records: steps counted over all stages, rising, from 0 to one less than their total, 0 among them.
        observe: from weights to named tensors.
        progress: called with the fraction done; may raise to stop.
    """
    current, parts, done = list(weights), [], 0
    total = sum(stage.steps for stage in stages)
    for number, stage in enumerate(stages, 1):
        if stage.kick:
            current = [weight + stage.kick * direction for weight, direction in zip(current, directions, strict=True)]
        here = [record - done for record in records if done <= record < done + stage.steps]
        current, series = descend(
            current,
            gradient,
            _constant(stage.step_size),
            stage.steps,
            here,
            observe,
            part_of(progress, done / total, stage.steps / total, f"stage {number} of {len(stages)}"),
        )
        if here:
            parts.append(series)
        done += stage.steps
    return current, {name: torch.cat([part[name] for part in parts], -1) for name in parts[0]}


def _constant(step_size: float) -> Callable[[int], float]:
    return lambda _: step_size
