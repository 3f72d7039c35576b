"""The comparison of the gradients of a run with those by autograd of a plain forward pass of samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.general.architecture import Architecture
from dlnrepro.dynamics.general.losses import Loss
from dlnrepro.dynamics.general.plain import check_gradients, plain_outputs
from dlnrepro.dynamics.general.rules import Gradient
from dlnrepro.dynamics.networks.plain import gradients
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.records import Record

CHECKS = 3
"""At how many records, from the first to the last, a gradient is compared."""

FLOOR = 1e-4
"""A gradient is compared relative to its own norm, or to this share of its largest possible size, if that is larger."""


def plain_loss(architecture: Architecture, loss: Loss) -> Callable[[Sequence[Tensor]], Tensor]:
    """R as a function of the parameters, by a forward pass of samples, in operations that autograd knows."""
    of_outputs, inputs = loss.of_outputs(), loss.inputs
    depths = [len(path) - 1 for path in architecture.widths]
    how = depths, architecture.filling, architecture.skip, architecture.stacked

    def value(parameters: Sequence[Tensor]) -> Tensor:
        # The inputs may have been made in inference mode, where autograd must not keep them.
        return of_outputs(plain_outputs(parameters, *how, inputs.clone()))

    return value


def checked_observer(
    architecture: Architecture,
    loss: Loss,
    gradient: Gradient,
    observe: Callable[[Weights], Record],
    records: int,
    expected: Callable[[Weights, Weights], Weights],
) -> Callable[[Weights], Record]:
    """The observer, which at some of the records also compares the gradient with that by autograd.

    Args:
        architecture: the layers.
        loss: R.
        gradient: what the training moves along, without decay and noise.
        observe: from parameters to the recorded quantities.
        records: how often it will be called.
        expected: from the parameters and dR/dV by autograd to what the gradient has to be.

    Raises:
        Disagreement: the two differ by more than rounding.
    """
    chosen = {round(index * (records - 1) / (CHECKS - 1)) for index in range(CHECKS)}
    plain, calls = plain_loss(architecture, loss), 0

    def observed(parameters: Weights) -> Record:
        nonlocal calls
        if calls in chosen:
            wanted = expected(parameters, gradients(plain, parameters))
            floor = FLOOR * _largest_gradient(architecture, loss, parameters)
            check_gradients(gradient(parameters), wanted, floor, f"the gradient at record {calls + 1} of {records}")
        calls += 1
        return observe(parameters)

    return observed


def _largest_gradient(architecture: Architecture, loss: Loss, parameters: Weights) -> Tensor:
    """An upper estimate of the norm of the gradient in all parameters, of shape (runs,).

    It is ||dR/dM|| at M = 0, carried back by the norms of the layers. Rounding leaves an error
    of this size times 1e-16 in a gradient that vanishes at a solution.
    """
    slope = torch.linalg.matrix_norm(loss.slope(torch.zeros_like(architecture.matrix(parameters))))
    total = torch.zeros_like(slope)
    for layers in architecture.layers(parameters):
        norms = torch.stack([torch.linalg.matrix_norm(layer).reshape(len(slope), -1) for layer in layers], -1)
        for layer in range(norms.shape[-1]):
            others = torch.cat([norms[..., :layer], norms[..., layer + 1 :]], -1)
            product = torch.ones_like(norms[..., 0])
            for other in others.unbind(-1):
                product = product * other
            total = total + (product * product).sum(-1)
    size: Tensor = slope * total.sqrt()
    return size
