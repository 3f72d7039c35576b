"""Gradient flow of the parameters of any linear network, with a learning rate for each parameter.

    dV/dt = -c_V dR/dV

A path of dense layers is followed by `training.gradient_flow` as it is. For every other network the same solver follows
all parameters as one row theta, which it takes for the only layer of a chain: its gradient is then dR/dtheta itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dlnrepro.dynamics.general.architecture import Architecture
from dlnrepro.dynamics.tensors.arrays import Array, Weights, tensor_of
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.training.gradient_flow import flattened, flow, velocities_of

Field = Callable[[int, Array], Array]
"""From the number of a run and a matrix to a matrix of the same shape."""


class Chain(NamedTuple):
    """What the solver follows.

    Attributes:
        weights: its layers at time 0, each of shape (runs, rows, columns).
        field: from the number of a run and the product of the layers to the gradient on the product.
        rates: a learning rate for each layer.
    """

    weights: Weights
    field: Field
    rates: Sequence[float]


def path_of(
    architecture: Architecture,
    weights: Sequence[Tensor],
    field: Field,
    times: Tensor,
    rates: Sequence[float],
    tolerances: tuple[float, float],
    progress: Progress,
) -> Weights:
    """The parameters at given times, each of shape (runs, points, ...); NaN from where a run stopped.

    Args:
        architecture: the layers.
        weights: the parameters at time 0, each of shape (runs, ...).
        field: from the number of a run and its matrix M to dR/dM.
        times: the recorded times, rising, of shape (points,).
        rates: the learning rate of each parameter.
        tolerances: the relative and the absolute tolerance of the solver per step.
        progress: called with the fraction done; may raise to stop.
    """
    chain = _chain_of(architecture, weights, field, rates)
    return _parts(architecture, flow(chain.weights, chain.field, times, chain.rates, *tolerances, progress))


def followed_gradient(architecture: Architecture, field: Field, rates: Sequence[float]) -> Callable[[Weights], Weights]:
    """The function from parameters to minus the velocity with which the solver moves them, in the same shapes.

    Args:
        architecture: the layers.
        field: from the number of a run and its matrix M to dR/dM.
        rates: the learning rate of each parameter.
    """

    def gradient(weights: Weights) -> Weights:
        chain = _chain_of(architecture, weights, field, rates)
        shapes, states = flattened(chain.weights)
        velocities = velocities_of(shapes, chain.field, chain.rates, np.ones(len(states)), lambda *_: None)
        moved = tensor_of(-np.stack([next(velocities)(0.0, state) for state in states]))
        pieces = torch.split(moved, [rows * columns for rows, columns in shapes], -1)
        return _parts(
            architecture, [piece.reshape(len(states), *shape) for piece, shape in zip(pieces, shapes, strict=True)]
        )

    return gradient


def _chain_of(architecture: Architecture, weights: Sequence[Tensor], field: Field, rates: Sequence[float]) -> Chain:
    """The layers themselves for a path of dense layers; all parameters as one row for every other network."""
    if architecture.dense and not architecture.stacked:
        return Chain(list(weights), field, rates)
    row = torch.cat([weight.flatten(1) for weight in weights], -1)[:, None, :]
    return Chain([row], partial(_of_parameters, architecture, field, rates), [1.0])


def _parts(architecture: Architecture, layers: Weights) -> Weights:
    """The parameters, from the layers of the chain that the solver follows, of shape (runs, ..., rows, columns)."""
    if architecture.dense and not architecture.stacked:
        return layers
    shapes, (row,) = architecture.shapes, layers
    pieces = torch.split(row[..., 0, :], [math.prod(shape) for shape in shapes], -1)
    return [piece.reshape(*row.shape[:-2], *shape) for piece, shape in zip(pieces, shapes, strict=True)]


def _of_parameters(architecture: Architecture, field: Field, rates: Sequence[float], run: int, theta: Array) -> Array:
    """C dR/dtheta of one run, of shape (1, parameters): `Architecture.gradient` in numpy, as a test verifies."""
    shapes = architecture.shapes
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    parameters = [part.reshape(shape) for part, shape in zip(np.split(theta[0], ends), shapes, strict=True)]
    if architecture.skip:
        parameters = [part + np.eye(part.shape[-1]) for part in parameters]
    groups = architecture.by_path(parameters)
    partial_products = [_prefixes(layers) for layers in groups]
    lasts = [products[-1] for products in partial_products]
    slope = field(run, lasts[0].sum(0) if architecture.stacked else sum(lasts[1:], lasts[0]))
    found: list[Array] = []
    for layers, products in zip(groups, partial_products, strict=True):
        found += _gathered(architecture, _pulled_back(layers, products, slope))
    return np.concatenate([(rate * part).ravel() for rate, part in zip(rates, found, strict=True)])[None]


def _prefixes(layers: Sequence[Array]) -> list[Array]:
    """W_1, W_2 W_1, ..., W_L ... W_1."""
    products = [layers[0]]
    for layer in layers[1:]:
        products.append(layer @ products[-1])
    return products


def _pulled_back(layers: Sequence[Array], products: Sequence[Array], slope: Array) -> list[Array]:
    """The gradients on the layers of one path, or of all stacked paths."""
    found, back = [], slope
    for index in range(len(layers) - 1, 0, -1):
        found.append(back @ products[index - 1].swapaxes(-1, -2))
        back = layers[index].swapaxes(-1, -2) @ back
    # A single layer of stacked paths has the same gradient on every path.
    found.append(np.broadcast_to(back, layers[0].shape))
    return found[::-1]


def _gathered(architecture: Architecture, gradients: list[Array]) -> list[Array]:
    """The gradients in the parameters of a path, from those in its layers."""
    if architecture.filling == "shared":
        return [sum(gradients[1:], gradients[0])]
    if architecture.filling == "diagonal":
        return [part * np.eye(part.shape[-1]) for part in gradients]
    return gradients
