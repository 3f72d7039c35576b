"""Steps of the squared loss by the compiled kernel, for the networks and methods that the kernel knows.

    squared, by second moments       S and Z of the loss
    squared, on samples              S = x^T x / n,  Z = y^T x / n
    squared, of margins              S = z^T z / n,  Z = sum_i z_i / n,   z_i = y_i x_i

With these moments dR/dM = M S - Z. The kernel (`training.compiled_descent`) takes steps of gradient descent, with or
without momentum, of chains of dense layers and of parallel paths of equal widths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from dlnrepro.dynamics.general.architecture import Architecture
from dlnrepro.dynamics.general.losses import Loss, MarginLoss, MomentLoss, SampleLoss
from dlnrepro.dynamics.general.rules import Gradient
from dlnrepro.dynamics.general.training import Stage
from dlnrepro.dynamics.networks.squared_gradient import SquaredGradient
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.compiled_descent import CompiledDescent, can_descend
from dlnrepro.dynamics.training.descent import follow


def known_gradient(architecture: Architecture, loss: Loss, weights: Sequence[Tensor]) -> SquaredGradient | None:
    """The gradient of the loss in the form that the kernel takes; None if there is no kernel for it.

    Args:
        architecture: the layers.
        loss: R.
        weights: the parameters at the start.
    """
    if not architecture.dense or (moments := _moments(loss)) is None:
        return None
    gradient = SquaredGradient(*moments, paths=architecture.stacked)
    return gradient if can_descend(gradient, weights) else None


def by_kernel(gradient: SquaredGradient, momentum: float) -> Stage:
    """Stages of steps by the kernel; the velocity is kept from one stage to the next.

    Args:
        gradient: of the loss.
        momentum: mu of V <- mu V + dR/dW, W <- W - eta V; 0 for plain gradient descent.
    """
    kept: list[CompiledDescent] = []

    def stage(
        weights: Weights,
        sizes: Callable[[int], float],
        steps: int,
        records: Sequence[int],
        observe: Callable[[Weights], Record],
        progress: Progress,
    ) -> tuple[Weights, dict[str, Tensor]]:
        if not kept:
            kept.append(CompiledDescent(weights, gradient, momentum))
        descent = kept[0]
        for own, given in zip(descent.weights, weights, strict=True):
            own.copy_(given)
        return follow(descent, sizes, steps, records, observe, progress)

    return stage


def taken_by_kernel(gradient: SquaredGradient, momentum: float) -> Gradient:
    """The function from weights to the gradients along which the kernel moves them, from one step of each network.

    The step of a network is about as long as its weights, so that the difference of the weights before and after
    it keeps the digits of the gradient.

    Args:
        gradient: of the loss.
        momentum: the factor of the velocity, which is 0 before the step.
    """

    def taken(weights: Weights) -> Weights:
        sizes = _largest(weights) / _largest(gradient(weights))
        sizes = torch.where(torch.isfinite(sizes) & (sizes > 0), sizes, torch.ones_like(sizes))
        descent = CompiledDescent(weights, replace(gradient, factors=sizes[:, None, None]), momentum)
        descent.advance([1.0])
        return [
            (before - after) / sizes.reshape(-1, *[1] * (before.dim() - 1))
            for before, after in zip(weights, descent.weights, strict=True)
        ]

    return taken


def _moments(loss: Loss) -> tuple[Tensor, Tensor | None] | None:
    """Z, of shape (runs, n_L, n_0), and S, of shape (runs, n_0, n_0), or None for S = I; None for other losses."""
    if isinstance(loss, MomentLoss):
        return loss.cross, loss.moment
    if isinstance(loss, SampleLoss) and loss.name == "squared":
        return loss.y.mT @ loss.x / loss.x.shape[-2], loss.x.mT @ loss.x / loss.x.shape[-2]
    if isinstance(loss, MarginLoss) and loss.name == "squared":
        signed = loss.signed
        return signed.mean(-2, keepdim=True), signed.mT @ signed / signed.shape[-2]
    return None


def _largest(parts: Sequence[Tensor]) -> Tensor:
    """The largest size of an entry of each run, of shape (runs,)."""
    return torch.stack([part.abs().flatten(1).amax(-1) for part in parts]).amax(0)
