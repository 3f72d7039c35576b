"""Deep linear networks as lists of weights: the product, the gradients of the layers, and the imbalances.

Conventions: W_l has shape (runs, ..., n_l, n_(l-1)); the list runs from W_1 (next to the input) to W_L. Any
further leading dimensions, such as paths or points of a sweep, broadcast.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor


def prefixes(weights: Sequence[Tensor]) -> list[Tensor]:
    """The partial products [W_1, W_2 W_1, ..., W_L ... W_1]; the last one is the network's matrix."""
    products = [weights[0]]
    for weight in weights[1:]:
        products.append(weight @ products[-1])
    return products


def product(weights: Sequence[Tensor]) -> Tensor:
    """The end-to-end matrix W_L ... W_1, of shape (runs, ..., n_L, n_0)."""
    return prefixes(weights)[-1]


def sum_paths(matrices: Tensor) -> Tensor:
    """The sum over the dimension of the paths, the third from last.

    It is a plain loop, so that the order of additions, and with it every bit, does not depend on the number of runs.
    """
    total, *others = matrices.unbind(-3)
    for matrix in others:
        total = total + matrix
    return total


def pull_back(weights: Sequence[Tensor], partial: Sequence[Tensor], gradient: Tensor) -> list[Tensor]:
    """The gradient on every layer, from the gradient G on the product of the network.

    dR/dW_l = (W_L ... W_(l+1))^T G (W_(l-1) ... W_1)^T, by the chain rule.

    Args:
        weights: W_1 .. W_L.
        partial: `prefixes(weights)`, which the loss has computed already.
        gradient: G = dR/d(W_L ... W_1), of shape (runs, ..., n_L, n_0).

    Returns:
        The gradients in the order and shapes of the weights.
    """
    gradients: list[Tensor] = []
    back = gradient
    for layer in range(len(weights) - 1, 0, -1):
        gradients.append(back @ partial[layer - 1].mT)
        back = weights[layer].mT @ back
    gradients.append(back)
    return gradients[::-1]


def imbalance(weights: Sequence[Tensor]) -> list[Tensor]:
    """The imbalances W_(l+1)^T W_(l+1) - W_l W_l^T for l = 1 .. L-1, constant along gradient flow of any loss.

    Source: Arora, Cohen, Hazan 2018 (arXiv:1802.06509) and Du, Hu, Lee 2018 (arXiv:1806.00900). It follows
    from W_(l+1)^T dR/dW_(l+1) = dR/dW_l W_l^T.
    """
    return [after.mT @ after - before @ before.mT for before, after in itertools.pairwise(weights)]


def largest_imbalance(weights: Sequence[Tensor]) -> Tensor:
    """The largest imbalance, max_l ||W_(l+1)^T W_(l+1) - W_l W_l^T||_F, of shape (runs, ...); 0 for a single layer."""
    sizes = [torch.linalg.matrix_norm(matrix) for matrix in imbalance(weights)]
    return torch.stack([torch.zeros_like(weights[0][..., 0, 0]), *sizes]).amax(0)


def relative_imbalance(weights: Sequence[Tensor]) -> Tensor:
    """The largest imbalance over ||W_1||_F^2, of shape (runs, ...): 0 for balanced layers, and for a single layer."""
    size: Tensor = torch.linalg.matrix_norm(weights[0])
    return largest_imbalance(weights) / (size * size)


def whole_norm(weights: Sequence[Tensor]) -> Tensor:
    """The norm of all weights together, sqrt(sum_l ||W_l||_F^2), of shape (runs, ...)."""
    norms = torch.stack([torch.linalg.matrix_norm(weight) for weight in weights])
    norm: Tensor = torch.linalg.vector_norm(norms, dim=0)
    return norm


def smallest_norm(weights: Sequence[Tensor]) -> Tensor:
    """The smallest norm of a layer, min_l ||W_l||_F, of shape (runs, ...)."""
    return torch.stack([torch.linalg.matrix_norm(weight) for weight in weights]).amin(0)
