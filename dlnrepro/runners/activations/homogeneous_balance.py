"""Gradient descent of networks with homogeneous activations, at step sizes halved again and again: what is conserved?

W_l <- W_l - eta c_l dR/dW_l, f(x) = W_L phi(... phi(W_1 x)). If phi is homogeneous, gradient flow conserves at every
hidden node the difference between the squared lengths of its incoming and outgoing weights, and between neighbouring
layers the difference of squared norms. If phi is linear it conserves the whole matrix W_l W_l^T - W_{l+1}^T W_{l+1}, of
which those are the diagonal and the trace. A step of descent changes W_{l+1}^T W_{l+1} - W_l W_l^T by exactly
eta^2 (g_{l+1}^T g_{l+1} - g_l g_l^T), g_l = dR/dW_l: in the diagonal if phi is homogeneous, as a whole if it is linear.
Over a time that is O(eta), and nothing in the limit.

Source: Du, Hu and Lee 2018 (arXiv:1806.00900); for linear networks also Arora, Cohen and Hazan 2018
(arXiv:1802.06509). The change by a step is derived here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.activations.conserved_balance import read_balance
from dlnrepro.dynamics.activations.functions import Activation, OutputLoss, network_gradient, output_gradient
from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.step_halving import coarsest_steps
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.fields import Halvings, StepSize
from dlnrepro.settings.networks import GaussianNetwork

POINTS = 25


class Params(GaussianNetwork):
    """A network with an activation, the data that it is trained on, and the descents."""

    outputs: int = Field(ge=1, le=16, description="n_L, the dimension of the outputs")
    samples: int = Field(
        ge=1, le=500, description="the number of Gaussian inputs, with Gaussian outputs or their signs"
    )
    activation: Activation = Field(description="phi of the hidden layers; softsign, z / (1 + |z|), is not homogeneous")
    loss: OutputLoss = Field(description="mean of |f - y|^2 / 2, or of max(0, 1 - y f)^2 / 2 with signs y")
    first_rate: float = Field(
        gt=0, le=100, description="c_1, the learning rate of W_1 over that of the other layers; 1 makes them equal"
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
    "node_order": "slope of the log of the nodes' drift against the log of the step size; the drift is the largest "
    "change of a node's squared incoming less squared outgoing length",
    "matrix_order": "slope of the log of the matrices' drift against the log of the step size; the drift is the "
    "largest Frobenius norm of the change of W_l W_l^T - W_{l+1}^T W_{l+1}",
    "node_excess": "the largest difference, at the finest step size, between the change of a node's balance and the "
    "sum of eta^2 times its difference of squared gradients, over the largest such sum, >= 0",
    "matrix_excess": "the largest difference, at the finest step size, between the change of a matrix "
    "W_l W_l^T - W_{l+1}^T W_{l+1} and the sum of eta^2 times its difference of squared gradients, over the largest "
    "such sum, in the Frobenius norm, >= 0",
    "end_imbalance": "the largest difference at a node, at the end of the finest descent, over the largest squared "
    "incoming length, >= 0",
    "growth": "the product of the layers' Frobenius norms at the end over that at the start",
}

SERIES = {
    "step_size": Series("step_size", "eta of each descent"),
    "node_drift_at": Series("step_size", "the nodes' drift, the largest change of a node's balance"),
    "matrix_drift_at": Series("step_size", "the matrices' drift, the largest change in Frobenius norm"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend with all runs at each step size; measure drifts and their orders."""
    inputs = normal((params.inputs, params.samples), generators)
    outputs = normal((params.outputs, params.samples), generators)
    weights = params.weights(generators)
    gradient = network_gradient(params.activation, inputs, output_gradient(params.loss, outputs))
    rates = [params.first_rate, *[1.0] * (params.depth - 1)]
    steps = coarsest_steps(params.horizon, params.step_size, POINTS)
    found = read_balance(weights, gradient, rates, params.horizon, steps, params.halvings, POINTS, progress)
    eta, drifts = found.step_sizes, found.drifts
    measures = {
        "node_order": slope(eta.log(), each_run(torch.log, drifts.node)),
        "matrix_order": slope(eta.log(), each_run(torch.log, drifts.matrix)),
        "node_excess": found.excess.node,
        "matrix_excess": found.excess.matrix,
        "end_imbalance": found.end,
        "growth": found.growth,
    }
    return Result(measures, {"step_size": eta, "node_drift_at": drifts.node, "matrix_drift_at": drifts.matrix})
