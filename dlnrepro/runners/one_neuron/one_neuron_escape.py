"""Gradient flow of a linear network with a one-neuron layer: how long does it stay near a saddle?

dW_l/dt = -dR/dW_l with R = 1/2 ||W_L ... W_1 - Z||_F^2, from a series of balanced starts (initializations) that come
closer and closer to a saddle, at a distance x: W = x u v^T (small), directions without mode 1 and then overlaps x with
it (saddle Z_(2)), or u = u_1, v = -v_1 tilted by x (opposed, near the starts that collapse to zero). The delay is the
time until W has half of sigma_1 in mode 1; it is 0 for a start that has as much already. Theory: the delay grows as
ln(1/x), or as a power of 1/x, by start and depth.

Source: the laws are derived in `dlnrepro.dynamics.one_neuron.delays`, in the setting of Eftekhari 2020
(arXiv:2002.09852) and Chen, Lin, Zhang 2022 (arXiv:2201.02761), which write N for the depth L.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.one_neuron.delays import Approach, delay_power, delay_slope, small_start_factor
from dlnrepro.dynamics.one_neuron.first_passage import passage_times
from dlnrepro.dynamics.one_neuron.motion import OneNeuronStart
from dlnrepro.dynamics.one_neuron.start import Pair, draw_pair, opposed_pairs, rank_one_layers, tilted
from dlnrepro.dynamics.risks.squared_loss import squared_loss_field
from dlnrepro.dynamics.starts.balanced import draw_strength, hidden_frames, unbalanced
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.fields import (
    FALLING,
    FROM_LIST,
    LawDepth,
    LayerFactor,
    PositiveRange,
    Range,
    SeveralStrengths,
    same_or_whole,
)
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.one_neuron import OneNeuronSettings

RELATIVE, ABSOLUTE = 1e-6, 1e-25

Scale = Annotated[float, Field(gt=0, le=0.1)]


class Params(OneNeuronSettings, DeepSettings):
    """A series of starts that come closer and closer to a saddle, and how long the flow is followed from each."""

    strengths: SeveralStrengths
    approach: Approach = Field(
        description="the series of starts: drawn directions of strength x (small), directions without the first"
        " `missing` modes, and then overlaps x with mode 1 (saddle), or u = u_1 and v = -v_1, tilted by x / 2 and x"
        " into mode 2, and less into the others (opposed)"
    )
    missing: int = Field(
        ge=0,
        le=1,
        description="for `approach: saddle`: how many of the first modes the directions lack; without a missing mode"
        " there is no delay",
    )
    sign: Literal[-1, 1] = Field(
        description="for `approach: opposed`: the sign of v; with 1 the directions are aligned and there is no delay"
    )
    overlap: Range = Field(
        description="for `approach: small` and `saddle`: range of u^T Z v / sigma_2, in which the directions are drawn"
    )
    start: PositiveRange = Field(
        description="for `approach: saddle` and `opposed`: range of the strength s, which is drawn log-uniformly"
    )
    layer_factor: LayerFactor
    scales: Annotated[tuple[Scale, ...], FROM_LIST, FALLING] = Field(
        min_length=2, max_length=12, description="x, the distances from the saddle, which fall strictly"
    )
    horizon: float = Field(gt=0, le=1e15, description="time at which a network that is still at the saddle is given up")
    law_depth: Annotated[LawDepth, same_or_whole(2, 8)]

    def numbers(self) -> int:
        """The weights at all scales, and copies of them for the solver."""
        return len(self.scales) * 8 * self.entries


MEASURES = {
    "slope_ratio": "fitted dt / dln(1/x) over the predicted one; 0 where a power is predicted",
    "power": "fitted -dln t / dln x; 0 for a start that has left at every x",
    "power_error": "fitted -dln t / dln x less the predicted one",
    "factor_ratio": "t x^((L-2)/L) / K at the smallest x of a small start; 0 for L = 2, where K is infinite, and for "
    "the other starts, for which it has no meaning",
    "start_distance": "||W - Z_(1)||_F / sigma_1 of the start at the smallest x, >= 0",
}

SERIES = {
    "scale": Series("scale", "distance x of the start from the saddle"),
    "delay": Series("scale", "time t until u_1^T W v_1 >= sigma_1 / 2; 0 for a start that is there"),
    "predicted_delay": Series("scale", "the predicted law through the delay at the smallest x"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; follow the flow of each run from each scale until it has left."""
    starts, count = _starts(params, generators), len(params.scales)
    target, strengths, whole = starts[-1].target, starts[-1].target.strengths, product(starts[-1].weights)
    parts = [part_of(progress, index / count, 1 / count, f"scale {index + 1} of {count}") for index in range(count)]
    delays = torch.stack([_delays(params, start, part) for start, part in zip(starts, parts, strict=True)], -1)
    scales = torch.tensor(params.scales, dtype=torch.float64)
    logs, log_delays = -scales.log(), each_run(torch.log, _positive(delays))
    predicted_slope = delay_slope(params.approach, strengths, params.formula_depth)
    predicted_power = delay_power(params.approach, strengths, params.formula_depth)
    power = slope(logs, log_delays)
    measures = {
        "slope_ratio": slope(logs, delays) / predicted_slope,
        "power": power,
        "power_error": power - predicted_power,
        "factor_ratio": _factor_ratio(params, starts[-1], delays[:, -1]),
        "start_distance": torch.linalg.matrix_norm(whole - target.best_rank_one) / strengths[:, 0],
    }
    since = logs - logs[-1]
    line = delays[:, -1:] + predicted_slope[:, None] * since
    curve = delays[:, -1:] * each_run(torch.exp, predicted_power[:, None] * since)
    predicted = torch.where(torch.isfinite(predicted_slope)[:, None], line, curve)
    return Result(measures, {"scale": scales, "delay": delays, "predicted_delay": predicted})


