"""The end of training of a deep linear network on a target of lower rank: how fast does the gap F - F* close?

The objective is F = 1/2 ||W_L ... W_1 - M||_F^2 + lambda/2 sum_l ||W_l||_F^2 with the weight decay lambda, and F* is
its least value. Gradient descent starts from scaled orthogonal layers. Without decay, and for balanced layers, a
singular value s of the product obeys s' = -L s^(3-2/L) where M has no mode. The gap F - F* then falls as a power of
time, and |grad F| ~ (F - F*)^theta with theta = 1 - 1/(2L). So the time at which the gap falls to delta grows as
delta^(-(2 theta - 1)). For unbalanced layers, and with decay, theta is 1/2 and this time is logarithmic in 1/delta.

The first steps are compared with those of torch's own optimiser without weight decay.

Source: the premise |grad F| ~ (F - F*)^theta with 1/2 < theta < 1, and the clock that follows from it, are from Tan,
Gai, Zhang 2026 (arXiv:2606.05863), who write eta for delta. That this network meets the premise, and its theta, are
derived here (`dynamics.training_clocks.missing_modes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import relative_imbalance
from dlnrepro.dynamics.starts.balanced import unbalanced
from dlnrepro.dynamics.starts.draws import gaussian, uniform
from dlnrepro.dynamics.starts.targets import draw_strengths
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.dynamics.training_clocks.by_torch import DescentSteps, move_error, optimised, squared_fit
from dlnrepro.dynamics.training_clocks.missing_modes import least_height, missing_gap
from dlnrepro.dynamics.training_clocks.orthogonal_start import draw_orthogonal_start
from dlnrepro.dynamics.training_clocks.tail_powers import tail_powers
from dlnrepro.dynamics.training_clocks.weight_decay import DecayedFit
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, silent
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import DrawnAboveZero, Jitter, LayerFactor, StepSize, Strengths, Window
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.numerals import numeral

RECORDS = 200
MOST_STEPS = 10**6
CHECKED = 3
"""The number of steps that are compared with another route."""


class Params(DeepSettings):
    """A target of lower rank, an initialization with scaled orthogonal layers, and the descent from there."""

    depth: int = Field(ge=1, le=8, description="L, the number of weight matrices, which are all square")
    width: int = Field(ge=2, le=16, description="n_0 = ... = n_L, the width of every layer")
    strengths: Strengths = Field(
        description="singular values of the target M, which fall strictly; fewer than `width`, so that modes are "
        "missing"
    )
    jitter: Jitter
    layers: Literal["orthogonal", "gaussian"] = Field(
        description="initial layers: scaled orthogonal matrices, which are balanced (`orthogonal`), or matrices of the"
        " same size with independent normal entries, which are not (`gaussian`)"
    )
    start: DrawnAboveZero = Field(
        description="singular value of the initial product, which is the same for all modes: a number, or a range"
        " [low, high] from which each run draws"
    )
    misalignment: float = Field(
        ge=0,
        le=10,
        description="how far the initial product is turned away from the target M = U S V^T: it is start x U Q V^T,"
        " where Q is the orthogonal factor of I + misalignment x G and G is a Gaussian matrix",
    )
    layer_factor: LayerFactor
    decay: float = Field(ge=0, le=1, description="weight decay lambda, the factor of sum_l ||W_l||_F^2 / 2 in F")
    step_size: StepSize
    horizon: float = Field(gt=0, le=10**6, description="time t of the descent, step size times number of steps")
    gaps: Window = Field(description="range of the gap F - F* in which theta and the exponent of the clock are fitted")

    def contradictions(self) -> Iterable[Contradiction]:
        """A target without a missing mode, or a descent that is too long."""
        yield from super().contradictions()
        if len(self.strengths) >= self.width:
            found = f"{len(self.strengths)} values"
            yield Contradiction("strengths", f"fewer than {self.width} values, so that the target lacks a mode", found)
        if any(strong * (1 - self.jitter) <= weak * (1 + self.jitter) for strong, weak in pairwise(self.strengths)):
            yield Contradiction("jitter", "a smaller value, so that no strength can pass its neighbour")
        if self.steps > MOST_STEPS:
            longest = MOST_STEPS * self.step_size
            yield Contradiction(
                "horizon", f"at most {numeral(longest)}, which is {MOST_STEPS} steps of size {numeral(self.step_size)}"
            )

    @property
    def steps(self) -> int:
        """How many gradient steps reach the horizon."""
        return max(1, round(self.horizon / self.step_size))

    def numbers(self) -> int:
        """Weights, gradients and products, and the records."""
        return 8 * self.depth * self.width**2 + 8 * RECORDS


MEASURES = {
    "theta": "slope of log |grad F| against log(F - F*) in the fitted range of F - F*; NaN if its low end is "
    "never reached",
    "clock_slope": "exponent of the clock: -1 times the slope of log t against log(F - F*) in the fitted range of "
    "F - F*; NaN if its low end is never reached",
    "theta_error": "|theta - (1 - 1/(2L))|, distance of the measured theta from its law with L = law_depth, >= 0",
    "clock_error": "|clock_slope - (1 - 1/L)|, distance of the exponent of the clock from its law with L = law_depth, "
    ">= 0",
    "relation_error": "|clock_slope - (2 theta - 1)|, distance of the exponent of the clock from its law with the "
    "measured theta, >= 0",
    "end_gap": "gap F - F* at the end of the descent",
    "imbalance": "largest imbalance ||W_(l+1)^T W_(l+1) - W_l W_l^T||_F of the initialization, divided by"
    " ||W_1||_F^2, >= 0; 0 for one layer",
    "step_sharpness": "step size times the sharpness L s^(2 - 2/L) of the least loss, with the largest singular value s"
    " of the target, > 0; descent is stable below 2",
    "route_error": "distance of the weights after three steps from those of torch's own optimiser without weight decay,"
    " divided by the length of the way, >= 0",
}

SERIES = {
    "time": Series("time", "time t, step size times number of steps"),
    "gap": Series("time", "gap F - F* between the objective and its least value"),
    "law": Series(
        "time", "derived gap: sum of s^2 / 2 over the missing modes, s = ((2L-2) t)^(-L/(2L-2)) with L = law_depth"
    ),
    "slope_norm": Series("time", "norm |grad F| of the gradient in all weights"),
}

FLAWS = {
    "slopes": Flaw(
        "the fitted exponents are 5 % too large",
        "dlnrepro.dynamics.training_clocks.tail_powers:log_slope",
        scaled(1.05),
    ),
    "pull-back": Flaw(
        "the gradient is three times too large in the layers below the last",
        "dlnrepro.dynamics.training_clocks.weight_decay:pull_back",
        lambda right: (
            lambda weights, *given: [
                (3 if layer < len(weights) - 1 else 1) * part for layer, part in enumerate(right(weights, *given))
            ]
        ),
    ),
    "target": Flaw(
        "the target of the descent is 5 % too large",
        "DecayedFit",
        lambda right: lambda target, decay: right(1.05 * target, decay),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw the target, then the layers; descend; fit the exponents."""
    start = uniform((), *params.start, generators)
    strengths = draw_strengths(params.strengths, params.jitter, generators)
    target, layers = draw_orthogonal_start(
        strengths, params.width, params.depth, start, params.misalignment, generators
    )
    if params.layers == "gaussian":
        sizes = each_run(lambda one: one ** (1 / params.depth), start)[:, None, None]
        layers = [sizes * layer for layer in gaussian([params.width] * (params.depth + 1), 1.0, generators)]
    weights = unbalanced(layers, params.layer_factor) if params.depth > 1 else layers
    fit, records, depth = DecayedFit(target, params.decay), log_grid(params.steps, RECORDS)[1:], params.formula_depth
    _, recorded = descend(
        weights, fit.gradient, lambda _: params.step_size, params.steps, records, fit.observe, progress
    )
    gap = recorded["height"] - _least(strengths, params.depth, params.decay)
    times = (torch.tensor(records, dtype=torch.float64) * params.step_size).expand_as(gap)
    theta, clock = tail_powers(gap, recorded["square"], times, params.gaps)
    measures = {
        "theta": theta,
        "clock_slope": clock,
        "theta_error": (theta - 1 + 0.5 / depth).abs(),
        "clock_error": (clock - 1 + 1 / depth).abs(),
        "relation_error": (clock - 2 * theta + 1).abs(),
        "end_gap": gap[:, -1],
        "imbalance": relative_imbalance(weights),
        "step_sharpness": params.step_size * _sharpness(strengths, params.depth),
        "route_error": _route_error(fit, target, weights, params.step_size),
    }
    series = {
        "time": times,
        "gap": gap,
        "law": missing_gap(params.width - len(params.strengths), start, depth, times),
        "slope_norm": recorded["square"].sqrt(),
    }
    return Result(measures, series)


def _least(strengths: Tensor, depth: int, decay: float) -> Tensor:
    """The least value F* of each run, of shape (runs, 1)."""
    heights = [sum(least_height(value, depth, decay) for value in row) for row in strengths.tolist()]
    return torch.tensor(heights, dtype=torch.float64)[:, None]


def _sharpness(strengths: Tensor, depth: int) -> Tensor:
    """The largest eigenvalue L s^(2 - 2/L) of the Hessian at balanced layers with the least loss, of shape (runs,)."""
    return depth * each_run(lambda row: row[0] ** (2 - 2 / depth), strengths)


def _route_error(fit: DecayedFit, target: Tensor, weights: Sequence[Tensor], step_size: float) -> Tensor:
    """How far three steps are from those of torch's own descent without weight decay, of shape (runs,)."""
    found, _ = descend(weights, fit.gradient, lambda _: step_size, CHECKED, [], lambda _: {}, silent)
    optimiser = partial(DescentSteps, lr=step_size)
    return move_error(weights, found, optimised(weights, lambda: squared_fit(target), optimiser, CHECKED))
