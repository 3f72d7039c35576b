"""The logarithm of the risk of a classifier, with its derivatives with respect to the margins.

Conventions: a margin is m_i = y_i <w, x_i>; the risk is R = (1/n) sum_i l(m_i), and the losses are

    logistic     l(m) = log(1 + exp(-m))
    exponential  l(m) = exp(-m)
    squared      l(m) = (1 - m)^2 / 2          (with labels +-1 this is (y - <w, x>)^2 / 2)

All functions compute log R and never R, because the flows reach R = exp(-1e12). With g_i = l'(m_i) / (n R) and
c_i = l''(m_i) / (n R), the gradient of log R is g and its Hessian is diag(c) - g g^T, for every loss.

The functions on arrays of shape (samples,) serve the stiff flow, which follows one run after another. They are called
millions of times, and a batch of one would make them 50 % slower. `batched_log_risk` serves the descents, where all
runs advance together as tensors. `margin_slopes` serves the networks whose runs advance together as numpy arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run

LossName = Literal["logistic", "exponential", "squared"]

LINEAR_FROM = 34.0
"""From this margin on the logistic loss is replaced by the exponential loss. Their quotient is 1 - exp(-m)/2 + ..., so
their relative difference is below 2^-50 there."""

HIGHEST_LOG_RISK = 700.0
"""A log R above this has no exponential in double precision, and a flow that reaches it has diverged."""


class LogRisk(NamedTuple):
    """The logarithm of the risk of one data set.

    Attributes:
        value: log R.
        gradient: g, of shape (samples,).
        curvature: c, of shape (samples,); the Hessian is diag(c) - g g^T.
    """

    value: float
    gradient: Array
    curvature: Array


def log_risk(name: LossName) -> Callable[[Array], LogRisk]:
    """The function from margins (samples,) to `LogRisk` for the loss of this name."""
    return {"logistic": logistic, "exponential": exponential, "squared": squared}[name]


def log_loss_at_zero(name: LossName) -> float:
    """Log l(0), the natural logarithm of the risk of the zero predictor."""
    return {"logistic": math.log(math.log(2)), "exponential": 0.0, "squared": math.log(0.5)}[name]


def log_risks(name: LossName, margins: Array) -> Tensor:
    """The log R of each row of margins (points, samples), of shape (points,)."""
    risk = log_risk(name)
    return torch.tensor([risk(row).value for row in margins], dtype=torch.float64)


def log_excess(name: LossName, signed: Tensor, predictors: Tensor) -> Tensor:
    """Log R - log l(0) of several predictors of every run, of shape (runs, points); above 0 if worse than w = 0.

    Args:
        name: the name of the loss l.
        signed: Z, of shape (runs, samples, dimension).
        predictors: w, of shape (runs, points, dimension).
    """

    def of_run(points: Tensor, rows: Tensor) -> Tensor:
        return log_risks(name, array_of(rows) @ array_of(points).T) - log_loss_at_zero(name)

    return each_run(of_run, signed, predictors)


def risk_field(name: LossName, signed: Sequence[Array]) -> Callable[[int, Array], Array]:
    """The function from a run's number and its predictor W, of shape (1, dimension), to dR/dW in the same shape.

    Args:
        name: the name of the loss l.
        signed: Z of each run, of shape (samples, dimension).
    """
    risk = log_risk(name)

    def field(run: int, predictor: Array) -> Array:
        found = risk(signed[run] @ predictor[0])
        gradient: Array = math.exp(min(found.value, HIGHEST_LOG_RISK)) * (found.gradient @ signed[run])
        return gradient[None]

    return field


def exponential(margins: Array) -> LogRisk:
    """`LogRisk` of l(m) = exp(-m): c_i = -g_i = exp(-m_i) / sum_j exp(-m_j)."""
    least = float(np.minimum.reduce(margins))
    weights = np.exp(least - margins)
    total = float(np.add.reduce(weights))
    weights /= total
    return LogRisk(math.log(total / margins.size) - least, -weights, weights)


def logistic(margins: Array) -> LogRisk:
    """`LogRisk` of l(m) = log(1 + exp(-m)), computed from log l so that nothing underflows."""
    if float(np.minimum.reduce(margins)) > LINEAR_FROM:
        return exponential(margins)
    odds, loss, logs = _logistic_parts(margins)
    top = float(np.maximum.reduce(logs))
    weights = np.exp(logs - top)
    total = float(np.add.reduce(weights))
    chance = odds / (1 + odds)
    first = weights * chance / (loss * total)
    return LogRisk(math.log(total / margins.size) + top, -first, first * (1 - chance))


def squared(margins: Array) -> LogRisk:
    """`LogRisk` of l(m) = (1 - m)^2 / 2: g_i = (m_i - 1) / (n R), c_i = 1 / (n R)."""
    residuals = margins - 1
    total = float(residuals @ residuals) / 2
    return LogRisk(math.log(total / margins.size), residuals / total, np.full_like(margins, 1 / total))


def batched_log_risk(name: LossName, margins: Tensor) -> tuple[Tensor, Tensor]:
    """The log R of every run, (runs,), and its gradient g, (runs, samples), from margins (runs, samples)."""
    samples = margins.shape[-1]
    if name == "squared":
        residuals = margins - 1
        total = (residuals**2).sum(-1) / 2
        return (total / samples).log(), residuals / total[:, None]
    if name == "exponential":
        logs, ratio = -margins, torch.ones_like(margins)
    else:
        near = margins.clamp_max(LINEAR_FROM)
        odds = (-near).exp()
        loss = odds.log1p()
        logs, ratio = loss.log() + (near - margins), odds / ((1 + odds) * loss)
    value = torch.logsumexp(logs, -1)
    return value - math.log(samples), -(logs - value[:, None]).exp() * ratio


def margin_slopes(name: LossName, margins: Array) -> Array:
    """The gradient g of log R of every run from margins, both arrays (runs, samples): `batched_log_risk` in numpy."""
    if name == "squared":
        residuals = margins - 1
        squares = residuals * residuals
        return np.asarray(2 * residuals / squares.sum(-1, keepdims=True))
    if name == "exponential":
        weights = np.exp(margins.min(-1, keepdims=True) - margins)
        return np.asarray(-weights / weights.sum(-1, keepdims=True))
    odds, loss, logs = _logistic_parts(margins)
    weights = np.exp(logs - logs.max(-1, keepdims=True))
    return np.asarray(-weights * odds / ((1 + odds) * loss * weights.sum(-1, keepdims=True)))


def _logistic_parts(margins: Array) -> tuple[Array, Array, Array]:
    """e^-m and log(1 + e^-m), both of margins cut off at LINEAR_FROM, and log log(1 + e^-m) of the margins."""
    near = np.minimum(margins, LINEAR_FROM)
    odds = np.exp(-near)
    loss = np.log1p(odds)
    return odds, loss, np.log(loss) + (near - margins)
