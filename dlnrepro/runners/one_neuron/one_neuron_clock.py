"""Gradient flow of a linear network with a one-neuron layer, on the clock on which depth and strength disappear.

dW_l/dt = -dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_N ... W_1: the squared loss on inputs of second moment S
(white: S = I). From a balanced start W = s u v^T the directions on the clock tau = int s^(1-2/N) dt follow Oja's flow
of the symmetric matrix H = [[0, Z], [Z^T, 0]], solved by (u; v) ~ e^(H tau) (u_0; v_0): one path for all N and all s_0.

Source: derived in `dlnrepro.dynamics.one_neuron.oja`, in the setting of Eftekhari 2020 (arXiv:2002.09852) and Chen,
Lin, Zhang 2022 (arXiv:2201.02761). Oja's flow: Oja 1982 (J. Math. Biology 15).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.one_neuron.oja import directions_at
from dlnrepro.dynamics.one_neuron.start import balanced, draw_pair
from dlnrepro.dynamics.starts.balanced import draw_strength, unbalanced
from dlnrepro.dynamics.starts.targets import draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.gradient_flow import Array, flow
from dlnrepro.dynamics.training.time_panels import log_panels
from dlnrepro.runner import Progress, Result, Series

PANELS, DECADES = 60, 3
RELATIVE, ABSOLUTE = 1e-9, 1e-15

Positive = Annotated[float, Field(gt=0, le=100)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=8, description="N, the number of weight matrices; n_1 = 1")
    inputs: int = Field(ge=2, le=32, description="n_0")
    hidden: int = Field(ge=1, le=32, description="n_2 = ... = n_{N-1}")
    outputs: int = Field(ge=2, le=32, description="n_N, at most n_0")
    strengths: Annotated[tuple[Positive, ...], Field(strict=False, min_length=2, max_length=32)] = Field(
        description="the target's singular values, strictly falling, as many as outputs"
    )
    jitter: float = Field(ge=0, lt=1, description="each run multiplies each strength by 1 + jitter x, |x| <= 1")
    overlap_low: float = Field(ge=-100, le=100, description="least u^T Z v / sigma_2 of the start")
    overlap_high: float = Field(ge=-100, le=100, description="largest u^T Z v / sigma_2 of the start")
    start_low: float = Field(gt=0, le=100, description="least strength s of the start, drawn log-uniformly")
    start_high: float = Field(gt=0, le=100, description="largest strength s of the start")
    layer_factor: float = Field(gt=0, le=100, description="W_1 times, W_N divided by this: unbalanced unless 1")
    input_spread: float = Field(
        ge=1, le=1000, description="largest over smallest eigenvalue of S, whose determinant is 1; white if 1"
    )
    horizon: float = Field(gt=0, le=10**4, description="time to which the flow is followed")
    clock_depth: int = Field(ge=2, le=8, description="the depth in the clock; another than N is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if any(after >= before for before, after in pairwise(self.strengths)):
            raise ValueError("strengths must fall strictly")
        if len(self.strengths) != self.outputs or self.outputs > self.inputs:
            raise ValueError("strengths must be as many as outputs, and outputs no more than inputs")
        if self.overlap_low >= self.overlap_high or self.start_low > self.start_high:
            raise ValueError("the low end of a range must lie below its high end")
        return self

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_N."""
        return [self.inputs, 1, *[self.hidden] * (self.depth - 2), self.outputs]

    def memory(self, runs: int) -> int:
        """The weights and products at every recorded time."""
        layers = sum(before * after for before, after in pairwise(self.widths))
        return 8 * runs * 8 * PANELS * 4 * (layers + self.inputs * self.outputs) + 2 * 10**7


MEASURES = {
    "direction_error": "largest ||W/||W||_F - u v^T||_F along the flow, u and v of Oja's flow at tau, in [0, 2]",
    "turn": "||W/||W||_F - u v^T||_F at the end, with the start's u and v, in [0, 2]",
    "start_overlap": "u^T Z v / sigma_2 of the start",
}

SERIES = {
    "clock": Series("clock", "tau = int ||W||_F^(1-2/N) dt"),
    "misalignment": Series("clock", "||W/||W||_F - u_1 v_1^T||_F"),
    "predicted_misalignment": Series("clock", "the same for u v^T of Oja's flow at tau"),
    "error": Series("clock", "||W/||W||_F - u v^T||_F"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; follow the flow of each run; hold its directions against Oja's flow."""
    strengths = draw_strengths(params.strengths, params.jitter, generators)
    target = rotated(params.outputs, params.inputs, strengths, generators)
    pair = draw_pair(target, 0, (params.overlap_low, params.overlap_high), generators)
    size = draw_strength(params.start_low, params.start_high, generators)
    weights = unbalanced(balanced(target, pair, size, params.widths, generators), params.layer_factor)
    matrix = array_of(target.matrix)
    moment = array_of(params.input_spread ** torch.linspace(0.5, -0.5, params.inputs, dtype=torch.float64))

    def gradient(run: int, whole: Array) -> Array:
        slopes: Array = whole * moment - matrix[run]
        return slopes

    grid = log_panels(params.horizon, PANELS, DECADES)
    path = product(flow(weights, gradient, grid.times, [1.0] * params.depth, RELATIVE, ABSOLUTE, progress))
    norm = torch.linalg.matrix_norm(path)
    clock = each_run(lambda row: grid.integral(row ** (1 - 2 / params.clock_depth)), norm)
    unit = grid.at_ends((path / norm[..., None, None]).movedim(1, -1)).movedim(-1, 1)
    left, right = directions_at(strengths, pair, clock)
    expected = (target.left[:, None] @ left[..., None]) @ (target.right[:, None] @ right[..., None]).mT
    first = (target.mode(torch.ones(len(norm), dtype=torch.int64)) / strengths[:, :1, None])[:, None]
    error = torch.linalg.matrix_norm(unit - expected)
    misalignment = torch.linalg.matrix_norm(unit - first)
    start: Tensor = (strengths * pair.left[:, : params.outputs] * pair.right[:, : params.outputs]).sum(-1)
    measures = {
        "direction_error": error.amax(-1),
        "turn": torch.linalg.matrix_norm(unit[:, -1] - unit[:, 0]),
        "start_overlap": start / strengths[:, 1],
    }
    series = {
        "clock": clock,
        "misalignment": misalignment,
        "predicted_misalignment": torch.linalg.matrix_norm(expected - first),
        "error": error,
    }
    return Result(measures, series)
