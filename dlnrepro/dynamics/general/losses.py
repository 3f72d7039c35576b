"""Losses as functions of the matrix M of a linear network, with their gradients dR/dM.

    squared, by second moments   R = 1/2 tr((M - M*) S (M - M*)^T),   M* = Z S^-1,   dR/dM = M S - Z
    squared, on samples          R = 1/(2n) sum_i |y_i - M x_i|^2
    logistic, exponential        R = 1/n sum_i l(y_i M x_i),   labels y_i = +-1, one output
    cross-entropy                R = -1/n sum_i log softmax(M x_i)_(y_i)

S is the second moment of the inputs and Z that of outputs and inputs; white inputs have S = I and M* = Z. The squared
loss by moments has the minimum 0. Samples are rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from dlnrepro.dynamics.general.plain import LossOfOutputs
from dlnrepro.dynamics.networks.plain import data_of
from dlnrepro.dynamics.risks.margin_losses import LINEAR_FROM, LossName, batched_log_risk, risk_field
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training_clocks.cross_entropy import (
    cross_entropy_gradient,
    cross_entropy_log_gradient,
)


class Loss(Protocol):
    """A loss R of the matrix M."""

    @property
    def by_logarithm(self) -> bool:
        """Whether R is computed from log R, which does not underflow."""

    @property
    def inputs(self) -> Tensor:
        """Samples as columns, of shape (runs, n_0, samples), on which the plain route computes the loss."""

    def value(self, matrix: Tensor) -> Tensor:
        """R, of shape (runs,)."""

    def logarithm(self, matrix: Tensor) -> Tensor:
        """The natural logarithm of R, of shape (runs,)."""

    def slope(self, matrix: Tensor) -> Tensor:
        """dR/dM, of shape (runs, n_L, n_0)."""

    def log_slope(self, matrix: Tensor) -> Tensor:
        """D log R/dM, of shape (runs, n_L, n_0)."""

    def of_outputs(self) -> LossOfOutputs:
        """The loss as a function of the outputs for `inputs`, written in operations that autograd knows."""

    def field(self) -> Callable[[int, Array], Array]:
        """The function from the number of a run and its M, an array (n_L, n_0), to dR/dM in the same shape."""


@dataclass(frozen=True)
class MomentLoss:
    """The squared loss by second moments.

    Attributes:
        cross: Z, of shape (runs, n_L, n_0).
        moment: S, of shape (runs, n_0, n_0); None for white inputs.
        solution: M*, of shape (runs, n_L, n_0).
    """

    cross: Tensor
    moment: Tensor | None
    solution: Tensor

    @property
    def by_logarithm(self) -> bool:
        """Whether R is computed from log R."""
        return False

    @property
    def inputs(self) -> Tensor:
        """As many samples as inputs, with the second moment S."""
        return self._data[0]

    @property
    def _data(self) -> tuple[Tensor, Tensor]:
        """Samples with the second moments S and Z."""
        if self.moment is None:
            size = self.cross.shape[-1]
            return torch.eye(size, dtype=torch.float64).expand(len(self.cross), -1, -1), self.cross
        return data_of(self.moment, self.cross)

    def value(self, matrix: Tensor) -> Tensor:
        """R, of shape (runs,)."""
        away = matrix - self.solution
        weighted = away if self.moment is None else away @ self.moment
        return (away * weighted).sum((-2, -1)) / 2

    def logarithm(self, matrix: Tensor) -> Tensor:
        """The natural logarithm of R."""
        return self.value(matrix).log()

    def slope(self, matrix: Tensor) -> Tensor:
        """M S - Z."""
        return (matrix if self.moment is None else matrix @ self.moment) - self.cross

    def log_slope(self, matrix: Tensor) -> Tensor:
        """(M S - Z) / R."""
        return self.slope(matrix) / self.value(matrix)[:, None, None]

    def of_outputs(self) -> LossOfOutputs:
        """1/2 sum_i |y_i - f_i|^2."""
        outputs = self._data[1]
        return lambda found: (outputs.clone() - found).square().sum((-2, -1)) / 2

    def field(self) -> Callable[[int, Array], Array]:
        """M S - Z for one run, in numpy."""
        cross = array_of(self.cross)
        if self.moment is None:
            return lambda run, matrix: matrix - cross[run]
        moment = array_of(self.moment)

        def slope(run: int, matrix: Array) -> Array:
            found: Array = matrix @ moment[run] - cross[run]
            return found

        return slope


def moment_loss(cross: Tensor, moment: Tensor | None) -> MomentLoss:
    """The squared loss by second moments, with its solution M* = Z S^-1.

    Args:
        cross: Z, of shape (runs, n_L, n_0).
        moment: S, positive definite, of shape (runs, n_0, n_0); None for white inputs.
    """
    if moment is None:
        return MomentLoss(cross, None, cross)
    solution = each_run(lambda one, two: torch.linalg.solve(one, two.mT).mT, moment, cross)
    return MomentLoss(cross, moment, solution)


@dataclass(frozen=True)
class MarginLoss:
    """A loss of margins y_i M x_i, with one output.

    Attributes:
        name: l.
        signed: y_i x_i, of shape (runs, samples, n_0).
    """

    name: LossName
    signed: Tensor

    @property
    def by_logarithm(self) -> bool:
        """Whether R is computed from log R."""
        return True

    @property
    def inputs(self) -> Tensor:
        """The signed points as columns: the output for y x is the margin of x."""
        return self.signed.mT

    def _parts(self, matrix: Tensor) -> tuple[Tensor, Tensor]:
        """Log R, (runs,), and d log R / dM."""
        value, gradient = batched_log_risk(self.name, (self.signed @ matrix.mT)[..., 0])
        return value, gradient[..., None, :] @ self.signed

    def value(self, matrix: Tensor) -> Tensor:
        """R, of shape (runs,)."""
        return self.logarithm(matrix).exp()

    def logarithm(self, matrix: Tensor) -> Tensor:
        """Log R, which does not underflow."""
        return self._parts(matrix)[0]

    def slope(self, matrix: Tensor) -> Tensor:
        """R d log R/dM."""
        value, gradient = self._parts(matrix)
        return value.exp()[:, None, None] * gradient

    def log_slope(self, matrix: Tensor) -> Tensor:
        """D log R/dM."""
        return self._parts(matrix)[1]

    def of_outputs(self) -> LossOfOutputs:
        """The mean of l over the margins, which are the outputs."""
        losses: dict[LossName, LossOfOutputs] = {
            "logistic": lambda margins: torch.nn.functional.softplus(-margins),
            "exponential": lambda margins: (-margins).exp(),
            "squared": lambda margins: (1 - margins).square() / 2,
        }
        single = losses[self.name]
        return lambda found: single(found[..., 0, :]).mean(-1)

    def field(self) -> Callable[[int, Array], Array]:
        """dR/dM for one run, in numpy."""
        return risk_field(self.name, [array_of(rows) for rows in self.signed])


@dataclass(frozen=True)
class SampleLoss:
    """The squared loss, or the cross-entropy of one-hot labels, on samples.

    Attributes:
        name: `squared` or `cross-entropy`.
        x: inputs, of shape (runs, samples, n_0).
        y: outputs or one-hot labels, of shape (runs, samples, n_L).
    """

    name: str
    x: Tensor
    y: Tensor

    @property
    def by_logarithm(self) -> bool:
        """Whether R is computed from log R."""
        return self.name != "squared"

    @property
    def inputs(self) -> Tensor:
        """The inputs as columns."""
        return self.x.mT

    def value(self, matrix: Tensor) -> Tensor:
        """R, of shape (runs,)."""
        if self.name == "squared":
            return (self.x @ matrix.mT - self.y).square().sum((-2, -1)) / (2 * self.x.shape[-2])
        return self.logarithm(matrix).exp()

    def logarithm(self, matrix: Tensor) -> Tensor:
        """Log R; for the cross-entropy by log(1 + e^-m) of the soft margins m, which does not underflow."""
        if self.name == "squared":
            return self.value(matrix).log()
        logits, right = self.x @ matrix.mT, self.y > 0
        others = logits.masked_fill(right, -torch.inf).logsumexp(-1)
        margins = logits.masked_fill(~right, 0.0).sum(-1) - others
        near = margins.clamp_max(LINEAR_FROM)
        logs = (-near).exp().log1p().log() + (near - margins)
        return logs.logsumexp(-1) - math.log(margins.shape[-1])

    def slope(self, matrix: Tensor) -> Tensor:
        """dR/dM."""
        if self.name == "squared":
            return (self.x @ matrix.mT - self.y).mT @ self.x / self.x.shape[-2]
        return cross_entropy_gradient([matrix], self.x, self.y)[1][0]

    def log_slope(self, matrix: Tensor) -> Tensor:
        """D log R/dM."""
        if self.name == "squared":
            return self.slope(matrix) / self.value(matrix)[:, None, None]
        return cross_entropy_log_gradient([matrix], self.x, self.y)[1][0]

    def of_outputs(self) -> LossOfOutputs:
        """The mean loss of the outputs."""
        y, name = self.y, self.name

        def loss(found: Tensor) -> Tensor:
            wanted = y.clone().mT
            if name == "squared":
                return (found - wanted).square().sum((-2, -1)) / (2 * found.shape[-1])
            return -(wanted * torch.log_softmax(found, -2)).sum(-2).mean(-1)

        return loss

    def field(self) -> Callable[[int, Array], Array]:
        """dR/dM for one run, by the tensors of this run."""

        def slope(run: int, matrix: Array) -> Array:
            one = SampleLoss(self.name, self.x[run : run + 1], self.y[run : run + 1])
            return array_of(one.slope(torch.from_numpy(matrix)[None])[0])

        return slope
