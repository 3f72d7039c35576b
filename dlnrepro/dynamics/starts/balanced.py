"""Balanced initializations: layers with W_(l+1)^T W_(l+1) = W_l W_l^T and a given product, and drawn strengths.

Let F_0 .. F_L be frames with orthonormal columns, F_l of shape (n_l, modes). Then the layers
W_l = F_l diag(s^(1/L)) F_(l-1)^T are balanced, and their product is F_L diag(s) F_0^T. The frames between the first and
the last do not change the product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import orthonormal, uniform
from dlnrepro.dynamics.tensors.per_run import each_run


def balanced_layers(
    left: Tensor, strengths: Tensor, right: Tensor, hidden: Sequence[int], generators: Sequence[Generator]
) -> list[Tensor]:
    """Balanced layers W_1 .. W_L of the product U diag(s) V^T, with drawn hidden frames.

    W_l = F_l diag(s^(1/L)) F_(l-1)^T, with F_0 = V and F_L = U.

    Args:
        left: U, orthonormal columns, of shape (runs, n_L, modes).
        strengths: s >= 0, of shape (runs, modes).
        right: V, orthonormal columns, of shape (runs, n_0, modes).
        hidden: n_1 .. n_(L-1), each at least the number of modes; empty for a single layer.
        generators: one per run.
    """
    return layers_between([right, *hidden_frames(hidden, strengths.shape[-1], generators), left], strengths)


def hidden_frames(hidden: Sequence[int], modes: int, generators: Sequence[Generator]) -> list[Tensor]:
    """The frames F_1 .. F_(L-1), uniform (Haar), F_l of shape (runs, n_l, modes); F_1 is drawn first.

    Args:
        hidden: n_1 .. n_(L-1), each at least the number of modes.
        modes: number of orthonormal columns of a frame.
        generators: one per run.
    """
    return [orthonormal(width, modes, generators) for width in hidden]


def layers_between(frames: Sequence[Tensor], strengths: Tensor) -> list[Tensor]:
    """Balanced layers W_l = F_l diag(s^(1/L)) F_(l-1)^T between given frames.

    Args:
        frames: F_0 .. F_L, orthonormal columns, F_l of shape (runs, ..., n_l, modes).
        strengths: s >= 0, of shape (runs, ..., modes).
    """
    depth = len(frames) - 1
    roots = each_run(lambda row: row ** (1 / depth), strengths)[..., None, :]
    return [after * roots @ before.mT for before, after in pairwise(frames)]


def isometric_layers(frames: Sequence[Tensor], strength: Tensor) -> list[Tensor]:
    """Balanced layers W_l = s^(1/L) F_l F_(l-1)^T: those of `layers_between` with one strength for all modes.

    Args:
        frames: F_0 .. F_L, orthonormal columns, F_l of shape (runs, ..., n_l, modes).
        strength: s >= 0, of shape (runs, ...).
    """
    depth = len(frames) - 1
    root = each_run(lambda row: row ** (1 / depth), strength)[..., None, None]
    return [root * (after @ before.mT) for before, after in pairwise(frames)]


def draw_strength(low: float, high: float, generators: Sequence[Generator]) -> Tensor:
    """Strengths s drawn log-uniformly from [low, high), of shape (runs,); the bounds may be equal."""
    span = math.log(high / low)
    return each_run(lambda share: low * torch.exp(span * share), uniform((), 0.0, 1.0, generators))


def draw_mode_strengths(low: float, high: float, modes: int, generators: Sequence[Generator]) -> Tensor:
    """One strength for each mode, drawn log-uniformly from [low, high), of shape (runs, modes)."""
    return torch.stack([draw_strength(low, high, generators) for _ in range(modes)], -1)


def unbalanced(weights: Sequence[Tensor], factor: float) -> list[Tensor]:
    """Unbalanced layers with the same product: W_1 times the factor, and W_L divided by it; balanced if it is 1."""
    return [weights[0] * factor, *weights[1:-1], weights[-1] / factor]
