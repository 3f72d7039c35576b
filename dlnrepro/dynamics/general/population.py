"""The logistic loss of all inputs that have a spherically symmetric law, labelled by a teacher: no samples are drawn.

    R(w) = E log(1 + exp(-y w^T x)),   y = sgn(v^T x),   v = e_1,   M = w^T
         = E log(2 cosh(r z / 2)) - h w_1,   r = |w|,   z = x_1,   h = E|z| / 2

With m = y w^T x, log(1 + e^-m) = log(2 cosh(m/2)) - m/2. The first term does not depend on the label, and its mean is
one over a single coordinate; the mean of m/2 is h w_1. The gradient is that of `dlnrepro.dynamics.spherical`. The plain
route is the quadrature of that package in the plane of w and v, from the definition of R.

Setting: Lin, Sun and Zhang, NeurIPS 2021. Because the law is symmetric, any v may be the first basis vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import roots_gegenbauer
from torch import Tensor

from dlnrepro.dynamics.general.losses import MomentLoss, moment_loss
from dlnrepro.dynamics.general.plain import LossOfOutputs
from dlnrepro.dynamics.spherical.plane_quadrature import logistic_pull, plane_gradient
from dlnrepro.dynamics.spherical.symmetric_inputs import InputLaw, plain_inputs, population_gradient, teacher_pull
from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of

NODES = 600
"""Nodes of the mean over one coordinate, which is exact to rounding for |w| up to 60."""


@dataclass(frozen=True)
class PopulationLoss:
    """The logistic loss of a whole population of inputs, with one output.

    Attributes:
        law: of the inputs: uniform on the unit sphere, or standard normal.
        dimension: n_0, at least 2.
        runs: the number of runs, which all have this loss.
        places: values of |z|, of shape (nodes,).
        shares: their probabilities, of shape (nodes,).
    """

    law: InputLaw
    dimension: int
    runs: int
    places: Tensor
    shares: Tensor

    @property
    def by_logarithm(self) -> bool:
        """Whether R is computed from log R."""
        return False

    @property
    def inputs(self) -> Tensor:
        """The basis vectors: the outputs of the plain route are the entries of w."""
        return torch.eye(self.dimension, dtype=torch.float64).expand(self.runs, -1, -1)

    def value(self, matrix: Tensor) -> Tensor:
        """R, of shape (runs,)."""
        predictor = matrix[..., 0, :]
        reach = torch.linalg.vector_norm(predictor, dim=-1, keepdim=True) * self.places
        even: Tensor = ((reach / 2 + (-reach).exp().log1p()) * self.shares).sum(-1)
        return even - teacher_pull(plain_inputs(self.law, self.dimension)) * predictor[..., 0]

    def logarithm(self, matrix: Tensor) -> Tensor:
        """The natural logarithm of R."""
        return self.value(matrix).log()

    def slope(self, matrix: Tensor) -> Tensor:
        """dR/dM, of shape (runs, 1, n_0)."""
        field = self.field()
        return tensor_of(np.stack([field(run, own) for run, own in enumerate(array_of(matrix))]))

    def log_slope(self, matrix: Tensor) -> Tensor:
        """D log R/dM."""
        return self.slope(matrix) / self.value(matrix)[:, None, None]

    def of_outputs(self) -> LossOfOutputs:
        """A linear function of w with the gradient of R at this w, which is a quadrature in the plane of w and v."""

        def loss(found: Tensor) -> Tensor:
            slopes = [self._by_quadrature(own[0]) for own in array_of(found.detach())]
            return (tensor_of(np.stack(slopes)) * found[..., 0, :]).sum(-1)

        return loss

    def field(self) -> Callable[[int, Array], Array]:
        """dR/dM for one run, in numpy."""
        inputs = plain_inputs(self.law, self.dimension)
        gradient, height = population_gradient(inputs, np.eye(self.dimension)), teacher_pull(inputs)

        def slope(_: int, matrix: Array) -> Array:
            if not matrix.any():  # the even part has no slope at w = 0
                return np.asarray(-height * np.eye(1, self.dimension))
            return gradient(matrix[0])[None]

        return slope

    def _by_quadrature(self, predictor: Array) -> Array:
        """dR/dw of one run from the definition of R."""
        if not np.isfinite(predictor).all():
            return np.full_like(predictor, np.nan)
        side = predictor.copy()
        side[0] = 0.0
        width = math.sqrt(side @ side)
        norm, angle = math.hypot(predictor[0], width), math.atan2(width, predictor[0])
        inputs = plain_inputs(self.law, self.dimension)
        along, across = plane_gradient(inputs, logistic_pull, np.array([norm]), np.array([angle]))
        teacher = np.eye(self.dimension)[0]
        return np.asarray(-along * teacher - (across * side / width if width else 0.0))


def population_loss(law: InputLaw, dimension: int, runs: int) -> PopulationLoss:
    """The logistic loss of all inputs with a law.

    Args:
        law: uniform on the unit sphere, or standard normal.
        dimension: n_0, at least 2.
        runs: the number of runs.
    """
    places, weights = _coordinate(law, dimension)
    return PopulationLoss(law, dimension, runs, tensor_of(places), tensor_of(weights / weights.sum()))


def squared_population_loss(law: InputLaw, dimension: int, runs: int) -> MomentLoss:
    """The squared loss of the same inputs and labels: S = E z^2 I and Z = 2 h v^T.

    Args:
        law: uniform on the unit sphere, or standard normal.
        dimension: n_0, at least 2.
        runs: the number of runs.
    """
    spread = 1.0 if law == "gaussian" else 1 / dimension
    cross = torch.zeros(runs, 1, dimension, dtype=torch.float64)
    cross[..., 0] = 2 * teacher_pull(plain_inputs(law, dimension))
    return moment_loss(cross, spread * torch.eye(dimension, dtype=torch.float64).expand(runs, -1, -1))


def _coordinate(law: InputLaw, dimension: int) -> tuple[Array, Array]:
    """Values of |z| and weights in proportion to their probabilities, for means of even and analytic functions of z."""
    middles = (np.arange(NODES) + 0.5) / NODES
    if law == "gaussian":  # the midpoint rule; |z| exceeds 9 with a probability below 1e-18
        return 9 * middles, np.exp(-((9 * middles) ** 2) / 2)
    if dimension == 2:
        return np.cos(np.pi / 2 * middles), np.ones(NODES)
    places, weights = roots_gegenbauer(2 * NODES, (dimension - 2) / 2)
    return np.asarray(places[NODES:]), np.asarray(weights[NODES:])
