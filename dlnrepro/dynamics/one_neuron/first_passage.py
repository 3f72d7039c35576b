"""The times at which gradient flow first brings the product of a linear network to a level, found by the solver."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from dlnrepro.dynamics.risks.squared_loss import squared_loss_field
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.training.gradient_flow import flattened, velocities_of

STATES = 6
"""How many points of the way to a passage are kept."""


class Passages(NamedTuple):
    """The times of a passage, and a few points of the way to it.

    Attributes:
        times: of shape (runs,).
        weights: the layers at STATES accepted steps of the solver, the first and the last among them, each of shape
            (runs, STATES, n_l, n_(l-1)).
        velocities: dW_l/dt there, as the solver used them, in the same shapes.
    """

    times: Tensor
    weights: list[Tensor]
    velocities: list[Tensor]


def passage_times(
    weights: Sequence[Tensor],
    gradient: Callable[[int, Array], Array],
    level: Callable[[int, Array], float],
    horizon: float,
    relative: float,
    absolute: Sequence[Tensor] | float,
    progress: Progress,
) -> Passages:
    """The times at which the level of the product is first 0 or above along gradient flow, and the way there.

    The time at which the level rises through 0 is found on the interpolant of the solver, to its accuracy. It is 0 for
    a run whose initial level is 0 or above, and NaN for a run whose level is below 0 up to the horizon.

    Args:
        weights: W_1 .. W_L at time 0, each of shape (runs, n_l, n_(l-1)).
        gradient: from the number of a run and its product (n_L, n_0) to dR/dW in the same shape.
        level: from the number of a run and its product to a number.
        horizon: the last time that is considered.
        relative: relative tolerance of the solver.
        absolute: absolute tolerance, one number, or one for every weight in the shapes of the weights.
        progress: called with the fraction done about every few hundred evaluations; may raise to stop.
    """
    shapes, starts = flattened(weights)
    velocities = velocities_of(shapes, gradient, [1.0] * len(shapes), np.full(len(starts), horizon), progress)
    bounds = np.full_like(starts, absolute) if isinstance(absolute, float) else flattened(absolute)[1]
    found = [
        _passage(next(velocities), _of_state(shapes, level, run), start, horizon, relative, bounds[run])
        for run, start in enumerate(starts)
    ]
    ends = [int(end) for end in np.cumsum([rows * columns for rows, columns in shapes])[:-1]]

    def layers(states: list[Array]) -> list[Tensor]:
        pieces = torch.tensor_split(tensor_of(np.stack(states)), ends, dim=-1)
        return [piece.reshape(len(found), STATES, *shape) for piece, shape in zip(pieces, shapes, strict=True)]

    times = torch.tensor([time for time, _, _ in found], dtype=torch.float64)
    return Passages(times, layers([states for _, states, _ in found]), layers([slopes for _, _, slopes in found]))


def half_mode_times(
    weights: Sequence[Tensor],
    target: Target,
    horizon: float,
    relative: float,
    absolute: Sequence[Tensor] | float,
    progress: Progress,
) -> Passages:
    """The times at which W first has half of mode 1, u_1^T W v_1 >= sigma_1 / 2, under gradient flow on white inputs.

    Args:
        weights: W_1 .. W_L at time 0, each of shape (runs, n_l, n_(l-1)).
        target: Z in the loss 1/2 ||W - Z||_F^2.
        horizon: the last time that is considered.
        relative: relative tolerance of the solver.
        absolute: absolute tolerance, one number, or one for every weight in the shapes of the weights.
        progress: of all runs together.
    """
    left, right = array_of(target.left[:, :, 0]), array_of(target.right[:, :, 0])
    half = array_of(target.strengths[:, 0]) / 2

    def excess(run: int, whole: Array) -> float:
        return float(left[run] @ whole @ right[run] - half[run])

    return passage_times(weights, squared_loss_field(target.matrix, 1.0), excess, horizon, relative, absolute, progress)


def _of_state(
    shapes: Sequence[tuple[int, int]], level: Callable[[int, Array], float], run: int
) -> Callable[[float, Array], float]:
    """The level of one run, from its weights in one row."""
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1]

    def value(_: float, state: Array) -> float:
        layers = [piece.reshape(shape) for piece, shape in zip(np.split(state, ends), shapes, strict=True)]
        return level(run, functools.reduce(lambda product, layer: layer @ product, layers))

    return value


def _passage(
    velocity: Callable[[float, Array], Array],
    level: Callable[[float, Array], float],
    start: Array,
    horizon: float,
    relative: float,
    absolute: Array,
) -> tuple[float, Array, Array]:
    """The first time at which the level is 0 or above (NaN if there is none), and states and velocities on the way."""
    if not np.isfinite(start).all():
        nothing = np.full((STATES, len(start)), np.nan)
        return np.nan, nothing, nothing
    # The solver finds changes of sign only. It would follow such a run up to the horizon and find none.
    if level(0.0, start) >= 0:
        return 0.0, np.stack([start] * STATES), np.stack([velocity(0.0, start)] * STATES)
    passage = level
    passage.terminal, passage.direction = True, 1.0  # type: ignore[attr-defined]
    with np.errstate(over="ignore", invalid="ignore"):
        solution = solve_ivp(
            velocity, (0.0, horizon), start, method="DOP853", events=passage, rtol=relative, atol=absolute
        )
    found, chosen = solution.t_events[0], np.linspace(0, len(solution.t) - 1, STATES).astype(int)
    states = solution.y.T[chosen]
    slopes = np.stack([velocity(time, state) for time, state in zip(solution.t[chosen], states, strict=True)])
    return float(found[0]) if len(found) else np.nan, states, slopes
