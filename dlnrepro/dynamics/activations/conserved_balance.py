"""How far gradient descent conserves the balance of layers, at step sizes that are halved repeatedly.

The balance of a hidden node is the squared length of its incoming minus that of its outgoing weights: a diagonal entry
of W_l W_l^T - W_{l+1}^T W_{l+1}. A step W_l <- W_l - eta g_l changes W_{l+1}^T W_{l+1} - W_l W_l^T by exactly
eta^2 (g_{l+1}^T g_{l+1} - g_l g_l^T), in those entries that gradient flow conserves: the diagonal for homogeneous
activations, the whole matrix for linear ones. So over a fixed time the change is of order eta. Derived here; that the
flow conserves them is a result of Du, Hu and Lee 2018 (arXiv:1806.00900).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import imbalance
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.training.step_halving import refined_descents


class Sizes(NamedTuple):
    """The largest entry and norm of matrices over layers and recorded times, each of shape (runs,).

    Attributes:
        node: the largest absolute value of a diagonal entry.
        matrix: the largest Frobenius norm of a matrix.
    """

    node: Tensor
    matrix: Tensor


class BalanceReading(NamedTuple):
    """The balance along descents at halved step sizes.

    Attributes:
        step_sizes: eta, of shape (descents,), from the largest to the smallest.
        drifts: the largest changes of the imbalances since the initialization, each of shape (runs, descents).
        excess: at the finest step size, the difference between the changes and the sums of eta^2 times the imbalances
            of the gradients, over the largest such sum, each of shape (runs,).
        end: the largest absolute balance of a node at the end of the finest descent, over the largest squared incoming
            length, of shape (runs,).
        growth: the product of the layers' Frobenius norms at the end of the finest descent over that at the
            initialization, of shape (runs,).
        last: the weights at the end of the finest descent, each of shape (runs, n_l, n_{l-1}).
    """

    step_sizes: Tensor
    drifts: Sizes
    excess: Sizes
    end: Tensor
    growth: Tensor
    last: Weights


def read_balance(
    weights: Sequence[Tensor],
    gradient: Callable[[Sequence[Tensor]], list[Tensor]],
    rates: Sequence[float],
    horizon: float,
    steps: int,
    halvings: int,
    points: int,
    progress: Progress,
) -> BalanceReading:
    """`BalanceReading` of descents that all go to the same time.

    Args:
        weights: W_1 .. W_L, each of shape (runs, n_l, n_{l-1}).
        gradient: from weights to dR/dW_l.
        rates: c_1 .. c_L, the learning rates of the layers; the sums use the gradients without these rates.
        horizon: step size times steps, the same for all descents.
        steps: the number of steps of the coarsest descent, a multiple of `points`.
        halvings: the number of finer descents that follow.
        points: the number of recorded times after the initialization.
        progress: called with the fraction of all descents together; may raise to stop.
    """
    depth = len(weights)
    # After the weights, matrices that accumulate the sums of eta (g_{l+1}^T g_{l+1} - g_l g_l^T).
    state = [*weights, *(torch.zeros_like(matrix) for matrix in imbalance(weights))]
    field = _accumulating(gradient, rates)
    step_sizes, drifts = [], []
    finest: Weights = []
    for size, finest in refined_descents(state, field, horizon, steps, halvings, points, progress):
        step_sizes.append(size)
        drifts.append(largest_sizes(changes(finest[:depth])))
    path = finest[:depth]
    predicted = [step_sizes[-1] * gathered for gathered in finest[depth:]]
    excess = largest_sizes([change - part for change, part in zip(changes(path), predicted, strict=True)])
    scale = largest_sizes(predicted)
    ends = [weight[:, -1:] for weight in path]
    lengths = [(weight * weight).sum(-1).amax(-1) for weight in ends[:-1]]
    return BalanceReading(
        step_sizes=torch.tensor(step_sizes, dtype=torch.float64),
        drifts=Sizes(*(torch.stack(list(values), -1) for values in zip(*drifts, strict=True))),
        excess=Sizes(excess.node / scale.node, excess.matrix / scale.matrix),
        end=largest_sizes(imbalance(ends)).node / _largest(lengths),
        growth=_norm_product(ends)[:, 0] / _norm_product(weights),
        last=[end[:, 0] for end in ends],
    )


def changes(path: Sequence[Tensor]) -> list[Tensor]:
    """The change of the imbalances since the first time, each of shape (runs, times, n_l, n_l)."""
    return [matrix - matrix[:, :1] for matrix in imbalance(path)]


def largest_sizes(matrices: Sequence[Tensor]) -> Sizes:
    """`Sizes` of matrices, each of shape (runs, times, n, n)."""
    return Sizes(
        node=_largest([torch.diagonal(matrix, dim1=-2, dim2=-1).abs().amax(-1) for matrix in matrices]),
        matrix=_largest([torch.linalg.matrix_norm(matrix) for matrix in matrices]),
    )


def _accumulating(
    gradient: Callable[[Sequence[Tensor]], list[Tensor]], rates: Sequence[float]
) -> Callable[[Weights], Weights]:
    """The gradients times their rates, and minus the imbalances that these gradients would have as weights."""

    def field(state: Weights) -> Weights:
        parts = gradient(state[: len(rates)])
        moves = [rate * part for rate, part in zip(rates, parts, strict=True)]
        return [*moves, *(-matrix for matrix in imbalance(parts))]

    return field


def _norm_product(weights: Sequence[Tensor]) -> Tensor:
    """The product of the layers' Frobenius norms, of shape (runs, ...)."""
    size, *others = [torch.linalg.matrix_norm(weight) for weight in weights]
    for norm in others:
        size = size * norm
    whole: Tensor = size
    return whole


def _largest(values: Sequence[Tensor]) -> Tensor:
    """The largest over layers and recorded times, from tensors of shape (runs, times)."""
    return torch.stack(list(values)).amax(0).amax(-1)
