"""Balanced layers of a given product, and the strength at which they start."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.dynamics.tensors.per_run import each_run


def draw_strength(low: float, high: float, generators: Sequence[Generator]) -> Tensor:
    """Strengths s drawn log-uniformly from [low, high), of shape (runs,); the bounds may be equal."""
    span = math.log(high / low)
    return each_run(lambda share: low * torch.exp(span * share), uniform((), 0.0, 1.0, generators))


def unbalanced(weights: Sequence[Tensor], factor: float) -> list[Tensor]:
    """The same product from unbalanced layers: W_1 times the factor, W_N divided by it."""
    return [weights[0] * factor, *weights[1:-1], weights[-1] / factor]