def _starts(params: Params, generators: Sequence[Generator]) -> list[OneNeuronStart]:
    """Targets, directions, strengths, then hidden directions, which are the same at all scales."""
    small = params.approach == "small"
    target = params.target(generators) if small else params.diagonal_target(generators)
    pairs = _pairs(params, target, generators)
    drawn = draw_strength(*params.start, generators)
    frames = hidden_frames(params.widths[1:-1], 1, generators)
    starts = []
    for scale, pair in zip(params.scales, pairs, strict=True):
        strength = torch.full_like(drawn, scale) if small else drawn
        weights = unbalanced(rank_one_layers(target, pair, strength, frames), params.layer_factor)
        starts.append(OneNeuronStart(target, pair, strength, weights))
    return starts


def _pairs(params: Params, target: Target, generators: Sequence[Generator]) -> list[Pair]:
    """The directions at each scale."""
    if params.approach == "opposed":
        return opposed_pairs(target, params.sign, params.scales, generators)
    if params.approach == "saddle":
        pair = draw_pair(target, params.missing, params.overlap, generators)
        return [tilted(pair, scale) for scale in params.scales]
    return [draw_pair(target, 0, params.overlap, generators)] * len(params.scales)


def _delays(params: Params, start: OneNeuronStart, progress: Progress) -> Tensor:
    """The delays of all runs at one scale."""
    target = start.target
    left, right = array_of(target.left[:, :, 0]), array_of(target.right[:, :, 0])
    half = array_of(target.strengths[:, 0]) / 2

    def excess(run: int, whole: Array) -> float:
        return float(left[run] @ whole @ right[run] - half[run])

    field = squared_loss_field(target.matrix, 1.0)
    return passage_times(start.weights, field, excess, params.horizon, RELATIVE, ABSOLUTE, progress)


def _positive(delays: Tensor) -> Tensor:
    """The delays (runs, scales), with 1 in a run that has left at every scale: a time that does not depend on x."""
    return torch.where((delays == 0).all(-1, keepdim=True), torch.ones_like(delays), delays)


def _factor_ratio(params: Params, start: OneNeuronStart, delay: Tensor) -> Tensor:
    """The prefactor of the smallest small start's delay over K."""
    depth = params.formula_depth
    if params.approach != "small" or depth == 2:
        return torch.zeros_like(delay)
    factor = small_start_factor(start.target.strengths, start.pair, depth)
    return delay.mul(params.scales[-1] ** ((depth - 2) / depth)) / factor
