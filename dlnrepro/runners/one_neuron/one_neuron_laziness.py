"""Gradient flow of a linear network with a one-neuron layer, compared with its linearisation: do the weights move?

The outputs on whitened inputs are f = W(0) + alpha (W - W(0)) with the product W = W_L ... W_1, and the weights follow
gradient flow of ||f - Z||_F^2 / (2 alpha^2) with the target Z. For alpha = 1 this is the network itself. For large
alpha training becomes lazy (Chizat, Oyallon, Bach 2019, arXiv:1812.07956). The initialization (start) is balanced,
W(0) = s u v^T. The linearised model f(0) + J (theta - theta(0)), where theta is the vector of all weights and J the
Jacobian of W, has the same path for every alpha and is solved exactly.

Source: Eftekhari 2020 (arXiv:2002.09852) says that networks with a one-neuron layer are not in the lazy regime. The
paper writes N for the depth L.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.tangent_kernel import linear_flow, tangent_kernel
from dlnrepro.dynamics.risks.squared_loss import squared_loss_field
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Flaw, Progress, Result, Series
from dlnrepro.settings.one_neuron import OneNeuronSettings

POINTS = 60
RELATIVE, ABSOLUTE = 1e-10, 1e-13


class Params(OneNeuronSettings):
    """A drawn initialization, how lazy the training is, and how long the flow is followed."""

    output_scale: float = Field(
        ge=1,
        le=10**4,
        description="factor alpha on the change of the outputs: 1 is the network itself, a large value is lazy",
    )
    horizon: float = Field(gt=0, le=1000, description="time t to which the network and its linearisation are followed")

    def numbers(self) -> int:
        """Weights and tangent kernels at every recorded time, with what is needed to form them."""
        return POINTS * (4 * self.entries + 4 * (self.inputs * self.outputs) ** 2)


MEASURES = {
    "distance_to_first": "distance of the outputs f from the best rank-one matrix Z_(1) at the end of the flow, "
    "||f - Z_(1)||_F / sigma_1, >= 0",
    "weight_move": "distance of the vector theta of all weights from its initial value at the end of the flow, over "
    "its initial length, >= 0",
    "kernel_change": "change of the tangent kernel K = J J^T from its initial value at the end of the flow, over its "
    "initial norm (Frobenius, >= 0)",
    "linear_error": "largest distance between the network and its linearisation along the flow, over sigma_1 "
    "(Frobenius norm, >= 0)",
}

SERIES = {
    "time": Series("time", "time t along the flow"),
    "distance": Series("time", "distance of the network from the best rank-one matrix, ||f - Z_(1)||_F / sigma_1"),
    "linear_distance": Series(
        "time", "distance of the linearised network from the best rank-one matrix, ||f_linear - Z_(1)||_F / sigma_1"
    ),
    "move": Series("time", "move of the vector of all weights, ||theta - theta(0)|| / ||theta(0)||"),
    "kernel": Series("time", "change of the tangent kernel, ||K - K(0)||_F / ||K(0)||_F"),
    "linearisation": Series("time", "distance between network and linearisation, ||f - f_linear||_F / sigma_1"),
}

FLAWS = {
    "target": Flaw(
        "gradient flow has a target that is 5 % too large",
        "squared_loss_field",
        lambda right: lambda target, spread: right(1.05 * target, spread),
    ),
    "linearisation": Flaw(
        "the linearised model has a target that is 5 % too large",
        "linear_flow",
        lambda right: lambda kernel, start, target, times: right(kernel, start, 1.05 * target, times),
    ),
    "kernel": Flaw(
        "the linearised model has a tangent kernel that is 5 % too large",
        "linear_flow",
        lambda right: lambda kernel, *others: right(1.05 * kernel, *others),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then initializations; follow the flow of each run; compare with the linearised model."""
    target, _, _, weights = params.draw(generators)
    start, scale, kernel = product(weights), params.output_scale, tangent_kernel(weights)
    times = torch.linspace(0, params.horizon, POINTS, dtype=torch.float64)
    origins, field = array_of(start), squared_loss_field(target.matrix, 1.0)

    def gradient(run: int, whole: Array) -> Array:
        outputs = origins[run] + scale * (whole - origins[run])
        return field(run, outputs) / scale

    path = flow(weights, gradient, times, [1.0] * params.depth, RELATIVE, ABSOLUTE, progress)
    outputs = start[:, None] + scale * (product(path) - start[:, None])
    linear = linear_flow(kernel, start, target.matrix, times)
    first, unit = target.best_rank_one[:, None], target.strengths[:, :1]
    change = torch.linalg.matrix_norm(tangent_kernel(path) - kernel[:, None])
    moves = [layer - before[:, None] for layer, before in zip(path, weights, strict=True)]
    series = {
        "time": times,
        "distance": torch.linalg.matrix_norm(outputs - first) / unit,
        "linear_distance": torch.linalg.matrix_norm(linear - first) / unit,
        "move": _length(moves) / _length(weights)[:, None],
        "kernel": change / torch.linalg.matrix_norm(kernel)[:, None],
        "linearisation": torch.linalg.matrix_norm(outputs - linear) / unit,
    }
    measures = {
        "distance_to_first": series["distance"][:, -1],
        "weight_move": series["move"][:, -1],
        "kernel_change": series["kernel"][:, -1],
        "linear_error": series["linearisation"].amax(-1),
    }
    return Result(measures, series)


def _length(layers: Sequence[Tensor]) -> Tensor:
    """The length of the vector of all entries, of shape (runs, ...)."""
    lengths = torch.stack([torch.linalg.matrix_norm(layer) for layer in layers], dim=-1)
    length: Tensor = torch.linalg.vector_norm(lengths, dim=-1)
    return length
