"""A flow of many runs at once by Runge-Kutta-Chebyshev steps: explicit, of order two, stable for real eigenvalues.

A step of length h with s stages is stable where the Jacobian's eigenvalues lie in [-b/h, 0], with
b = (2/3) (s^2 - 1) (1 - 4/195). So s grows as the root of h, and long steps cost little. An implicit solver would need
the Jacobian, and fails at kinks, where the field of a ReLU network jumps. An adaptive solver makes no progress when a
neuron slides along its kink.

Source: the scheme is that of Sommeijer, Shampine and Verwer 1997 (RKC, J. Comput. Appl. Math. 88, 315). Tests measure
its order and its interval of stability.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from dlnrepro.dynamics.tensors.arrays import Array


class Recursion(NamedTuple):
    """Coefficients of Y_j = rest Y_0 + last Y_{j-1} + before Y_{j-2} + h velocity F(Y_{j-1}) + h first F(Y_0)."""

    rest: float
    last: float
    before: float
    velocity: float
    first: float


def growing_times(horizon: float, least: float, growth: float) -> list[float]:
    """The times from 0 to the horizon, in steps of max(least, growth x time); the last step is shortened."""
    times = [0.0]
    while times[-1] < horizon:
        length = max(least, growth * times[-1])
        ends = length > (1 - 1e-9) * (horizon - times[-1])
        times.append(horizon if ends else times[-1] + length)
    return times


def trajectory(
    velocity: Callable[[Array], Array], start: Array, times: Sequence[float], stiffness: float
) -> Iterator[Array]:
    """The state at each of the times in turn, with one step between two times; a run that diverges becomes NaN.

    Args:
        velocity: from states (runs, parameters) to their time derivatives, each run by itself.
        start: the states at the first time, of shape (runs, parameters).
        times: the times, rising.
        stiffness: a bound on the size of the Jacobian's eigenvalues, for which every step has to be stable.
    """
    state = start
    yield state
    for before, after in pairwise(times):
        length = after - before
        with np.errstate(all="ignore"):
            state = chebyshev_step(velocity, state, length, stages_for(length * stiffness))
        yield state


def stages_for(reach: float) -> int:
    """The smallest number of stages, at least 2, that is stable for eigenvalues times step length down to -reach."""
    return max(2, math.ceil(math.sqrt(1 + 1.5 * reach / (1 - 4 / 195))))


def chebyshev_step(velocity: Callable[[Array], Array], state: Array, length: float, stages: int) -> Array:
    """The state after one step of this length, with this number of stages."""
    first, recursion = _coefficients(stages)
    start = velocity(state)
    before, now = state, state + (length * first) * start
    for stage in recursion:
        after = stage.rest * state + stage.last * now + stage.before * before
        after += (length * stage.velocity) * velocity(now)
        after += (length * stage.first) * start
        before, now = now, after
    return now


@cache
def _coefficients(stages: int) -> tuple[float, tuple[Recursion, ...]]:
    """The first stage's coefficient of F(Y_0), and stages 2 .. s.

    They are made of Chebyshev's polynomials T and their derivatives at w_0 > 1.
    """
    centre = 1 + 2 / 13 / stages**2
    values, firsts, seconds = [1.0, centre], [0.0, 1.0], [0.0, 0.0]
    for degree in range(2, stages + 1):
        seconds.append(4 * firsts[-1] + 2 * centre * seconds[-1] - seconds[-2])
        firsts.append(2 * values[-1] + 2 * centre * firsts[-1] - firsts[-2])
        values.append(2 * centre * values[-1] - values[degree - 2])
    scale = firsts[-1] / seconds[-1]
    weights = [second / first**2 for first, second in zip(firsts[2:], seconds[2:], strict=True)]
    weights = [weights[0], 1 / centre, *weights]
    recursion = []
    for j in range(2, stages + 1):
        last, before = 2 * centre * weights[j] / weights[j - 1], -weights[j] / weights[j - 2]
        velocity = 2 * scale * weights[j] / weights[j - 1]
        offset = 1 - weights[j - 1] * values[j - 1]
        recursion.append(Recursion(1 - last - before, last, before, velocity, -offset * velocity))
    return weights[1] * scale, tuple(recursion)
