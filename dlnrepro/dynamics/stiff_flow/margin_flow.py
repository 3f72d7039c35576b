"""Gradient flow of a deep linear classifier on a clock that makes its asymptotics accessible: the field, the Jacobian.

Gradient flow reaches log(1/R) ~ log t, with R the risk, so no step size gets far. But the curve of the weights does not
depend on the speed along it. Let G = -grad log R, let D be the diagonal matrix of learning rates (the identity for
gradient flow) and theta all weights. The flow here is

    d theta / d s = (1 + log(1/R)) D G / (STALL + q),      q = (theta . G)^2 / (theta . D^-1 theta).

Along it d log(1 + log(1/R)) / d s = G.DG / (STALL + q). By Cauchy and Schwarz q <= G.DG. Once the weights have a
direction, D G is parallel to theta and the two are equal, so s becomes log log(1/R). The clock uses q because q is
smooth where G.DG is not: at log(1/R) = 1e12 the margins m_i are known to 1e-4, which changes G but hardly
theta . G = L sum_i -g_i m_i. Near a minimum, where G vanishes, the flow is D G (1 + log(1/R)) / STALL: gradient flow at
another constant speed. So the same clock serves separable data and data that no hyperplane separates. The
initialization (start) must have R < e; otherwise the clock would run backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dlnrepro.dynamics.risks.margin_losses import LogRisk
from dlnrepro.dynamics.tensors.arrays import Array, Weights, tensor_of

Shapes = Sequence[tuple[int, int]]

STALL = 1e-3
"""Where q is below this, the flow is gradient flow at an almost constant speed."""

NEGLIGIBLE = 1e-40
"""Samples with a smaller curvature c_i of log R are left out of the Hessian."""

_ONE = np.ones(1)


@dataclass(frozen=True)
class MarginFlow:
    """The vector field of one run and its Jacobian.

    Attributes:
        signed: Z, the rows y_i x_i, of shape (samples, dimension).
        risk: from margins to log R and its derivatives.
        shapes: (n_l, n_{l-1}) of every layer; n_0 is the dimension and n_L is 1.
        rates: one positive number per weight, stacked as `vector_of` does.
    """

    signed: Array
    risk: Callable[[Array], LogRisk]
    shapes: Shapes
    rates: Array

    def log_inverse_risk(self, theta: Array) -> float:
        """log(1/R) at the stacked weights."""
        return -self.risk(self.signed.dot(suffix_rows(weights_of(theta, self.shapes))[0])).value

    def velocity(self, theta: Array) -> Array:
        """The field d theta / d s at the stacked weights, of shape (parameters,)."""
        weights = weights_of(theta, self.shapes)
        suffixes = suffix_rows(weights)
        risk = self.risk(self.signed.dot(suffixes[0]))
        pull = predictor_pull_back(weights, suffixes, -risk.gradient.dot(self.signed))
        scale = STALL + theta.dot(pull) ** 2 / theta.dot(theta / self.rates)
        result: Array = self.rates * pull * ((1 - risk.value) / scale)
        return result

    def jacobian(self, theta: Array) -> Array:
        """The derivative of the field, of shape (parameters, parameters).

        With T = 1 + log(1/R), b = STALL + q, e = theta . G, a = theta . D^-1 theta and H the Hessian of log R it is

        -(T / b) D H + D G (G / b - (T / b^2) grad q)^T,    grad q = (2 e / a) (G - H theta - (e / a) D^-1 theta).
        """
        weights = weights_of(theta, self.shapes)
        suffixes = suffix_rows(weights)
        risk = self.risk(self.signed.dot(suffixes[0]))
        pull = predictor_pull_back(weights, suffixes, -risk.gradient.dot(self.signed))
        hessian = _hessian(weights, suffixes, self.signed, risk)
        slowed = theta / self.rates
        euler, square = theta @ pull, theta @ slowed
        scale, clock = STALL + euler**2 / square, 1 - risk.value
        bend = (2 * euler / square) * (pull - hessian @ theta - (euler / square) * slowed)
        tilt = pull / scale - (clock / scale**2) * bend
        return (-clock / scale * self.rates)[:, None] * hessian + (self.rates * pull)[:, None] * tilt


def vector_of(weights: Sequence[Array]) -> Array:
    """All weights in one vector, W_1 first, each row by row."""
    return np.concatenate([weight.ravel() for weight in weights])


def weights_of(theta: Array, shapes: Shapes) -> list[Array]:
    """The inverse of `vector_of`, as views; `theta` may have leading dimensions."""
    weights, start, leading = [], 0, theta.shape[:-1]
    for shape in shapes:
        stop = start + shape[0] * shape[1]
        weights.append(theta[..., start:stop].reshape(leading + shape))
        start = stop
    return weights


def layers_of(path: Array, shapes: Shapes) -> Weights:
    """The layers along a path of stacked weights, (..., points, parameters), as tensors."""
    return [tensor_of(np.ascontiguousarray(weight)) for weight in weights_of(path, shapes)]


def suffix_rows(weights: Sequence[Array]) -> list[Array]:
    """The rows s_l = W_L ... W_{l+1} for l = 0 .. L; s_0 is the predictor and s_L is 1."""
    rows = [_ONE, weights[-1][0]]
    for weight in weights[-2::-1]:
        rows.append(rows[-1].dot(weight))
    rows.reverse()
    return rows


def prefix_columns(weights: Sequence[Array], vector: Array) -> list[Array]:
    """The vectors a_l = W_{l-1} ... W_1 g for l = 1 .. L."""
    columns = [vector]
    for weight in weights[:-1]:
        columns.append(weight.dot(columns[-1]))
    return columns


def predictor_pull_back(weights: Sequence[Array], suffixes: Sequence[Array], vector: Array) -> Array:
    """The gradient of <w, g> on every weight: s_l a_l^T, stacked."""
    columns = prefix_columns(weights, vector)
    blocks = [(row[:, None] * column).ravel() for row, column in zip(suffixes[1:-1], columns, strict=False)]
    return np.concatenate([*blocks, columns[-1]])


class PredictorCurvature(NamedTuple):
    """The Hessian C of log R on the predictor w, of shape (dimension, dimension), in parts.

    C = spread^T spread + (less more^T + more less^T) / 2.

    Attributes:
        gradient: h = Z^T g, the gradient of log R on w.
        spread: one row sqrt(c_i) (z_i - zbar) per sample with c_i above NEGLIGIBLE, zbar their mean weighted by c.
        less: sqrt(sum_i c_i) zbar + h; zero for the exponential loss.
        more: sqrt(sum_i c_i) zbar - h.
    """

    gradient: Array
    spread: Array
    less: Array
    more: Array


def predictor_curvature(signed: Array, risk: LogRisk) -> PredictorCurvature:
    """C = sum_i c_i z_i z_i^T - h h^T, h = Z^T g, arranged so that no large terms cancel.

    With c = sum_i c_i it is sum_i c_i (z_i - zbar)(z_i - zbar)^T + c zbar zbar^T - h h^T, the last two as
    x x^T - y y^T = ((x + y)(x - y)^T + (x - y)(x + y)^T) / 2.
    """
    large = risk.curvature > NEGLIGIBLE
    curvature, near = risk.curvature[large], signed[large]
    total = float(curvature.sum())
    mean = curvature @ near / total
    gradient = risk.gradient @ signed
    inner = np.sqrt(total) * mean
    return PredictorCurvature(gradient, (near - mean) * np.sqrt(curvature)[:, None], inner + gradient, inner - gradient)


def _hessian(weights: Sequence[Array], suffixes: Sequence[Array], signed: Array, risk: LogRisk) -> Array:
    """The Hessian of log R on the stacked weights, arranged so that no large terms cancel.

    With J the Jacobian of the predictor it is J C J^T, C of `predictor_curvature`, and the second derivatives of the
    product, sum over layers l < m of s_m[a] (W_{m-1} ... W_{l+1})[b, i] a_l[j].
    """
    curvature = predictor_curvature(signed, risk)
    differential = _differential(weights, suffixes)
    spread = differential @ curvature.spread.T
    hessian: Array = spread @ spread.T
    less, more = differential @ curvature.less, differential @ curvature.more
    outer = np.outer(less, more)
    hessian += (outer + outer.T) / 2
    return hessian + _second_differential(weights, suffixes, curvature.gradient)


def _differential(weights: Sequence[Array], suffixes: Sequence[Array]) -> Array:
    """J, of shape (parameters, dimension): dw / dW_l[i, j] = s_l[i] (W_{l-1} ... W_1)[j, :]."""
    prefix = np.eye(weights[0].shape[1])
    blocks = []
    for weight, row in zip(weights, suffixes[1:], strict=True):
        blocks.append((row[:, None, None] * prefix).reshape(weight.size, -1))
        prefix = weight @ prefix
    return np.concatenate(blocks)


def _second_differential(weights: Sequence[Array], suffixes: Sequence[Array], gradient: Array) -> Array:
    """The Hessian of <w, h> on the stacked weights; its diagonal blocks are 0, because w is linear in each layer."""
    columns = prefix_columns(weights, gradient)
    ends = np.cumsum([0, *(weight.size for weight in weights)])
    hessian = np.zeros((ends[-1], ends[-1]))
    for low, weight in enumerate(weights):
        between = np.eye(weight.shape[0])
        for high in range(low + 1, len(weights)):
            block = between.T[:, None, None, :] * columns[low][None, :, None, None]
            block = (block * suffixes[high + 1][None, None, :, None]).reshape(weight.size, -1)
            hessian[ends[low] : ends[low + 1], ends[high] : ends[high + 1]] = block
            hessian[ends[high] : ends[high + 1], ends[low] : ends[low + 1]] = block.T
            between = weights[high] @ between
    return hessian
