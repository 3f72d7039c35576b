"""The logistic risk of a linear predictor on spherically symmetric inputs labelled by a teacher, with exact gradients.

Setting: R(w) = E log(1 + exp(-y w^T x)), y = sgn(v^T x), x = A z. The law of z is invariant under every orthogonal map,
and A is symmetric; the inputs x themselves are symmetric if A = I. The teacher v is the first basis vector. For
symmetric z this does not restrict the setting, and it keeps the part of w perpendicular to v, however small, at full
relative precision.

The sigmoid is 1/2 plus an odd function. The constant 1/2 leaves E[x; v^T x > 0], which lies along the teacher. The odd
function does not depend on the label, and leaves a radial field:

    -grad R(w) = A (h v' / |v'| - g(|w'|) w' / |w'|),   w' = A w, v' = A v,
    h = E|z_1| / 2 = c_0 / pi,   g(r) = E[z_1 tanh(r z_1 / 2)] / 2,

where c_0 is the mean length of the projection of z on a plane. The formula is derived here; `plane_quadrature`
integrates the definition instead. The setting is that of Lin, Sun and Zhang 2021 (NeurIPS 34).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from scipy.special import roots_gegenbauer
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import directions, normal
from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of

InputLaw = Literal["sphere", "gaussian"]

NODES = 600
"""Nodes of the one-dimensional rules: tanh(r x / 2) has poles at distance pi / r, and g is exact for r <= 60."""


def teacher_pull(law: InputLaw, dimension: int) -> float:
    """The constant h = c_0 / pi = E|z_1| / 2.

    Args:
        law: the law of z: uniform on the unit sphere of R^dimension, or standard normal.
        dimension: the dimension of the inputs, at least 2. On the circle c_0 = 1; a normal law has c_0 = sqrt(pi / 2).
    """
    if law == "gaussian":
        return math.sqrt(1 / (2 * math.pi))
    return math.exp(math.lgamma(dimension / 2) - math.lgamma((dimension + 1) / 2)) / (2 * math.sqrt(math.pi))


def space_pull(law: InputLaw, dimension: int) -> float:
    """The mean length of the whole input over pi, which is equal to `teacher_pull` only in two dimensions."""
    whole = math.exp(math.lgamma((dimension + 1) / 2) - math.lgamma(dimension / 2)) * math.sqrt(2)
    return (1.0 if law == "sphere" else whole) / math.pi


def radial_pull(law: InputLaw, dimension: int) -> Callable[[float], float]:
    """The function r -> g(r) = E[z_1 tanh(r z_1 / 2)] / 2 for r up to 60, which rises from 0 towards h."""
    if law == "gaussian":
        # The midpoint rule is exact to rounding for functions that are analytic near the axis and fall off fast.
        places = (np.arange(NODES) + 0.5) * (9 / NODES)
        weights = np.exp(-(places**2) / 2)
    elif dimension == 2:
        places, weights = np.cos(np.pi * (np.arange(NODES) + 0.5) / (2 * NODES)), np.ones(NODES)
    else:  # z_1 has a density in proportion to (1 - x^2)^((dimension - 3) / 2)
        places, weights = roots_gegenbauer(2 * NODES, (dimension - 2) / 2)
        places, weights = places[NODES:], weights[NODES:]
    moments = places * weights / (2 * weights.sum())
    half = places / 2

    def pull(norm: float) -> float:
        return float(moments @ np.tanh(norm * half))

    return pull


def mixing(dimension: int, stretch: float) -> Array:
    """A symmetric matrix A whose square has the condition number `stretch`, with the teacher between all its axes.

    The eigenvalues of A^2 are evenly spaced in the logarithm, from sqrt(stretch) to 1 / sqrt(stretch). For stretch = 1
    the matrix is the identity.

    Args:
        dimension: the dimension of the inputs.
        stretch: the condition number of A^2 (largest over smallest eigenvalue), at least 1.
    """
    if stretch == 1:
        return np.eye(dimension)
    mirror = np.ones(dimension) / math.sqrt(dimension) - np.eye(dimension)[0]
    reflection = np.eye(dimension) - 2 * np.outer(mirror, mirror) / (mirror @ mirror)
    return np.asarray(reflection * stretch ** np.linspace(0.25, -0.25, dimension) @ reflection)


def population_gradient(law: InputLaw, dimension: int, mix: Array) -> Callable[[Array], Array]:
    """The function from w, of shape (dimension,) and not zero, to grad R(w)."""
    pull = radial_pull(law, dimension)
    teacher = teacher_pull(law, dimension) * mix[:, 0] / math.sqrt(mix[:, 0] @ mix[:, 0])

    def gradient(predictor: Array) -> Array:
        seen = mix @ predictor
        norm = math.sqrt(seen @ seen)
        return np.asarray(mix @ (pull(norm) / norm * seen - teacher))

    return gradient


def sample_gradient(signed: Array) -> Callable[[Array], Array]:
    """The function from w to the gradient of the risk on a fixed sample, whose points y_i x_i are the rows given."""

    def gradient(predictor: Array) -> Array:
        doubt = (np.tanh(signed @ predictor / 2) - 1) / (2 * len(signed))
        return np.asarray(doubt @ signed)

    return gradient


def draw_sample(law: InputLaw, samples: int, mix: Array, generators: Sequence[Generator]) -> Tensor:
    """Signed points y_i x_i, of shape (runs, samples, dimension), with y_i the sign of the first coordinate of x_i."""
    dimension = len(mix)
    if law == "gaussian":
        points = normal((samples, dimension), generators)
    else:
        points = torch.stack([directions(dimension, [generator] * samples) for generator in generators])
    mixed = torch.stack([own @ tensor_of(mix) for own in points])
    return mixed * torch.sign(mixed[..., :1])


def risk_gradients(
    law: InputLaw, samples: int, mix: Array, generators: Sequence[Generator]
) -> list[Callable[[Array], Array]]:
    """For each run the function from w to grad R(w).

    Args:
        law: the law of z.
        samples: the size of a fixed sample, drawn from each run's generator; 0 for the population.
        mix: A, of shape (dimension, dimension).
        generators: one per run.
    """
    if samples == 0:
        return [population_gradient(law, len(mix), mix)] * len(generators)
    return [sample_gradient(own) for own in array_of(draw_sample(law, samples, mix, generators))]
