"""The path of a stiff flow to its horizon, by solvers that are compared with one another.

The flow of `margin_flow` is not stiff at first and very stiff later, because the direction settles exponentially in
log(1/R), and the clock is log log(1/R). The first solver follows a run to the switch time, where stiffness sets in.
The second solver, BDF with the Jacobian in closed form, follows it from there to the horizon. The checking solver also
starts at the switch time, and follows the run for a while, so that two routes can be compared.

             weights       first solver                second solver   checking solver   Jacobian
    NARROW   fewer         LSODA                       BDF             LSODA             a matrix
    WIDE     200 or more   DOP853, else low-rank BDF   low-rank BDF    low-rank Radau    two factors

LSODA has Adams methods up to order twelve. DOP853 needs no Jacobian. Where it fails because the flow is stiff at once,
as near a minimum, the low-rank BDF replaces it. The factors are those of `low_rank_jacobian`. The runs are followed one
after another, each with its own adaptive steps, so that a run cannot depend on another one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from dlnrepro.dynamics.stiff_flow.low_rank_jacobian import LowRankJacobian, low_rank_jacobian
from dlnrepro.dynamics.stiff_flow.low_rank_solvers import LowRankBDF, LowRankRadau
from dlnrepro.dynamics.stiff_flow.margin_flow import MarginFlow
from dlnrepro.dynamics.tensors.arrays import Array


class Route(NamedTuple):
    """Which solvers a path is followed with.

    Attributes:
        switch_time: the value of the clock at which the second solver takes over.
        checked: the value of the clock to which the checking solver follows.
        early: the first solver, and the solvers that replace it, in turn, if one fails.
        late: the second solver.
        checking: the checking solver.
        least_tolerance: the smallest tolerance of the checking solver, which else has that of the path.
        jacobian: the Jacobian that the implicit solvers are given.
        early_watch: the solvers start watching for the horizon this much earlier on the clock than
            d log log(1/R) / ds = 1 predicts.
    """

    switch_time: float
    checked: float
    early: Sequence[Any]
    late: Any
    checking: Any
    least_tolerance: float
    jacobian: Callable[[MarginFlow, Array], Array | LowRankJacobian]
    early_watch: float


def _dense(flow: MarginFlow, theta: Array) -> Array:
    """The Jacobian as a matrix."""
    matrix = flow.jacobian(theta)
    if not np.isfinite(matrix).all():
        raise FloatingPointError("the Jacobian is not finite")
    return matrix


NARROW = Route(4.0, 9.0, ("LSODA",), "BDF", "LSODA", 0.0, _dense, 3.0)
"""The route of narrow networks. log(1/R) is about 100 at the switch time, and about 1e4 at the end of the check, where
the system is stiff."""

WIDE = Route(0.5, 3.0, ("DOP853", LowRankBDF), LowRankBDF, LowRankRadau, 1e-6, low_rank_jacobian, np.inf)
"""The route of wide networks. On the same clock they reach a larger log(1/R): for width 64 it is about 30 at the switch
time and 1000 at the end of the check. Where stiffness limits an explicit solver, it takes as many steps as log(1/R).
Radau with tolerance 1e-6 has an error below 1e-8; with 1e-8 it needs three times as many evaluations. The solvers watch
for the horizon at every step, which costs little here."""

MANY = 200
"""A path with at least this number of weights is followed by the route `WIDE`. Measured to log(1/R) = 1e12 at depths 2,
3, 4 and 6, `WIDE` takes 1.1 to 1.6 times as long as `NARROW` with 102 to 174 weights, and 0.9 to 0.4 times as long with
204 to 336 weights."""

TOLERANCE_FACTORS = (1, 3, 10)
"""Factors on the tolerance of the second solver, tried in turn. Near log(1/R) = 1e12 rounding in the margins may exceed
the tolerance in a run. Then no step is short enough, and the solver fails unless the tolerance is a little larger."""

MOST_EVALUATIONS = 20_000
"""The largest number of evaluations per solver; one that needs more has failed. Runs of the claims need about 2000."""

MOST_EXPLICIT = (1_000, 4_000)
"""The largest number of evaluations by DOP853: a number at first, and one per unit of the clock. Up to width 128 it
needs 300 to 800 for the first tenth of a unit and then at most 3500 per unit, unless the flow is stiff. BDF takes as
long as about 8000 evaluations of DOP853 per unit."""


class Path(NamedTuple):
    """The path of one run.

    Attributes:
        points: the stacked weights at each time and at the end, of shape (times + 1, parameters). Times after the end
            repeat it; if a solver failed, the rest is NaN.
        route_gap: ||theta - theta'|| / ||theta|| between second and checking solver at the end of the check; 0 if the
            run ended before that, NaN if a solver failed.
    """

    points: Array
    route_gap: float


def follow(
    flow: MarginFlow, start: Array, times: Array, horizon: float, tolerance: float, tick: Callable[[float], None]
) -> Path:
    """The path from `start` to the first time with log(1/R) = horizon, or to times[-1].

    Args:
        flow: the field and its Jacobian.
        start: the weights at times[0], of shape (parameters,).
        times: values of the clock s, rising from 0.
        horizon: the value of log(1/R) at which the path ends.
        tolerance: the relative error allowed per step; the absolute error is a hundredth of it.
        tick: called with the value of s every 500 evaluations; may raise to stop.
    """
    route = NARROW if len(start) < MANY else WIDE
    middle = int(np.searchsorted(times, route.switch_time).clip(1, len(times) - 1))
    check = int(np.searchsorted(times, route.checked).clip(middle, len(times) - 1))
    points = np.full((len(times) + 1, len(start)), np.nan)
    for solver in route.early:
        early, arrived = _solve(flow, start, times[: middle + 1], horizon, tolerance, tick, solver, route)
        if np.isfinite(early[-1]).all():
            break
    points[0] = start
    points[1 : middle + 1] = early[1:-1]
    lost = not np.isfinite(early[-1]).all()
    if arrived or lost or middle == len(times) - 1:
        points[middle + 1 :] = early[-1]
        return Path(points, np.nan if lost else 0.0)
    for factor in TOLERANCE_FACTORS:
        late, _ = _solve(flow, early[-1], times[middle:], horizon, factor * tolerance, tick, route.late, route)
        points[middle:] = late
        if np.isfinite(late[-1]).all():
            break
    coarser = max(tolerance, route.least_tolerance)
    check_path, _ = _solve(flow, early[-1], times[middle : check + 1], horizon, coarser, tick, route.checking, route)
    return Path(points, float(np.linalg.norm(check_path[-2] - points[check]) / np.linalg.norm(points[check])))


class _Lost(Exception):
    """The solver needs too many evaluations."""


def _solve(
    flow: MarginFlow,
    start: Array,
    times: Array,
    horizon: float,
    tolerance: float,
    tick: Callable[[float], None],
    method: Any,
    route: Route,
) -> tuple[Array, bool]:
    """The points at the times and at the end, by one of scipy's solvers, and whether the horizon was reached."""
    spent, (most, pace) = 0, MOST_EXPLICIT if method == "DOP853" else (MOST_EVALUATIONS, 0)

    def field(time: float, theta: Array) -> Array:
        nonlocal spent
        spent += 1
        if spent % 500 == 0:
            tick(time)
        if not spent <= most + pace * (time - times[0]):  # the time of a solver that failed may be NaN
            raise _Lost
        return flow.velocity(theta)

    # log(1/R) grows as exp(s), or faster by some factor where the weights have no direction yet. So the horizon is not
    # reached before this time.
    soonest = times[0] + np.log(horizon / max(flow.log_inverse_risk(start), 1.0)) - route.early_watch

    def arrival(time: float, theta: Array) -> float:
        return -1.0 if time < soonest else flow.log_inverse_risk(theta) / horizon - 1

    arrival.terminal = True  # type: ignore[attr-defined]
    points = np.full((len(times) + 1, len(start)), np.nan)
    span = times[0], times[-1]
    options: dict[str, Any] = {"rtol": tolerance, "atol": tolerance / 100}
    if method != "DOP853":
        options["jac"] = lambda _, theta: route.jacobian(flow, theta)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            # A trial step may leave the finite numbers, and LSODA warns when it fails; `status` shows both.
            solution = solve_ivp(field, span, start, method, times, events=arrival, **options)
    except (_Lost, FloatingPointError):
        return points, False
    reached = solution.y.shape[1]
    points[:reached] = solution.y.T
    if solution.status == 1:
        points[reached:] = solution.y_events[0][-1]
    elif solution.status == 0:
        points[-1] = points[-2]
    return points, bool(solution.status == 1)
