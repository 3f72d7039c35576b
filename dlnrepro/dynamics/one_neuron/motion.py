"""The initialization of a one-neuron network, the closed form of its flow, and the change of its imbalances.

Conventions: weights are W_1 .. W_L of shape (runs, ..., n_l, n_(l-1)); times are the same for all runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import imbalance, product
from dlnrepro.dynamics.one_neuron.closed_form import closed_form
from dlnrepro.dynamics.one_neuron.last_stage import first_order_parts
from dlnrepro.dynamics.one_neuron.start import Pair
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.records import Record


class OneNeuronStart(NamedTuple):
    """The initialization W = s u v^T of a network with a one-neuron layer.

    Attributes:
        target: Z.
        pair: u and v, in the basis of the target.
        strength: s, of shape (runs,).
        weights: W_1 .. W_L, whose product is s u v^T.
    """

    target: Target
    pair: Pair
    strength: Tensor
    weights: list[Tensor]

    def expected(self, times: Tensor) -> Tensor:
        """The product by the closed form for balanced layers, of shape (runs, times, outputs, inputs)."""
        path = closed_form(self.target.strengths, self.pair, self.strength, len(self.weights), times)
        return self.target.left[:, None] @ path.matrix @ self.target.right[:, None].mT

    def error(self, whole: Tensor, expected: Tensor) -> Tensor:
        """The distance ||W - W_expected||_F / sigma_1 between two products, of shape (runs, times)."""
        distance: Tensor = torch.linalg.matrix_norm(whole - expected)
        return distance / self.target.strengths[:, :1]

    def observer(self, limit: Tensor) -> Callable[[Sequence[Tensor]], Record]:
        """The function from weights to the distances of W from two matrices, and its overlap with Z, each (runs,).

        It returns `distance`, ||W - Z_(1)||_F, `distance_from_limit`, ||W - limit||_F, and `overlap`,
        u^T Z v = <W, Z> / ||W||_F, all of them over sigma_1; and `parts`, the parts of W - Z_(1) of first order.

        Args:
            limit: a matrix for each run, of shape (runs, outputs, inputs).
        """
        first, matrix, unit = self.target.best_rank_one, self.target.matrix, self.target.strengths[:, 0]

        def observe(weights: Sequence[Tensor]) -> Record:
            whole = product(weights)
            return {
                "distance": torch.linalg.matrix_norm(whole - first) / unit,
                "distance_from_limit": torch.linalg.matrix_norm(whole - limit) / unit,
                "parts": first_order_parts(self.target, whole),
                "overlap": (whole * matrix).sum((-2, -1)) / torch.linalg.matrix_norm(whole) / unit,
            }

        return observe

    def fastest(self, factor: float, spread: float) -> Tensor:
        """An estimate of the largest rate of the flow, L max(s, sigma_1)^(2-2/L) f^2 sqrt(c), of shape (runs,).

        Args:
            factor: f, by which W_1 is multiplied and W_L divided at the start, or the reverse.
            spread: c, the condition number of the second moment of the inputs.
        """
        depth = len(self.weights)
        size = torch.maximum(self.strength, self.target.strengths[:, 0])
        rate: Tensor = depth * each_run(lambda value: value ** (2 - 2 / depth), size)
        return rate * float(max(factor, 1 / factor) ** 2 * spread**0.5)

    def drift(self, weights: Sequence[Tensor]) -> Tensor:
        """The largest change of an imbalance from its initial value, over sigma_1^(2/L), of shape (runs, times)."""
        changes = [
            torch.linalg.matrix_norm(now - before[:, None])
            for now, before in zip(imbalance(weights), imbalance(self.weights), strict=True)
        ]
        unit = each_run(lambda strength: strength ** (2 / len(self.weights)), self.target.strengths[:, :1])
        return torch.stack(changes).amax(0) / unit
