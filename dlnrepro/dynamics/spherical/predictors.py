"""Predictors at given angles to the teacher v = e_1, and the population gradient at each of them by quadrature."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.spherical.plane_quadrature import plane_gradient
from dlnrepro.dynamics.spherical.symmetric_inputs import SymmetricInputs
from dlnrepro.dynamics.starts.balanced import draw_strength, hidden_frames, isometric_layers
from dlnrepro.dynamics.starts.draws import directions, uniform
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run


class Predictors(NamedTuple):
    """Several predictors w of one run.

    Attributes:
        norms: |w|, of shape (points,).
        angles: theta between w and the teacher in radians, in (0, pi), of shape (points,).
        sides: unit vectors perpendicular to the teacher in the plane of w and the teacher, of shape (points, inputs).
    """

    norms: Array
    angles: Array
    sides: Array

    @property
    def units(self) -> Array:
        """The predictors scaled to length 1, of shape (points, inputs)."""
        teacher = np.eye(self.sides.shape[1])[0]
        return np.asarray(np.cos(self.angles)[:, None] * teacher + np.sin(self.angles)[:, None] * self.sides)


def draw_predictors(
    inputs: int, points: int, norm: tuple[float, float], generators: Sequence[Generator]
) -> list[Predictors]:
    """Predictors of every run, at the middles of equal intervals of angle in (0, pi), with log-uniform norms.

    Args:
        inputs: n_0, at least 2.
        points: the number of predictors of each run.
        norm: range of |w|.
        generators: one per run.
    """
    angles = np.pi * (np.arange(points) + 0.5) / points
    shares = array_of(uniform((points,), 0.0, 1.0, generators))
    low, high = norm
    span = math.log(high / low)
    drawn = []
    for share, generator in zip(shares, generators, strict=True):
        sides = array_of(directions(inputs - 1, [generator] * points))
        flat = np.concatenate([np.zeros((points, 1)), sides], axis=1)
        drawn.append(Predictors(low * np.exp(span * share), angles, flat))
    return drawn


def population_push(
    inputs: SymmetricInputs, pull: Callable[[Array], Array], mix: Array, predictors: Predictors
) -> Array:
    """The vectors -grad R(w), of shape (points, inputs), by quadrature in the plane of A w and A v.

    Args:
        inputs: the law of the symmetric inputs z; the inputs of the classifier are A z.
        pull: the negative slope -l' of the loss.
        mix: A, of shape (inputs, inputs).
        predictors: the predictors w.
    """
    teacher = mix[0] / math.sqrt(mix[0] @ mix[0])
    seen = predictors.norms[:, None] * (predictors.units @ mix)
    norms = np.sqrt((seen**2).sum(1))
    heights = seen @ teacher
    rest = seen - heights[:, None] * teacher
    widths = np.sqrt((rest**2).sum(1))
    along, across = plane_gradient(inputs, pull, norms, np.arctan2(widths, heights))
    return np.asarray((along[:, None] * teacher + across[:, None] * rest / widths[:, None]) @ mix)


def draw_balanced_layers(
    inputs: int,
    hidden: Sequence[int],
    angle: tuple[float, float],
    norm: tuple[float, float],
    generators: Sequence[Generator],
) -> list[Tensor]:
    """Balanced layers W_1 .. W_L of a predictor w = (W_L ... W_1)^T in a uniform direction around the teacher.

    The angle, the direction, the norm and the hidden directions are drawn in this order.

    Args:
        inputs: n_0, at least 2.
        hidden: n_1 .. n_(L-1); empty for a single layer.
        angle: range of the angle between w and the teacher, in radians, which is drawn uniformly.
        norm: range of |w|, which is drawn log-uniformly.
        generators: one per run.

    Returns:
        W_l of shape (runs, n_l, n_(l-1)), with n_L = 1.
    """
    angles, sides = uniform((), *angle, generators), directions(inputs - 1, generators)
    right = torch.cat([each_run(torch.cos, angles)[:, None], each_run(torch.sin, angles)[:, None] * sides], dim=-1)
    strength = draw_strength(*norm, generators)
    last = torch.ones(len(generators), 1, 1, dtype=torch.float64)
    return isometric_layers([right[..., None], *hidden_frames(hidden, 1, generators), last], strength)
