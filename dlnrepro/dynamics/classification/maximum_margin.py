"""Maximum-margin direction of a homogeneous linear classifier: an oracle with a certificate for each answer.

Conventions: z_i = y_i x_i are the rows of Z, of shape (samples, dimension). The margin of a unit vector u is
min_i <u, z_i>; gamma is the largest margin and ubar the direction that has it. w = ubar / gamma solves

    min ||w||^2 / 2  subject to  Z w >= 1,    with w = Z^T a, a >= 0, a_i (<w, z_i> - 1) = 0     (KKT).

The data are separable exactly if gamma > 0; otherwise (Gordan) some p >= 0, sum p = 1, has Z^T p = 0.
This module uses nothing of networks or training: it is the independent truth that trained directions are compared with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lstsq
from scipy.optimize import nnls

from dlnrepro.dynamics.tensors.arrays import Array

SUPPORT = 1e-9
"""A point whose multiplier is below this share of the largest is not a support vector: NNLS returns 0 or rounding."""


@dataclass(frozen=True)
class MaximumMargin:
    """The solution, its certificate, and the constants that follow from it.

    Attributes:
        direction: ubar, of shape (dimension,).
        margin: gamma.
        support: the indices of the support vectors, those with a positive multiplier.
        multipliers: a, of shape (samples,).
        residual: the largest of the KKT residuals: stationarity relative to ||w||, primal and dual
            infeasibility, and complementarity; 0 for the exact solution.
        rank: the dimension of the span of the support vectors.
    """

    direction: Array
    margin: float
    support: NDArray[np.intp]
    multipliers: Array
    residual: float
    rank: int


def maximum_margin(signed: Array) -> MaximumMargin | None:
    """The maximum-margin direction of Z (samples, dimension); None if the data are not separable.

    The least-distance problem is turned into non-negative least squares (Lawson and Hanson 1974, chapter 23), which
    finds the support vectors. If its residual is 0, some p >= 0 has Z^T p = 0, so no direction separates the data. The
    equations <w, z_i> = 1 on the support vectors are then solved again, to full precision.
    """
    weights, residual = _hull(signed)
    if residual <= SUPPORT:
        return None
    support = np.flatnonzero(weights > SUPPORT * weights.max())
    active = signed[support]
    solution = lstsq(active, np.ones(len(support)))[0]
    multipliers = np.zeros(len(signed))
    multipliers[support] = lstsq(active.T, solution)[0]
    length = float(np.linalg.norm(solution))
    slack = signed @ solution - 1
    return MaximumMargin(
        direction=solution / length,
        margin=1 / length,
        support=support,
        multipliers=multipliers,
        residual=max(
            float(np.linalg.norm(solution - signed.T @ multipliers)) / length,
            -float(slack.min()),
            -float(multipliers.min()) / float(multipliers.max()),
            float(np.abs(slack[support]).max()),
        ),
        rank=int(np.linalg.matrix_rank(active)),
    )


def limit_offset(signed: Array, solution: MaximumMargin) -> Array:
    """rho, the limit of the predictor's part perpendicular to ubar: w = c ubar + rho + o(1) as c grows.

    rho minimises sum_i exp(-<rho, z_i>), i over the support vectors, among vectors in their span that are perpendicular
    to ubar. At the minimum sum_i exp(-<rho, z_i>) z_i is parallel to ubar = gamma sum_i a_i z_i. Support vectors in
    general position are linearly independent, so exp(-<rho, z_i>) = t a_i, and <rho, ubar> = 0 fixes
    log t = -sum_i a_i log a_i / sum_i a_i.

    Returns:
        rho, of shape (dimension,).

    Source: derived here; it holds for every depth, and does not depend on the initialization.
    """
    multipliers = solution.multipliers[solution.support]
    logs = np.log(multipliers)
    return np.asarray(lstsq(signed[solution.support], multipliers @ logs / multipliers.sum() - logs)[0])


def _hull(signed: Array) -> tuple[Array, float]:
    """Weights p >= 0 that minimise ||Z^T p||^2 + (1^T p - 1)^2, and the root of that minimum."""
    samples, dimension = signed.shape
    system = np.vstack([signed.T, np.ones(samples)])
    aim = np.zeros(dimension + 1)
    aim[-1] = 1
    weights, residual = nnls(system, aim, maxiter=100 * samples)
    return weights, float(residual)
