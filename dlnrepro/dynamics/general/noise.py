"""Gradients on a random part of the samples, or with noisy labels: one draw per step, from the generator of each run.

    minibatch     dR/dM of the loss on `batch` of the samples, drawn without replacement
    label noise   dR/dM with outputs y + s xi, where xi has standard normal entries

By second moments, noise on the outputs of as many samples as inputs, with second moment S, adds s xi X^T to Z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.general.architecture import Field
from dlnrepro.dynamics.general.losses import Loss, MarginLoss, MomentLoss, SampleLoss
from dlnrepro.dynamics.starts.draws import normal, uniform


def noisy_slope(loss: Loss, batch: int | None, label_noise: float, generators: Sequence[Generator]) -> Field:
    """The function from M to dR/dM, with new draws at every call.

    Args:
        loss: R.
        batch: the number of samples of a minibatch; None for all samples.
        label_noise: s, for the squared loss; 0 for none.
        generators: one per run.
    """

    def slope(matrix: Tensor) -> Tensor:
        drawn = loss if batch is None else _part(loss, batch, generators)
        return (_with_noise(drawn, label_noise, generators) if label_noise else drawn).slope(matrix)

    return slope


def _part(loss: Loss, batch: int, generators: Sequence[Generator]) -> Loss:
    """The loss on some of the samples of each run."""
    assert isinstance(loss, MarginLoss | SampleLoss)
    rows = loss.signed if isinstance(loss, MarginLoss) else loss.x
    chosen = uniform((rows.shape[1],), 0.0, 1.0, generators).argsort(dim=-1, stable=True)[:, :batch]
    if isinstance(loss, MarginLoss):
        return replace(loss, signed=_taken(loss.signed, chosen))
    return replace(loss, x=_taken(loss.x, chosen), y=_taken(loss.y, chosen))


def _taken(rows: Tensor, chosen: Tensor) -> Tensor:
    """Some rows of each run, of shape (runs, batch, columns)."""
    return torch.take_along_dim(rows, chosen[..., None], 1)


def _with_noise(loss: Loss, size: float, generators: Sequence[Generator]) -> Loss:
    """The loss with noisy outputs."""
    if isinstance(loss, SampleLoss):
        return replace(loss, y=loss.y + size * normal(loss.y.shape[1:], generators))
    assert isinstance(loss, MomentLoss)
    noise = size * normal(loss.cross.shape[1:], generators)
    return replace(loss, cross=loss.cross + (noise if loss.moment is None else noise @ loss.inputs.mT))
