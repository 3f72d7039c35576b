"""Gradient descent in stages of constant step size, each of which begins with a small displacement of the weights.

In floating point a residual can vanish exactly. Then the weights stop moving at any step size, and an unstable solution
would pass for a stable one. A displacement (kick) far below every measured quantity, at the beginning of a stage,
prevents this.
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
    """A stage of descent: its step size, its number of steps, and the scale of the displacement before it."""

    step_size: float
    steps: int
    kick: float


def stairs(first: float, last: float, count: int, steps: int, kick: float) -> list[Stage]:
    """Stages whose step sizes rise from `first` towards `last` by equal increments; `last` itself is not reached."""
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
        gradient: the function that maps weights to the gradient, in the same order and shapes.
        stages: the stages in their order.
        directions: the displacement for a kick of 1, shaped as the weights; it is the same before every stage.
        records: the steps to record before, counted over all stages, rising, from 0 to at most their total minus 1.
        observe: the function that maps weights to named tensors.
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
