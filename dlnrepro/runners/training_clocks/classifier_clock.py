"""How long a deep linear classifier takes to bring its cross-entropy down: in steps, and in time of gradient flow.

T(eps) is when the cross-entropy R first falls to eps. Where every step multiplies R by a factor of at most 1 - mu, T
grows as log(1/eps). Three descents: plain gradient descent; the same with steps that lower log R by eta to first
order; Adam. The second is gradient flow by another clock, t = sum eta / (R |grad log R|^2), which reaches an R at which
the flow's own law shows: dR/dt = -|grad R|^2 with |grad log R|^2 ~ (log 1/R)^(2-2/L), since the network is homogeneous
of degree L, so that T ~ 1 / (eps (log 1/eps)^(2-2/L)).

Source: the conditional logarithmic clock is that of Tan, Gai, Zhang 2026 (arXiv:2606.05863); the flow's law is derived
here from the growth of |grad log R| that homogeneity gives (Lyu, Li 2020, arXiv:1906.05890).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.classification.normalised_descent import direction
from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.dynamics.tensors.arrays import Weights, running_sum
from dlnrepro.dynamics.tensors.per_run import each_run, squared_length
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.dynamics.training_clocks.cross_entropy import log_risk_gradient, risk_gradient
from dlnrepro.runner import Progress, Result, Series

LEVELS = 41
RECORDS = 120
MEMORY = 0.98
"""Of Adam's average of squares, as in the paper's experiments."""


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=1, le=8, description="L, the number of weight matrices")
    dimension: int = Field(ge=2, le=64, description="of the inputs")
    width: int = Field(ge=2, le=64, description="of every hidden layer")
    classes: int = Field(ge=2, le=16, description="K, with as many samples in each as in the others, or one more")
    samples: int = Field(ge=8, le=64, description="no more than the dimension, so that any labels can be separated")
    scale: float = Field(gt=0, le=10, description="of the start: entries of W_l have deviation scale / sqrt(n_{l-1})")
    rule: Literal["plain", "normalised", "adam"] = Field(description="gradient descent; by equal steps of log R; Adam")
    clock: Literal["steps", "time"] = Field(description="T counts steps, or time of gradient flow (not for Adam)")
    step_size: float = Field(gt=0, le=100, description="eta, in the rule's own unit")
    steps: int = Field(ge=10, le=10**6, description="at most")
    level_from: float = Field(gt=0, le=1000, description="log(1/eps) of the largest eps looked at")
    level_to: float = Field(gt=0, le=1000, description="log(1/eps) of the smallest eps looked at")
    law_depth: int = Field(ge=1, le=8, description="the depth in the law's power; another than L is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if self.samples > self.dimension:
            raise ValueError("samples must be no more than dimension")
        if self.samples % 8:
            raise ValueError("samples must be a multiple of 8, for a run to have the same bits in any batch")
        if self.level_from >= self.level_to:
            raise ValueError("level_from must lie below level_to")
        if self.rule == "adam" and self.clock == "time":
            raise ValueError("clock must be steps for adam")
        return self

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.dimension, *[self.width] * (self.depth - 1), self.classes]

    def memory(self, runs: int) -> int:
        """Weights, gradients and averages, the data, and two numbers a step."""
        layers = sum(before * after for before, after in zip(self.widths, self.widths[1:], strict=False))
        return 8 * runs * (10 * layers + self.samples * (self.dimension + 8 * self.classes) + 6 * self.steps) + 10**7


MEASURES = {
    "log_inverse_risk": "log(1/R) at the end",
    "contraction": "largest R_{t+1} / R_t of a step between the two levels; 1 if the smaller eps is never reached",
    "clock_exponent": "slope of log T(eps) against log(1/eps) between the levels; 1 if it never gets there",
    "slowing": "time for the last quarter of the way in log(1/eps) between the levels, over that for the first; "
    "1 for a logarithmic clock",
    "law_error": "|slope of log(eps T) against log log(1/eps) + 2 - 2/L|, with the law's L, >= 0",
}

SERIES = {
    "level": Series("level", "1 / eps"),
    "clock": Series("level", "T(eps)"),
    "law": Series("level", "c / (eps (log 1/eps)^(2-2/L)), with the law's L, through T at the smallest eps"),
    "step": Series("step", "gradient steps taken"),
    "risk": Series("step", "log(1/R)"),
}


class _Path(NamedTuple):
    """Log R before every step and after the last, (steps + 1, runs), and the clock there, likewise."""

    log_risk: Tensor
    clock: Tensor


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend; read the times at which levels were reached."""
    x = normal((params.samples, params.dimension), generators)
    x = x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    hot = torch.nn.functional.one_hot(torch.arange(params.samples) % params.classes, params.classes)
    weights = gaussian(params.widths, params.scale, generators)
    path = _descend(params, weights, x, hot.to(x.dtype).expand(len(generators), -1, -1), progress)
    levels = torch.linspace(params.level_from, params.level_to, LEVELS, dtype=torch.float64)
    reached = -path.log_risk.mT
    times = each_run(lambda heights, clock: _crossings(heights, clock, levels), reached, path.clock.mT)
    grid = levels.expand(len(times), -1)
    logs = each_run(torch.log, times)
    power = 2 - 2 / params.law_depth
    # A run that has not come there has the slowest clock; one that has diverged stays NaN.
    never = torch.where(torch.isfinite(reached[:, -1]), 1.0, torch.nan)
    there = torch.isfinite(times[:, -1])
    quarter = (LEVELS - 1) // 4
    late, early = times[:, -1] - times[:, -1 - quarter], times[:, quarter] - times[:, 0]
    measures = {
        "log_inverse_risk": reached[:, -1],
        "contraction": torch.where(there, _contraction(path, params), never),
        "clock_exponent": torch.where(there, slope(grid, logs), never),
        "slowing": late / early,
        "law_error": (slope(grid.log(), logs - grid) + power).abs(),
    }
    law = logs[:, -1:] + (grid - grid[:, -1:]) - power * (grid.log() - grid[:, -1:].log())
    steps = torch.tensor(log_grid(params.steps, RECORDS))
    series = {
        "level": grid.exp(),
        "clock": times,
        "law": each_run(torch.exp, law),
        "step": steps.to(x.dtype).expand(len(times), -1).clone(),
        "risk": reached[:, steps],
    }
    return Result(measures, series)


