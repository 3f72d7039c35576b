"""Gradient flow of deep linear networks, for problems that are not stiff, by an explicit method of order eight.

    dW_l/dt = -c_l (W_L ... W_{l+1})^T G (W_{l-1} ... W_1)^T,   G = dR/dW the gradient on the product W = W_L ... W_1

The method is scipy's DOP853, one run after another. Each run has its own steps, so it does not depend on another
run. It works on numpy arrays, because torch takes several times as long for matrices of this size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each
from dlnrepro.dynamics.tensors.progress import Progress

_REPORT_EVERY = 500
_MOST_EVALUATIONS = 2_000_000


def flow(
    weights: Sequence[Tensor],
    gradient: Callable[[int, Array], Array],
    times: Tensor,
    rates: Sequence[float],
    relative: float,
    absolute: float,
    progress: Progress,
) -> list[Tensor]:
    """The weights along gradient flow at given times.

    A run that diverges, or that would need millions of evaluations, is NaN from where it stopped.

    Args:
        weights: W_1 .. W_L at time 0, each of shape (runs, n_l, n_{l-1}).
        gradient: from a run's number and its product (n_L, n_0) to dR/dW in the same shape.
        times: the recorded times, rising, from 0 or later, of shape (points,) for all runs or (runs, points).
        rates: c_1 .. c_L, a learning rate for each layer; all are 1 for gradient flow.
        relative: the solver's relative tolerance per step.
        absolute: the solver's absolute tolerance on every weight per step.
        progress: called with the fraction done every few hundred evaluations; may raise to stop.

    Returns:
        W_1 .. W_L, each of shape (runs, points, n_l, n_{l-1}).
    """
    shapes, starts = flattened(weights)
    runs = len(starts)
    clocks = array_of(times.expand(runs, -1))
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    velocities = velocities_of(shapes, gradient, rates, clocks[:, -1], progress)
    paths = [_solve(next(velocities), starts[run], clocks[run], relative, absolute) for run in range(runs)]
    whole = tensor_of(np.stack(paths))
    pieces = torch.tensor_split(whole, [int(end) for end in ends[:-1]], dim=-1)
    return [piece.reshape(runs, clocks.shape[1], *shape) for piece, shape in zip(pieces, shapes, strict=True)]


def flattened(weights: Sequence[Tensor]) -> tuple[list[tuple[int, int]], Array]:
    """The shapes of the layers, and every run's weights as one row."""
    shapes = [(int(weight.shape[-2]), int(weight.shape[-1])) for weight in weights]
    runs = weights[0].shape[0]
    return shapes, array_of(torch.cat([weight.reshape(runs, -1) for weight in weights], dim=-1))


def velocities_of(
    shapes: Sequence[tuple[int, int]],
    gradient: Callable[[int, Array], Array],
    rates: Sequence[float],
    horizons: Array,
    progress: Progress,
) -> Iterator[Callable[[float, Array], Array]]:
    """The right-hand side of one run after another, each made when the run begins."""
    for run, tick in each(progress, len(horizons)):
        yield _velocity(shapes, partial(gradient, run), rates, float(horizons[run]), tick)


def _velocity(
    shapes: Sequence[tuple[int, int]],
    gradient: Callable[[Array], Array],
    rates: Sequence[float],
    horizon: float,
    progress: Progress,
) -> Callable[[float, Array], Array]:
    """The right-hand side for one run on its flat state: `chain.pull_back` in numpy, as a test verifies."""
    bounds = np.concatenate([[0], np.cumsum([rows * columns for rows, columns in shapes])])
    slots = [(slice(low, high), shape) for low, high, shape in zip(bounds, bounds[1:], shapes, strict=False)]
    evaluations = 0

    def velocity(time: float, state: Array) -> Array:
        nonlocal evaluations
        evaluations += 1
        if evaluations % _REPORT_EVERY == 0:
            progress(min(time / horizon, 1.0), "")
        layers = [state[slot].reshape(shape) for slot, shape in slots]
        products = [layers[0]]
        for layer in layers[1:]:
            products.append(layer @ products[-1])
        back = -gradient(products[-1])
        result = np.empty_like(state)
        for index in range(len(layers) - 1, 0, -1):
            result[slots[index][0]] = (rates[index] * (back @ products[index - 1].T)).ravel()
            back = layers[index].T @ back
        result[slots[0][0]] = (rates[0] * back).ravel()
        return result if evaluations < _MOST_EVALUATIONS else np.full_like(state, np.nan)

    return velocity


def _solve(
    velocity: Callable[[float, Array], Array], start: Array, times: Array, relative: float, absolute: float
) -> Array:
    """The states at the times, of shape (points, size), NaN from where the solver stopped."""
    path = np.full((len(times), len(start)), np.nan)
    if not np.isfinite(start).all():
        return path
    with np.errstate(over="ignore", invalid="ignore"):
        solution = solve_ivp(
            velocity,
            (0.0, float(times[-1])),
            start,
            method="DOP853",
            t_eval=times,
            rtol=relative,
            atol=absolute,
        )
    reached = solution.y.T
    path[: len(reached)] = reached
    return path
