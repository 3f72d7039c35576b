"""Closed forms of the representation cost R(w) = min { ||theta||^2 : f_theta = w } of linear networks.

    fully connected   L sum_i sigma_i(w)^(2/L)                  L ||w||_2^(2/L) with one output
    diagonal          L sum_i |w_i|^(2/L)
    convolutional     L D^(-(L-1)/L) sum_k |(F w)_k|^(2/L)      F the unitary Fourier transform in D dimensions
    group             L sum_g ||w_g||_2^(2/L)
    k-support         2 ||w||_k^sp                              two layers over all subsets of k inputs

For L = 2 each of them is convex. Derivation of the first four: every term is a product of L scalars (or of matrices
with equal singular values), and the arithmetic mean of their squares is at least the geometric mean. The power of D
arises because a convolution multiplies the transforms sqrt(D) F, which are not normalised.

Sources: the setting and the 2/L norms are those of Dai, Karzand, Srebro (NeurIPS 2021); the matrix case is also
in Jacot et al. 2022 (arXiv:2205.15809) and Wang, Ergen, Pilanci; constants and powers of D are derived here. The
k-support norm is that of Argyriou, Foygel, Srebro 2012 (arXiv:1204.5043).

Most functions take one predictor w, of shape (inputs, outputs), because the bits of powers depend on a tensor's shape.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.per_run import modulus
from dlnrepro.dynamics.tensors.processor import decomposed

Architecture = Literal["fully-connected", "diagonal", "convolutional", "group", "k-support"]


def representation_cost(law: Architecture, w: Tensor, depth: int, part: int) -> Tensor:
    """The representation cost R(w) by the formula of an architecture, as a tensor of shape ().

    Args:
        law: the architecture.
        w: the predictor, of shape (inputs, outputs); more than one output is allowed for `fully-connected` and
            `diagonal` only.
        depth: L; the formula for `k-support` is for two layers and ignores it.
        part: the size of a group or subset; it is used for `group` and `k-support` only.
    """
    if law == "k-support":
        return 2 * k_support_norm(w[:, 0], part)
    sizes = _singular_values(w) if law == "fully-connected" else coordinates(law, w, part)
    factor = w.shape[0] ** (1 / depth - 1) if law == "convolutional" else 1.0
    return depth * factor * (sizes ** (2 / depth)).sum()


def representation_costs(law: Architecture, predictors: Tensor, depth: int, part: int) -> Tensor:
    """`representation_cost` of several predictors per run, of shape (runs, count); NaN for one that is not finite.

    Args:
        law: the architecture.
        predictors: the predictors w, of shape (runs, count, inputs, outputs).
        depth: L, the number of layers.
        part: the size of a group or subset; it is used for `group` and `k-support` only.
    """
    costs = torch.full(predictors.shape[:2], torch.nan, dtype=torch.float64)
    for run, index in torch.isfinite(predictors).all(-1).all(-1).nonzero().tolist():
        costs[run, index] = representation_cost(law, predictors[run, index], depth, part)
    return costs


def coordinates(law: Architecture, w: Tensor, part: int) -> Tensor:
    """The sizes x >= 0 of which R is a function, of shape (count,), for a predictor w of shape (inputs, outputs).

    They are singular values, entries, Fourier coefficients or lengths of groups, according to the architecture. A
    fully connected network with one output has only one singular value, so x are then the entries.
    """
    if law == "fully-connected" and w.shape[1] > 1:
        return _singular_values(w)
    if law == "convolutional":
        return frequencies(w[:, 0])
    if law == "group":
        return (w.view(-1, part) ** 2).sum(-1).sqrt()
    return w.flatten().abs()


def power(law: Architecture, depth: int, outputs: int) -> float:
    """The p for which R is a function of ||x||_p: 2/L, but 2 for fully connected layers with one output."""
    return 2.0 if law == "fully-connected" and outputs == 1 else 2 / depth


def k_support_norm(w: Tensor, k: int) -> Tensor:
    """The k-support norm of w: its unit ball is the convex hull of unit vectors with at most k entries other than zero.

    Let a_1 >= a_2 >= ... be the sizes |w_i| in falling order. There is one r in 0 .. k-1 with
    a_(k-r-1) > m >= a_(k-r), where m = sum_(i >= k-r) a_i / (r+1) (and a_0 is infinite). The squared norm is then
    sum_(i < k-r) a_i^2 + (r+1) m^2.

    Args:
        w: of shape (size,).
        k: from 1 to the size.

    Returns:
        A tensor of shape (). Source: Argyriou, Foygel, Srebro 2012 (arXiv:1204.5043).
    """
    sizes = w.abs().sort(descending=True).values
    spread = 0
    while True:
        head, tail = sizes[: k - spread - 1], sizes[k - spread - 1 :]
        mean = tail.sum() / (spread + 1)
        if len(head) == 0 or bool(head[-1] > mean >= tail[0]):
            return ((head**2).sum() + (spread + 1) * mean**2).sqrt()
        spread += 1


def frequencies(w: Tensor) -> Tensor:
    """The D sizes |F w| of the Fourier coefficients of a real vector w, F_jk = exp(-2 pi i j k / D) / sqrt(D)."""
    size = len(w)
    turns = torch.arange(size)
    angles = 2 * math.pi / size * (turns[:, None] * turns[None, :] % size).to(w.dtype)
    return modulus(angles.cos() @ w, angles.sin() @ w) / math.sqrt(size)


def _singular_values(w: Tensor) -> Tensor:
    sizes: Tensor = decomposed(torch.linalg.svdvals, w)
    return sizes
