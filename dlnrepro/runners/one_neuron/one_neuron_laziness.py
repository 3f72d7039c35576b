"""Gradient flow of a linear network with a one-neuron layer, compared with its linearisation: do the weights move?

The outputs on whitened inputs are f = W(0) + alpha (W - W(0)) with the product W = W_L ... W_1, and the weights follow
gradient flow of ||f - Z||_F^2 / (2 alpha^2) with the target Z. For alpha = 1 this is the network itself. For large
alpha training becomes lazy (Chizat, Oyallon, Bach 2019, arXiv:1812.07956). The initialization (start) is balanced,
W(0) = s u v^T. The linearised model f(0) + J (theta - theta(0)), where theta is the vector of all weights and J the
Jacobian of W, has the same path for every alpha and is solved exactly.

A network that ends at Z_(1) = sigma_1 u_1 v_1^T changes its weights and its tangent kernel by what the growth of the
product alone implies, at least |(sigma_1/s)^(1/L) - 1| and |(sigma_1/s)^(2-2/L) - 1| of their own size. The
linearised model stays in the span of x v^T and u y^T, so it ends at least sigma_1 |(I - u u^T) u_1| |(I - v v^T) v_1|
away from Z_(1). The first part of the flow is repeated by a plain network with autograd.

Source: Eftekhari 2020 (arXiv:2002.09852) says that networks with a one-neuron layer are not in the lazy regime. The
paper writes N for the depth L.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.tangent_kernel import linear_flow, tangent_kernel
from dlnrepro.dynamics.one_neuron.motion import OneNeuronStart
from dlnrepro.dynamics.one_neuron.plain import PlainNetwork
from dlnrepro.dynamics.risks.squared_loss import spread_moment, squared_loss_field
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Flaw, Progress, Result, Series
from dlnrepro.settings.one_neuron import OneNeuronSettings

POINTS, EARLY = 60, 10
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
        return (POINTS + 1) * (4 * self.entries + 4 * (self.inputs * self.outputs) ** 2)


MEASURES = {
    "distance_to_first": "distance of the outputs f from the best rank-one matrix Z_(1) at the end of the flow, "
    "||f - Z_(1)||_F / sigma_1, >= 0",
    "weight_move": "distance of the vector theta of all weights from its initial value at the end of the flow, over "
    "its initial length, >= 0",
    "kernel_change": "change of the tangent kernel K = J J^T from its initial value at the end of the flow, over its "
    "initial norm (Frobenius, >= 0)",
    "move_ratio": "distance of the vector of all weights from its initial value at the end of the flow, over what the "
    "growth of the product from s to sigma_1 implies, >= 0",
    "kernel_ratio": "change of the tangent kernel from its initial value at the end of the flow, over what the growth "
    "of the product from s to sigma_1 implies, >= 0",
    "linear_ratio": "distance between the network and its linearisation at the end of the flow, over the distance of "
    "Z_(1) from all matrices x v^T + u y^T (Frobenius norm, >= 0)",
    "plain_error": "distance of the product of the flow from that of a plain network by autograd after the first part "
    "of the flow, over sigma_1 (Frobenius norm, >= 0)",
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
    drawn = params.draw(generators)
    target, weights = drawn.target, drawn.weights
    start, scale, kernel = product(weights), params.output_scale, tangent_kernel(weights)
    even = torch.linspace(0, params.horizon, POINTS, dtype=torch.float64)
    times = torch.cat([even[:1], even[1:2] / EARLY, even[1:]])
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
        **_ratios(drawn, {name: values[:, -1] for name, values in series.items() if name != "time"}),
        "plain_error": _plain_error(drawn, scale, path, times),
    }
    return Result(measures, series)


def _ratios(start: OneNeuronStart, ends: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What the network has moved at the end, over the least that a network must move that ends at Z_(1)."""
    depth, growth = len(start.weights), start.target.strengths[:, 0] / start.strength
    length = each_run(lambda value: value ** (1 / depth), growth)
    kernel = each_run(lambda value: value ** (2 - 2 / depth), growth)
    outside = ((1 - start.pair.left[:, 0] ** 2) * (1 - start.pair.right[:, 0] ** 2)).sqrt()
    return {
        "move_ratio": ends["move"] / (length - 1).abs(),
        "kernel_ratio": ends["kernel"] / (kernel - 1).abs(),
        "linear_ratio": ends["linearisation"] / outside,
    }


def _plain_error(start: OneNeuronStart, scale: float, path: Sequence[Tensor], times: Tensor) -> Tensor:
    """The distance of the flow from that of a plain network, of shape (runs,).

    The loss ||f - Z||_F^2 / (2 alpha^2) of the scaled outputs is that of W with the target W(0) + (Z - W(0)) / alpha.
    """
    whole = product(start.weights)
    target = whole + (start.target.matrix - whole) / scale
    plain = PlainNetwork(target, spread_moment(target.shape[-1], 1.0))
    rates, fastest = [1.0] * len(path), start.fastest(1.0, 1.0)
    apart = plain.flow_error(path, times.expand(len(fastest), -1), fastest, rates)
    return apart / start.target.strengths[:, 0]


def _length(layers: Sequence[Tensor]) -> Tensor:
    """The length of the vector of all entries, of shape (runs, ...)."""
    lengths = torch.stack([torch.linalg.matrix_norm(layer) for layer in layers], dim=-1)
    length: Tensor = torch.linalg.vector_norm(lengths, dim=-1)
    return length
