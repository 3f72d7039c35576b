"""The layers of a linear network, filled from its parameters, and the chain rule back to the parameters.

    M = sum_p W_(p,L_p) ... W_(p,1),    W_(p,l) = fill(V_(p,l))

The parameter V of a layer fills it in one of these ways: `dense` W = V; `diagonal` W = diag(V), where V is kept as a
diagonal matrix; `shared` one V for all layers of a path. With an identity skip the layer is I + fill(V).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeVar

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes, pull_back, sum_paths
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import layer_sum

Filling = Literal["dense", "diagonal", "shared"]
Part = TypeVar("Part")
Field = Callable[[Tensor], Tensor]
"""From the matrix M of the network, (runs, n_L, n_0), to dR/dM in the same shape."""


@dataclass(frozen=True)
class Architecture:
    """The widths of every path, and how parameters fill layers.

    Attributes:
        widths: n_0 .. n_L of each path; all paths have the same n_0 and n_L.
        filling: how a parameter fills its layer.
        skip: whether the identity is added to every layer.
    """

    widths: tuple[tuple[int, ...], ...]
    filling: Filling = "dense"
    skip: bool = False

    @property
    def stacked(self) -> bool:
        """Whether the layers hold several paths, in a dimension before the rows."""
        return len(self.widths) > 1 and len(set(self.widths)) == 1

    @property
    def dense(self) -> bool:
        """Whether the parameters are the layers of a single path, or of paths of the same widths."""
        return len(set(self.widths)) == 1 and self.filling == "dense" and not self.skip

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shape of each parameter of one run, in the order of the parameters."""
        paths = self.widths[:1] if self.stacked else self.widths
        before: tuple[int, ...] = (len(self.widths),) if self.stacked else ()
        shapes = [[(*before, rows, columns) for columns, rows in pairwise(path)] for path in paths]
        return [shape for path in shapes for shape in (path[:1] if self.filling == "shared" else path)]

    def by_path(self, parameters: Sequence[Part]) -> list[list[Part]]:
        """The parameters of the layers 1 .. L of each path; of stacked paths, one list whose parameters hold all."""
        found, rest = [], list(parameters)
        for path in self.widths[:1] if self.stacked else self.widths:
            depth = len(path) - 1
            found.append(rest[:1] * depth if self.filling == "shared" else rest[:depth])
            rest = rest[1 if self.filling == "shared" else depth :]
        return found

    def layers(self, parameters: Sequence[Tensor]) -> list[Weights]:
        """The layers W_1 .. W_L of each path; of stacked paths, one list whose layers hold all paths."""
        return [[self._filled(layer) for layer in path] for path in self.by_path(parameters)]

    def path_matrices(self, parameters: Sequence[Tensor]) -> Tensor:
        """The matrix W_(p,L_p) ... W_(p,1) of each path, of shape (runs, paths, n_L, n_0)."""
        products = [prefixes(layers)[-1] for layers in self.layers(parameters)]
        return products[0] if self.stacked else torch.stack(products, -3)

    def matrix(self, parameters: Sequence[Tensor]) -> Tensor:
        """The matrix M of the network, of shape (runs, n_L, n_0)."""
        return self._summed([prefixes(layers)[-1] for layers in self.layers(parameters)])

    def gradient(self, field: Field) -> Callable[[Weights], Weights]:
        """The function from parameters to dR/dV of each of them, by the chain rule from dR/dM.

        Args:
            field: from M to dR/dM.
        """
        if self.dense and not self.stacked:
            return lambda weights: _of_chain(weights, field)
        return lambda parameters: self._of_paths(parameters, field)

    def _of_paths(self, parameters: Sequence[Tensor], field: Field) -> Weights:
        groups = self.layers(parameters)
        partial = [prefixes(layers) for layers in groups]
        slope = field(self._summed([products[-1] for products in partial]))
        if self.stacked:
            slope = slope[..., None, :, :]
        found: Weights = []
        for layers, products in zip(groups, partial, strict=True):
            found += self._gathered(pull_back(layers, products, slope))
        return found

    def _summed(self, products: Sequence[Tensor]) -> Tensor:
        """The sum over the paths, in the order of the paths in any batch."""
        if self.stacked:
            return sum_paths(products[0])
        return products[0] if len(products) == 1 else sum_paths(torch.stack(list(products), -3))

    def _filled(self, parameter: Tensor) -> Tensor:
        """A layer from its parameter."""
        if not self.skip:
            return parameter
        return parameter + torch.eye(parameter.shape[-1], dtype=parameter.dtype)

    def _gathered(self, gradients: Weights) -> Weights:
        """The gradients in the parameters of one path, from those in its layers."""
        if self.filling == "shared":
            return [layer_sum(gradients)]
        if self.filling == "diagonal":
            mask = torch.eye(gradients[0].shape[-1], dtype=gradients[0].dtype)
            return [part * mask for part in gradients]
        return gradients


def _of_chain(weights: Sequence[Tensor], field: Field) -> Weights:
    """The gradients of a single path whose parameters are its layers."""
    partial = prefixes(weights)
    return pull_back(weights, partial, field(partial[-1]))
