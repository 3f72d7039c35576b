"""The path of a stiff flow to its horizon, by two solvers that check each other.

The flow of `margin_flow` is not stiff at first and very stiff later: the direction settles exponentially in
log(1/R), and the clock is its logarithm. LSODA, whose Adams methods go to order twelve, takes a run to HAND_OVER;
BDF with the Jacobian in closed form takes it on from there; LSODA goes on as well, for a while, as a second route.
One run goes after another: an adaptive step belongs to a run, and so a run cannot depend on its neighbours.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from dlnrepro.dynamics.margin_flow import MarginFlow

Array = NDArray[np.float64]

HAND_OVER = 4.0
"""The time on the clock, from the start, at which BDF takes over: log(1/R) is then about 100."""

CHECKED = 9.0
"""How far the second route goes: log(1/R) is then about 1e4, where the system is stiff."""

EARLY = 3.0
"""How much sooner than by the rate 1 of log log(1/R) the horizon is looked out for."""

LOOSER = (1, 3, 10)
"""Factors on the tolerance, tried in turn. Near log(1/R) = 1e12 rounding in the margins may exceed the tolerance in a
run; no step is then short enough, and the run is lost unless it asks for a little less."""

MOST_EVALUATIONS = 20_000
"""A solver that needs more has lost its run; in the claims a run needs about 2000."""


class Path(NamedTuple):
    """What is left of a run.

    Attributes:
        points: the stacked weights at each time and at the end, of shape (times + 1, parameters). Times after the end
            repeat it; where the solver gave up, the rest is NaN.
        route_gap: ||theta - theta'|| / ||theta|| between the two routes where they were compared; 0 if the run ended
            before that, NaN if it was lost.
    """

    points: Array
    route_gap: float


def follow(
    flow: MarginFlow, start: Array, times: Array, horizon: float, tolerance: float, tick: Callable[[float], None]
) -> Path:
    """The path from `start` to the first moment with log(1/R) = horizon, or to times[-1].

    Args:
        flow: the field.
        start: the weights at times[0].
        times: values of the clock s, rising from 0.
        horizon: the log(1/R) to stop at.
        tolerance: the relative error allowed per step; the absolute one is a hundredth of it.
        tick: called with the value of s now and then; may raise to stop.
    """
    middle = int(np.searchsorted(times, HAND_OVER).clip(1, len(times) - 1))
    check = int(np.searchsorted(times, CHECKED).clip(middle, len(times) - 1))
    points = np.full((len(times) + 1, len(start)), np.nan)
    early, arrived = _solve(flow, start, times[: middle + 1], horizon, tolerance, tick, "LSODA")
    points[0] = start
    points[1 : middle + 1] = early[1:-1]
    lost = not np.isfinite(early[-1]).all()
    if arrived or lost or middle == len(times) - 1:
        points[middle + 1 :] = early[-1]
        return Path(points, np.nan if lost else 0.0)
    for looser in LOOSER:
        late, _ = _solve(flow, early[-1], times[middle:], horizon, looser * tolerance, tick, "BDF")
        points[middle:] = late
        if np.isfinite(late[-1]).all():
            break
    second, _ = _solve(flow, early[-1], times[middle : check + 1], horizon, tolerance, tick, "LSODA")
    return Path(points, float(np.linalg.norm(second[-2] - points[check]) / np.linalg.norm(points[check])))


class _Lost(Exception):
    """The solver left the finite numbers, or needs too many evaluations."""


def _solve(
    flow: MarginFlow,
    start: Array,
    times: Array,
    horizon: float,
    tolerance: float,
    tick: Callable[[float], None],
    method: str,
) -> tuple[Array, bool]:
    """The points at the times and at the end, by one of scipy's solvers, and whether the horizon was reached."""
    spent = 0

    def field(time: float, theta: Array) -> Array:
        nonlocal spent
        spent += 1
        if spent % 500 == 0:
            tick(time)
        if spent > MOST_EVALUATIONS:
            raise _Lost
        return flow.velocity(theta)

    def jacobian(_: float, theta: Array) -> Array:
        matrix = flow.jacobian(theta)
        if not np.isfinite(matrix).all():
            raise _Lost
        return matrix

    # log(1/R) grows as exp(s), by a small factor more where the weights have no direction yet: no need to look before.
    soonest = times[0] + np.log(horizon / max(flow.log_inverse_risk(start), 1.0)) - EARLY

    def arrival(time: float, theta: Array) -> float:
        return -1.0 if time < soonest else flow.log_inverse_risk(theta) / horizon - 1

    arrival.terminal = True  # type: ignore[attr-defined]
    points = np.full((len(times) + 1, len(start)), np.nan)
    span, options = (times[0], times[-1]), {"rtol": tolerance, "atol": tolerance / 100}
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            # A trial step may leave the finite numbers, and LSODA warns when it gives up: `status` says so too.
            solution = solve_ivp(field, span, start, method, times, events=arrival, jac=jacobian, **options)
    except _Lost:
        return points, False
    reached = solution.y.shape[1]
    points[:reached] = solution.y.T
    if solution.status == 1:
        points[reached:] = solution.y_events[0][-1]
    elif solution.status == 0:
        points[-1] = points[-2]
    return points, bool(solution.status == 1)
