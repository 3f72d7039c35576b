"""How long a deep linear classifier takes to lower its cross-entropy: in steps, and in time of gradient flow.

T(eps) is the time at which the cross-entropy R first falls to eps. If every step multiplies R by a factor of at most
1 - mu, T grows as log(1/eps). There are three descents: plain gradient descent; normalised gradient descent, whose
steps lower log R by eta to first order; and Adam. Normalised descent follows the curve of gradient flow. Each of its
steps takes the time eta / (R |grad log R|^2) of the flow, so it reaches values of R at which the law of the flow shows:
dR/dt = -|grad R|^2, and |grad log R|^2 ~ (log 1/R)^(2-2/L) because the network is homogeneous of degree L. Hence
T(eps) ~ 1 / (eps (log 1/eps)^(2-2/L)). All logarithms are natural. The
first steps are compared with those of torch's own losses, automatic differentiation and optimisers.

Source: the conditional logarithmic clock is from Tan, Gai, Zhang 2026 (arXiv:2606.05863); the flow's law is derived
here from the growth of |grad log R| that homogeneity gives (Lyu, Li 2020, arXiv:1906.05890).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training_clocks.by_torch import (
    AdamSteps,
    DescentSteps,
    NormalisedSteps,
    Objective,
    Steps,
    cross_entropy,
    loss_path,
)
from dlnrepro.dynamics.training_clocks.descent_clocks import (
    MEMORY,
    ClassifierRule,
    Clock,
    clocked_descent,
    read_clock,
)
from dlnrepro.errors import Disagreement
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import Window
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.training_clocks import ManyClasses

RECORDS = 120
CHECKED = 3
"""The number of steps that are compared with torch's own."""
ROUNDING = 1e-8
"""Difference of log R that rounding may leave between two routes; Adam's first step divides by small gradients."""


class Params(ManyClasses, DeepSettings):
    """A network that separates classes, how it descends, and the levels of the risk at which its clock is read."""

    depth: int = Field(ge=1, le=8, description="L, the number of weight matrices")
    rule: ClassifierRule = Field(
        description="`plain` gradient descent, `normalised` gradient descent, whose steps lower log R by eta to first"
        " order, or `adam`"
    )
    clock: Clock = Field(
        description="what T(eps) is: the number of `steps` of the descent, or the `time` of gradient flow (not for"
        " `rule: adam`)"
    )
    step_size: float = Field(gt=0, le=100, description="the step size eta, in the unit of `rule`")
    steps: int = Field(ge=10, le=10**6, description="the number of steps of the descent")
    levels: Window = Field(description="range of log(1/eps) (natural logarithm) in which T(eps) is measured")

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
    "log_inverse_risk": "log(1/R) of the cross-entropy R at the end of the descent (natural logarithm)",
    "contraction": "largest factor R_(t+1) / R_t by which a step multiplies the cross-entropy R between the two"
    " `levels` of log(1/eps); NaN if the smallest eps is never reached",
    "clock_exponent": "slope of log T(eps) against log(1/eps) between the two `levels`; NaN if the smallest eps is"
    " never reached",
    "slowing": "duration of the last quarter of the way in log(1/eps) between the two `levels`, divided by that of"
    " the first quarter; 1 for a logarithmic clock",
    "law_error": "|p + 2 - 2/L| with the fitted power p of log(1/eps) in eps T(eps) and L = law_depth, >= 0",
}

SERIES = {
    "level": Series("level", "level 1 / eps of the inverse cross-entropy"),
    "clock": Series("level", "T(eps), the steps or the time until the cross-entropy is eps"),
    "law": Series("level", "c / (eps (log 1/eps)^(2-2/L)) with L = law_depth, through T at the smallest eps"),
    "step": Series("step", "number of gradient steps taken"),
    "risk": Series("step", "log(1/R) of the cross-entropy R (natural logarithm)"),
}

_CLOCKS = "dlnrepro.dynamics.training_clocks.descent_clocks"

FLAWS = {
    "clock-to-the-0.9": Flaw(
        "T(eps) is read as its power 0.9",
        f"{_CLOCKS}:first_crossings",
        lambda right: lambda *given: right(*given) ** 0.9,
    ),
    "clock-squared": Flaw(
        "T(eps) is read as its square", f"{_CLOCKS}:first_crossings", lambda right: lambda *given: right(*given) ** 2
    ),
    "logarithm": Flaw("the power of the logarithm is larger by 0.1", f"{_CLOCKS}:log_power", shifted(0.1)),
    "contraction": Flaw("every step contracts R by 0.5 % more", f"{_CLOCKS}:_contraction", scaled(0.995)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend; read the times at which the cross-entropy reaches each level."""
    x = normal((params.samples, params.inputs), generators)
    x = x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    weights, hot = params.weights(generators), params.one_hot(len(x))
    descent = clocked_descent(weights, x, hot, params.rule, params.clock, params.step_size, params.steps, progress)
    _check_first_steps(params, weights, x, hot, descent.log_risk[: CHECKED + 1])
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


def _check_first_steps(params: Params, weights: Sequence[Tensor], x: Tensor, hot: Tensor, log_risk: Tensor) -> None:
    """Compare log R along the first steps with the same steps by torch alone; a run that diverges is left out.

    Raises:
        Disagreement: the two routes differ by more than rounding.
    """
    optimisers: dict[ClassifierRule, Callable[[list[Tensor]], Steps]] = {
        "plain": partial(DescentSteps, lr=params.step_size),
        "adam": partial(AdamSteps, lr=params.step_size, memory=MEMORY, eps=1e-12),
        "normalised": partial(NormalisedSteps, lr=params.step_size),
    }

    def objective() -> Objective:
        risk = cross_entropy(x, hot.argmax(-1))
        return (lambda current: risk(current).log()) if params.rule == "normalised" else risk

    path = loss_path(weights, objective, optimisers[params.rule], len(log_risk) - 1)
    wanted = path if params.rule == "normalised" else path.log()
    worst = float(torch.where(torch.isfinite(wanted), (log_risk - wanted).abs(), 0.0).max())
    if not worst <= ROUNDING:
        raise Disagreement(f"first steps: log R by this program and by torch differ by {worst:.1e}")
