"""Gradient flow of a linear network on the population risk of spherically symmetric inputs: how fast does it turn?

dW_l/dt = -dR/dW_l with R(w) = E log(1 + exp(-y w^T x)), y = sgn(v^T x), w = (W_L ... W_1)^T, from a balanced
initialization (start), with full matrices and the exact gradient of `dynamics.spherical.symmetric_inputs`. theta is the
angle between w and v, and c_0 the mean length of the inputs' projection on a plane. Theory: Y = -ln tan(theta / 2)
grows by (c_0 / pi) int |w|^(1-2/L) dt, which is (c_0 / pi) t for L = 2. Therefore theta falls faster than any power of
time, within bounds on 1 - cos(theta). With inputs that are not symmetric, theta falls only as |w|^(-2).

The theory shares no code with the flow: c_0 is integrated from the law of the inputs, and the velocity of the weights
along the path is compared with the gradient, by autograd, of the risk integrated from its definition.

Source: Lin, Sun and Zhang, NeurIPS 2021, Lemmas 3 and 4 and Theorems 1 and 5 of the submission, which writes N for the
depth L. `dynamics.spherical.bounds` says what is derived here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.networks.chain import largest_imbalance, product
from dlnrepro.dynamics.spherical.bounds import Constants, log_cotangent, shares_of_bounds
from dlnrepro.dynamics.spherical.plane_quadrature import mean_length
from dlnrepro.dynamics.spherical.predictors import draw_balanced_layers
from dlnrepro.dynamics.spherical.symmetric_inputs import draw_inputs, mixing, risk_gradients
from dlnrepro.dynamics.spherical.turning import turning
from dlnrepro.dynamics.spherical.velocities import velocity_errors
from dlnrepro.dynamics.starts.balanced import unbalanced
from dlnrepro.dynamics.tensors.arrays import Array, tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run, squared_length
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.dynamics.training.time_panels import log_panels
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, ORDERED, LayerFactor, PositiveRange
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.spherical import SymmetricInputSettings

PANELS = 40
DECADES = 3
RELATIVE, ABSOLUTE = 1e-8, 1e-200

Angle = Annotated[float, Field(gt=0, lt=math.pi)]


class Params(SymmetricInputSettings, DeepSettings):
    """The inputs, the network and its initialization, and how long the flow is followed."""

    depth: int = Field(ge=1, le=8, description="depth L, the number of weight matrices")
    hidden: int = Field(ge=1, le=16, description="n_1 = ... = n_(L-1), the width of the hidden layers")
    angle: Annotated[tuple[Angle, Angle], FROM_LIST, ORDERED] = Field(
        description="range of the angle between the initial predictor w and the teacher, in radians, drawn uniformly"
    )
    norm: PositiveRange = Field(description="range of the norm |w| of the initial predictor, drawn log-uniformly")
    layer_factor: LayerFactor
    horizon: float = Field(gt=0, le=10**4, description="time at which the flow ends")
    law_constants: Constants = Field(
        description="constants in the formula of the bounds at depth 3 and more: those that are derived from the lemmas"
        " (`derived`), or those of the submission (`printed`)"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """Printed constants for one or two layers, and a factor that would have to act on a single layer twice."""
        if self.layer_factor != 1 and self.depth == 1:
            yield Contradiction("layer_factor", "1 for depth 1")
        if self.law_constants == "printed" and self.formula_depth < 3:
            yield Contradiction("law_constants", f"`derived` for depth {self.formula_depth} in the formulas")

    @property
    def widths(self) -> list[int]:
        """The widths n_0 .. n_L, from the inputs to the output."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), 1]

    def numbers(self) -> int:
        """The weights at every recorded time, and the samples."""
        layers = sum(before * after for before, after in pairwise(self.widths))
        return 24 * PANELS * layers + 3 * self.samples * self.inputs


MEASURES = {
    "identity_error": "largest |Y(t) - Y(0) - h I(t)|, divided by h I(end), where Y = -ln tan(theta / 2), h = c_0 /"
    " pi, and I(t) is the integral of |w|^(1-2/L) to the time t, >= 0",
    "rate_ratio": "slope of -ln tan(theta / 2) in time, fitted to the last half of the time, divided by c_0 / pi,"
    " with c_0 the mean length of the inputs' projection on a plane",
    "power": "local exponent -d ln(theta) / d ln(t) of the angle in time, fitted over the last half of the time",
    "power_growth": "local exponent -d ln(theta) / d ln(t) in the last half of the time, divided by that in the"
    " quarter before it; undecided if the angle does not fall in that quarter",
    "norm_power": "exponent -d ln(theta) / d ln|w| of the angle in the norm of w, fitted over the last half of the"
    " time",
    "first_share": "largest ratio of 1 - cos(theta) to its upper bound until the norm of w starts to rise, > 0; 1 if"
    " it rises from time 0",
    "second_share": "largest ratio of 1 - cos(theta) to its upper bound after the norm of w has started to rise, > 0",
    "bound_share": "largest ratio of 1 - cos(theta) to its upper bound at all times, > 0",
    "norm_share": "largest ratio of |w| to its upper bound or of its lower bound to |w|, > 0; both ratios are 1 at"
    " time 0",
    "turning_time": "first recorded time at which the norm of w rises, as a fraction of the horizon, in [0, 1]",
    "velocity_error": "largest ||dW/dt + grad R|| / ||grad R|| of all weights together near three times of the flow, >="
    " 0; dW/dt is the slope of the recorded weights, and grad R is the gradient by autograd of the risk R, which is"
    " integrated from its definition for the whole distribution of inputs",
    "start_imbalance": "largest imbalance ||W_(l+1)^T W_(l+1) - W_l W_l^T||_F of the initial weights over the layers"
    " l, divided by the mean ||W_l||_F^2, >= 0; 0 for L = 1",
    "end_angle": "angle theta between w and the teacher at the end, in radians",
}

