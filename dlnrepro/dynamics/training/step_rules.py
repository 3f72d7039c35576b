"""Rules for the steps of a discrete descent of log R, with R the risk, for all runs at once.

Every rule uses G = grad log R, which is the gradient of the risk divided by the risk. With the gradient of the risk
nothing would move once R is small.

    normalised   theta <- theta - eta D G / (G . D G): to first order log(1/R) grows by eta in each step
    sign         theta <- theta - eta sign(G)
    adam         theta <- theta - eta m / (sqrt(v) + 1e-12)

In adam m and v are running averages of G and of its squares, with factors 0.9 and `memory`, corrected for their initial
value 0. The first rule follows the curve of gradient flow (D = 1). The other two rules minimise the same risk along
other curves. Adam: Kingma and Ba 2015 (arXiv:1412.6980).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import layer_sum

DescentRule = Literal["normalised", "sign", "adam"]


def direction(
    rule: DescentRule, gradient: Callable[[Weights], Weights], rates: Sequence[Tensor], memory: float = 0.999
) -> Callable[[Weights], Weights]:
    """The function from weights to the numbers that a step of size 1 subtracts from them, in the same shapes.

    Args:
        rule: one of the three rules above; adam keeps its averages between calls.
        gradient: from weights to G, in the same shapes.
        rates: D for every layer, of a shape that broadcasts with it; only `normalised` uses it.
        memory: the factor of adam's average of squares, in [0, 1).
    """
    if rule == "sign":
        return lambda weights: [part.sign() for part in gradient(weights)]
    if rule == "adam":
        return _adam(gradient, memory)

    def normalised(weights: Weights) -> Weights:
        gradients = gradient(weights)
        pushes = [rate * part for rate, part in zip(rates, gradients, strict=True)]
        lengths = [(part * push).sum((-2, -1)) for part, push in zip(gradients, pushes, strict=True)]
        total = layer_sum(lengths)[:, None, None]
        return [push / total for push in pushes]

    return normalised


def _adam(gradient: Callable[[Weights], Weights], memory: float) -> Callable[[Weights], Weights]:
    first: list[Tensor] = []
    second: list[Tensor] = []
    calls = 0

    def step(weights: Weights) -> Weights:
        nonlocal calls
        gradients = gradient(weights)
        if not first:
            first.extend(torch.zeros_like(part) for part in gradients)
            second.extend(torch.zeros_like(part) for part in gradients)
        calls += 1
        pushes = []
        for mean, square, part in zip(first, second, gradients, strict=True):
            mean.mul_(0.9).add_(0.1 * part)
            square.mul_(memory).add_((1 - memory) * (part * part))
            root = (square / (1 - memory**calls)).sqrt()
            pushes.append(mean / (1 - 0.9**calls) / (root + 1e-12))
        return pushes

    return step
