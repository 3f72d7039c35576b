"""Gradient flow of a linear network with a one-neuron layer: how long does it stay near a saddle?

dW_l/dt = -dR/dW_l with R = 1/2 ||W_N ... W_1 - Z||_F^2, from a series of balanced starts that come ever closer to a
saddle, by a number x: W = x u v^T (small), overlaps x with mode 1 and the rest of generic directions without it (saddle
Z_(2)), or u = u_1, v = -v_1 tilted by x (opposed, near the starts that collapse to zero). Measured is the time until W
has half of sigma_1 in mode 1; it is 0 for a start that has as much already. Theory: the delay grows as ln(1/x), or as
a power of 1/x, by start and depth.

Source: the laws are derived in `dlnrepro.dynamics.one_neuron.delays`, in the setting of Eftekhari 2020
(arXiv:2002.09852) and Chen, Lin, Zhang 2022 (arXiv:2201.02761).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.one_neuron.delays import Start, delay_power, delay_slope, small_start_factor
from dlnrepro.dynamics.one_neuron.first_passage import passage_times
from dlnrepro.dynamics.one_neuron.start import Pair, balanced, draw_pair, tilted
from dlnrepro.dynamics.starts.balanced import draw_strength, unbalanced
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.starts.targets import Target, diagonal, draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.runner import Progress, Result, Series

RELATIVE, ABSOLUTE = 1e-6, 1e-25

Positive = Annotated[float, Field(gt=0, le=100)]
Scale = Annotated[float, Field(gt=0, le=0.1)]


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
    start: Start = Field(
        description="small: drawn directions of strength x; saddle: directions without the first `missing` modes, and "
        "overlaps x with mode 1; opposed: u = u_1 and v = -v_1, tilted by x / 2 and x into mode 2, and less into others"
    )
    missing: int = Field(ge=0, le=1, description="0 leaves a `saddle` start its overlap with mode 1: no delay")
    sign: Literal[-1, 1] = Field(description="of v in an `opposed` start; 1 turns it into an aligned one: no delay")
    start_low: float = Field(gt=0, le=100, description="least strength s of a saddle or opposed start, log-uniform")
    start_high: float = Field(gt=0, le=100, description="largest strength s of a saddle or opposed start")
    overlap_low: float = Field(ge=-100, le=100, description="least u^T Z v / sigma_2 of drawn directions")
    layer_factor: float = Field(gt=0, le=100, description="W_1 times, W_N divided by this: unbalanced unless 1")
    scales: Annotated[tuple[Scale, ...], Field(strict=False, min_length=2, max_length=12)] = Field(
        description="x, strictly falling"
    )
    horizon: float = Field(gt=0, le=1e15, description="time after which a network that has not left is given up")
    formula_depth: int = Field(ge=2, le=8, description="the depth in the formulas; another than N is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        for name, values in (("strengths", self.strengths), ("scales", self.scales)):
            if any(after >= before for before, after in pairwise(values)):
                raise ValueError(f"{name} must fall strictly")
        if len(self.strengths) != self.outputs or self.outputs > self.inputs:
            raise ValueError("strengths must be as many as outputs, and outputs no more than inputs")
        if self.start_low > self.start_high:
            raise ValueError("the low end of a range must lie below its high end")
        return self

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_N."""
        return [self.inputs, 1, *[self.hidden] * (self.depth - 2), self.outputs]

    def memory(self, runs: int) -> int:
        """The starts of all scales, and a solver's workspace."""
        layers = sum(before * after for before, after in zip(self.widths, self.widths[1:], strict=False))
        return 8 * runs * len(self.scales) * 8 * (layers + self.inputs * self.outputs) + 2 * 10**7


MEASURES = {
    "slope_ratio": "fitted dt / dln(1/x) over the predicted one; 0 where a power is predicted",
    "power": "fitted -dln t / dln x; 0 for a start that has left at every x",
    "power_error": "the same minus the predicted power",
    "factor_ratio": "t x^((N-2)/N) / K at the smallest x of a small start; 0 for N = 2, where K is infinite, and for "
    "the other starts, for which it means nothing",
    "start_distance": "||W - Z_(1)||_F / sigma_1 of the start at the smallest x, >= 0",
}

SERIES = {
    "scale": Series("scale", "x"),
    "delay": Series("scale", "time t until u_1^T W v_1 >= sigma_1 / 2; 0 for a start that is there"),
    "predicted_delay": Series("scale", "the predicted law through the delay at the smallest x"),
}


