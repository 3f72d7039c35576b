"""How far the layers of one run are from rank one and from alignment along its path, and Lemma 2's bounds on both.

Conventions: a path is a list of W_1 .. W_L, each of shape (points, n_l, n_{l-1}), whose first point is the
initialization (start). u_l and v_l are the top left and right singular vectors of W_l. W_L is a row and always has rank
one, so rank-one gaps are those of the hidden layers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.fits.slopes import windowed_slope, within
from dlnrepro.dynamics.networks.chain import imbalance, product
from dlnrepro.dynamics.networks.gaps import sine, singular_triples


@dataclass(frozen=True)
class AlignmentPath:
    """Norms, gaps and bounds of the layers along a path. The last three attributes are numbers, all others (points,).

    Attributes:
        norm: the smallest ||W_l||_F over the layers.
        rank_one_gap: the largest 1 - ||W_l||_2 / ||W_l||_F over the hidden layers.
        alignment_gap: the largest 1 - |<v_{l+1}, u_l>| over neighbours.
        product_gap: 1 - |<w, v_1>| / prod_l ||W_l||_F, with w the predictor; its rounding error is 1e-15.
        drift: the largest change of an imbalance W_{l+1}^T W_{l+1} - W_l W_l^T since the start, in Frobenius norm,
            over the squared norm of all weights.
        excess: the largest (||W_l||_F^2 - ||W_l||_2^2) / D, at most 1 by Lemma 2; D is that of `excess_bound`.
        misalignment: the largest ratio of 1 - <v_{l+1}, u_l>^2 to
            (D + ||W_{l+1}(0)||_2^2 + ||W_l(0)||_2^2) / ||W_{l+1}||_2^2, at most 1 by Lemma 2.
        growth: the smallest ratio over the layers of ||W_l||_F at the end to that at the start.
        start_norm: the smallest ||W_l||_F of a hidden layer at the start.
        start_gap: the smallest rank-one gap of a hidden layer at the start.
    """

    norm: Tensor
    rank_one_gap: Tensor
    alignment_gap: Tensor
    product_gap: Tensor
    drift: Tensor
    excess: Tensor
    misalignment: Tensor
    growth: Tensor
    start_norm: Tensor
    start_gap: Tensor


class AlignmentFit(NamedTuple):
    """Exponents fitted to a path in a window of log(1/R), each a number; NaN for a path that does not reach the window.

    Attributes:
        growth: exponent of min_l ||W_l||_F as a power of log(1/R): 1/L in the limit.
        rank_one: exponent of the largest rank-one gap as a power of min_l ||W_l||_F: -2 in the limit.
        alignment: exponent of the largest alignment gap as a power of min_l ||W_l||_F: -4 in the limit.
    """

    growth: Tensor
    rank_one: Tensor
    alignment: Tensor


def fit_layers(layers: AlignmentPath, reached: Tensor, window: tuple[float, float]) -> AlignmentFit:
    """`AlignmentFit` of one run.

    Args:
        layers: the run's path.
        reached: log(1/R) along it, of shape (points,).
        window: the range of log(1/R), ends included.
    """
    inside = within(reached, window)
    return AlignmentFit(
        growth=windowed_slope(reached, layers.norm, inside),
        rank_one=windowed_slope(layers.norm, layers.rank_one_gap, inside),
        alignment=windowed_slope(layers.norm, layers.alignment_gap, inside),
    )


def observe_layers(path: Sequence[Tensor]) -> AlignmentPath:
    """`AlignmentPath` of one run."""
    triples = [singular_triples(weight) for weight in path]
    squares = [strengths**2 for _, strengths, _ in triples]
    totals = torch.stack([square.sum(-1) for square in squares])
    tails = torch.stack([square[:, 1:].sum(-1) for square in squares])
    shares = tails[:-1] / totals[:-1]
    gaps = shares / (1 + (1 - shares).sqrt())
    sines = torch.stack([sine(after[2][..., 0], before[0][..., 0]) ** 2 for before, after in pairwise(triples)])
    tops = torch.stack([square[:, 0] for square in squares])
    bound = excess_bound(path)
    reach = (bound + tops[1:, :1] + tops[:-1, :1]) / tops[1:]
    start = imbalance([weight[:1] for weight in path])
    changes = torch.stack(
        [torch.linalg.matrix_norm(now - then) for now, then in zip(imbalance(path), start, strict=True)]
    )
    norms = totals.sqrt()
    units = [weight / norm[:, None, None] for weight, norm in zip(path, norms, strict=True)]
    overlap = (product(units)[:, 0] * triples[0][2][..., 0]).sum(-1).abs()
    return AlignmentPath(
        norm=norms.amin(0),
        rank_one_gap=gaps.amax(0),
        alignment_gap=(sines / (1 + (1 - sines).clamp_min(0).sqrt())).amax(0),
        product_gap=1 - overlap,
        drift=changes.amax(0) / totals.sum(0),
        excess=tails.amax(0) / bound,
        misalignment=(sines / reach).amax(0),
        growth=(norms[:, -1] / norms[:, 0]).amin(),
        start_norm=norms[:-1, 0].amin(),
        start_gap=gaps[:, 0].amin(),
    )


def excess_bound(path: Sequence[Tensor]) -> Tensor:
    """D = max_l ||W_l(0)||_F^2 - ||W_L(0)||_F^2 + sum_l ||W_l W_l^T(0) - W_{l+1}^T W_{l+1}(0)||_2, a number.

    Source: Ji and Telgarsky 2019 (arXiv:1810.02032), Lemma 2.
    """
    norms = torch.stack([(weight[0] ** 2).sum() for weight in path])
    steps = [singular_triples(matrix[0])[1][0] for matrix in imbalance([weight[:1] for weight in path])]
    return norms.max() - norms[-1] + torch.stack(steps).sum()
