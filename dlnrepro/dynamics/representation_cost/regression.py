"""Least squares with weight decay, in the weights of a linear network with tied layers.

    F(theta) = 1/(2n) ||X f_theta - Y||_F^2 + decay/2 ||theta||^2

Conventions: X has the shape (runs, n, inputs), Y (runs, n, outputs), and w = f_theta (runs, inputs, outputs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes
from dlnrepro.dynamics.representation_cost.plain_networks import Network
from dlnrepro.dynamics.representation_cost.tied_layers import Patterns, matrices, tied_gradient
from dlnrepro.dynamics.tensors.arrays import Weights


class Regression(NamedTuple):
    """The data of all runs.

    Attributes:
        x: X, the inputs, of shape (runs, n, inputs).
        y: Y, the outputs, of shape (runs, n, outputs).
    """

    x: Tensor
    y: Tensor

    def loss(self, w: Tensor) -> Tensor:
        """The loss 1/(2n) ||X w - Y||_F^2, of shape (runs,)."""
        return ((self.x @ w - self.y) ** 2).sum((-2, -1)) / (2 * self.x.shape[-2])

    def gradient(self, layers: Patterns, decay: float) -> Callable[[Weights], Weights]:
        """The function that maps theta_1 .. theta_L to the gradient of F, in the same shapes."""
        samples = self.x.shape[-2]
        moment, cross = self.x.mT @ self.x / samples, self.x.mT @ self.y / samples

        def gradient(values: Weights) -> Weights:
            chain = matrices(layers, values)
            partial = prefixes(chain)
            slopes = tied_gradient(layers, chain, partial, moment @ partial[-1] - cross)
            return [slope + decay * value for slope, value in zip(slopes, values, strict=True)]

        return gradient


@torch.inference_mode(False)  # the caller may have switched autograd off
def autograd_gradient(regression: Regression, network: Network, decay: float, weights: Sequence[Tensor]) -> Weights:
    """The gradient of F in theta_1 .. theta_L by autograd, run by run, of the network as a plain formula.

    Args:
        regression: the data of all runs.
        network: from theta_1 .. theta_L of one run to its predictor.
        decay: the weight decay in F.
        weights: theta_1 .. theta_L, each of shape (runs, count).
    """
    found = []
    for run in range(len(regression.x)):
        x, y = regression.x[run].clone(), regression.y[run].clone()
        theta = [values[run].clone().requires_grad_() for values in weights]
        errors = x @ network(theta) - y
        objective = (errors**2).sum() / (2 * len(x)) + decay / 2 * sum((values**2).sum() for values in theta)
        found.append(torch.autograd.grad(objective, theta))
    return [torch.stack(list(parts)) for parts in zip(*found, strict=True)]
