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

import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training_clocks.descent_clocks import ClassifierRule, Clock, clocked_descent, read_clock
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import Window
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.training_clocks import ManyClasses

RECORDS = 120


class Params(ManyClasses, DeepSettings):
    """A network that separates classes, how it descends, and the levels of its risk at which a clock is read."""

    depth: int = Field(ge=1, le=8, description="L, the number of weight matrices")
    rule: ClassifierRule = Field(
        description="`plain` gradient descent, `normalised`: steps that lower log R by eta to first order, or `adam`"
    )
    clock: Clock = Field(
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


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend; read the times at which the risk reaches each level."""
    x = normal((params.samples, params.inputs), generators)
    x = x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    weights, hot = params.weights(generators), params.one_hot(len(x))
    descent = clocked_descent(weights, x, hot, params.rule, params.clock, params.step_size, params.steps, progress)
    reading = read_clock(descent, params.levels, params.formula_depth)
    reached = -descent.log_risk.mT
    steps = torch.tensor(log_grid(params.steps, RECORDS))
    measures = {
        "log_inverse_risk": reached[:, -1],
        "contraction": reading.contraction,
        "clock_exponent": reading.exponent,
        "slowing": reading.slowing,
        "law_error": reading.law_error,
    }
    series = {
        "level": reading.levels.exp(),
        "clock": reading.times,
        "law": reading.law,
        "step": steps.to(x.dtype),
        "risk": reached[:, steps],
    }
    return Result(measures, series)
