"""Training in stages of gradient steps, or by gradient flow, with quantities recorded on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.classification.training import Training, train
from dlnrepro.dynamics.general.architecture import Architecture
from dlnrepro.dynamics.general.flow import path_of
from dlnrepro.dynamics.general.rules import Gradient
from dlnrepro.dynamics.risks.margin_losses import LossName
from dlnrepro.dynamics.tensors.arrays import Array, Weights
from dlnrepro.dynamics.tensors.progress import Progress, part_of
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.descent import descend, descend_with_memory
from dlnrepro.errors import Disagreement

ROUTES_AGREE = 1e-6
"""Two solvers of relative tolerance 1e-9 differ by about 1e-8."""

Observe = Callable[[Weights], Record]
Stage = Callable[
    [Weights, Callable[[int], float], int, Sequence[int], Observe, Progress], tuple[Weights, dict[str, Tensor]]
]
"""From parameters, the size of each step, the number of steps, the steps that are recorded, what is observed, and
progress to the parameters after the steps and what was observed, as `training.descent` returns them."""


class Phase(NamedTuple):
    """A stage of training.

    Attributes:
        sizes: the step size of each step, from the number of the step within the stage.
        steps: how many steps it has.
        kick: the scale of the displacement of all parameters before it.
        even: whether all its steps have the same size.
    """

    sizes: Callable[[int], float]
    steps: int
    kick: float
    even: bool


def train_in_steps(
    weights: Sequence[Tensor],
    stage: Stage,
    phases: Sequence[Phase],
    displacement: Sequence[Tensor],
    records: Sequence[int],
    observe: Observe,
    progress: Progress,
) -> dict[str, Tensor]:
    """The recorded quantities, each of shape (runs, records, ...), of all stages together.

    Args:
        weights: the parameters at the start; left unchanged.
        stage: what takes the steps of one stage.
        phases: the stages in their order.
        displacement: of a kick of 1, shaped as the parameters; empty if no stage has a kick.
        records: the steps before which quantities are recorded, counted over all stages, rising; the number of all
            steps stands for the end.
        observe: from parameters to named tensors of shape (runs, ...).
        progress: called with the fraction done; may raise to stop.
    """
    current, parts, done = list(weights), [], 0
    total = sum(phase.steps for phase in phases)
    for number, phase in enumerate(phases, 1):
        if phase.kick:
            current = [weight + phase.kick * part for weight, part in zip(current, displacement, strict=True)]
        last = done + phase.steps if number == len(phases) else done + phase.steps - 1
        here = [record - done for record in records if done <= record <= last]
        name = f"stage {number} of {len(phases)}" if len(phases) > 1 else ""
        part = part_of(progress, done / total, phase.steps / total, name)
        current, series = stage(current, phase.sizes, phase.steps, here, observe, part)
        parts += [series] if here else []
        done += phase.steps
    return {name: torch.cat([part[name] for part in parts], -1).movedim(-1, 1) for name in parts[0]}


def by_direction(direction: Gradient, keeps: bool) -> Stage:
    """Stages of steps along a direction.

    Args:
        direction: from parameters to what a step of size 1 subtracts.
        keeps: whether the direction depends on more than the parameters, such as momentum or random draws.
    """
    stepping = descend_with_memory if keeps else descend

    def stage(
        weights: Weights,
        sizes: Callable[[int], float],
        steps: int,
        records: Sequence[int],
        observe: Observe,
        progress: Progress,
    ) -> tuple[Weights, dict[str, Tensor]]:
        return stepping(weights, direction, sizes, steps, records, observe, progress)

    return stage


def times_of(phases: Sequence[Phase], records: Sequence[int]) -> Tensor:
    """The time t, the sum of all step sizes so far, at recorded steps, of shape (records,)."""
    if len(phases) == 1 and phases[0].even:
        return torch.tensor(records, dtype=torch.float64) * phases[0].sizes(0)
    times, sizes = [0.0], (phase.sizes(step) for phase in phases for step in range(phase.steps))
    for size in sizes:
        times.append(times[-1] + size)
    return torch.tensor([times[record] for record in records], dtype=torch.float64)


def constant(size: float) -> Callable[[int], float]:
    """The same step size at every step."""
    return lambda _: size


def follow_flow(
    architecture: Architecture,
    weights: Sequence[Tensor],
    field: Callable[[int, Array], Array],
    times: Tensor,
    rates: Sequence[float],
    tolerances: tuple[float, float],
    observe: Observe,
    progress: Progress,
) -> dict[str, Tensor]:
    """The recorded quantities, each of shape (runs, points, ...), along gradient flow.

    Args:
        architecture: the layers.
        weights: the parameters at time 0.
        field: from the number of a run and its matrix to dR/dM.
        times: the recorded times, rising, of shape (points,).
        rates: the learning rate of each parameter.
        tolerances: the relative and the absolute tolerance of the solver per step.
        observe: from weights to named tensors of shape (runs, ...).
        progress: called with the fraction done; may raise to stop.
    """
    path = path_of(architecture, weights, field, times, rates, tolerances, progress)
    records = [observe([layer[:, point] for layer in path]) for point in range(path[0].shape[1])]
    return {name: torch.stack([record[name] for record in records], 1) for name in records[0]}


def follow_margin_flow(
    weights: Sequence[Tensor],
    sets: Sequence[Array],
    loss: LossName,
    rates: Sequence[float],
    horizon: float,
    tolerance: float,
    points: int,
    observe: Observe,
    progress: Progress,
) -> dict[str, Tensor]:
    """The recorded quantities, (runs, points, ...), along the flow of a classifier on a clock that follows log(1/R).

    Args:
        weights: W_1 .. W_L at the start.
        sets: the signed points of each run.
        loss: l.
        rates: the learning rate of each layer.
        horizon: log(1/R) at the end.
        tolerance: the relative error of the solver per step.
        points: the number of records.
        observe: from weights to named tensors of shape (runs, ...).
        progress: called with the fraction done; may raise to stop.

    Raises:
        Disagreement: two solvers lead to other weights.
    """
    training = Training(
        loss=loss,
        method="flow",
        rates=[torch.full((1, 1), rate, dtype=torch.float64) for rate in rates],
        horizon=horizon,
        tolerance=tolerance,
        step_size=1.0,
        steps=1,
        points=points,
    )
    paths, gaps = train(training, weights, sets, progress)
    if bool((gaps > ROUTES_AGREE).any()):
        worst = f"{float(gaps.nan_to_num().max()):.1e}"
        raise Disagreement(f"gradient flow by two solvers: expected paths within {ROUTES_AGREE:g}, found {worst}")
    layers = [torch.stack(list(layer)) for layer in zip(*paths, strict=True)]
    records = [observe([layer[:, point] for layer in layers]) for point in range(points)]
    return {name: torch.stack([record[name] for record in records], 1) for name in records[0]}
