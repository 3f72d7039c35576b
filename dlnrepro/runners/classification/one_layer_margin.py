"""A linear classifier of one layer on separable data: the limit of its direction, and the rate of its approach.

The risk R = (1/n) sum_i l(<w, z_i>), with signed points z_i, is minimised by gradient flow, followed in log t, or by
gradient descent with a constant step size, where t is step size times steps. Theory, for every initialization (start):
w = w_h log t + r + o(1), with w_h the hard-margin solution. So the direction tends to the maximum margin as 1 / log t,
and R t tends to 1 / gamma^2, with gamma the maximum margin.

Source: Soudry, Hoffer, Nacson, Gunasekar and Srebro 2018 (arXiv:1710.10345). The constants are derived in
`dlnrepro.dynamics.classification.one_layer_asymptotics`. The maximum margin comes from an oracle that sees only the
data. At recorded times the gradient is compared with that of a plain classifier by automatic differentiation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.classification.one_layer_asymptotics import observe_growth
from dlnrepro.dynamics.classification.one_layer_flow import (
    descent_paths,
    flow_at,
    flow_paths,
    flow_velocity,
    risk_gradient,
    unit_gradient,
)
from dlnrepro.dynamics.classification.separable_data import Classes, share_of_least, slack_of_others, with_slack
from dlnrepro.dynamics.classification.training import coordinate_rates
from dlnrepro.dynamics.fits.slopes import windowed_slope
from dlnrepro.dynamics.risks.margin_losses import log_risk
from dlnrepro.dynamics.risks.plain_risk import plain_risk
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import stacked
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.classification import CoordinateRates, LeastShare, Loss, Separable, TwoClasses
from dlnrepro.settings.numerals import numeral

POINTS = 100
EVERY = 10
"""The direction of movement is checked at every tenth recorded time."""
MOST_STEPS = 10**7


class Params(TwoClasses):
    """Data with a least multiplier and a least slack of other points, and the training of one layer on them."""

    data: Separable
    least_share: LeastShare
    least_slack: float = Field(
        ge=0,
        lt=1,
        description="smallest relative excess of the margins of all other points over that of the support vectors;"
        " data with a smaller one are drawn again",
    )
    start_scale: float = Field(ge=0, le=100, description="standard deviation of the entries of w at the initialization")
    loss: Loss
    coordinate_rates: CoordinateRates
    method: Literal["flow", "descent", "normalised"] = Field(
        description="gradient `flow`, followed in log t, gradient `descent` with a constant step size, or `normalised`"
        " descent, whose steps all have the same length"
    )
    step_size: float = Field(
        gt=0,
        le=100,
        description="for `method: descent`: the constant step size; for `method: normalised`: the length of a step",
    )
    horizon: float = Field(gt=0, le=10**4, description="log t at the end of training, natural logarithm")

    def contradictions(self) -> Iterable[Contradiction]:
        """A descent with too many steps, or with unequal learning rates, which it does not define."""
        yield from super().contradictions()
        latest = math.log(MOST_STEPS * self.step_size)
        if self.method != "flow" and self.horizon > latest:
            yield Contradiction(
                "horizon",
                f"at most {numeral(latest, 4)}, which is {MOST_STEPS} steps of size {numeral(self.step_size)}",
            )
        if self.method != "flow" and self.coordinate_rates != 1:
            yield Contradiction("coordinate_rates", f"1 for `method: {self.method}`")

    def separated(self, generator: Generator) -> Classes:
        """Data of one run with the least multiplier and the least slack that the settings ask for."""
        wanted = f"data whose other margins exceed the maximum margin by {numeral(self.least_slack)} of it"
        return with_slack(lambda one: self.classes(one, self.least_share), self.least_slack, wanted, generator)

    def numbers(self) -> int:
        """The data, the margins of one step, and the paths."""
        return 4 * self.samples * self.inputs + 4 * POINTS * self.samples


MEASURES = {
    "separation": "the maximum margin of the data with the labels of the hyperplane that they are drawn with, > 0",
    "certificate": "largest relative KKT residual of the maximum-margin solution that the oracle computes, >= 0",
    "least_share": "smallest multiplier of a support vector over the largest, in (0, 1]",
    "least_slack": "smallest relative excess of the margins of all other points over that of the support vectors, >= 0",
    "gradient_error": "largest distance between the direction in which the weights move and that of -grad R of a plain "
    "classifier by automatic differentiation, both of length 1, at every tenth recorded time, >= 0",
    "flow_distance": "for a descent: ||w - v|| / ||w_h|| at the end, >= 0, with v the weights of the flow at the same "
    "time and w_h the hard-margin solution; NaN for the flow",
    "flow_power": "for a descent: slope of the log of ||w - v|| against log t over the last third of log t, with v the "
    "weights of the flow at the same time; NaN for the flow",
    "residual_error": "||w - (w_h log t + r)|| / ||w_h|| at the end, >= 0, with w_h the hard-margin solution and r the "
    "limit of w - w_h log t",
    "direction_slope": "slope of the log of the sine of the angle between w and the hard-margin solution against "
    "log log t, over the last two thirds of log t",
    "loss_constant": "R t gamma^2 at the end, with R the risk and gamma the maximum margin; 1 in the limit",
    "direction": "sine of the angle between w and the hard-margin solution at the end, in [0, 1]",
}

SERIES = {
    "log_time": Series("log time", "log t, natural logarithm of time"),
    "sine": Series("log time", "sine of the angle between w and the hard-margin solution w_h"),
    "sine_law": Series("log time", "sine of the angle between w_h log t + r and w_h, the derived law"),
    "residual": Series("log time", "||w - (w_h log t + r)|| / ||w_h||, the distance from the derived law"),
}

FLAWS = {
    "rest": Flaw(
        "the limit r of w - w_h log t is 5 % too long",
        "dlnrepro.dynamics.classification.one_layer_asymptotics:limit_shift",
        scaled(1.05),
    ),
    "long-gradient": Flaw(
        "the gradient of the flow is 5 % too long",
        "dlnrepro.dynamics.classification.one_layer_flow:_push",
        scaled(1.05),
    ),
    "square-root": Flaw(
        "the derivatives of the loss are replaced by their square roots in the flow",
        "dlnrepro.dynamics.classification.one_layer_flow:_push",
        lambda right: lambda margins, time, loss: np.sqrt(right(margins, time, loss)),
    ),
    "exponent": Flaw("the fitted exponent is larger by 0.1", "windowed_slope", shifted(0.1)),
    "short-steps": Flaw(
        "the steps of gradient descent are half as long as its time says",
        "risk_gradient",
        lambda right: lambda *given: lambda weights: [slope / 2 for slope in right(*given)(weights)],
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; follow each run's flow, or descend with all runs at once; compare with theory."""
    sets = [params.separated(generator) for generator in generators]
    signed = [classes.signed for classes in sets]
    starts = params.start_scale * normal((params.inputs,), generators)
    rates = array_of(coordinate_rates(params.inputs, params.coordinate_rates))
    if params.method == "flow":
        times, paths = flow_paths(signed, starts, params.loss, rates, params.horizon, POINTS, progress)
        flows = torch.full_like(paths, torch.nan)
    else:
        gradient = _steps(params, tensor_of(np.stack(signed)))
        descending, following = part_of(progress, 0, 0.9), part_of(progress, 0.9, 0.1, "flow")
        times, paths = descent_paths(starts, gradient, params.step_size, params.horizon, 2 * POINTS, descending)
        flows = flow_at(signed, starts, params.loss, rates, array_of(times), following)
    measured = (
        _measure(params, classes, times, path, flow) for classes, path, flow in zip(sets, paths, flows, strict=True)
    )
    measures, series = zip(*measured, strict=True)
    return Result(stacked(measures), {"log_time": times, **stacked(series)})


