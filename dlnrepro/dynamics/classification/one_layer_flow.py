"""Linear classifiers of one layer: gradient flow in the logarithm of time, and gradient descent.

With tau = log t the flow of R = (1/n) sum_i l(<w, z_i>) is

    dw/dtau = -D (1/n) sum_i e^tau l'(<w, z_i>) z_i,

whose terms stay of order one while the margins grow as tau, so it can be followed to t = e^10000. D is the diagonal
matrix of learning rates, the identity for gradient flow. The flow follows one run after another; the descent takes all
runs at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from dlnrepro.dynamics.risks.margin_losses import LossName, batched_log_risk
from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training.descent import descend

EARLIEST = -6.0
"""The flow starts at log t = -6: earlier times change the weights by about e^-6 times the first gradient."""

TOLERANCE = 1e-12
"""Relative and absolute error per step of the solver; at log t = 10000 it is 1e-8 of the length of w_h."""
_REPORT_EVERY = 500
_MOST_EVALUATIONS = 200_000


def follow_logarithm(
    signed: Array,
    start: Array,
    loss: LossName,
    rates: Array,
    times: Array,
    tolerance: float,
    tick: Callable[[float], None],
) -> Array:
    """The weights at the times, of shape (points, dimension); NaN from where the solver stopped.

    Args:
        signed: Z, of shape (samples, dimension).
        start: w at times[0].
        loss: the loss l of a margin.
        rates: D, of shape (dimension,).
        times: values of tau = log t, rising.
        tolerance: relative error per step of LSODA; the absolute one is the same.
        tick: called with tau now and then; may raise to stop.
    """
    evaluations = 0

    def velocity(time: float, weights: Array) -> Array:
        nonlocal evaluations
        evaluations += 1
        if evaluations % _REPORT_EVERY == 0:
            tick(time)
        if evaluations > _MOST_EVALUATIONS:
            return np.full_like(weights, np.nan)
        return flow_velocity(signed, weights, time, loss, rates)

    path = np.full((len(times), len(start)), np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        solution = solve_ivp(
            velocity, (times[0], times[-1]), start, method="LSODA", t_eval=times, rtol=tolerance, atol=tolerance
        )
    path[: solution.y.shape[1]] = solution.y.T
    return path


def flow_velocity(signed: Array, weights: Array, time: float, loss: LossName, rates: Array) -> Array:
    """The velocity dw / dtau of the flow of one run at w and tau = log t, of shape (dimension,)."""
    return np.asarray(rates * (_push(signed @ weights, time, loss) @ signed))


def flow_paths(
    sets: Sequence[Array],
    starts: Tensor,
    loss: LossName,
    rates: Array,
    horizon: float,
    points: int,
    progress: Progress,
) -> tuple[Tensor, Tensor]:
    """The values of log t, of shape (points,), from horizon / 1000 on, and w there, of shape (runs, points, n_0).

    Args:
        sets: Z of each run.
        starts: w of each run, of shape (runs, n_0).
        loss: the loss l of a margin.
        rates: D, of shape (n_0,).
        horizon: log t at the end.
        points: the number of recorded times, evenly in log log t.
        progress: called with the fraction of all runs together; may raise to stop.
    """
    times = np.geomspace(horizon / 1000, horizon, points)
    return tensor_of(times), flow_at(sets, starts, loss, rates, times, progress)


def flow_at(
    sets: Sequence[Array], starts: Tensor, loss: LossName, rates: Array, times: Array, progress: Progress
) -> Tensor:
    """The weights w of each run at values of log t above -6, of shape (runs, points, n_0).

    Args:
        sets: Z of each run.
        starts: w of each run, of shape (runs, n_0).
        loss: the loss l of a margin.
        rates: D, of shape (n_0,).
        times: values of log t, rising.
        progress: called with the fraction of all runs together; may raise to stop.
    """
    whole = np.concatenate([[EARLIEST], times])
    paths = []
    for run, tick in each(progress, len(sets)):
        tock = _clocked(tick, float(times[-1]))
        path = follow_logarithm(sets[run], array_of(starts[run]), loss, rates, whole, TOLERANCE, tock)
        paths.append(tensor_of(path[1:]))
    return torch.stack(paths)


def descent_paths(
    starts: Tensor,
    gradient: Callable[[list[Tensor]], list[Tensor]],
    step_size: float,
    horizon: float,
    points: int,
    progress: Progress,
) -> tuple[Tensor, Tensor]:
    """The values of log t, (points,), from 1 on, and w there, (runs, points, n_0), by a descent.

    The step size is constant, and time t is step size times steps.

    Args:
        starts: w of each run, of shape (runs, n_0).
        gradient: what a step subtracts, from [w] to [dR/dw] or another direction, w of shape (runs, n_0, 1).
        step_size: eta.
        horizon: log t at the end.
        points: the approximate number of recorded times, evenly in log t; those with log t < 1, which may be half of
            them, are left out.
        progress: called with the fraction of all runs together; may raise to stop.
    """
    steps, first = round(math.exp(horizon) / step_size), math.ceil(math.e / step_size)
    records = [step for step in log_grid(steps, points) if step >= first]
    _, recorded = descend(
        [starts[..., None]],
        gradient,
        lambda _: step_size,
        steps,
        records,
        lambda weights: {"path": weights[0][..., 0]},
        progress,
    )
    times = [math.log(step * step_size) for step in records]
    return torch.tensor(times, dtype=torch.float64), recorded["path"].mT


def risk_gradient(signed: Tensor, loss: LossName) -> Callable[[list[Tensor]], list[Tensor]]:
    """The function from [w], w of shape (runs, dimension, 1), to [dR/dw], in the same shape.

    Args:
        signed: Z, of shape (runs, samples, dimension).
        loss: the loss l of a margin.
    """
    samples = signed.shape[-2]

    def gradient(weights: list[Tensor]) -> list[Tensor]:
        margins = signed @ weights[0]
        if loss == "squared":
            derivatives = margins - 1
        elif loss == "exponential":
            derivatives = -torch.exp(-margins)
        else:
            derivatives = -1 / (1 + torch.exp(margins))
        return [signed.mT @ derivatives / samples]

    return gradient


def unit_gradient(signed: Tensor, loss: LossName) -> Callable[[list[Tensor]], list[Tensor]]:
    """The function from [w] to [dR/dw over its length], as `risk_gradient`; margins may be large."""

    def gradient(weights: list[Tensor]) -> list[Tensor]:
        _, slopes = batched_log_risk(loss, (signed @ weights[0])[..., 0])
        steepest = signed.mT @ slopes[..., None]
        return [steepest / (steepest * steepest).sum(-2, keepdim=True).sqrt()]

    return gradient


def _push(margins: Array, time: float, loss: LossName) -> Array:
    """-e^tau l'(m_i) / n, as one exponential, so that nothing overflows while the margins grow as tau."""
    if loss == "squared":
        return np.asarray(np.exp(time) * (1 - margins) / len(margins))
    tail = margins if loss == "exponential" else np.logaddexp(0, margins)
    return np.asarray(np.exp(time - tail) / len(margins))


def _clocked(progress: Progress, horizon: float) -> Callable[[float], None]:
    """The progress of a flow in log t, up to the horizon."""
    return lambda time: progress(max(time, 0) / horizon, "")
