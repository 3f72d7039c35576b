"""When gradient flow first brings the product of a linear network to a level: times found by the solver itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from dlnrepro.dynamics.flow import Array, flattened, velocities_of


def passage_times(
    weights: Sequence[Tensor],
    gradient: Callable[[int, Array], Array],
    gauge: Callable[[int, Array], float],
    horizon: float,
    relative: float,
    absolute: float,
    progress: Callable[[float, str], None],
) -> Tensor:
    """The times at which a gauge of the product first rises through 0 along gradient flow, of shape (runs,).

    Found on the solver's own interpolant, to its accuracy. NaN for a run that does not get there before the horizon.

    Args:
        weights: W_1 .. W_N at time 0, each of shape (runs, n_l, n_{l-1}).
        gradient: from a run's number and its product (n_N, n_0) to dR/dW in the same shape.
        gauge: from a run's number and its product to a number, below 0 at the start.
        horizon: the last time looked at.
        relative: relative tolerance of the solver.
        absolute: absolute tolerance on every weight.
        progress: told the fraction done about every few hundred evaluations; may raise to stop.
    """
    shapes, starts = flattened(weights)
    velocities = velocities_of(shapes, gradient, [1.0] * len(shapes), np.full(len(starts), horizon), progress)
    return torch.tensor(
        [
            _passage(next(velocities), _gauge(shapes, gauge, run), start, horizon, relative, absolute)
            for run, start in enumerate(starts)
        ],
        dtype=torch.float64,
    )


def _gauge(
    shapes: Sequence[tuple[int, int]], gauge: Callable[[int, Array], float], run: int
) -> Callable[[float, Array], float]:
    """The gauge of one run on its flat state."""
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1]

    def value(_: float, state: Array) -> float:
        layers = [piece.reshape(shape) for piece, shape in zip(np.split(state, ends), shapes, strict=True)]
        return gauge(run, functools.reduce(lambda product, layer: layer @ product, layers))

    return value


def _passage(
    velocity: Callable[[float, Array], Array],
    gauge: Callable[[float, Array], float],
    start: Array,
    horizon: float,
    relative: float,
    absolute: float,
) -> float:
    """The time of the first upward passage through 0, NaN if there is none."""
    if not np.isfinite(start).all():
        return np.nan
    passage = gauge
    passage.terminal, passage.direction = True, 1.0  # type: ignore[attr-defined]
    with np.errstate(over="ignore", invalid="ignore"):
        solution = solve_ivp(
            velocity, (0.0, horizon), start, method="DOP853", events=passage, rtol=relative, atol=absolute
        )
    found = solution.t_events[0]
    return float(found[0]) if len(found) else np.nan
