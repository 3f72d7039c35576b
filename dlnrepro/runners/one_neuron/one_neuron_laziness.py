"""Gradient flow of a linear network with a one-neuron layer beside its linearisation: do the weights move?

The network computes f = W(0) + alpha (W - W(0)), W = W_N ... W_1, on whitened inputs, and follows gradient flow of
||f - Z||_F^2 / (2 alpha^2): the network itself for alpha = 1, and for large alpha the scaling under which training
becomes lazy (Chizat, Oyallon, Bach 2019, arXiv:1812.07956). The start is balanced, W(0) = s u v^T. The linearised model
f(0) + J (theta - theta(0)) does not depend on alpha and is solved exactly.

Source: that one-neuron layers are not in the lazy regime is said by Eftekhari 2020 (arXiv:2002.09852).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.tangent_kernel import linear_flow, tangent_kernel
from dlnrepro.dynamics.one_neuron.start import balanced, draw_pair
from dlnrepro.dynamics.starts.balanced import draw_strength
from dlnrepro.dynamics.starts.targets import draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Progress, Result, Series

POINTS = 60
RELATIVE, ABSOLUTE = 1e-10, 1e-13

Positive = Annotated[float, Field(gt=0, le=100)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=8, description="N, the number of weight matrices; n_1 = 1")
    inputs: int = Field(ge=2, le=12, description="n_0")
    hidden: int = Field(ge=1, le=12, description="n_2 = ... = n_{N-1}")
    outputs: int = Field(ge=2, le=12, description="n_N")
    strengths: Annotated[tuple[Positive, ...], Field(strict=False, min_length=2, max_length=12)] = Field(
        description="the target's singular values, strictly falling, as many as outputs or inputs"
    )
    jitter: float = Field(ge=0, lt=1, description="each run multiplies each strength by 1 + jitter x, |x| <= 1")
    overlap_low: float = Field(ge=-100, le=100, description="least u^T Z v / sigma_2 of the start")
    overlap_high: float = Field(ge=-100, le=100, description="largest u^T Z v / sigma_2 of the start")
    start_low: float = Field(gt=0, le=100, description="least strength s of the start, drawn log-uniformly")
    start_high: float = Field(gt=0, le=100, description="largest strength s of the start")
    output_scale: float = Field(ge=1, le=10**4, description="alpha; 1 is the network itself, large is lazy")
    horizon: float = Field(gt=0, le=1000, description="time to which flow and linearisation are followed")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if any(after >= before for before, after in zip(self.strengths, self.strengths[1:], strict=False)):
            raise ValueError("strengths must fall strictly")
        if len(self.strengths) != min(self.inputs, self.outputs):
            raise ValueError("strengths must be as many as the smaller one of inputs and outputs")
        if self.overlap_low >= self.overlap_high or self.start_low > self.start_high:
            raise ValueError("the low end of a range must lie below its high end")
        return self

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_N."""
        return [self.inputs, 1, *[self.hidden] * (self.depth - 2), self.outputs]

    def memory(self, runs: int) -> int:
        """Weights and kernels at every recorded time, with what is needed to form them."""
        layers = sum(before * after for before, after in zip(self.widths, self.widths[1:], strict=False))
        return 8 * runs * POINTS * (4 * layers + 4 * (self.inputs * self.outputs) ** 2) + 10**6


MEASURES = {
    "distance_to_first": "||f - Z_(1)||_F / sigma_1 at the end, >= 0",
    "weight_move": "||theta - theta(0)|| / ||theta(0)|| at the end, all weights together, >= 0",
    "kernel_change": "||K - K(0)||_F / ||K(0)||_F at the end, with K = J J^T the tangent kernel, >= 0",
    "linear_error": "largest ||f - f_linear||_F / sigma_1 along the flow, with f_linear the linearised model, >= 0",
}

SERIES = {
    "time": Series("time", "time along the flow"),
    "distance": Series("time", "||f - Z_(1)||_F / sigma_1"),
    "linear_distance": Series("time", "||f_linear - Z_(1)||_F / sigma_1"),
    "move": Series("time", "||theta - theta(0)|| / ||theta(0)||"),
    "kernel": Series("time", "||K - K(0)||_F / ||K(0)||_F"),
    "linearisation": Series("time", "||f - f_linear||_F / sigma_1"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; follow the flow of each run; compare with the start and the linearised model."""
    strengths = draw_strengths(params.strengths, params.jitter, generators)
    target = rotated(params.outputs, params.inputs, strengths, generators)
    pair = draw_pair(target, 0, (params.overlap_low, params.overlap_high), generators)
    strength = draw_strength(params.start_low, params.start_high, generators)
    weights = balanced(target, pair, strength, params.widths, generators)
    start, scale = product(weights), params.output_scale
    times = torch.linspace(0, params.horizon, POINTS, dtype=torch.float64)
    matrices, origins = array_of(target.matrix), array_of(start)

    def gradient(run: int, whole: Array) -> Array:
        slopes: Array = (origins[run] + scale * (whole - origins[run]) - matrices[run]) / scale
        return slopes

    path = flow(weights, gradient, times, [1.0] * params.depth, RELATIVE, ABSOLUTE, progress)
    outputs = start[:, None] + scale * (product(path) - start[:, None])
    kernel = tangent_kernel(weights)
    linear = linear_flow(kernel, start, target.matrix, times)
    first = target.mode(torch.ones(len(strength), dtype=torch.int64))[:, None]
    unit = strengths[:, :1]
    series = {
        "time": times.expand(len(strength), -1).clone(),
        "distance": torch.linalg.matrix_norm(outputs - first) / unit,
        "linear_distance": torch.linalg.matrix_norm(linear - first) / unit,
        "move": _norm(path, weights) / _norm([layer[:, None] for layer in weights], None),
        "kernel": torch.linalg.matrix_norm(tangent_kernel(path) - kernel[:, None])
        / torch.linalg.matrix_norm(kernel)[:, None],
        "linearisation": torch.linalg.matrix_norm(outputs - linear) / unit,
    }
    measures = {
        "distance_to_first": series["distance"][:, -1],
        "weight_move": series["move"][:, -1],
        "kernel_change": series["kernel"][:, -1],
        "linear_error": series["linearisation"].amax(-1),
    }
    return Result(measures, series)


def _norm(path: Sequence[Tensor], start: Sequence[Tensor] | None) -> Tensor:
    """The length of all weights together, less those of the start, of shape (runs, times)."""
    moved = path if start is None else [now - before[:, None] for now, before in zip(path, start, strict=True)]
    lengths = torch.stack([torch.linalg.matrix_norm(layer) for layer in moved], dim=-1)
    length: Tensor = torch.linalg.vector_norm(lengths, dim=-1)
    return length