SERIES = {
    "time": Series("time", "time t of the gradient flow"),
    "angle": Series("time", "angle theta to the teacher, in radians"),
    "turned": Series("time", "growth Y(t) - Y(0) of Y = -ln tan(theta / 2), with theta the angle to the teacher"),
    "predicted_turn": Series("time", "predicted growth of -ln tan(theta / 2), (c_0 / pi) int_0^t |w|^(1-2/L) dt"),
    "norm": Series("time", "norm |w| of the predictor"),
    "share": Series("time", "ratio of 1 - cos(theta) to its upper bound, with theta the angle to the teacher"),
}

FLAWS = {
    "mean-length": Flaw("c_0 is 5 % too large in every formula", "mean_length", scaled(1.05)),
    "teacher-pull": Flaw(
        "the flow is pulled to the teacher 1.3 times as strongly",
        "dlnrepro.dynamics.spherical.symmetric_inputs:teacher_pull",
        scaled(1.3),
    ),
    "radial-pull": Flaw(
        "the radial part of the gradient that the flow follows is 0.4 times as large",
        "dlnrepro.dynamics.spherical.symmetric_inputs:radial_pull",
        lambda right: lambda inputs: scaled(0.4)(right(inputs)),
    ),
    "layer-rate": Flaw(
        "the first layer learns twice as fast as the flow lets it",
        "flow",
        lambda right: (
            lambda weights, gradient, times, rates, *given: right(weights, gradient, times, [2.0, *rates[1:]], *given)
        ),
    ),
    "exponent": Flaw(
        "every fitted exponent is larger by 0.3", "dlnrepro.dynamics.spherical.turning:log_slope", shifted(0.3)
    ),
    "clock-exponent": Flaw(
        "the exponent of |w| in the clock is larger by 0.1",
        "dlnrepro.dynamics.spherical.turning:clock_rate",
        lambda right: lambda norm, depth: norm**0.1 * right(norm, depth),
    ),
    "early-bounds": Flaw(
        "the bounds on the norm are those of half the time",
        "dlnrepro.dynamics.spherical.bounds:norm_bounds",
        lambda right: lambda times, *given: right(times / 2, *given),
    ),
    "second-phase-exponent": Flaw(
        "the exponent of |w(T)| in the bound of the second phase is larger by 0.1",
        "dlnrepro.dynamics.spherical.bounds:_second_phase",
        lambda right: lambda since, norm, *given: norm**0.1 * right(since, norm, *given),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw the inputs, then the weights; follow the flow of each run; compare it with the theory."""
    mix = mixing(params.inputs, params.stretch)
    laws = draw_inputs(params.input_law, params.inputs, params.factors, generators)
    gradients = risk_gradients(laws, params.samples, mix, generators)
    weights = draw_balanced_layers(params.inputs, params.widths[1:-1], params.angle, params.norm, generators)
    if params.layer_factor != 1:
        weights = unbalanced(weights, params.layer_factor)

    def gradient(run: int, product: Array) -> Array:
        return gradients[run](product[0])[None]

    grid = log_panels(params.horizon, PANELS, DECADES)
    path = flow(weights, gradient, grid.times, [1.0] * params.depth, RELATIVE, ABSOLUTE, progress)
    predictor = product(path)[..., 0, :]
    cotangent = each_run(log_cotangent, predictor)
    norm = torch.linalg.vector_norm(predictor, dim=-1)
    pulls, depth = tensor_of(np.array([mean_length(law) / math.pi for law in laws])), params.formula_depth
    turn = turning(grid, cotangent, norm, depth, pulls)
    bounds = shares_of_bounds(grid.times, cotangent, norm, depth, pulls, params.law_constants)
    measures = {
        "identity_error": turn.identity_error,
        "rate_ratio": turn.rate / pulls,
        "power": turn.power,
        "power_growth": turn.power_growth,
        "norm_power": turn.norm_power,
        "first_share": bounds.first,
        "second_share": bounds.second,
        "bound_share": torch.maximum(bounds.first, bounds.second),
        "norm_share": bounds.norm,
        "turning_time": bounds.turning_time / params.horizon,
        "velocity_error": velocity_errors(grid.times, path, laws, mix),
        "start_imbalance": largest_imbalance(weights) / (squared_length(weights) / len(weights)),
        "end_angle": turn.angle[:, -1],
    }
    series = {
        "time": grid.at_ends(grid.times),
        "angle": turn.angle,
        "turned": turn.turned,
        "predicted_turn": turn.predicted,
        "norm": grid.at_ends(norm),
        "share": grid.at_ends(bounds.share),
    }
    return Result(measures, series)
