"""How far trained one-neuron networks are from the closed form of their flow, and how far their imbalances drift.

Conventions: weights are W_1 .. W_N of shape (runs, ..., n_l, n_{l-1}); times are shared by all runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import imbalance
from dlnrepro.dynamics.one_neuron.closed_form import closed_form
from dlnrepro.dynamics.one_neuron.start import Pair
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.per_run import each_run


class Motion(NamedTuple):
    """A target, the product that the start claims to be, and the weights it starts from.

    Attributes:
        pair: the product's singular vectors, in the target's frames.
        strength: the product's singular value, of shape (runs,).
        depth: N.
    """

    target: Target
    pair: Pair
    strength: Tensor
    weights: Sequence[Tensor]
    depth: int

    def expected(self, times: Tensor) -> Tensor:
        """The closed form's product at the times, of shape (runs, times, outputs, inputs)."""
        motion = closed_form(self.target.strengths, self.pair, self.strength, self.depth, times)
        return self.target.left[:, None] @ motion.matrix @ self.target.right[:, None].mT

    def error(self, whole: Tensor, expected: Tensor) -> Tensor:
        """The distance between products over sigma_1, of shape (runs, times)."""
        distance: Tensor = torch.linalg.matrix_norm(whole - expected)
        return distance / self.target.strengths[:, :1]

    def drift(self, weights: Sequence[Tensor]) -> Tensor:
        """The largest change of an imbalance since the start over sigma_1^(2/N), of shape (runs, times)."""
        changes = [
            torch.linalg.matrix_norm(now - before[:, None])
            for now, before in zip(imbalance(weights), imbalance(self.weights), strict=True)
        ]
        unit = each_run(lambda strength: strength ** (2 / self.depth), self.target.strengths[:, :1])
        return torch.stack(changes).amax(0) / unit
