"""Losses of a factorised matrix: regression with two losses, and the completion of a matrix with missing entries.

R(W) = sum_ij K_ij rho(Y_ij - (W X)_ij). For regression X and Y are n samples, one per column, and K_ij = 1/n, with
rho(r) = r^2 / 2 (`squared`) or log cosh r (`log-cosh`). For completion (`completion`) X is the identity, Y the matrix
whose entries are observed where K_ij = 1 and missing where K_ij = 0, and rho(r) = r^2 / 2.

Two routes lead to gradients: the formula dR/dW = -(K o rho'(Y - W X)) X^T for the solvers of a flow, and autograd of R
on the outputs of the network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.plain import Loss
from dlnrepro.dynamics.starts.draws import normal, uniform
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run

LossName = Literal["squared", "log-cosh", "completion"]
OBSERVED = 0.6
"""The probability with which an entry of a matrix is observed."""


@dataclass(frozen=True)
class Problem:
    """A loss with its data, one for every run.

    Attributes:
        loss: its name.
        inputs: X, of shape (runs, n_0, samples).
        outputs: Y, of shape (runs, n_L, samples).
        counted: K, of shape (runs, n_L, samples).
    """

    loss: LossName
    inputs: Tensor
    outputs: Tensor
    counted: Tensor

    def field(self) -> Callable[[int, Array], Array]:
        """The function from the index of a run and its product W to dR/dW, by the formula of the module."""
        inputs, outputs, counted = (array_of(part) for part in (self.inputs, self.outputs, self.counted))
        slope = np.tanh if self.loss == "log-cosh" else np.asarray

        def gradient(run: int, product: Array) -> Array:
            rest = outputs[run] - product @ inputs[run]
            found: Array = -(counted[run] * slope(rest)) @ inputs[run].T
            return found

        return gradient

    @property
    def plain(self) -> Loss:
        """R of networks of shape (runs, points, ...), from their outputs, for autograd."""

        def loss(weights: Sequence[Tensor]) -> Tensor:
            # Clones, because the data may have been drawn in inference mode.
            signal = self.inputs.clone()[:, None]
            for weight in weights:
                signal = weight @ signal
            rest = self.outputs.clone()[:, None] - signal
            if self.loss == "log-cosh":
                cost = rest.abs() + torch.log1p(torch.exp(-2 * rest.abs())) - math.log(2)
            else:
                cost = rest.square() / 2
            return (self.counted.clone()[:, None] * cost).sum((-2, -1))

        return loss

    @property
    def steepness(self) -> Tensor:
        """A bound of the second derivatives of R with respect to W, max K ||X||_2^2, of shape (runs,)."""
        width = each_run(lambda data: torch.linalg.matrix_norm(data, ord=2), self.inputs)
        return self.counted.amax((-2, -1)) * width * width

    @property
    def size(self) -> Tensor:
        """The Frobenius norm of the W of least norm for which W X is nearest to Y, of shape (runs,)."""
        return each_run(
            lambda data, labels: torch.linalg.matrix_norm(labels @ torch.linalg.pinv(data)), self.inputs, self.outputs
        )


def draw_problem(loss: LossName, inputs: int, outputs: int, samples: int, generators: Sequence[Generator]) -> Problem:
    """Gaussian data: inputs and outputs of samples, or a Gaussian matrix with entries observed at random.

    Args:
        loss: its name.
        inputs: n_0.
        outputs: n_L.
        samples: the number of samples of a regression.
        generators: one per run.
    """
    if loss == "completion":
        matrix = normal((outputs, inputs), generators)
        seen = (uniform((outputs, inputs), 0.0, 1.0, generators) < OBSERVED).to(torch.float64)
        return Problem(loss, torch.eye(inputs, dtype=torch.float64).expand(len(generators), -1, -1), matrix, seen)
    data, labels = normal((inputs, samples), generators), normal((outputs, samples), generators)
    return Problem(loss, data, labels, torch.full_like(labels, 1 / samples))
