"""The path of a stiff flow to its horizon, by solvers that are compared with one another.

Where the machine has a C compiler, a kernel follows each run from the start to the horizon by BDF with the Jacobian in
two factors (`compiled_path`), twenty times as fast as scipy for narrow networks and three times for wide ones. Scipy's
solvers then follow the run on some stretches with the field in Python, so that two routes that share no code can be
compared: at the beginning, where the logistic loss is not yet exponential, where stiffness sets in, and late, where the
flow is very stiff. Without a compiler scipy does all of it, as follows.

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

from dlnrepro.dynamics.stiff_flow.compiled_path import can_follow, path_in_c
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
        stretches: the values of the clock between which a path of the kernel in C is followed a second time: on the
            first stretch by the first solver, and on each later stretch by the checking solver.
    """

    switch_time: float
    checked: float
    early: Sequence[Any]
    late: Any
    checking: Any
    least_tolerance: float
    jacobian: Callable[[MarginFlow, Array], Array | LowRankJacobian]
    early_watch: float
    stretches: Sequence[tuple[float, float]]


def _dense(flow: MarginFlow, theta: Array) -> Array:
    """The Jacobian as a matrix."""
    matrix = flow.jacobian(theta)
    if not np.isfinite(matrix).all():
        raise FloatingPointError("the Jacobian is not finite")
    return matrix


NARROW = Route(4.0, 9.0, ("LSODA",), "BDF", "LSODA", 0.0, _dense, 3.0, ((0, 0.5), (4, 4.5), (9, 9.5)))
"""The route of narrow networks. log(1/R) is about 100 at the switch time, about 1e4 at the end of the check, where the
system is stiff, and 1e5 on the last stretch."""

WIDE = Route(
    0.5,
    3.0,
    ("DOP853", LowRankBDF),
    LowRankBDF,
    LowRankRadau,
    1e-6,
    low_rank_jacobian,
    np.inf,
    ((0, 0.2), (0.5, 0.8), (6, 6.3)),
)
"""The route of wide networks. On the same clock they reach a larger log(1/R): for width 64 it is about 30 at the switch
time, 1000 at the end of the check, and 5e4 on the last stretch. Where stiffness limits an explicit solver, it takes as
many steps as log(1/R). Radau with tolerance 1e-6 has an error below 1e-8; with 1e-8 it needs three times as many
evaluations. The solvers watch for the horizon at every step, which costs little here."""

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
        tick: called with the value of s every 500 evaluations; may raise to stop. The value never falls: during a
            check it is the time of the end of the path.
    """
    route = NARROW if len(start) < MANY else WIDE
    asked = _Asked(flow, start, times, horizon, tolerance, tick)
    return _in_c(asked, route) if can_follow(flow) else _by_scipy(asked, route)


class _Asked(NamedTuple):
    """The path that is asked for; the fields are the arguments of `follow`."""

    flow: MarginFlow
    start: Array
    times: Array
    horizon: float
    tolerance: float
    tick: Callable[[float], None]


def _in_c(asked: _Asked, route: Route) -> Path:
    """The path by the kernel, checked on the stretches of the route that it reaches."""
    times = asked.times
    for factor in TOLERANCE_FACTORS:
        points = path_in_c(*asked._replace(tolerance=factor * asked.tolerance), MOST_EVALUATIONS)
        if np.isfinite(points[-1]).all():
            break
    else:
        return Path(points, np.nan)
    # The last recorded point before the end: points after it repeat the end.
    last = int(np.flatnonzero((points[:-1] != points[-1]).any(1)).max(initial=0))
    switch = np.searchsorted(times, route.switch_time)
    # A run that ends before the switch time is checked as a whole.
    stretches = [(0, last)] if switch >= last else [_records(times, *ends) for ends in route.stretches]
    after = asked._replace(tick=lambda _: asked.tick(times[last]))
    gaps = [_gap(after, points, first, min(stop, last), route) for first, stop in stretches if first < last]
    return Path(points, float(np.max(gaps, initial=0.0)))


def _records(times: Array, begin: float, end: float) -> tuple[int, int]:
    """The records at the ends of a stretch of time, which are not the same."""
    first, stop = np.searchsorted(times, [begin, end])
    return int(first), int(max(first + 1, stop))


def _gap(asked: _Asked, points: Array, first: int, stop: int, route: Route) -> float:
    """The distance of a path from that of the first solver that does not fail, from one record to another one."""
    solvers = dict.fromkeys((route.early[0], route.checking)) if first == 0 else (route.checking,)
    leg = asked._replace(start=points[first], times=asked.times[first : stop + 1])
    for solver in solvers:
        tolerance = max(asked.tolerance, route.least_tolerance if solver is route.checking else 0.0)
        check, _ = _solve(leg._replace(tolerance=tolerance), solver, route, to_horizon=False)
        if np.isfinite(check[-1]).all():
            break
    return float(np.linalg.norm(check[-2] - points[stop]) / np.linalg.norm(points[stop]))


def _by_scipy(asked: _Asked, route: Route) -> Path:
    """The path by scipy's solvers, one after another, and the check of the second one."""
    start, times = asked.start, asked.times
    middle = int(np.searchsorted(times, route.switch_time).clip(1, len(times) - 1))
    check = int(np.searchsorted(times, route.checked).clip(middle, len(times) - 1))
    points = np.full((len(times) + 1, len(start)), np.nan)
    for solver in route.early:
        early, arrived = _solve(asked._replace(times=times[: middle + 1]), solver, route)
        if np.isfinite(early[-1]).all():
            break
    points[0] = start
    points[1 : middle + 1] = early[1:-1]
    lost = not np.isfinite(early[-1]).all()
    if arrived or lost or middle == len(times) - 1:
        points[middle + 1 :] = early[-1]
        return Path(points, np.nan if lost else 0.0)
    later = asked._replace(start=early[-1], times=times[middle:])
    for factor in TOLERANCE_FACTORS:
        late, _ = _solve(later._replace(tolerance=factor * asked.tolerance), route.late, route)
        points[middle:] = late
        if np.isfinite(late[-1]).all():
            break
    checked = later._replace(times=times[middle : check + 1], tolerance=max(asked.tolerance, route.least_tolerance))
    check_path, _ = _solve(checked, route.checking, route)
    return Path(points, float(np.linalg.norm(check_path[-2] - points[check]) / np.linalg.norm(points[check])))


