"""Cross-entropy of deep linear classifiers with several classes, as a logistic loss of soft margins.

A sample with logits z and label y has the loss -log softmax(z)_y = log(1 + e^(-m)) with the soft margin

    m = z_y - log sum_{j != y} e^(z_j),     dm/dz_y = 1,     dm/dz_j = -e^(z_j) / sum_{k != y} e^(z_k).

So `margin_losses.batched_log_risk` gives log R and its gradient, and nothing underflows however small R is. For two
classes m is the margin of a binary classifier.

Conventions: x (runs, samples, dimension); `hot` (runs, samples, classes) is 1 at the label and 0 elsewhere; the product
of the weights is (runs, ..., classes, dimension).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes, pull_back
from dlnrepro.dynamics.risks.margin_losses import batched_log_risk


def soft_margins(logits: Tensor, hot: Tensor) -> tuple[Tensor, Tensor]:
    """The soft margin m of every sample, (runs, samples), and dm/dz, (runs, samples, classes)."""
    others = torch.where(hot > 0, -torch.inf, logits)
    top = others.amax(-1, keepdim=True)
    odds = (others - top).exp()
    total = odds.sum(-1, keepdim=True)
    margins = ((logits * hot).sum(-1, keepdim=True) - top - total.log())[..., 0]
    return margins, hot - odds / total


def cross_entropy_log_gradient(weights: Sequence[Tensor], x: Tensor, hot: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The log R of every run, (runs,), and its gradient on every layer.

    Args:
        weights: W_1 .. W_L of shape (runs, n_l, n_(l-1)).
        x: inputs, of shape (runs, samples, n_0).
        hot: labels, of shape (runs, samples, classes).
    """
    partial = prefixes(weights)
    margins, direction = soft_margins(x @ partial[-1].mT, hot)
    value, gradient = batched_log_risk("logistic", margins)
    return value, pull_back(weights, partial, (gradient[..., None] * direction).mT @ x)


def cross_entropy_gradient(weights: Sequence[Tensor], x: Tensor, hot: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The R of every run, (runs,), and its gradient on every layer.

    dR/dm = -1 / (n (1 + e^m)) for a sample with the soft margin m, one of n.

    Args:
        weights: W_1 .. W_L of shape (runs, n_l, n_(l-1)).
        x: inputs, of shape (runs, samples, n_0).
        hot: labels, of shape (runs, samples, classes).
    """
    partial = prefixes(weights)
    margins, direction = soft_margins(x @ partial[-1].mT, hot)
    odds = (-margins.abs()).exp()
    loss = odds.log1p() + (-margins).clamp_min(0)
    gradient = -torch.where(margins > 0, odds, torch.ones_like(odds)) / (1 + odds) / margins.shape[-1]
    return loss.mean(-1), pull_back(weights, partial, (gradient[..., None] * direction).mT @ x)
