"""Contrastive self-supervision of layers: the views, the activities, and the best feedback matrices.

Two views of S objects pass through the network, with activities z^l (rows are objects). In each layer an object of one
view is compared with a context c from the other view by the score z_i^T B c_i. The next object is compared with the
same context by the score z_(i+1)^T B c_i, which should be low. With the positive and negative features collected in
zt = M z and ct = N c,

    loss^l = 1/2 sum over both views of [ (1/S) sum_j f(u_j) + decay ||B||_F^2 ],     u_j = zt_j^T B ct_j,

where f is a falling function. The context is detached: gradients flow through z only. Every layer and view has its own
B.

    two-sided   f(z_i^T B c_i) + f(-z_(i+1)^T B c_i),    f(u) = log(1 + exp(1 - u))
    difference  f((z_i - z_(i+1))^T B c_i),              f(u) = log(1 + exp(-u))
    linear      (z_(i+1) - z_i)^T B c_i,                 f(u) = -u

Local learning descends loss^l by changing only W_l; back-propagation descends loss^L by changing all weights. The
gradients of both are in `dynamics.self_supervision.gradients`.

Conventions: activities have shape (..., 2, S, n_l), weights W_l (..., n_l, n_(l-1)), feedback B (..., 2, n_l, n_c).

Source: Zihan, Delrocq, Gerstner, Bellec 2026 (arXiv:2601.21683) and its code for losses, penalty and detached context.
There the last object of a batch is compared with the first of the other view, and here with the first of its own view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.per_run import each_run

Loss = Literal["two-sided", "difference", "linear"]
Activation = Literal["linear", "relu"]

ITERATIONS = 60
SETTLED = 1e-13
"""The error of the weights of an optimum, relative to their largest possible value, at which Newton's method takes its
last step. This step brings the error down to rounding, so that layers with the same scores have the same optimum even
if they reach the tolerance after different numbers of steps."""


@dataclass(frozen=True)
class Contrast:
    """How objects are compared.

    Attributes:
        features: M, of shape (features, S).
        contexts: N, of shape (features, S).
        margin: the m of f(u) = log(1 + exp(m - u)); None for f(u) = -u.
    """

    features: Tensor
    contexts: Tensor
    margin: float | None

    def pull(self, scores: Tensor) -> Tensor:
        """The values -f'(u) in [0, 1], of the shape of the scores u."""
        return torch.ones_like(scores) if self.margin is None else torch.sigmoid(self.margin - scores)


def contrast(loss: Loss, samples: int) -> Contrast:
    """The comparison that the loss of this name makes between `samples` objects."""
    same = torch.eye(samples, dtype=torch.float64)
    following = same.roll(1, 1)
    if loss == "two-sided":
        return Contrast(torch.cat([same, -following]), torch.cat([same, same]), 1.0)
    return Contrast(same - following, same, 0.0 if loss == "difference" else None)


def paired_views(
    samples: int, inputs: int, falloff: Tensor, noise: Tensor, size: float, generators: Sequence[Generator]
) -> Tensor:
    """Two views of each object: sqrt(1 - noise) of a shared normal vector plus sqrt(noise) of the view's own.

    Args:
        samples: S, the number of objects.
        inputs: n_0, the dimension of a view.
        falloff: the power p of each run, of shape (runs,); the variance of the k-th coordinate is proportional to k^-p.
        noise: the share of the view's own part in the variance, in [0, 1], of shape (runs,).
        size: the root mean square of a coordinate.
        generators: one per run; the shared part is drawn first.

    Returns:
        Shape (runs, 2, S, n_0).
    """
    ranks = torch.arange(1, inputs + 1).to(torch.float64)
    variances = each_run(lambda power: ranks**-power, falloff)
    spread = size * (inputs * variances / variances.sum(-1, keepdim=True)).sqrt()
    shared, own = normal((1, samples, inputs), generators), normal((2, samples, inputs), generators)
    share = noise[:, None, None, None]
    return ((1 - share).sqrt() * shared + share.sqrt() * own) * spread[:, None, None, :]


def activities(weights: Sequence[Tensor], views: Tensor, activation: Activation) -> list[Tensor]:
    """The activities z^0 .. z^L, each of shape (..., 2, S, n_l); the last layer has the activation function, too."""
    layers = [views]
    for weight in weights:
        above = layers[-1] @ weight.mT[..., None, :, :]
        layers.append(above if activation == "linear" else above.relu())
    return layers


def other_view(layer: Tensor) -> Tensor:
    """The activities with the two views exchanged: each view is compared with the other one."""
    return layer.flip(-3)


def best_feedback(layer: Tensor, context: Tensor, how: Contrast, decay: float) -> Tensor:
    """The matrices B that minimise (1/S) sum_j f(u_j) + decay ||B||_F^2, one for each view.

    The optimum is B = sum_j g_j zt_j ct_j^T, where g = -f'(u) / (2 decay S) are the weights of the features. Newton's
    method finds them on the strictly convex objective, which depends only on the inner products of the features.

    Args:
        layer: z, of shape (..., 2, S, n).
        context: c, of shape (..., 2, S, n_c).
        how: the comparison.
        decay: the factor on ||B||_F^2, > 0.

    Returns:
        Shape (..., 2, n, n_c).
    """
    left, right = how.features @ layer, how.contexts @ context
    if how.margin is None:
        weights = torch.full(left.shape[:-1], 1 / (2 * decay * layer.shape[-2]), dtype=layer.dtype)
    else:
        weights = _newton((left @ left.mT) * (right @ right.mT), how, 1 / (2 * decay * layer.shape[-2]))
    return (weights[..., None] * left).mT @ right


def _newton(products: Tensor, how: Contrast, scale: float) -> Tensor:
    """The solution g of g = -scale f'(K g), with K the inner products of the features, by Newton's method from 0.

    Full steps are taken: a pilot over sizes 1 to 100 and decays 1e-2 to 1e-6 found no system on which they fail. If K
    is so large that rounding keeps the error above the tolerance, the last iterate is returned, and `feedback_gap`
    shows its error.
    """
    identity = torch.eye(products.shape[-1], dtype=products.dtype)
    weights = torch.zeros(products.shape[:-1], dtype=products.dtype)
    for _ in range(ITERATIONS):
        pull = how.pull((products @ weights[..., None])[..., 0])
        gap = weights - scale * pull
        bend = scale * pull * (1 - pull)
        weights = weights - torch.linalg.solve(identity + bend[..., None] * products, gap[..., None])[..., 0]
        if float(gap.abs().max()) <= SETTLED * scale:
            break
    return weights