def _steps(params: Params, signed: Tensor) -> Callable[[list[Tensor]], list[Tensor]]:
    """What a step of the descent subtracts, over its step size."""
    return (risk_gradient if params.method == "descent" else unit_gradient)(signed, params.loss)


def _measure(
    params: Params, classes: Classes, times: Tensor, path: Tensor, flow: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Measures and series of one run from its path and the flow at the same times, both of shape (points, n_0)."""
    solution, seen = classes.solution, observe_growth(path, times, classes.truth, classes.solution)
    risk = log_risk(params.loss)(array_of(tensor_of(classes.signed) @ path[-1])).value
    constant = risk + float(times[-1]) - 2 * math.log(1 / solution.margin)
    apart = torch.linalg.vector_norm(path - flow, dim=-1)
    power = torch.tensor(torch.nan, dtype=torch.float64)
    if flow.isfinite().all():
        power = windowed_slope(times.exp(), apart, times >= times[-1] * 2 / 3)
    measures = {
        "separation": torch.tensor(solution.margin, dtype=torch.float64),
        "certificate": torch.tensor(solution.residual, dtype=torch.float64),
        "least_share": torch.tensor(share_of_least(solution), dtype=torch.float64),
        "least_slack": torch.tensor(slack_of_others(classes), dtype=torch.float64),
        "gradient_error": _gradient_error(params, classes, times[::EVERY], path[::EVERY]),
        "flow_distance": apart[-1] * solution.margin,
        "flow_power": power,
        "residual_error": seen.residual[-1],
        "direction_slope": windowed_slope(times, seen.sine, times >= times[-1] / 3),
        "loss_constant": torch.tensor(constant, dtype=torch.float64).exp(),
        "direction": seen.sine[-1],
    }
    return measures, {"sine": seen.sine, "sine_law": seen.sine_law, "residual": seen.residual}


def _gradient_error(params: Params, classes: Classes, times: Tensor, path: Tensor) -> Tensor:
    """The largest distance of the direction of movement from minus the gradient by automatic differentiation."""
    signed = tensor_of(classes.signed)
    plain = plain_risk(params.loss, [path[:, None]], signed, torch.ones(len(signed), dtype=torch.float64))
    if params.method == "flow":
        rates = array_of(coordinate_rates(params.inputs, params.coordinate_rates))
        moments = zip(array_of(path), array_of(times), strict=True)
        velocities = [flow_velocity(classes.signed, w, float(time), params.loss, rates) for w, time in moments]
        moving = tensor_of(np.stack(velocities))
    else:
        moving = -_steps(params, signed.expand(len(path), -1, -1))([path[..., None]])[0][..., 0]
    steepest = -plain.gradient[0][:, 0]
    units = [rows / torch.linalg.vector_norm(rows, dim=-1, keepdim=True) for rows in (moving, steepest)]
    worst: Tensor = torch.linalg.vector_norm(units[0] - units[1], dim=-1).amax()
    return worst