class _Starts(NamedTuple):
    """The target, the directions of the starts at the smallest scale, and the weights of every scale."""

    target: Target
    pair: Pair
    weights: list[list[Tensor]]


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; follow the flow of each run from each scale until it has left."""
    starts = _starts(params, generators)
    target, strengths = starts.target, starts.target.strengths
    delays = torch.stack(
        [_delays(params, target, weights, index, progress) for index, weights in enumerate(starts.weights)], -1
    )
    scales = torch.tensor(params.scales, dtype=torch.float64).expand(len(delays), -1)
    logs, log_delays = -each_run(torch.log, scales), each_run(torch.log, _positive(delays))
    predicted_slope = delay_slope(params.start, strengths, params.formula_depth)
    predicted_power = delay_power(params.start, strengths, params.formula_depth)
    power = slope(logs, log_delays)
    whole = product(starts.weights[-1])
    measures = {
        "slope_ratio": slope(logs, delays) / predicted_slope,
        "power": power,
        "power_error": power - predicted_power,
        "factor_ratio": _factor_ratio(params, starts, delays[:, -1]),
        "start_distance": torch.linalg.matrix_norm(whole - target.mode(torch.ones(len(delays), dtype=torch.int64)))
        / strengths[:, 0],
    }
    since = logs - logs[:, -1:]
    line = delays[:, -1:] + predicted_slope[:, None] * since
    curve = delays[:, -1:] * each_run(torch.exp, predicted_power[:, None] * since)
    series = {
        "scale": scales.clone(),
        "delay": delays,
        "predicted_delay": torch.where(torch.isfinite(predicted_slope)[:, None], line, curve),
    }
    return Result(measures, series)


def _starts(params: Params, generators: Sequence[Generator]) -> _Starts:
    """Targets, directions, strengths, then layers, whose hidden directions are the same at all scales."""
    strengths = draw_strengths(params.strengths, params.jitter, generators)
    if params.start == "small":
        target = rotated(params.outputs, params.inputs, strengths, generators)
    else:
        target = diagonal(params.outputs, params.inputs, strengths)
    pairs = _pairs(params, target, generators)
    strength = draw_strength(params.start_low, params.start_high, generators)
    states = [generator.get_state() for generator in generators]
    weights = []
    for scale, pair in zip(params.scales, pairs, strict=True):
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
        size = torch.full_like(strength, scale) if params.start == "small" else strength
        weights.append(unbalanced(balanced(target, pair, size, params.widths, generators), params.layer_factor))
    return _Starts(target, pairs[-1], weights)


def _pairs(params: Params, target: Target, generators: Sequence[Generator]) -> list[Pair]:
    """The directions at each scale."""
    if params.start == "opposed":
        left, right = (0.2 * normal((size - 1,), generators) for size in (params.outputs, params.inputs))
        left[:, 0], right[:, 0] = 0.5, 1.0
        return [Pair(_tilted_axis(1, scale, left), _tilted_axis(params.sign, scale, right)) for scale in params.scales]
    missing = params.missing if params.start == "saddle" else 0
    pair = draw_pair(target, missing, (params.overlap_low, 100.0), generators)
    return [tilted(pair, scale) if params.start == "saddle" else pair for scale in params.scales]


def _tilted_axis(sign: int, tilt: float, rest: Tensor) -> Tensor:
    """Unit vectors (runs, size) along sign e_1 + tilt (0, rest)."""
    axis = torch.cat([torch.full_like(rest[:, :1], sign), tilt * rest], dim=-1)
    return axis.div(torch.linalg.vector_norm(axis, dim=-1, keepdim=True))


def _delays(params: Params, target: Target, weights: list[Tensor], index: int, progress: Progress) -> Tensor:
    """The delays of all runs at one scale."""
    matrix, count = array_of(target.matrix), len(params.scales)
    left, right, half = (
        array_of(target.left[:, :, 0]),
        array_of(target.right[:, :, 0]),
        array_of(target.strengths[:, 0]) / 2,
    )

    def gradient(run: int, whole: Array) -> Array:
        slopes: Array = whole - matrix[run]
        return slopes

    def gauge(run: int, whole: Array) -> float:
        return float(left[run] @ whole @ right[run] - half[run])

    def told(fraction: float, note: str) -> None:
        progress((index + fraction) / count, f"scale {index + 1} of {count}, {note}")

    return passage_times(weights, gradient, gauge, params.horizon, RELATIVE, ABSOLUTE, told)


def _positive(delays: Tensor) -> Tensor:
    """The delays (runs, scales), with 1 in a run that has left at every scale: a time that does not depend on x."""
    return torch.where((delays == 0).all(-1, keepdim=True), torch.ones_like(delays), delays)


def _factor_ratio(params: Params, starts: _Starts, delay: Tensor) -> Tensor:
    """The prefactor of the smallest small start's delay over K."""
    if params.start != "small" or params.formula_depth == 2:
        return torch.zeros_like(delay)
    power = (params.formula_depth - 2) / params.formula_depth
    factor = small_start_factor(starts.target.strengths, starts.pair, params.formula_depth)
    return delay.mul(params.scales[-1] ** power) / factor
