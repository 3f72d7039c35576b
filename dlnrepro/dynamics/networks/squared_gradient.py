"""The gradient of the squared loss on second moments, for a chain of layers or for parallel paths.

    R(M) = 1/2 tr(M S M^T) - tr(M Z^T),   dR/dM = M S - Z,   M = W_L ... W_1 or M = sum_p W_(p,L) ... W_(p,1)

It is a function from weights to gradients, and an object whose parts can be read, so that a compiled kernel can take
the steps of a descent (`training.compiled_descent`). The function itself is the second route, with which the kernel is
compared, and the one for a GPU and for machines without a compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes, pull_back, sum_paths
from dlnrepro.dynamics.tensors.arrays import Weights


@dataclass(frozen=True)
class SquaredGradient:
    """The function from weights W_1 .. W_L to the gradients of R, in the same order and shapes.

    Attributes:
        cross: Z, of a shape that broadcasts with (runs, ..., n_L, n_0).
        moment: S, of a shape that broadcasts with (runs, ..., n_0, n_0), or its diagonal, of shape (n_0,), or None for
            the identity.
        paths: whether weights have the shape (runs, ..., paths, n_l, n_(l-1)) and paths are added up; otherwise
            (runs, ..., n_l, n_(l-1)).
        factors: numbers that multiply the gradient of each network, of a shape that broadcasts with (runs, ..., 1, 1);
            None for no factor.
    """

    cross: Tensor
    moment: Tensor | None = None
    paths: bool = False
    factors: Tensor | None = None

    def __call__(self, weights: Sequence[Tensor]) -> Weights:
        """The gradients at some weights."""
        partial = prefixes(weights)
        matrix = sum_paths(partial[-1]) if self.paths else partial[-1]
        pushed = self._pushed(matrix) - self.cross
        parts = pull_back(weights, partial, pushed[..., None, :, :] if self.paths else pushed)
        return parts if self.factors is None else [self.factors * part for part in parts]

    def _pushed(self, matrix: Tensor) -> Tensor:
        """M S."""
        if self.moment is None:
            return matrix
        return matrix * self.moment if self.moment.dim() == 1 else matrix @ self.moment
