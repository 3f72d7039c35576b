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

A symmetric law is given as z = s z', where z' has a basic law and s is one of a few factors, independent of z'. Then
h is the mean of s h', and g(r) is the mean of s g'(s r), with h' and g' of the basic law.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from scipy.special import roots_gegenbauer
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import directions, normal, uniform
from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of

InputLaw = Literal["sphere", "gaussian"]

NODES = 600
"""Nodes of the one-dimensional rules: tanh(r x / 2) has poles at distance pi / r, and g is exact for r <= 60."""

FACTORS = 2
"""The number of factors of a mixture that is drawn."""


class SymmetricInputs(NamedTuple):
    """A law of the inputs that every orthogonal map leaves as it is: z = s z'.

    Attributes:
        law: the basic law of z', uniform on the unit sphere or standard normal.
        dimension: n_0, at least 2.
        factors: the values of s, which are above 0, of shape (count,).
        shares: their probabilities, of shape (count,).
    """

    law: InputLaw
    dimension: int
    factors: Array
    shares: Array


def plain_inputs(law: InputLaw, dimension: int) -> SymmetricInputs:
    """Inputs that have a basic law."""
    return SymmetricInputs(law, dimension, np.ones(1), np.ones(1))


def draw_inputs(
    law: InputLaw, dimension: int, factors: tuple[float, float], generators: Sequence[Generator]
) -> list[SymmetricInputs]:
    """For each run a mixture: two log-uniform factors in a range, and a uniform probability of the first one.

    If the range is a single number, nothing is drawn and this number is the only factor.

    Args:
        law: the basic law.
        dimension: n_0.
        factors: the range of the factors.
        generators: one per run.
    """
    low, high = factors
    if low == high:
        return [SymmetricInputs(law, dimension, np.array([low]), np.ones(1))] * len(generators)
    places = array_of(uniform((FACTORS,), 0.0, 1.0, generators))
    cuts = np.sort(array_of(uniform((FACTORS - 1,), 0.0, 1.0, generators)), axis=-1)
    return [
        SymmetricInputs(law, dimension, low * np.exp(math.log(high / low) * place), np.diff([0.0, *cut, 1.0]))
        for place, cut in zip(places, cuts, strict=True)
    ]


def teacher_pull(inputs: SymmetricInputs) -> float:
    """The constant h = c_0 / pi = E|z_1| / 2; on the unit circle c_0 = 1, and a normal law has c_0 = sqrt(pi / 2)."""
    scale = float(inputs.shares @ inputs.factors)
    if inputs.law == "gaussian":
        return scale * math.sqrt(1 / (2 * math.pi))
    half = inputs.dimension / 2
    return scale * math.exp(math.lgamma(half) - math.lgamma(half + 0.5)) / (2 * math.sqrt(math.pi))


def space_pull(inputs: SymmetricInputs) -> float:
    """The mean length of the whole input over pi, which is equal to `teacher_pull` only in two dimensions."""
    half = inputs.dimension / 2
    whole = math.exp(math.lgamma(half + 0.5) - math.lgamma(half)) * math.sqrt(2)
    return float(inputs.shares @ inputs.factors) * (1.0 if inputs.law == "sphere" else whole) / math.pi


def radial_pull(inputs: SymmetricInputs) -> Callable[[float], float]:
    """The function r -> g(r) = E[z_1 tanh(r z_1 / 2)] / 2, which rises from 0 towards h.

    It is exact to rounding if r times the largest factor is at most 60.
    """
    places, moments = _first_moments(inputs.law, inputs.dimension)
    half = np.multiply.outer(inputs.factors, places / 2)
    weights = inputs.shares * inputs.factors

    def pull(norm: float) -> float:
        return float(weights @ (np.tanh(norm * half) @ moments))

    return pull


def _first_moments(law: InputLaw, dimension: int) -> tuple[Array, Array]:
    """Nodes x > 0 of the first coordinate of z', and half their weights times x."""
    if law == "gaussian":
        # The midpoint rule is exact to rounding for functions that are analytic near the axis and fall off fast.
        places = (np.arange(NODES) + 0.5) * (9 / NODES)
        weights = np.exp(-(places**2) / 2)
    elif dimension == 2:
        places, weights = np.cos(np.pi * (np.arange(NODES) + 0.5) / (2 * NODES)), np.ones(NODES)
    else:  # z_1 has a density in proportion to (1 - x^2)^((dimension - 3) / 2)
        places, weights = roots_gegenbauer(2 * NODES, (dimension - 2) / 2)
        places, weights = places[NODES:], weights[NODES:]
    return np.asarray(places), np.asarray(places * weights / (2 * weights.sum()))


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


def population_gradient(inputs: SymmetricInputs, mix: Array) -> Callable[[Array], Array]:
    """The function from w, of shape (dimension,) and not zero, to grad R(w)."""
    pull = radial_pull(inputs)
    teacher = teacher_pull(inputs) * mix[:, 0] / math.sqrt(mix[:, 0] @ mix[:, 0])

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


def draw_sample(inputs: Sequence[SymmetricInputs], samples: int, mix: Array, generators: Sequence[Generator]) -> Tensor:
    """Signed points y_i x_i, of shape (runs, samples, dimension), with y_i the sign of the first coordinate of x_i."""
    law, dimension = inputs[0].law, inputs[0].dimension
    if law == "gaussian":
        points = normal((samples, dimension), generators)
    else:
        points = torch.stack([directions(dimension, [generator] * samples) for generator in generators])
    if len(inputs[0].factors) > 1:
        turns = array_of(uniform((samples,), 0.0, 1.0, generators))
        chosen = [
            own.factors[np.searchsorted(own.shares.cumsum()[:-1], turn)]
            for own, turn in zip(inputs, turns, strict=True)
        ]
        points = points * tensor_of(np.stack(chosen))[..., None]
    else:
        points = points * float(inputs[0].factors[0])
    mixed = torch.stack([own @ tensor_of(mix) for own in points])
    return mixed * torch.sign(mixed[..., :1])


def risk_gradients(
    inputs: Sequence[SymmetricInputs], samples: int, mix: Array, generators: Sequence[Generator]
) -> list[Callable[[Array], Array]]:
    """For each run the function from w to grad R(w).

    Args:
        inputs: the law of z of each run.
        samples: the size of a fixed sample, drawn from each run's generator; 0 for the population.
        mix: A, of shape (dimension, dimension).
        generators: one per run.
    """
    if samples == 0:
        return [population_gradient(own, mix) for own in inputs]
    return [sample_gradient(own) for own in array_of(draw_sample(inputs, samples, mix, generators))]