class _Lost(Exception):
    """The solver needs too many evaluations."""


def _solve(asked: _Asked, method: Any, route: Route, to_horizon: bool = True) -> tuple[Array, bool]:
    """The points at the times and at the end, by one of scipy's solvers, and whether the horizon was reached.

    If it does not stop at the horizon, the solver goes on to the last time.
    """
    flow, start, times, horizon, tolerance, tick = asked
    spent, (most, pace) = 0, MOST_EXPLICIT if method == "DOP853" else (MOST_EVALUATIONS, 0)

    def field(time: float, theta: Array) -> Array:
        nonlocal spent
        spent += 1
        if spent % 500 == 0:
            tick(time)
        if not spent <= most + pace * (time - times[0]):  # the time of a solver that failed may be NaN
            raise _Lost
        return flow.velocity(theta)

    points = np.full((len(times) + 1, len(start)), np.nan)
    span = times[0], times[-1]
    options: dict[str, Any] = {"rtol": tolerance, "atol": tolerance / 100}
    if to_horizon:
        options["events"] = _arrival(flow, start, times[0], horizon, route)
    if method != "DOP853":
        options["jac"] = lambda _, theta: route.jacobian(flow, theta)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            # A trial step may leave the finite numbers, and LSODA warns when it fails; `status` shows both.
            solution = solve_ivp(field, span, start, method, times, **options)
    except (_Lost, FloatingPointError):
        return points, False
    reached = solution.y.shape[1]
    points[:reached] = solution.y.T
    if solution.status == 1:
        points[reached:] = solution.y_events[0][-1]
    elif solution.status == 0:
        points[-1] = points[-2]
    return points, bool(solution.status == 1)


def _arrival(
    flow: MarginFlow, start: Array, begin: float, horizon: float, route: Route
) -> Callable[[float, Array], float]:
    """The event that ends a path: log(1/R) = horizon."""
    # log(1/R) grows as exp(s), or faster by some factor where the weights have no direction yet. So the horizon is not
    # reached before this time.
    soonest = begin + np.log(horizon / max(flow.log_inverse_risk(start), 1.0)) - route.early_watch

    def arrival(time: float, theta: Array) -> float:
        """Negative before the horizon."""
        return -1.0 if time < soonest else flow.log_inverse_risk(theta) / horizon - 1

    arrival.terminal = True  # type: ignore[attr-defined]
    return arrival
