"""The gradient of a classifier's risk on spherically symmetric inputs, integrated from its definition.

    -grad R(w) = E[-l'(y w^T z) y z],   y = sgn(v^T z)

Only the plane of teacher v and predictor w matters. There z = rho (cos phi, sin phi), with phi uniform and rho
distributed by the law of the inputs, v = (1, 0), and w = r (cos theta, sin theta). Both z and -z have the same y z.
Therefore half the circle is enough, on which y = 1 and the integrand is smooth. The integrand changes over an angle of
1 / (r rho) where w^T z = 0. This is inside the half circle and, for w near the axis of v, just outside its ends. The
panels of the quadrature therefore shrink towards all three points.

This is the slow second route to `symmetric_inputs.population_gradient`, and it shares no code with it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlnrepro.dynamics.spherical.symmetric_inputs import InputLaw
from dlnrepro.dynamics.tensors.arrays import Array

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_HALVINGS = 9
_FARTHEST = 9.0
"""Largest length rho for a normal law; the probability of a larger one is below 1e-17."""


def logistic_pull(margins: Array) -> Array:
    """The negative slope -l'(m) = 1 / (1 + e^m) of the loss l(m) = log(1 + e^(-m))."""
    return np.asarray((1 - np.tanh(margins / 2)) / 2)


def exponential_pull(margins: Array) -> Array:
    """The negative slope -l'(m) = e^(-m) of the loss l(m) = e^(-m)."""
    return np.exp(-margins)


def plane_gradient(
    law: InputLaw, dimension: int, pull: Callable[[Array], Array], norms: Array, angles: Array
) -> tuple[Array, Array]:
    """The components of -grad R(w) along v and along the part of w perpendicular to v.

    Args:
        law: the law of the inputs, which lie in R^dimension.
        dimension: at least 2.
        pull: the negative slope -l' of the loss.
        norms: r = |w|, up to about 100, of shape (points,).
        angles: theta between w and v in radians, in (0, pi), of shape (points,).

    Returns:
        Two arrays of shape (points,).
    """
    radii, shares = _radii(law, dimension)
    along, across = np.empty_like(norms), np.empty_like(norms)
    for point, (norm, angle) in enumerate(zip(norms, angles, strict=True)):
        bend = angle - np.pi / 2
        turns, weights = _between(-np.pi / 2, bend, np.pi / 2)
        pushes = pull(norm * radii[:, None] * np.cos(turns - angle))
        mean = (shares * radii) @ pushes * weights / np.pi
        along[point], across[point] = mean @ np.cos(turns), mean @ np.sin(turns)
    return along, across


def _radii(law: InputLaw, dimension: int) -> tuple[Array, Array]:
    """Lengths rho of the inputs' projection on a plane, and their probabilities.

    On the sphere rho = sin(alpha), where alpha has a density proportional to sin(alpha) cos(alpha)^(dimension - 3) on
    [0, pi / 2]; on the circle rho = 1. For a normal law rho has the density rho exp(-rho^2 / 2).
    """
    if law == "gaussian":
        radii, weights = _graded(_FARTHEST)
        density = radii * np.exp(-(radii**2) / 2)
    elif dimension == 2:
        return np.ones(1), np.ones(1)
    else:
        turns, weights = _graded(np.pi / 2)
        radii, density = np.sin(turns), np.sin(turns) * np.cos(turns) ** (dimension - 3)
    shares = weights * density
    return radii, shares / shares.sum()


def _between(low: float, middle: float, high: float) -> tuple[Array, Array]:
    """Nodes and weights on [low, high], on panels that shrink towards both ends and towards the middle point."""
    left, left_weights = _graded((middle - low) / 2)
    right, right_weights = _graded((high - middle) / 2)
    nodes = np.concatenate([low + left, middle - left, middle + right, high - right])
    return nodes, np.concatenate([left_weights, left_weights, right_weights, right_weights])


def _graded(length: float) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on [0, length], on panels that halve towards 0."""
    ends = length * 0.5 ** np.arange(_HALVINGS + 1)
    starts = np.append(ends[1:], 0.0)
    halves = (ends - starts) / 2
    nodes = (starts + halves)[:, None] + halves[:, None] * _POINTS
    return nodes.ravel(), (halves[:, None] * _WEIGHTS).ravel()
