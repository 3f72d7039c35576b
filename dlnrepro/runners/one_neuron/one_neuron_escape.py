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
from torch import Generator

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.one_neuron.approaches import approaching_pairs
from dlnrepro.dynamics.one_neuron.delays import (
    Approach,
    delay_power,
    delay_slope,
    log_delays,
    predicted_delays,
    small_start_ratio,
)
from dlnrepro.dynamics.one_neuron.first_passage import half_mode_times
from dlnrepro.dynamics.one_neuron.motion import OneNeuronStart
from dlnrepro.dynamics.one_neuron.start import rank_one_layers
from dlnrepro.dynamics.starts.balanced import draw_strength, hidden_frames, unbalanced
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
    starts, count, depth = _starts(params, generators), len(params.scales), params.formula_depth
    target, pair, _, weights = starts[-1]
    strengths, whole = target.strengths, product(weights)
    times = []
    for index, start in enumerate(starts):
        part = part_of(progress, index / count, 1 / count, f"scale {index + 1} of {count}")
        times.append(half_mode_times(start.weights, target, params.horizon, RELATIVE, ABSOLUTE, part))
    delays, scales = torch.stack(times, -1), torch.tensor(params.scales, dtype=torch.float64)
    power = slope(-scales.log(), log_delays(delays))
    ratio = torch.zeros_like(power)
    if params.approach == "small":
        ratio = small_start_ratio(strengths, pair, depth, params.scales[-1], delays[:, -1])
    measures = {
        "slope_ratio": slope(-scales.log(), delays) / delay_slope(params.approach, strengths, depth),
        "power": power,
        "power_error": power - delay_power(params.approach, strengths, depth),
        "factor_ratio": ratio,
        "start_distance": torch.linalg.matrix_norm(whole - target.best_rank_one) / strengths[:, 0],
    }
    predicted = predicted_delays(params.approach, strengths, depth, scales, delays)
    return Result(measures, {"scale": scales, "delay": delays, "predicted_delay": predicted})


def _starts(params: Params, generators: Sequence[Generator]) -> list[OneNeuronStart]:
    """Targets, directions, strengths, then hidden directions, which are the same at all scales."""
    small, factor = params.approach == "small", params.layer_factor
    target = params.target(generators) if small else params.diagonal_target(generators)
    saddle = params.missing, params.sign, params.overlap
    pairs = approaching_pairs(params.approach, target, params.scales, *saddle, generators)
    drawn = draw_strength(*params.start, generators)
    frames = hidden_frames(params.widths[1:-1], 1, generators)
    starts = []
    for scale, pair in zip(params.scales, pairs, strict=True):
        strength = torch.full_like(drawn, scale) if small else drawn
        weights = unbalanced(rank_one_layers(target, pair, strength, frames), factor)
        starts.append(OneNeuronStart(target, pair, strength, weights))
    return starts
