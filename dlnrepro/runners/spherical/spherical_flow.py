"""Gradient flow of a linear network on the population risk of spherically symmetric inputs: how fast does it turn?

dW_l/dt = -dR/dW_l with R(w) = E log(1 + exp(-y w^T x)), y = sgn(v^T x), w = (W_L ... W_1)^T, from a balanced start:
full matrices, with the exact gradient of `dynamics.spherical.symmetric_inputs`. Theory: with theta the angle of w to v,
Y = -ln tan(theta / 2) grows by (c_0 / pi) int |w|^(1-2/L), which is (c_0 / pi) t for L = 2; so theta falls faster than
any power of time, within bounds on 1 - cos(theta). Inputs that are not symmetric have theta ~ |w|^(-2) instead.

Source: Lin, Sun and Zhang, NeurIPS 2021, Lemmas 3 and 4 and Theorems 1 and 5 of the submission; what is derived here is
said in `dynamics.spherical.bounds`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.networks.chain import largest_imbalance, product
from dlnrepro.dynamics.spherical.bounds import Constants, log_cotangent, shares_of_bounds
from dlnrepro.dynamics.spherical.predictors import draw_balanced_layers
from dlnrepro.dynamics.spherical.symmetric_inputs import mixing, risk_gradients, teacher_pull
from dlnrepro.dynamics.spherical.turning import turning
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.dynamics.tensors.per_run import each_run, squared_length
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.dynamics.training.time_panels import log_panels
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, ORDERED, PositiveRange
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.spherical import SymmetricInputSettings

PANELS = 40
DECADES = 3
RELATIVE, ABSOLUTE = 1e-8, 1e-200

Angle = Annotated[float, Field(gt=0, lt=math.pi)]


class Params(SymmetricInputSettings, DeepSettings):
    """The inputs, the network and its initialization, and how long the flow is followed."""

    depth: int = Field(ge=1, le=8, description="L, the number of weight matrices")
    hidden: int = Field(ge=1, le=16, description="n_1 = ... = n_{L-1}, the width of the hidden layers")
    angle: Annotated[tuple[Angle, Angle], FROM_LIST, ORDERED] = Field(
        description="range of the angle between the initial predictor w and the teacher, in radians"
    )
    norm: PositiveRange = Field(description="range of the norm |w| at the start, which is drawn log-uniformly")
    noise: float = Field(
        ge=0, le=10, description="scale of normal values added to the initial weights; 0 keeps the layers balanced"
    )
    horizon: float = Field(gt=0, le=10**4, description="time to which the flow is followed")
    constants: Constants = Field(
        description="constants of the bounds at depth 3 and more: `derived` from the lemmas, or as `printed`"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """Constants that are printed for other depths."""
        if self.constants == "printed" and self.formula_depth < 3:
            yield Contradiction("constants", f"`derived` for the depth {self.formula_depth} of the formulas")

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), 1]

    def numbers(self) -> int:
        """The weights at every recorded time, and the samples."""
        layers = sum(before * after for before, after in pairwise(self.widths))
        return 24 * PANELS * layers + 3 * self.samples * self.inputs


MEASURES = {
    "identity_error": "largest |Y(t) - Y(0) - h int_0^t |w|^(1-2/L)| over the same integral to the end, >= 0",
    "rate_ratio": "dY/dt, fitted over the last half of the time, over h = c_0 / pi",
    "power": "-d log(theta) / d log(t), fitted over the last half of the time",
    "power_growth": "the same over that of the quarter of the time before the last half; 0 if that one is not positive",
    "norm_power": "-d log(theta) / d log|w|, fitted over the last half of the time",
    "first_share": "largest (1 - cos(theta)) over its bound until the norm turns, > 0; 1 if it rises from the start",
    "second_share": "largest (1 - cos(theta)) over its bound from there on, > 0",
    "bound_share": "the larger one of the two, > 0",
    "norm_share": "the largest of |w| over its upper bound and of its lower bound over |w|, > 0; 1 at the start",
    "turning_time": "the first recorded time at which the norm rises, over the horizon, in [0, 1]",
    "start_imbalance": "largest ||W_{l+1}^T W_{l+1} - W_l W_l^T||_F of the start, over the mean "
    "||W_l||_F^2, >= 0; 0 for L = 1",
    "end_angle": "theta at the end, in radians",
}

SERIES = {
    "time": Series("time", "time along the flow"),
    "angle": Series("time", "theta, in radians"),
    "turned": Series("time", "Y(t) - Y(0) with Y = -ln tan(theta / 2)"),
    "predicted_turn": Series("time", "h int_0^t |w|^(1-2/L)"),
    "norm": Series("time", "|w|"),
    "share": Series("time", "(1 - cos(theta)) over its bound"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw the sample, if any, then the weights; follow the flow of each run; hold it against the theory."""
    mix = mixing(params.inputs, params.stretch)
    gradients = risk_gradients(params.law, params.samples, mix, generators)
    weights = draw_balanced_layers(params.inputs, params.widths[1:-1], params.angle, params.norm, generators)
    if params.noise:
        weights = [weight + params.noise * normal(weight.shape[1:], generators) for weight in weights]

    def gradient(run: int, product: Array) -> Array:
        return gradients[run](product[0])[None]

    grid = log_panels(params.horizon, PANELS, DECADES)
    path = flow(weights, gradient, grid.times, [1.0] * params.depth, RELATIVE, ABSOLUTE, progress)
    predictor = product(path)[..., 0, :]
    cotangent = each_run(log_cotangent, predictor)
    norm = torch.linalg.vector_norm(predictor, dim=-1)
    pull, depth = teacher_pull(params.law, params.inputs), params.formula_depth
    turn = turning(grid, cotangent, norm, depth, pull)
    bounds = shares_of_bounds(grid.times, cotangent, norm, depth, pull, params.constants)
    measures = {
        "identity_error": turn.identity_error,
        "rate_ratio": turn.rate / pull,
        "power": turn.power,
        "power_growth": turn.power_growth,
        "norm_power": turn.norm_power,
        "first_share": bounds.first,
        "second_share": bounds.second,
        "bound_share": torch.maximum(bounds.first, bounds.second),
        "norm_share": bounds.norm,
        "turning_time": bounds.turning_time / params.horizon,
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
