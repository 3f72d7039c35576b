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

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from pydantic import BaseModel, Field
from torch import Generator, Tensor

from dlnrepro.dynamics.activations.functions import Activation, network_gradient
from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.networks.chain import imbalance
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.step_halving import refined_descents
from dlnrepro.runner import Progress, Result, Series

POINTS = 25


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=8, description="L, the number of weight matrices")
    inputs: int = Field(ge=1, le=32, description="n_0")
    hidden: int = Field(ge=1, le=64, description="n_1 = ... = n_{L-1}")
    outputs: int = Field(ge=1, le=16, description="n_L")
    samples: int = Field(ge=1, le=500, description="Gaussian inputs, with Gaussian outputs or random signs")
    activation: Activation = Field(description="phi; softsign, z / (1 + |z|), is not homogeneous")
    loss: Literal["squared", "squared-hinge"] = Field(
        description="mean of |f - y|^2 / 2, or of max(0, 1 - y f)^2 / 2 with signs y"
    )
    start_scale: float = Field(gt=0, le=10, description="entries of W_l have deviation scale / sqrt(n_{l-1})")
    first_rate: float = Field(gt=0, le=100, description="c_1; all other layers learn at the rate 1")
    horizon: float = Field(gt=0, le=10**4, description="step size times steps")
    step_size: float = Field(gt=0, le=1, description="eta of the coarsest descent")
    halvings: int = Field(ge=1, le=8, description="how many finer descents, each at half the step size of the last")

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), self.outputs]

    @property
    def coarse_steps(self) -> int:
        """The steps of the coarsest descent, so many that its records fall on whole steps."""
        return POINTS * max(1, round(self.horizon / self.step_size / POINTS))

    def memory(self, runs: int) -> int:
        """The recorded weights, and the values at every node and sample."""
        layers = self.hidden * (self.inputs + self.outputs + self.depth * self.hidden)
        return 8 * runs * (3 * POINTS * layers + 6 * self.depth * self.hidden * self.samples)


MEASURES = {
    "node_order": "slope of the log of the nodes' drift against the log of the step size; the drift is the largest "
    "change of a node's squared incoming less squared outgoing length",
    "matrix_order": "the same for the Frobenius norm of the change of W_l W_l^T - W_{l+1}^T W_{l+1}",
    "node_excess": "the largest difference, at the finest step size, between the change of a node's balance and the "
    "sum of eta^2 times its difference of squared gradients, over the largest such sum, >= 0",
    "matrix_excess": "the same for the whole matrices, in the Frobenius norm, >= 0",
    "end_imbalance": "the largest difference at a node, at the end of the finest descent, over the largest squared "
    "incoming length, >= 0",
    "growth": "the product of the layers' Frobenius norms at the end over that at the start",
}

SERIES = {
    "step_size": Series("step_size", "eta of each descent"),
    "node_drift_at": Series("step_size", "the nodes' drift"),
    "matrix_drift_at": Series("step_size", "the drift of the matrices"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend with all runs at each step size; measure drifts and their orders."""
    inputs = normal((params.inputs, params.samples), generators)
    outputs = normal((params.outputs, params.samples), generators)
    weights = gaussian(params.widths, params.start_scale, generators)
    gradient = _gradient(params, network_gradient(params.activation, inputs, _slope(params, outputs)))
    # Behind the weights, matrices that gather the sums of eta (g_{l+1}^T g_{l+1} - g_l g_l^T).
    state = [*weights, *(torch.zeros_like(whole) for whole in imbalance(weights))]
    sizes, nodes, matrices = [], [], []
    finest: Weights = []
    for size, path in refined_descents(
        state, gradient, params.horizon, params.coarse_steps, params.halvings, POINTS, progress
    ):
        changes = _changes(path[: params.depth])
        sizes.append(torch.full((len(generators),), size, dtype=torch.float64))
        nodes.append(_largest(_diagonals(changes)))
        matrices.append(_largest([torch.linalg.matrix_norm(change) for change in changes]))
        finest = path
    swept, node, matrix = torch.stack(sizes, -1), torch.stack(nodes, -1), torch.stack(matrices, -1)
    told = [float(swept[0, -1]) * gathered for gathered in finest[params.depth :]]
    excess = [change - part for change, part in zip(_changes(finest[: params.depth]), told, strict=True)]
    ends = [whole[:, -1:] for whole in finest[: params.depth]]
    lengths = [(weight * weight).sum(-1).amax(-1) for weight in ends[:-1]]
    measures = {
        "node_order": _order(swept, node),
        "matrix_order": _order(swept, matrix),
        "node_excess": _largest(_diagonals(excess)) / _largest(_diagonals(told)),
        "matrix_excess": _largest([torch.linalg.matrix_norm(whole) for whole in excess])
        / _largest([torch.linalg.matrix_norm(whole) for whole in told]),
        "end_imbalance": _largest(_diagonals(imbalance(ends))) / _largest(lengths),
        "growth": _norms(ends)[:, 0] / _norms(weights),
    }
    return Result(measures, {"step_size": swept, "node_drift_at": node, "matrix_drift_at": matrix})


def _gradient(params: Params, plain: Callable[[Sequence[Tensor]], list[Tensor]]) -> Callable[[Weights], Weights]:
    """The gradients, times their rates, and minus the imbalances that they would have as weights."""

    def gradient(state: Weights) -> Weights:
        parts = plain(state[: params.depth])
        rates = [params.first_rate, *[1.0] * (params.depth - 1)]
        return [
            *(rate * part for rate, part in zip(rates, parts, strict=True)),
            *(-whole for whole in imbalance(parts)),
        ]

    return gradient


def _changes(path: Sequence[Tensor]) -> list[Tensor]:
    """The change of the imbalances since the start, of shape (runs, times, n_l, n_l)."""
    return [whole - whole[:, :1] for whole in imbalance(path)]


def _diagonals(matrices: Sequence[Tensor]) -> list[Tensor]:
    """The largest size of a diagonal entry of each matrix, of shape (runs, times)."""
    return [torch.diagonal(whole, dim1=-2, dim2=-1).abs().amax(-1) for whole in matrices]


def _slope(params: Params, outputs: Tensor) -> Callable[[Tensor], Tensor]:
    """The loss's gradient on the network's outputs."""
    if params.loss == "squared":
        return lambda values: (values - outputs) / params.samples
    signs = outputs.sign()
    return lambda values: -signs * (1 - signs * values).clamp_min(0) / params.samples


def _largest(values: Sequence[Tensor]) -> Tensor:
    """The largest over layers and recorded times, from tensors of shape (runs, times)."""
    return torch.stack(list(values)).amax(0).amax(-1)


def _order(sizes: Tensor, drifts: Tensor) -> Tensor:
    """The slope of log drift against log step size, of shape (runs,)."""
    return slope(each_run(torch.log, sizes), each_run(torch.log, drifts))


def _norms(weights: Sequence[Tensor]) -> Tensor:
    """The product of the layers' Frobenius norms, of shape (runs,)."""
    total: Tensor = torch.linalg.matrix_norm(weights[0])
    for weight in weights[1:]:
        total = total * torch.linalg.matrix_norm(weight)
    return total
