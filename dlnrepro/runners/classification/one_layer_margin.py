"""A linear classifier of one layer on separable data: where does it go, and how slowly?

R = (1/n) sum_i l(<w, z_i>) with signed points z_i, trained by gradient flow, followed in log t, or by gradient descent
with a constant step, t being step size times steps. Theory: w = what log t + wtilde + o(1), with what the hard-margin
solution, whatever the start; so the direction tends to the maximum margin as 1 / log t, and R t to 1 / gamma^2.

Source: Soudry, Hoffer, Nacson, Gunasekar and Srebro 2018 (arXiv:1710.10345); the constants are written down in
`dlnrepro.dynamics.classification.one_layer_asymptotics`, the maximum margin is from an oracle that sees the data alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.classification.one_layer_asymptotics import observe_growth
from dlnrepro.dynamics.classification.one_layer_flow import descent_paths, flow_paths
from dlnrepro.dynamics.classification.separable_data import Classes, with_slack
from dlnrepro.dynamics.classification.training import coordinate_rates
from dlnrepro.dynamics.fits.slopes import windowed_slope
from dlnrepro.dynamics.risks.margin_losses import log_risk
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import stacked
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.classification import CoordinateRates, LeastShare, Loss, Separable, TwoClasses
from dlnrepro.settings.numerals import numeral

POINTS = 100
MOST_STEPS = 10**7


class Params(TwoClasses):
    """Data whose support vectors count and stand apart, and how one layer is trained on them."""

    data: Separable
    least_share: LeastShare
    least_slack: float = Field(
        ge=0, lt=1, description="least share by which the margins of all other points exceed those of support vectors"
    )
    start_scale: float = Field(ge=0, le=100, description="standard deviation of the entries of w at the start")
    loss: Loss
    coordinate_rates: CoordinateRates
    method: Literal["flow", "descent"] = Field(
        description="gradient `flow`, followed in log t, or gradient `descent` with a constant step size"
    )
    step_size: float = Field(gt=0, le=100, description="for `method: descent`: the step size")
    horizon: float = Field(gt=0, le=10**4, description="log t at the end, natural logarithm")

    def contradictions(self) -> Iterable[Contradiction]:
        """A descent that takes too long, or for which no unequal rates are defined."""
        yield from super().contradictions()
        latest = math.log(MOST_STEPS * self.step_size)
        if self.method == "descent" and self.horizon > latest:
            yield Contradiction(
                "horizon",
                f"at most {numeral(latest, 4)}, which is {MOST_STEPS} steps of size {numeral(self.step_size)}",
            )
        if self.method == "descent" and self.coordinate_rates != 1:
            yield Contradiction("coordinate_rates", "1 for `method: descent`")

    def separated(self, generator: Generator) -> Classes:
        """Data of one run whose support vectors count and stand apart."""
        wanted = f"data with a slack of {numeral(self.least_slack)}"
        return with_slack(lambda one: self.classes(one, self.least_share), self.least_slack, wanted, generator)

    def numbers(self) -> int:
        """The data, the margins of a step, and the paths."""
        return 4 * self.samples * self.inputs + 4 * POINTS * self.samples


MEASURES = {
    "separation": "the largest margin of a unit vector on the data with the labels of the hyperplane, > 0",
    "certificate": "the largest KKT residual of the maximum-margin oracle, relative, >= 0",
    "residual_error": "||w - what log t - wtilde|| / ||what|| at the end, >= 0",
    "direction_slope": "slope of the log of the sine between w and what against log log t, from a third of the last "
    "log t on",
    "loss_constant": "R t gamma^2 at the end, 1 in the limit",
    "direction": "the sine between w and what at the end, in [0, 1]",
}

SERIES = {
    "log_time": Series("log time", "log t"),
    "sine": Series("log time", "sine between w and what"),
    "sine_law": Series("log time", "sine between what log t + wtilde and what"),
    "residual": Series("log time", "||w - what log t - wtilde|| / ||what||"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then starts; follow each run's flow, or descend with all at once; hold the path against theory."""
    sets = [params.separated(generator) for generator in generators]
    signed = [classes.signed for classes in sets]
    starts = params.start_scale * normal((params.inputs,), generators)
    if params.method == "flow":
        rates = array_of(coordinate_rates(params.inputs, params.coordinate_rates))
        times, paths = flow_paths(signed, starts, params.loss, rates, params.horizon, POINTS, progress)
    else:
        size, horizon = params.step_size, params.horizon
        times, paths = descent_paths(signed, starts, params.loss, size, horizon, 2 * POINTS, progress)
    measured = (_measure(params, classes, times, path) for classes, path in zip(sets, paths, strict=True))
    measures, series = zip(*measured, strict=True)
    return Result(stacked(measures), {"log_time": times, **stacked(series)})


def _measure(
    params: Params, classes: Classes, times: Tensor, path: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Measures and series of one run from its path, of shape (points, n_0)."""
    solution, seen = classes.solution, observe_growth(path, times, classes.truth, classes.solution)
    risk = log_risk(params.loss)(array_of(tensor_of(classes.signed) @ path[-1])).value
    constant = risk + float(times[-1]) - 2 * math.log(1 / solution.margin)
    measures = {
        "separation": torch.tensor(solution.margin, dtype=torch.float64),
        "certificate": torch.tensor(solution.residual, dtype=torch.float64),
        "residual_error": seen.residual[-1],
        "direction_slope": windowed_slope(times, seen.sine, times >= times[-1] / 3),
        "loss_constant": torch.tensor(constant, dtype=torch.float64).exp(),
        "direction": seen.sine[-1],
    }
    return measures, {"sine": seen.sine, "sine_law": seen.sine_law, "residual": seen.residual}
