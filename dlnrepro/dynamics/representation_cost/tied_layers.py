"""Linear networks with tied weights: the matrix of every layer is filled from a few parameters by a fixed pattern.

    w = W_L ... W_1,   W_l[i, j] = theta_l[places_l[i, j]],  or 0 where the pattern has a hole

Here w has shape (inputs, outputs) and maps an input x to w^T x; with one output it is a column. Each entry of w is a
polynomial in theta, homogeneous of degree L. The patterns, in the terms of Dai, Karzand, Srebro (NeurIPS 2021), are

    fully connected   every entry is a parameter of its own
    diagonal          w_i = theta_L,i ... theta_1,i
    convolutional     w = theta_L * ... * theta_1, circular convolutions over the whole width
    group             w_g = (theta_L,g ... theta_2,g) theta_1,g: a vector and L - 1 scalars for each group
    subsets           w = sum_S a_S v_S over all subsets S of k inputs: two layers

Conventions: the parameters of a layer have the shape (runs, ..., count); lists of them run from theta_1 to theta_L.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes, pull_back
from dlnrepro.dynamics.representation_cost.formulas import Architecture
from dlnrepro.dynamics.tensors.per_run import layer_sum


@dataclass(frozen=True)
class Pattern:
    """The pattern by which the parameters of one layer fill its matrix.

    Attributes:
        places: the index of the parameter at each entry, or `count` for a hole, of shape (rows, columns).
        positions: the entries, counted row by row, at which each parameter stands, of shape (count, times).
    """

    places: Tensor
    positions: Tensor

    @property
    def count(self) -> int:
        """The number of parameters that fill the matrix."""
        return int(self.positions.shape[0])

    def matrix(self, values: Tensor) -> Tensor:
        """W_l, of shape (runs, ..., rows, columns), from parameters of shape (runs, ..., count)."""
        padded = torch.cat([values, torch.zeros_like(values[..., :1])], dim=-1)
        return padded[..., self.places]

    def gathered(self, gradients: Tensor) -> Tensor:
        """The adjoint of `matrix`, for matrices in one row: from shape (..., rows x columns) to (..., count)."""
        return gradients[..., self.positions].sum(-1)


Patterns = Sequence[Pattern]


def fully_connected(widths: Sequence[int]) -> list[Pattern]:
    """Layers whose entries are all parameters of their own; the widths run from n_0 = outputs to n_L = inputs."""
    return [
        _tied(torch.arange(rows * columns).view(rows, columns), rows * columns)
        for columns, rows in itertools.pairwise(widths)
    ]


def diagonal_layers(size: int, depth: int) -> list[Pattern]:
    """A column of parameters, which L - 1 diagonal matrices multiply."""
    holes = torch.full((size, size), size)
    square = holes.diagonal_scatter(torch.arange(size))
    return [_column(size), *[_tied(square, size)] * (depth - 1)]


def convolutional(size: int, kernel: int, depth: int) -> list[Pattern]:
    """A column of parameters, then L - 1 circular convolutions with `kernel` taps; `size` taps are the full width."""
    taps = (torch.arange(size)[:, None] - torch.arange(size)[None, :]) % size
    return [_column(size), *[_tied(torch.where(taps < kernel, taps, kernel), kernel)] * (depth - 1)]


def grouped(groups: int, size: int, depth: int) -> list[Pattern]:
    """A column of parameters in groups of `size`; each of L - 1 further layers multiplies every group by a scalar."""
    holes = torch.full((groups * size, groups * size), groups)
    square = holes.diagonal_scatter(torch.arange(groups).repeat_interleave(size))
    return [_column(groups * size), *[_tied(square, groups)] * (depth - 1)]


def subsets(size: int, chosen: int) -> list[Pattern]:
    """Two layers: a vector on each subset of `chosen` inputs, and a scalar that multiplies it; their sum is w."""
    every = list(itertools.combinations(range(size), chosen))
    places = torch.full((size, len(every) * chosen), len(every))
    for number, subset in enumerate(every):
        for slot, member in enumerate(subset):
            places[member, number * chosen + slot] = number
    return [_column(len(every) * chosen), _tied(places, len(every))]


def build(
    architecture: Architecture, depth: int, inputs: int, outputs: int, hidden: int, kernel: int, part: int
) -> list[Pattern]:
    """The patterns of the layers of an architecture, first layer first; arguments that it does not use are ignored.

    Args:
        architecture: the pattern of the network; `k-support` is the architecture that `subsets` builds.
        depth: L, the number of layers.
        inputs: the number of rows of w.
        outputs: the number of columns of w, for `fully-connected`; it is 1 for all other architectures.
        hidden: the width of the hidden layers, for `fully-connected`.
        kernel: the number of taps of the convolutions, for `convolutional`.
        part: the size of a group, for `group`, or of a subset, for `k-support`.
    """
    if architecture == "fully-connected":
        return fully_connected([outputs, *[hidden] * (depth - 1), inputs])
    if architecture == "diagonal":
        return diagonal_layers(inputs, depth)
    if architecture == "convolutional":
        return convolutional(inputs, kernel, depth)
    return grouped(inputs // part, part, depth) if architecture == "group" else subsets(inputs, part)


def matrices(layers: Patterns, values: Sequence[Tensor]) -> list[Tensor]:
    """The matrices W_1 .. W_L, each of shape (runs, ..., rows, columns), from theta_1 .. theta_L."""
    return [layer.matrix(value) for layer, value in zip(layers, values, strict=True)]


def predictor(layers: Patterns, values: Sequence[Tensor]) -> Tensor:
    """The predictor w = W_L ... W_1, of shape (runs, ..., inputs, outputs)."""
    return prefixes(matrices(layers, values))[-1]


def tied_gradient(
    layers: Patterns, weights: Sequence[Tensor], partial: Sequence[Tensor], gradient: Tensor
) -> list[Tensor]:
    """The gradient in theta_1 .. theta_L, from the gradient in w by the chain rule.

    Args:
        layers: the patterns of the layers.
        weights: W_1 .. W_L, from `matrices`.
        partial: the products W_l ... W_1, from `prefixes`.
        gradient: dR/dw, of shape (runs, ..., inputs, outputs).
    """
    gradients = pull_back(weights, partial, gradient)
    return [layer.gathered(part.flatten(-2)) for layer, part in zip(layers, gradients, strict=True)]


def jacobian(layers: Patterns, values: Sequence[Tensor]) -> Tensor:
    """The Jacobian dw/dtheta, of shape (runs, ..., inputs x outputs, all parameters), theta_1 first.

    dw = sum_l A_l dW_l B_l with A_l = W_L ... W_{l+1} and B_l = W_{l-1} ... W_1.
    """
    weights = matrices(layers, values)
    partial = prefixes(weights)
    before = [_identity(weights[0].shape[-1], weights[0]), *partial[:-1]]
    after = [_identity(weights[-1].shape[-2], weights[0])]
    for weight in weights[:0:-1]:
        after.append(after[-1] @ weight)
    blocks = []
    for layer, left, right in zip(layers, after[::-1], before, strict=True):
        outer = left[..., :, None, :, None] * right.mT[..., None, :, None, :]
        blocks.append(layer.gathered(outer.flatten(-2).flatten(-3, -2)))
    return torch.cat(blocks, dim=-1)


def squared_norm(values: Sequence[Tensor]) -> Tensor:
    """The squared norm ||theta||^2 of all parameters, of shape (runs, ...)."""
    return layer_sum([(value * value).sum(-1) for value in values])


def _column(size: int) -> Pattern:
    return _tied(torch.arange(size)[:, None], size)


def _tied(places: Tensor, count: int) -> Pattern:
    """The pattern in which each of `count` parameters stands equally often; holes have the index `count`."""
    flat = places.flatten()
    order = torch.argsort(flat, stable=True)
    return Pattern(places, order[: int((flat < count).sum())].view(count, -1))


def _identity(size: int, like: Tensor) -> Tensor:
    return torch.eye(size, dtype=like.dtype).expand(*like.shape[:-2], size, size)
