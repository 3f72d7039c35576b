"""The norm of which a cost is a function: the fit log R = log c + q log ||x||_p over several predictors of one run.

Conventions: costs R have the shape (predictors,), coordinates x >= 0 the shape (predictors, size); logarithms are
natural. Several predictors are needed, because a single one can agree with a wrong p by accident.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from dlnrepro.dynamics.tensors.arrays import Array

LEAST, LARGEST = 0.1, 10.0
"""The range of p in the first search."""


class NormFit(NamedTuple):
    """The fit R = c ||x||_p^q.

    Attributes:
        power: p, the exponent of the quasi-norm.
        order: q, the degree of homogeneity of R.
        factor: c, the factor.
        misfit: the root mean square of log R - log c - q log ||x||_p.
    """

    power: float
    order: float
    factor: float
    misfit: float


def log_norms(x: Array, powers: Array) -> Array:
    """The log ||x||_p of every row for every p, of shape (powers, predictors), without overflow.

    For p < 1, ||x||_p = (sum_i x_i^p)^(1/p) is a quasi-norm and not a norm.
    """
    top = x.max(-1)
    sums = ((x / top[:, None]) ** powers[:, None, None]).sum(-1)
    result: Array = np.log(top) + np.log(sums) / powers[:, None]
    return result


def profile_misfits(costs: Array, x: Array, powers: Array) -> Array:
    """The root mean square of log R - log c - q log ||x||_p for every p, at the best q and c, of shape (powers,)."""
    logs, norms = np.log(costs), log_norms(x, powers)
    order, factor = _lines(logs, norms)
    residuals = logs - factor[:, None] - order[:, None] * norms
    return np.asarray(np.sqrt(np.mean(residuals**2, axis=-1)))


def fit_norm(costs: Array, x: Array) -> NormFit:
    """The p, q and c that minimise the sum of squares of log R - log c - q log ||x||_p.

    For a given p, the problem is linear in q and log c. The sum of squares may have several minima in p, so p is first
    searched for on a grid.
    """
    grid = powers_tried(25)
    first = grid[[np.argmin(profile_misfits(costs, x, grid))]]
    logs = np.log(costs)

    def residuals(unknown: Array) -> Array:
        return np.asarray(logs - unknown[1] - unknown[2] * log_norms(x, np.exp(unknown[:1]))[0])

    order, factor = _lines(logs, log_norms(x, first))
    bounds = ([np.log(LEAST / 2), -np.inf, -np.inf], [np.log(2 * LARGEST), np.inf, np.inf])
    start = np.concatenate([np.log(first), factor, order])
    best = least_squares(residuals, start, bounds=bounds, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    misfit = float(np.sqrt(np.mean(best.fun**2)))
    return NormFit(float(np.exp(best.x[0])), float(best.x[2]), float(np.exp(best.x[1])), misfit)


def powers_tried(count: int) -> Array:
    """Values of p over the range, evenly spaced in the logarithm, of shape (count,)."""
    return np.geomspace(LEAST, LARGEST, count)


def _lines(y: Array, x: Array) -> tuple[Array, Array]:
    """The slope and the intercept of the least-squares line of y against each row of x."""
    centred = x - x.mean(-1, keepdims=True)
    slope = centred @ y / (centred * centred).sum(-1)
    return slope, y.mean() - slope * x.mean(-1)
