"""Gradient descent of networks with homogeneous activations, at halved step sizes: what training conserves.

W_l <- W_l - eta c_l dR/dW_l, f(x) = W_L phi(... phi(W_1 x)). If phi is homogeneous, gradient flow conserves the balance
of every hidden node: the squared length of its incoming weights minus that of its outgoing weights. If phi is linear,
it conserves the whole matrix W_l W_l^T - W_(l+1)^T W_(l+1), which has the balances on its diagonal. A step of descent
changes W_(l+1)^T W_(l+1) - W_l W_l^T by exactly eta^2 (g_(l+1)^T g_(l+1) - g_l g_l^T), with g_l = dR/dW_l. This holds
for the diagonal if phi is homogeneous, and for the whole matrix if phi is linear. Over a fixed time the change is of
order eta, so it vanishes in the limit of small steps.

Source: Du, Hu and Lee 2018 (arXiv:1806.00900); for linear networks also Arora, Cohen and Hazan 2018
(arXiv:1802.06509). The change in a step is derived here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.activations.conserved_balance import read_balance
from dlnrepro.dynamics.activations.functions import Activation, OutputLoss, network_gradient, output_gradient
from dlnrepro.dynamics.activations.plain_network import gradient_error, network_loss
from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.step_halving import coarsest_steps
from dlnrepro.runner import Flaw, Progress, Result, Series, shifted
from dlnrepro.settings.fields import Halvings, StepSize
from dlnrepro.settings.networks import GaussianNetwork

POINTS = 25


class Params(GaussianNetwork):
    """A network with an activation, its training data, and its descents."""

    outputs: int = Field(ge=1, le=16, description="n_L, the dimension of the outputs")
    samples: int = Field(
        ge=1, le=500, description="the number of Gaussian inputs, with Gaussian outputs or their signs"
    )
    activation: Activation = Field(
        description="the activation phi of the hidden layers; softsign, z / (1 + |z|), is not homogeneous"
    )
    loss: OutputLoss = Field(
        description="the loss of outputs f: mean of |f - y|^2 / 2, or of max(0, 1 - y f)^2 / 2 with signs y"
    )
    first_rate: float = Field(
        gt=0, le=100, description="c_1, the learning rate of W_1 over that of all other layers; 1 makes them equal"
    )
    horizon: float = Field(gt=0, le=10**4, description="time of each descent, step size times number of steps")
    step_size: StepSize
    halvings: Halvings

    @property
    def last_width(self) -> int:
        """n_L."""
        return self.outputs

    def numbers(self) -> int:
        """The recorded weights and sums of imbalances, and the values at every node and sample."""
        sums = (self.depth - 1) * self.hidden**2
        return 3 * POINTS * (self.weight_count + sums) + 6 * self.depth * self.hidden * self.samples


MEASURES = {
    "node_order": "slope of the log of the largest change of a node's balance against the log of the step size; the "
    "balance is the squared incoming minus the squared outgoing length",
    "matrix_order": "slope of the log of the largest change of the matrix W_l W_l^T - W_(l+1)^T W_(l+1), in Frobenius "
    "norm, against the log of the step size",
    "node_excess": "largest difference, at the smallest step size, between the change of a node's balance and the sum "
    "of eta^2 times its difference of squared gradients, over the largest such sum, >= 0",
    "matrix_excess": "largest difference, at the smallest step size, between the change of a matrix "
    "W_l W_l^T - W_(l+1)^T W_(l+1) and the sum of eta^2 times its difference of squared gradients, over the largest "
    "such sum, in Frobenius norm, >= 0",
    "gradient_error": "largest ||c_l g_l - dR/dW_l||_F over the layers l, divided by the largest ||dR/dW_l||_F, where"
    " c_l g_l is the motion of a layer in the descents and dR/dW_l the gradient of the loss by autograd, at the"
    " beginning and the end of the descent with the smallest step size, >= 0",
    "end_imbalance": "largest absolute balance of a node (squared incoming minus squared outgoing length) at the end "
    "of the descent with the smallest step size, over the largest squared incoming length, >= 0",
    "growth": "the product of the layers' Frobenius norms at the end over that at the initialization",
}

SERIES = {
    "step_size": Series("step size", "step size eta of each descent"),
    "node_drift_at": Series("step size", "largest change of a node's balance"),
    "matrix_drift_at": Series("step size", "largest change of the whole matrix, in Frobenius norm"),
}

FLAWS = {
    "derivative": Flaw(
        "the derivative of the activation is 5 % too large",
        "dlnrepro.dynamics.activations.functions:activation",
        lambda right: lambda name: lambda z: (right(name)(z)[0], 1.05 * right(name)(z)[1]),
    ),
    "hidden-layer": Flaw(
        "the gradient of W_1 is three times as large",
        "network_gradient",
        lambda right: (
            lambda *given: (
                lambda weights: [3 * part if not at else part for at, part in enumerate(right(*given)(weights))]
            )
        ),
    ),
    "loss": Flaw(
        "the descents follow 0.95 times the gradient of the loss",
        "network_gradient",
        lambda right: lambda *given: lambda weights: [0.95 * part for part in right(*given)(weights)],
    ),
    "order": Flaw("the fitted orders in the step size are 0.1 too large", "slope", shifted(0.1)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend with all runs at each step size; measure drifts and their orders."""
    inputs = normal((params.inputs, params.samples), generators)
    outputs = normal((params.outputs, params.samples), generators)
    weights = params.weights(generators)
    gradient = network_gradient(params.activation, inputs, output_gradient(params.loss, outputs))
    loss = network_loss(params.activation, params.loss, inputs, outputs)
    rates = [params.first_rate, *[1.0] * (params.depth - 1)]
    steps = coarsest_steps(params.horizon, params.step_size, POINTS)
    found = read_balance(weights, gradient, rates, params.horizon, steps, params.halvings, POINTS, progress)
    eta, drifts = found.step_sizes, found.drifts
    measures = {
        "node_order": slope(eta.log(), each_run(torch.log, drifts.node)),
        "matrix_order": slope(eta.log(), each_run(torch.log, drifts.matrix)),
        "node_excess": found.excess.node,
        "matrix_excess": found.excess.matrix,
        "gradient_error": gradient_error(gradient, rates, loss, [weights, found.last]),
        "end_imbalance": found.end,
        "growth": found.growth,
    }
    return Result(measures, {"step_size": eta, "node_drift_at": drifts.node, "matrix_drift_at": drifts.matrix})
