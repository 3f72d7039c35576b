"""The logarithm of the risk of a plain network, and its gradient by automatic differentiation.

The network is written as in a textbook, x -> W_L f(... f(W_1 x)), and torch differentiates it. Nothing here shares code
with the flows and descents of this package, so it is a second route to the direction in which they must move. It is
slower by far, so it serves a few recorded points of each run.

Conventions: one run at a time; its layers along a path are W_1 .. W_L, each of shape (points, n_l, n_{l-1}), and its
data are the rows of `points`, with labels +-1. The losses are those of `margin_losses`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from dlnrepro.dynamics.risks.margin_losses import LossName

CERTAIN = 36.0
"""From this margin on the logistic loss equals the exponential loss in double precision."""


class PlainRisk(NamedTuple):
    """The risk R along the path of one run.

    Attributes:
        logarithm: log R, of shape (points,).
        gradient: grad log R on every layer, of the layers' shapes.
    """

    logarithm: Tensor
    gradient: list[Tensor]


def plain_risk(
    loss: LossName,
    layers: Sequence[Tensor],
    points: Tensor,
    labels: Tensor,
    kinds: Sequence[Literal["linear", "relu", "skip"]] | None = None,
) -> PlainRisk:
    """`PlainRisk` of one run.

    Args:
        loss: the loss l of a margin.
        layers: W_1 .. W_L, each of shape (points of the path, n_l, n_{l-1}), n_L = 1.
        points: the data as rows, of shape (samples, n_0).
        labels: +-1, of shape (samples,).
        kinds: `linear` (x -> W x), `relu` (x -> max(W x, 0)) or `skip` (x -> x + max(W x, 0)) for every layer; None
            makes all of them linear.
    """
    with torch.inference_mode(False), torch.enable_grad():  # the caller may have switched autograd off
        logarithm, gradient = _differentiated(loss, layers, points, labels, kinds or ["linear"] * len(layers))
    return PlainRisk(logarithm.clone(), [part.clone() for part in gradient])  # tensors of the caller's mode


def relative_distance(found: Sequence[Tensor], expected: Sequence[Tensor]) -> Tensor:
    """||x - y|| / ||y|| over all layers, of shape (points,); NaN where y is 0.

    Args:
        found: x, one tensor per layer, each of shape (points, n_l, n_{l-1}).
        expected: y, in the same shapes.
    """
    apart = torch.cat([(one - other).flatten(1) for one, other in zip(found, expected, strict=True)], 1)
    whole = torch.cat([part.flatten(1) for part in expected], 1)
    distance: Tensor = torch.linalg.vector_norm(apart, dim=-1) / torch.linalg.vector_norm(whole, dim=-1)
    return distance


def _differentiated(
    loss: LossName, layers: Sequence[Tensor], points: Tensor, labels: Tensor, kinds: Sequence[str]
) -> tuple[Tensor, Sequence[Tensor]]:
    """Log R and its gradient, where autograd is on."""
    weights = [layer.clone().requires_grad_() for layer in layers]
    value = points.clone().mT.expand(len(weights[0]), -1, -1)
    for weight, kind in zip(weights, kinds, strict=True):
        onward = weight @ value if kind == "linear" else (weight @ value).relu()
        value = value + onward if kind == "skip" else onward
    margins = value[:, 0] * labels.clone()
    logarithm = torch.logsumexp(_log_losses(loss, margins), -1) - math.log(margins.shape[-1])
    return logarithm.detach(), torch.autograd.grad(logarithm.sum(), weights)


def _log_losses(loss: LossName, margins: Tensor) -> Tensor:
    """Log l(m) of every margin."""
    if loss == "squared":
        return ((1 - margins).square() / 2).log()
    if loss == "exponential":
        return -margins
    near = (-logsigmoid(margins.clamp_max(CERTAIN))).log()
    return torch.where(margins < CERTAIN, near, -margins)
