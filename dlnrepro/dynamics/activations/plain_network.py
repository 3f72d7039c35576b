"""A second route to the gradients of a network with activations: torch's own activations, and autograd.

It shares no code with `functions`, which holds the gradients by the chain rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from dlnrepro.dynamics.activations.functions import LEAK, Activation, OutputLoss
from dlnrepro.dynamics.networks.plain import Loss, gradients

_ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "linear": lambda z: z,
    "relu": functional.relu,
    "leaky-relu": lambda z: functional.leaky_relu(z, LEAK),
    "softsign": functional.softsign,
}


def network_loss(name: Activation, loss: OutputLoss, inputs: Tensor, targets: Tensor) -> Loss:
    """The mean over the samples of |f - y|^2 / 2, or of the sum over outputs of max(0, 1 - s f)^2 / 2, s = sign(y).

    Args:
        name: the name of the activation.
        loss: `squared` or `squared-hinge`.
        inputs: X, of shape (runs, n_0, samples).
        targets: y, of shape (runs, n_L, samples).
    """
    phi, samples = _ACTIVATIONS[name], targets.shape[-1]

    def risk(weights: Sequence[Tensor]) -> Tensor:
        signal = inputs.clone()  # the caller's tensors may have been made in inference mode
        for weight in weights[:-1]:
            signal = phi(weight @ signal)
        found, wanted = weights[-1] @ signal, targets.clone()
        rest = functional.relu(1 - wanted.sign() * found) if loss == "squared-hinge" else wanted - found
        return rest.square().sum((-2, -1)) / 2 / samples

    return risk


def gradient_error(
    gradient: Callable[[Sequence[Tensor]], list[Tensor]],
    rates: Sequence[float],
    loss: Loss,
    places: Sequence[Sequence[Tensor]],
) -> Tensor:
    """The largest ||c_l g_l - dR/dW_l||_F over the largest ||dR/dW_l||_F, over layers and weights, of shape (runs,).

    Args:
        gradient: from weights to g_l, by the chain rule.
        rates: c_l, the learning rates of the layers.
        loss: R, for autograd.
        places: several weights W_1 .. W_L, each of shape (runs, n_l, n_(l-1)).
    """
    off, size = [], []
    for place in places:
        slopes = gradients(loss, place)
        moves = zip(gradient(place), rates, slopes, strict=True)
        off += [torch.linalg.matrix_norm(rate * move - slope) for move, rate, slope in moves]
        size += [torch.linalg.matrix_norm(slope) for slope in slopes]
    return torch.stack(off).amax(0) / torch.stack(size).amax(0)
