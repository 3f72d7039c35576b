"""Networks with an activation between layers: outputs, and gradients by the chain rule.

    f(X) = W_L phi(W_{L-1} ... phi(W_1 X)),

without biases. An activation is homogeneous if phi(z) = phi'(z) z. Every one here is made of sums, products and
quotients, so that a result is bitwise independent of the run's place in its batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

Activation = Literal["linear", "relu", "leaky-relu", "softsign"]

OutputLoss = Literal["squared", "squared-hinge"]

LEAK = 0.2
"""The slope of the leaky ReLU below zero."""


def activation(name: Activation) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """The function from z to phi(z) and phi'(z); phi is z, max(z, 0), max(z, LEAK z), or z / (1 + |z|).

    All but the last, softsign, are homogeneous.
    """
    return {"linear": _linear, "relu": _relu, "leaky-relu": _leaky_relu, "softsign": _softsign}[name]


def network_gradient(
    name: Activation, inputs: Tensor, outer: Callable[[Tensor], Tensor]
) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    """The function from weights W_1 .. W_L, each (runs, n_l, n_{l-1}), to the gradients dR/dW_l in the same shapes.

    Args:
        name: the name of the activation.
        inputs: X, of shape (runs, n_0, samples).
        outer: from outputs (runs, n_L, samples) to the gradient of the loss with respect to them.
    """
    phi = activation(name)

    def gradient(weights: Sequence[Tensor]) -> list[Tensor]:
        below, derivatives = [inputs], []
        for weight in weights[:-1]:
            value, derivative = phi(weight @ below[-1])
            below.append(value)
            derivatives.append(derivative)
        back = outer(weights[-1] @ below[-1])
        gradients = [back @ below[-1].mT]
        for layer in range(len(weights) - 2, -1, -1):
            back = weights[layer + 1].mT @ back * derivatives[layer]
            gradients.append(back @ below[layer].mT)
        return gradients[::-1]

    return gradient


def output_gradient(loss: OutputLoss, targets: Tensor) -> Callable[[Tensor], Tensor]:
    """The function from outputs f, of shape (runs, n_L, samples), to the gradient of the loss with respect to them.

    The loss is the mean over the samples of |f - y|^2 / 2, or of the sum over outputs of max(0, 1 - s f)^2 / 2 with
    s = sign(y).

    Args:
        loss: `squared` or `squared-hinge`.
        targets: y, of the shape of the outputs.
    """
    samples = targets.shape[-1]
    if loss == "squared":
        return lambda values: (values - targets) / samples
    signs = targets.sign()
    return lambda values: -signs * (1 - signs * values).clamp_min(0) / samples


def _linear(z: Tensor) -> tuple[Tensor, Tensor]:
    return z, torch.ones_like(z)


def _relu(z: Tensor) -> tuple[Tensor, Tensor]:
    active = (z > 0).to(z.dtype)
    return z * active, active


def _leaky_relu(z: Tensor) -> tuple[Tensor, Tensor]:
    factor = torch.where(z > 0, torch.ones_like(z), torch.full_like(z, LEAK))
    return z * factor, factor


def _softsign(z: Tensor) -> tuple[Tensor, Tensor]:
    below = 1 / (1 + z.abs())
    return z * below, below * below
