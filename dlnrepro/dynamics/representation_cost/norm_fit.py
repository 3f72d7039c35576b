"""Which norm a cost is a function of: the fit log R = log c + q log ||x||_p over several predictors.

Conventions: costs of shape (predictors,), coordinates x >= 0 of shape (predictors, size), one run at a time. Only
several predictors tell: a single one can meet a formula with the wrong p by accident.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from dlnrepro.dynamics.tensors.arrays import Array

LEAST, LARGEST = 0.1, 10.0
"""The range in which p is sought."""


class NormFit(NamedTuple):
    """A fit.

    Attributes:
        power: p.
        order: q, the degree of homogeneity of R.
        factor: c.
        misfit: root mean square of the residuals of log R.
    """

    power: float
    order: float
    factor: float
    misfit: float


def log_norms(x: Array, powers: Array) -> Array:
    """The log ||x||_p of every row for every p, of shape (powers, predictors), without overflow.

    For p < 1 it is no norm.
    """
    top = x.max(-1)
    sums = ((x / top[:, None]) ** powers[:, None, None]).sum(-1)
    result: Array = np.log(top) + np.log(sums) / powers[:, None]
    return result


def profile_misfits(costs: Array, x: Array, powers: Array) -> Array:
    """The root mean square of the residuals for every p, with the best q and c, of shape (powers,)."""
    logs, norms = np.log(costs), log_norms(x, powers)
    order, factor = _lines(logs, norms)
    residuals = logs - factor[:, None] - order[:, None] * norms
    return np.asarray(np.sqrt(np.mean(residuals**2, axis=-1)))


def fit_norm(costs: Array, x: Array) -> NormFit:
    """The p, q and c with the least squares of log R - log c - q log ||x||_p.

    For a given p the rest is linear; p is first sought on a grid, for the squares may have several minima.
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
    """A grid of p over the range, evenly spaced in the logarithm."""
    return np.geomspace(LEAST, LARGEST, count)


def _lines(y: Array, x: Array) -> tuple[Array, Array]:
    """Slope and intercept of the least-squares line of y on each row of x."""
    centred = x - x.mean(-1, keepdims=True)
    slope = centred @ y / (centred * centred).sum(-1)
    return slope, y.mean() - slope * x.mean(-1)
