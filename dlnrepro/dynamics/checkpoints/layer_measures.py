"""What the theory of deep linear networks speaks of, measured on the weights of one chain of layers.

Conventions: W_l has shape (n_l, n_(l-1)), and the product is W_L ... W_1. u_l and v_l are the first left and right
singular vectors of W_l, and s_l1 >= s_l2 >= ... its singular values. A number that is not defined is NaN: the alignment
of neighbours with equal leading singular values, ratios for a matrix of zeros, and everything that depends on weights
that are not finite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import imbalance, product
from dlnrepro.dynamics.networks.gaps import sine, singular_triples

DISTINCT = 1e-9
"""Relative distance that the two largest singular values must have for their singular vectors to be defined."""


class MatrixMeasures(NamedTuple):
    """The size and the spectrum of a matrix W.

    Attributes:
        norm: the Frobenius norm ||W||_F.
        spectral_norm: ||W||_2, the largest singular value.
        stable_rank: ||W||_F^2 / ||W||_2^2, from 1 to the rank of W.
        rank_one_gap: 1 - ||W||_2 / ||W||_F, which is 0 exactly for rank one.
        singular_values: all of them, largest first.
    """

    norm: float
    spectral_norm: float
    stable_rank: float
    rank_one_gap: float
    singular_values: tuple[float, ...]


class Neighbours(NamedTuple):
    """Two consecutive layers W_l and W_(l+1).

    Attributes:
        alignment: |<v_(l+1), u_l>|, in [0, 1].
        alignment_gap: 1 - |<v_(l+1), u_l>|, computed without cancellation.
        imbalance: ||W_(l+1)^T W_(l+1) - W_l W_l^T||_F.
        relative_imbalance: the imbalance over ||W_(l+1)^T W_(l+1)||_F + ||W_l W_l^T||_F, in [0, 1].
    """

    alignment: float
    alignment_gap: float
    imbalance: float
    relative_imbalance: float


@dataclass(frozen=True)
class ChainMeasures:
    """The measures of one chain of layers.

    Attributes:
        layers: of W_1 .. W_L.
        neighbours: of W_1 and W_2, ..., W_(L-1) and W_L; empty for a single layer.
        product: of W_L ... W_1.
        whole_norm: sqrt(sum_l ||W_l||_F^2).
    """

    layers: tuple[MatrixMeasures, ...]
    neighbours: tuple[Neighbours, ...]
    product: MatrixMeasures
    whole_norm: float

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers that describe the chain as a whole, by name."""
        hidden = self.layers[:-1] or self.layers
        pairs = self.neighbours
        return {
            "norm": self.whole_norm,
            "smallest_norm": _worst([layer.norm for layer in self.layers], smallest=True),
            "stable_rank": _worst([layer.stable_rank for layer in hidden]),
            "rank_one_gap": _worst([layer.rank_one_gap for layer in hidden]),
            "alignment": _worst([pair.alignment for pair in pairs], smallest=True),
            "alignment_gap": _worst([pair.alignment_gap for pair in pairs]),
            "imbalance": _worst([pair.imbalance for pair in pairs]),
            "relative_imbalance": _worst([pair.relative_imbalance for pair in pairs]),
            "product_norm": self.product.norm,
            "product_spectral_norm": self.product.spectral_norm,
            "product_stable_rank": self.product.stable_rank,
            "product_gap": self.product.rank_one_gap,
        }


def measure_chain(weights: Sequence[Tensor]) -> ChainMeasures:
    """The measures of the layers W_1 .. W_L, each a float64 matrix of shape (n_l, n_(l-1))."""
    triples = [singular_triples(weight) for weight in weights]
    norms = torch.stack([torch.linalg.matrix_norm(weight) for weight in weights])
    return ChainMeasures(
        layers=tuple(_matrix(strengths) for _, strengths, _ in triples),
        neighbours=tuple(
            _neighbours(before, after, difference, first, second)
            for (before, after), difference, (first, second) in zip(
                pairwise(weights), imbalance(weights), pairwise(triples), strict=True
            )
        ),
        product=_matrix(singular_triples(product(weights))[1]),
        whole_norm=float(torch.linalg.vector_norm(norms)),
    )


def _matrix(strengths: Tensor) -> MatrixMeasures:
    """The measures of a matrix by its singular values."""
    norm, largest = torch.linalg.vector_norm(strengths), strengths[0]
    # The sum of the smaller squares, and not a difference from the whole, keeps the gap exact near rank one.
    tail = torch.linalg.vector_norm(strengths[1:] / norm) ** 2
    return MatrixMeasures(
        norm=float(norm),
        spectral_norm=float(largest),
        stable_rank=float((norm / largest) ** 2),
        rank_one_gap=float(tail / (1 + (1 - tail).sqrt())),
        singular_values=tuple(strengths.tolist()),
    )


def _neighbours(
    before: Tensor,
    after: Tensor,
    difference: Tensor,
    first: tuple[Tensor, Tensor, Tensor],
    second: tuple[Tensor, Tensor, Tensor],
) -> Neighbours:
    """The measures of two consecutive layers, from their imbalance and their singular value decompositions."""
    defined = _has_first(first[1]) and _has_first(second[1])
    squared = sine(second[2][:, 0], first[0][:, 0]) ** 2 if defined else torch.full_like(before[0, 0], torch.nan)
    gap = squared / (1 + (1 - squared).clamp_min(0).sqrt())
    size = torch.linalg.matrix_norm(difference)
    scale = torch.linalg.matrix_norm(after.mT @ after) + torch.linalg.matrix_norm(before @ before.mT)
    return Neighbours(float(1 - gap), float(gap), float(size), float(size / scale))


def _has_first(strengths: Tensor) -> bool:
    """Whether a matrix has first singular vectors: its largest singular value is alone."""
    return len(strengths) == 1 or bool(strengths[0] - strengths[1] > DISTINCT * strengths[0])


def _worst(values: Sequence[float], smallest: bool = False) -> float:
    """The largest or the smallest of some numbers; NaN if one is NaN, or if there are none."""
    if not values or any(value != value for value in values):
        return float("nan")
    return min(values) if smallest else max(values)
