"""The gradient of a classifier's risk on spherically symmetric inputs, integrated from its definition.

    -grad R(w) = E[-l'(y w^T z) y z],   y = sgn(v^T z)

Only the plane of teacher v and predictor w matters. There z = rho (cos phi, sin phi), with phi uniform and rho
distributed by the law of the inputs, v = (1, 0), and w = r (cos theta, sin theta). Both z and -z have the same y z.
Therefore half the circle is enough, on which y = 1 and the integrand is smooth. The integrand changes over an angle of
1 / (r rho) where w^T z = 0. This is inside the half circle and, for w near the axis of v, just outside its ends. The
panels of the quadrature therefore shrink towards all three points.

This is the slow second route to `symmetric_inputs.population_gradient`, and it shares no code with it. `mean_length`
is a second route to c_0 in the same sense, and `risk_gradient` leaves the derivative of a network's risk to autograd.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from dlnrepro.dynamics.spherical.symmetric_inputs import InputLaw, SymmetricInputs
from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of

_FINE, _COARSE = 12, 5
_HALVINGS = 9
_FARTHEST = 9.0
"""Largest length rho for a normal law; the probability of a larger one is below 1e-17."""


def logistic_pull(margins: Array) -> Array:
    """The negative slope -l'(m) = 1 / (1 + e^m) of the loss l(m) = log(1 + e^(-m))."""
    return np.asarray((1 - np.tanh(margins / 2)) / 2)


def exponential_pull(margins: Array) -> Array:
    """The negative slope -l'(m) = e^(-m) of the loss l(m) = e^(-m)."""
    return np.exp(-margins)


def mean_length(inputs: SymmetricInputs) -> float:
    """The constant c_0, the mean length of the inputs' projection on a plane, by quadrature over that length."""
    radii, shares = _radii(inputs)
    return float(shares @ radii)


def plane_gradient(
    inputs: SymmetricInputs, pull: Callable[[Array], Array], norms: Array, angles: Array
) -> tuple[Array, Array]:
    """The components of -grad R(w) along v and along the part of w perpendicular to v.

    Args:
        inputs: the law of the inputs.
        pull: the negative slope -l' of the loss.
        norms: r = |w|, up to about 100, of shape (points,).
        angles: theta between w and v in radians, in (0, pi), of shape (points,).

    Returns:
        Two arrays of shape (points,).
    """
    radii, shares = _radii(inputs)
    along, across = np.empty_like(norms), np.empty_like(norms)
    for point, (norm, angle) in enumerate(zip(norms, angles, strict=True)):
        bend = angle - np.pi / 2
        turns, weights = _between(-np.pi / 2, bend, np.pi / 2)
        pushes = pull(norm * radii[:, None] * np.cos(turns - angle))
        mean = (shares * radii) @ pushes * weights / np.pi
        along[point], across[point] = mean @ np.cos(turns), mean @ np.sin(turns)
    return along, across


@torch.inference_mode(False)  # the caller may have switched autograd off
def risk_gradient(inputs: SymmetricInputs, mix: Array, weights: Sequence[Tensor]) -> list[Tensor]:
    """The gradient in W_1 .. W_L of R = E log(1 + exp(-y f(x))), f(x) = W_L ... W_1 x, of one network, by autograd.

    The inputs x = A z lie at the nodes of the plane of A v and A w, which are coarse: the relative error is about 1e-6.
    The part of z across this plane changes neither y nor f(x), and its mean given the part inside the plane is zero; so
    it does not change the gradient.

    Args:
        inputs: the law of z.
        mix: A, of shape (dimension, dimension).
        weights: W_1 .. W_L, W_l of shape (n_l, n_(l-1)), with n_L = 1.
    """
    layers = [weight.detach().clone().requires_grad_() for weight in weights]
    predictor = np.linalg.multi_dot([*(array_of(weight.detach()) for weight in reversed(weights)), mix])[0]
    teacher = mix[0] / math.sqrt(mix[0] @ mix[0])
    height = float(predictor @ teacher)
    rest = predictor - height * teacher
    width = math.sqrt(rest @ rest)
    radii, shares = _radii(inputs, _COARSE)
    turns, spans = _between(-np.pi / 2, math.atan2(width, height) - np.pi / 2, np.pi / 2, _COARSE)
    circle = np.cos(turns)[:, None] * teacher + np.sin(turns)[:, None] * rest / width
    signals = points = tensor_of((radii[:, None, None] * circle @ mix).reshape(-1, len(mix)))
    for layer in layers:
        signals = signals @ layer.mT
    risks = torch.nn.functional.softplus(-torch.sign(points[:, 0]) * signals[:, 0])
    mean = (risks * tensor_of(np.multiply.outer(shares, spans / np.pi).ravel())).sum()
    return list(torch.autograd.grad(mean, layers))


def _radii(inputs: SymmetricInputs, points: int = _FINE) -> tuple[Array, Array]:
    """Lengths rho of the inputs' projection on a plane, and their probabilities."""
    radii, shares = _basic_radii(inputs.law, inputs.dimension, points)
    return np.multiply.outer(inputs.factors, radii).ravel(), np.multiply.outer(inputs.shares, shares).ravel()


def _basic_radii(law: InputLaw, dimension: int, points: int) -> tuple[Array, Array]:
    """Lengths rho of the projection on a plane for a basic law, and their probabilities.

    On the sphere rho = sin(alpha), where alpha has a density proportional to sin(alpha) cos(alpha)^(dimension - 3) on
    [0, pi / 2]; on the circle rho = 1. For a normal law rho has the density rho exp(-rho^2 / 2).
    """
    if law == "gaussian":
        radii, weights = _graded(_FARTHEST, points)
        density = radii * np.exp(-(radii**2) / 2)
    elif dimension == 2:
        return np.ones(1), np.ones(1)
    else:
        turns, weights = _graded(np.pi / 2, points)
        radii, density = np.sin(turns), np.sin(turns) * np.cos(turns) ** (dimension - 3)
    shares = weights * density
    return radii, shares / shares.sum()


def _between(low: float, middle: float, high: float, points: int = _FINE) -> tuple[Array, Array]:
    """Nodes and weights on [low, high], on panels that shrink towards both ends and towards the middle point."""
    left, left_weights = _graded((middle - low) / 2, points)
    right, right_weights = _graded((high - middle) / 2, points)
    nodes = np.concatenate([low + left, middle - left, middle + right, high - right])
    return nodes, np.concatenate([left_weights, left_weights, right_weights, right_weights])


def _graded(length: float, points: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on [0, length], on panels that halve towards 0, some points on each."""
    places, weights = np.polynomial.legendre.leggauss(points)
    ends = length * 0.5 ** np.arange(_HALVINGS + 1)
    starts = np.append(ends[1:], 0.0)
    halves = (ends - starts) / 2
    nodes = (starts + halves)[:, None] + halves[:, None] * places
    return nodes.ravel(), (halves[:, None] * weights).ravel()
