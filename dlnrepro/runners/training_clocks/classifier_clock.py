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

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.classification.normalised_descent import direction
from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.fits.sweeps import first_crossings
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import Weights, running_sum
from dlnrepro.dynamics.tensors.per_run import each_run, squared_length
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.dynamics.training_clocks.cross_entropy import cross_entropy_gradient, cross_entropy_log_gradient
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import Window
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.training_clocks import ManyClasses

LEVELS = 41
RECORDS = 120
MEMORY = 0.98
"""Of Adam's average of squares, as in the paper's experiments."""


class Params(ManyClasses, DeepSettings):
    """A network that separates classes, how it descends, and the levels of its risk at which a clock is read."""

    depth: int = Field(ge=1, le=8, description="L, the number of weight matrices")
    rule: Literal["plain", "normalised", "adam"] = Field(
        description="`plain` gradient descent, `normalised`: steps that lower log R by eta to first order, or `adam`"
    )
    clock: Literal["steps", "time"] = Field(
        description="T(eps) counts the `steps` of the descent, or is the `time` of gradient flow (not for `rule: adam`)"
    )
    step_size: float = Field(gt=0, le=100, description="the step size eta, in the unit of the rule")
    steps: int = Field(ge=10, le=10**6, description="the number of steps of the descent")
    levels: Window = Field(description="range of log(1/eps), natural logarithm, for which T(eps) is measured")

    def contradictions(self) -> Iterable[Contradiction]:
        """A clock that the rule does not have."""
        yield from super().contradictions()
        if self.rule == "adam" and self.clock == "time":
            yield Contradiction("clock", "`steps` for `rule: adam`")

    def numbers(self) -> int:
        """Weights, gradients and averages, the data and its margins, and the risk and the clock at every step."""
        data = self.samples * (self.inputs + 8 * self.classes)
        return 10 * self.weight_count + data + 6 * self.steps


MEASURES = {
    "log_inverse_risk": "log(1/R) at the end",
    "contraction": "largest R_{t+1} / R_t of a step between the levels; 1 if the smallest eps is never reached",
    "clock_exponent": "slope of log T(eps) against log(1/eps) between the levels; "
    "1 if the smallest eps is never reached",
    "slowing": "time for the last quarter of the way in log(1/eps) between the levels, over the time for the first "
    "quarter; 1 for a logarithmic clock",
    "law_error": "|slope of log(eps T) against log log(1/eps) + 2 - 2/L|, with L = law_depth, >= 0",
}

SERIES = {
    "level": Series("level", "1 / eps"),
    "clock": Series("level", "T(eps)"),
    "law": Series("level", "c / (eps (log 1/eps)^(2-2/L)), with L = law_depth, through T at the smallest eps"),
    "step": Series("step", "gradient steps taken"),
    "risk": Series("step", "log(1/R)"),
}


class _Path(NamedTuple):
    """The descent before every step and after the last one.

    Attributes:
        log_risk: log R, of shape (steps + 1, runs).
        clock: T, of the same shape.
    """

    log_risk: Tensor
    clock: Tensor


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend; read the times at which the risk reaches each level."""
    x = normal((params.samples, params.inputs), generators)
    x = x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    path = _descend(params, params.weights(generators), x, params.one_hot(len(x)), progress)
    levels = torch.linspace(*params.levels, LEVELS, dtype=torch.float64)
    reached = -path.log_risk.mT
    times = each_run(lambda heights, clock: first_crossings(heights, clock, levels), reached, path.clock.mT)
    grid, logs = levels.expand_as(times), each_run(torch.log, times)
    power = 2 - 2 / params.formula_depth
    # The clock of a run that has not reached the last level is the slowest one; a run that has diverged stays NaN.
    never = torch.where(torch.isfinite(reached[:, -1]), 1.0, torch.nan)
    arrived = torch.isfinite(times[:, -1])
    quarter = (LEVELS - 1) // 4
    late, early = times[:, -1] - times[:, -1 - quarter], times[:, quarter] - times[:, 0]
    law = logs[:, -1:] + (grid - grid[:, -1:]) - power * (grid.log() - grid[:, -1:].log())
    steps = torch.tensor(log_grid(params.steps, RECORDS))
    measures = {
        "log_inverse_risk": reached[:, -1],
        "contraction": torch.where(arrived, _contraction(path, params.levels), never),
        "clock_exponent": torch.where(arrived, slope(grid, logs), never),
        "slowing": late / early,
        "law_error": (slope(grid.log(), logs - grid) + power).abs(),
    }
    series = {
        "level": levels.exp(),
        "clock": times,
        "law": each_run(torch.exp, law),
        "step": steps.to(x.dtype),
        "risk": reached[:, steps],
    }
    return Result(measures, series)


def _descend(params: Params, weights: Weights, x: Tensor, hot: Tensor, progress: Progress) -> _Path:
    """The descent; the risk is recorded at every step, since the gradient computes it."""
    risks: list[Tensor] = []
    squares: list[Tensor] = []
    gradient_of = cross_entropy_log_gradient if params.rule == "normalised" else cross_entropy_gradient

    def gradient(current: Sequence[Tensor]) -> list[Tensor]:
        risk, slopes = gradient_of(current, x, hot)
        risks.append(risk)
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


def _contraction(path: _Path, levels: tuple[float, float]) -> Tensor:
    """The largest R_{t+1} / R_t of the steps that begin between the levels, of shape (runs,)."""
    heights = (-path.log_risk[:-1]).cummax(0).values
    between = (heights >= levels[0]) & (heights < levels[1])
    changes = torch.where(between, path.log_risk[1:] - path.log_risk[:-1], -torch.inf)
    return each_run(torch.exp, changes.amax(0))
