"""The Jacobian of `margin_flow` as a product U V^T of few columns, so that linear systems cost width^3, not width^6.

Conventions: W_1 .. W_L of n_l x n_{l-1}, n_L = 1; X_l is the part of a vector x that belongs to W_l; s_l = (W_L ...
W_{l+1})^T, a_l = P_l g with P_l = W_{l-1} ... W_1 and g the gradient of log R on the predictor. The Hessian of log R
reads a change X of the weights only through

    v_l = X_l a_l  (l < L),     u_l = X_l^T s_l,     dw = sum_l P_l^T u_l,

where dw is the change of the predictor. Its product with X has the part p_l a_l^T + s_l q_l^T in layer l, with

    p_l = sum_{m > l} (W_{m-1} ... W_{l+1})^T u_m,     q_l = sum_{m < l} (W_{l-1} ... W_{m+1}) v_m + P_l C dw,

where C is that of `predictor_curvature`. So the Jacobian of the field, which adds one column for the clock, has a rank
of at most k = 2 (n_1 + ... + n_{L-1}) + dimension + 1, while there are about (L - 2) width^2 weights. By Woodbury's
identity

    (a + b U V^T)^-1 r = (r - (b / a) U y) / a,     (1 + (b / a) V^T U) y = V^T r:

which is one dense system of k unknowns. Near log(1/R) = 1e12 the matrix C makes the Jacobian as large as 1e12, in up to
`dimension` directions. Therefore dw is written in the basis in which C is diagonal. Then every stiff direction is one
unknown of the small system, with one large column, and elimination with pivots does not depend on the scale of columns.
In another basis components that cancel to 1e-12 would be computed first and multiplied by 1e12 afterwards. Source:
derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlnrepro.dynamics.stiff_flow.margin_flow import (
    STALL,
    MarginFlow,
    Shapes,
    predictor_curvature,
    predictor_pull_back,
    prefix_columns,
    suffix_rows,
    weights_of,
)
from dlnrepro.dynamics.tensors.arrays import Array

RealOrComplex = NDArray[Any]
"""Real, or complex as in Radau's method."""


@dataclass(frozen=True)
class LowRankJacobian:
    """J = U V^T at one point. V^T x is (v_1 .. v_{L-1}, u_2 .. u_L, dw, clock), of shape (k,).

    Attributes:
        shapes: (n_l, n_{l-1}) of every layer.
        rows: s_l / ||s_l|| for l = 1 .. L.
        columns: a_l / ||a_l|| for l = 1 .. L.
        coupling: takes all u to p and, transposed, v to all q, of shape (hidden, dimension + hidden), where hidden
            is n_1 + ... + n_{L-1}; it includes the lengths of s_l and a_l.
        reach: the matrices ||s_l|| P_l stacked, in the basis of C, over their norm; (dimension + hidden, dimension).
        stiff: `reach` times the eigenvalues of C and that norm squared, of the shape of `reach`.
        rates: the learning rate of every weight, times -(1 + log(1/R)) / (STALL + q).
        field: the column of U that belongs to the clock, of length one.
        tilt: the column of V that belongs to the clock.
    """

    shapes: Shapes
    rows: Sequence[Array]
    columns: Sequence[Array]
    coupling: Array
    reach: Array
    stiff: Array
    rates: Array
    field: Array
    tilt: Array

    def project(self, vector: RealOrComplex) -> RealOrComplex:
        """V^T x, of shape (k,), for stacked weights x of shape (parameters,)."""
        after, before = self._contract(vector)
        free = before[self.shapes[0][1] :]
        return np.concatenate([after, free, before @ self.reach, [self.tilt @ vector]])

    def lift(self, numbers: RealOrComplex) -> RealOrComplex:
        """U y, stacked weights of shape (parameters,), for y of shape (k,)."""
        hidden, dimension = len(self.coupling), self.shapes[0][1]
        outer = self.coupling[:, dimension:] @ numbers[hidden : 2 * hidden]
        inner = numbers[:hidden] @ self.coupling + self.stiff @ numbers[2 * hidden : -1]
        lifted: RealOrComplex = np.empty(self.rates.shape, numbers.dtype)
        layers = weights_of(lifted, self.shapes)
        low = high = 0
        for layer, row, column in zip(layers[:-1], self.rows, self.columns, strict=False):
            rows, columns = layer.shape
            left = np.stack([row, outer[high : high + rows]], axis=1)
            np.matmul(left, np.stack([inner[low : low + columns], column]), out=layer)
            low, high = low + columns, high + rows
        layers[-1][0] = inner[low:]
        lifted *= self.rates
        lifted += self.field * numbers[-1]
        return lifted

    @cached_property
    def core(self) -> Array:
        """V^T U, of shape (k, k)."""
        dimension = self.shapes[0][1]
        after, before = self._layers()
        core = np.empty((after.shape[1] + 1, after.shape[1] + 1))
        core[:-1, :-1] = np.concatenate([after, before[dimension:], self.reach.T @ before])
        core[:-1, -1] = self.project(self.field)[:-1]
        after, before = self._contract(self.rates * self.tilt)
        core[-1, :-1] = np.concatenate(
            [self.coupling @ before, after @ self.coupling[:, dimension:], before @ self.stiff]
        )
        core[-1, -1] = self.tilt @ self.field
        return core

    def _layers(self) -> tuple[Array, Array]:
        """All v_l and all u_l of every column of U except that of the clock.

        With D the rates of a layer, entry by entry, X = D (p a^T + s q^T) has

        X a = (D a^2) p + (D s a^T) q,    X^T s = (D s a^T)^T p + (D^T s^2) q.
        """
        hidden, dimension = len(self.coupling), self.shapes[0][1]
        size = 2 * hidden + dimension
        after, before = np.zeros((hidden, size)), np.zeros((hidden + dimension, size))
        first, second, third = slice(hidden), slice(hidden, 2 * hidden), slice(2 * hidden, size)
        back, free = self.coupling.T, self.coupling[:, dimension:]
        low = high = 0
        for rate, row, column in zip(weights_of(self.rates, self.shapes), self.rows, self.columns, strict=True):
            inner = slice(low, low + rate.shape[1])
            weighted = (row**2).dot(rate)[:, None]
            before[inner, first] = weighted * back[inner]
            before[inner, third] = weighted * self.stiff[inner]
            if inner.stop < len(back):  # W_L, a row, has no p
                outer = slice(high, high + rate.shape[0])
                cross = rate * (row[:, None] * column)
                after[outer, first] = cross @ back[inner]
                after[outer, second] = rate.dot(column**2)[:, None] * free[outer]
                after[outer, third] = cross @ self.stiff[inner]
                before[inner, second] = cross.T @ free[outer]
                high = outer.stop
            low = inner.stop
        return after, before

    def _contract(self, vector: RealOrComplex) -> tuple[RealOrComplex, RealOrComplex]:
        """All v_l and all u_l, u_1 included, of stacked weights, with the unit vectors `rows` and `columns`."""
        layers = weights_of(vector, self.shapes)
        after = [layer.dot(column) for layer, column in zip(layers[:-1], self.columns, strict=False)]
        before = [row.dot(layer) for layer, row in zip(layers, self.rows, strict=True)]
        return np.concatenate(after), np.concatenate(before)