def _descend(params: Params, weights: Weights, x: Tensor, hot: Tensor, progress: Progress) -> _Path:
    """The descent; the risk is kept at every step, as the gradient finds it anyway."""
    risks: list[Tensor] = []
    squares: list[Tensor] = []

    def gradient(current: Sequence[Tensor]) -> list[Tensor]:
        find = log_risk_gradient if params.rule == "normalised" else risk_gradient
        value, slopes = find(current, x, hot)
        risks.append(value)
        squares.append(squared_length(slopes))
        return slopes

    rule = params.rule
    step = gradient if rule == "plain" else direction(rule, gradient, [torch.ones(1)] * params.depth, MEMORY)
    end, _ = descend(weights, step, lambda _: params.step_size, params.steps, [], lambda _: {}, progress)
    gradient(end)
    log_risk = torch.stack(risks)
    if rule != "normalised":
        log_risk = each_run(torch.log, log_risk.mT).mT
    moves = torch.full_like(log_risk, params.step_size if (rule, params.clock) == ("plain", "time") else 1.0)
    if (rule, params.clock) == ("normalised", "time"):
        slowness = each_run(torch.exp, -log_risk.mT).mT
        moves = params.step_size * slowness / torch.stack(squares)
    clock = running_sum(torch.cat([torch.zeros_like(moves[:1]), moves[:-1]]).mT).mT
    return _Path(log_risk, clock)


def _crossings(heights: Tensor, clock: Tensor, levels: Tensor) -> Tensor:
    """When log(1/R) of one run first reaches each level, interpolated within the step; NaN where it never does."""
    peaks = heights.cummax(0).values
    after = torch.searchsorted(peaks, levels)
    beyond = after >= len(peaks)
    after = after.clamp(1, len(peaks) - 1)
    share = (levels - peaks[after - 1]) / (peaks[after] - peaks[after - 1])
    times = clock[after - 1] + share * (clock[after] - clock[after - 1])
    return torch.where(beyond, torch.nan, times)


def _contraction(path: _Path, params: Params) -> Tensor:
    """The largest R_{t+1} / R_t of the steps that begin between the levels, of shape (runs,)."""
    heights = -path.log_risk[:-1]
    between = (heights.cummax(0).values >= params.level_from) & (heights.cummax(0).values < params.level_to)
    changes = torch.where(between, path.log_risk[1:] - path.log_risk[:-1], -torch.inf)
    return each_run(torch.exp, changes.amax(0))
