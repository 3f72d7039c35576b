"""The direction of a step, from a gradient: a step of size eta subtracts eta times the direction from the parameters.

With g the gradient of the loss and m, v tensors that the rule keeps from step to step, all 0 at the start:

    descent      g
    heavy-ball   m <- mu m + g;  m
    nesterov     m <- mu m + g;  g + mu m
    adam         m <- 0.9 m + 0.1 g, v <- b v + (1 - b) g^2;  m' / (sqrt(v') + 1e-12), corrected for the start at 0
    sign         sign(g)
    muon         m <- mu m + g;  U V^T of every layer, with m = U diag(s) V^T the singular value decomposition
    sam          g at theta + rho g / |g|
    normalised   G / |G|^2 with G = grad log R: to first order each step lowers log R by eta

Sources: Polyak 1964; Nesterov 1983, in the form of Sutskever et al. 2013; Kingma and Ba 2015 (arXiv:1412.6980); Jordan
et al. 2024 (Muon), with the exact polar factor in place of a Newton-Schulz iteration; Foret et al. 2021
(arXiv:2010.01412).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run, squared_length
from dlnrepro.dynamics.tensors.processor import decomposed
from dlnrepro.dynamics.training.step_rules import direction

Gradient = Callable[[Weights], Weights]
Rule = Literal["descent", "heavy-ball", "nesterov", "adam", "sign", "muon", "sam", "normalised"]

KEEPING = ("heavy-ball", "nesterov", "adam", "muon")
"""The rules that keep numbers from one step to the next."""


def direction_of(rule: Rule, gradient: Gradient, momentum: float, memory: float, radius: float) -> Gradient:
    """The function from parameters to the direction of a step, in the same shapes.

    Args:
        rule: one of the rules above.
        gradient: from parameters to g; to G = grad log R for `normalised`.
        momentum: mu, for `heavy-ball`, `nesterov` and `muon`.
        memory: b, for `adam`.
        radius: rho, for `sam`.
    """
    if rule == "descent":
        return gradient
    if rule in ("adam", "sign"):
        return direction(rule, gradient, [], memory)
    if rule == "sam":
        return lambda weights: gradient(_moved(weights, gradient(weights), radius))
    if rule == "normalised":
        return lambda weights: _over_square(gradient(weights))
    return _with_momentum(rule, gradient, momentum)


def decayed(gradient: Gradient, decay: Sequence[float]) -> Gradient:
    """The gradient of R + 1/2 sum_l decay_l ||V_l||_F^2.

    Args:
        gradient: that of R.
        decay: one number for each parameter.
    """
    if not any(decay):
        return gradient
    return lambda weights: [
        part + share * weight for part, share, weight in zip(gradient(weights), decay, weights, strict=True)
    ]


def rated(gradient: Gradient, rates: Sequence[float]) -> Gradient:
    """The direction with a learning rate for each parameter.

    Args:
        gradient: the direction.
        rates: one number for each parameter.
    """
    if all(rate == 1 for rate in rates):
        return gradient
    return lambda weights: [rate * part for rate, part in zip(rates, gradient(weights), strict=True)]


def _with_momentum(rule: Rule, gradient: Gradient, momentum: float) -> Gradient:
    kept: Weights = []

    def step(weights: Weights) -> Weights:
        slopes = gradient(weights)
        if not kept:
            kept.extend(torch.zeros_like(part) for part in slopes)
        for mean, part in zip(kept, slopes, strict=True):
            mean.mul_(momentum).add_(part)
        if rule == "muon":
            return [_polar_factor(mean) for mean in kept]
        if rule == "nesterov":
            return [part + momentum * mean for mean, part in zip(kept, slopes, strict=True)]
        return [mean.clone() for mean in kept]

    return step


def _polar_factor(matrix: Tensor) -> Tensor:
    """U V^T of matrices U diag(s) V^T, each decomposed on its own; NaN for a matrix that is not finite."""

    def factor(one: Tensor) -> Tensor:
        if not bool(torch.isfinite(one).all()):
            return torch.full_like(one, torch.nan)
        left, _, right = decomposed(torch.linalg.svd, one, full_matrices=False)
        whole: Tensor = left @ right
        return whole

    return each_run(factor, matrix)


def _moved(weights: Sequence[Tensor], slopes: Sequence[Tensor], radius: float) -> Weights:
    """The parameters at a distance in the direction of the gradient."""
    length = _total(slopes).sqrt()
    scale = torch.where(length > 0, radius / length, torch.zeros_like(length))
    return [weight + _spread(scale, part) * part for weight, part in zip(weights, slopes, strict=True)]


def _over_square(slopes: Sequence[Tensor]) -> Weights:
    total = _total(slopes)
    return [part / _spread(total, part) for part in slopes]


def _total(slopes: Sequence[Tensor]) -> Tensor:
    """The squared length of all parameters together, of shape (runs,)."""
    return squared_length([part.reshape(len(part), -1, part.shape[-1]) for part in slopes])


def _spread(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (like.dim() - 1))
