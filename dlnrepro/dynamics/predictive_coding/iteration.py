"""Predictive coding in linear networks as a linear map: the matrix of the constraints, and the matrix of a step.

Conventions of `dynamics.predictive_coding.network`; a state is the vector of all activities, layer by layer, followed
by all multipliers. Only the linear part of a step is here, because the data change only its fixed point.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.optimize import brentq
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.network import Network, Rule, State, step
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.processor import decomposed


def constraint_matrix(chain: Network) -> Tensor:
    """The matrix A with vec(r) = A vec(h) - vec(W_1 x, 0, ..., 0): identity blocks, with -W_i below the diagonal.

    Returns:
        Shape (runs, (L-1) n, (L-1) n).
    """
    runs, layers, width = chain.hidden.shape[0], chain.hidden.shape[1] + 1, chain.first.shape[1]
    matrix = torch.eye(layers * width, dtype=torch.float64).repeat(runs, 1, 1)
    for index in range(layers - 1):
        below = slice((index + 1) * width, (index + 2) * width)
        matrix[:, below, index * width : (index + 1) * width] = -chain.hidden[:, index]
    return matrix


def iteration_matrix(chain: Network, rule: Rule) -> Tensor:
    """The matrix by which a step multiplies (h, m): the step is applied to every basis vector, with zero data.

    Returns:
        Shape (runs, 2 (L-1) n, 2 (L-1) n).
    """
    runs, layers, width = chain.hidden.shape[0], chain.hidden.shape[1] + 1, chain.first.shape[1]
    size = layers * width
    basis = torch.eye(2 * size, dtype=torch.float64).reshape(2, layers, width, 2 * size)
    silent = Network(
        chain.first,
        chain.hidden,
        chain.last,
        torch.zeros(runs, chain.first.shape[2], 2 * size, dtype=torch.float64),
        torch.zeros(runs, chain.last.shape[1], 2 * size, dtype=torch.float64),
    )
    moved = step(silent, State(basis[0].expand(runs, -1, -1, -1), basis[1].expand(runs, -1, -1, -1)), rule)
    return torch.cat([moved.activities.flatten(1, 2), moved.multipliers.flatten(1, 2)], 1)


def spectral_radius(chain: Network, rule: Rule) -> Tensor:
    """The spectral radius of a step, the largest |eigenvalue|, of shape (runs,).

    With `dual_step` 0 only the activities count, because the multipliers never move and would have the eigenvalue 1.
    """
    return each_run(lambda square: decomposed(torch.linalg.eigvals, square).abs().max(), moving_part(chain, rule))


def edge_of_stability(chain: Network, rule: Rule, low: float, high: float) -> float:
    """The factor on the step size of a rule at which the spectral radius of one run passes 1, to 1e-12.

    Args:
        chain: the network of one run.
        rule: the constants of a step; its step size has the shape (1,).
        low: the smallest factor, which is returned if the radius exceeds 1 there.
        high: the largest factor, which is returned if the radius is below 1 there.
    """

    def excess(factor: float) -> float:
        return float(spectral_radius(chain, replace(rule, step_size=factor * rule.step_size))) - 1

    if excess(high) < 0:
        return high
    if excess(low) > 0:
        return low
    return float(np.asarray(brentq(excess, low, high, xtol=1e-12, rtol=1e-12)))


def moving_part(chain: Network, rule: Rule) -> Tensor:
    """`iteration_matrix`, without the multipliers if `dual_step` is 0."""
    matrix = iteration_matrix(chain, rule)
    half = matrix.shape[-1] // 2
    return matrix[:, :half, :half] if rule.plain else matrix