def low_rank_jacobian(flow: MarginFlow, theta: Array) -> LowRankJacobian:
    """The derivative of the field of `margin_flow` at the stacked weights, in factors.

    Args:
        flow: the flow whose Jacobian is computed.
        theta: the weights, of shape (parameters,).

    Raises:
        FloatingPointError: the curvature is not finite at these weights.
    """
    weights = weights_of(theta, flow.shapes)
    suffixes = suffix_rows(weights)
    risk = flow.risk(flow.signed.dot(suffixes[0]))
    gradient, spread, less, more = predictor_curvature(flow.signed, risk)
    outer = np.outer(less, more)
    bend = spread.T @ spread + (outer + outer.T) / 2
    if not np.isfinite(bend).all():
        raise FloatingPointError("the curvature of log R is not finite")
    strengths, basis = np.linalg.eigh(bend)
    pull, slowed, clock = predictor_pull_back(weights, suffixes, -gradient), theta / flow.rates, 1 - risk.value
    euler, square = theta @ pull, theta @ slowed
    quotient = euler**2 / square
    scale = STALL + quotient
    field = flow.rates * pull * (clock / scale)
    # H theta = s_l (P_l x)^T in layer l, x = L C w + (L - 1) g, because w is homogeneous in the weights, of degree L.
    turn = 2 * euler * len(weights) / (square * scale) * (bend @ suffixes[0] + gradient) - gradient / clock
    tilt = predictor_pull_back(weights, suffixes, turn) + (2 * quotient / (square * scale)) * slowed
    rows, columns = suffixes[1:], prefix_columns(weights, gradient)
    reach, length = _reach(weights, rows, basis), _length(field)
    size = _length(reach)
    return LowRankJacobian(
        flow.shapes,
        [row / _length(row) for row in rows],
        [column / _length(column) for column in columns],
        _coupling(weights, rows, columns),
        reach / size,
        reach * (size * strengths),
        flow.rates * (-clock / scale),
        field / length,
        tilt * length,
    )


def _length(vector: Array) -> float:
    """The norm, or 1 for a zero vector, so that a division by it leaves the vector zero."""
    return float(np.sqrt(vector.ravel().dot(vector.ravel()))) or 1.0


def _reach(weights: Sequence[Array], rows: Sequence[Array], basis: Array) -> Array:
    """The matrices ||s_l|| P_l Q stacked, with Q the basis."""
    prefixes = [basis]
    for weight in weights[:-1]:
        prefixes.append(weight @ prefixes[-1])
    return np.concatenate([_length(row) * prefix for row, prefix in zip(rows, prefixes, strict=True)])


def _coupling(weights: Sequence[Array], rows: Sequence[Array], columns: Sequence[Array]) -> Array:
    """The blocks ||a_l|| (W_{m-1} ... W_{l+1})^T ||s_m|| for l < m, in rows l = 1 .. L-1 and columns m = 1 .. L."""
    ends = np.cumsum([0, *(weight.shape[1] for weight in weights)])
    dimension = weights[0].shape[1]
    coupling = np.zeros((ends[-1] - dimension, ends[-1]))
    for low in range(len(weights) - 1):
        between = np.eye(weights[low].shape[0]) * _length(columns[low])
        here = slice(ends[low + 1] - dimension, ends[low + 2] - dimension)
        for high in range(low + 1, len(weights)):
            coupling[here, ends[high] : ends[high + 1]] = between.T * _length(rows[high])
            if high < len(weights) - 1:
                between = weights[high] @ between
    return coupling
