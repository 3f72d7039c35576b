"""A linear classifier of one layer on separable data: where does it go, and how slowly?

R = (1/n) sum_i l(<w, z_i>) with signed points z_i, trained by gradient flow, followed in log t, or by gradient descent
with a constant step, t being step size times steps. Theory: w = what log t + wtilde + o(1), with what the hard-margin
solution, whatever the start; so the direction tends to the maximum margin as 1 / log t, and R t to 1 / gamma^2.

Source: Soudry, Hoffer, Nacson, Gunasekar and Srebro 2018 (arXiv:1710.10345); the constants are written down in
`dlnrepro.dynamics.classification.one_layer_asymptotics`, the maximum margin is from an oracle that sees the data alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.classification.one_layer_asymptotics import limit_shift
from dlnrepro.dynamics.classification.one_layer_flow import follow_logarithm, risk_gradient
from dlnrepro.dynamics.classification.separable_data import DRAWS, Classes
from dlnrepro.dynamics.classification.training import coordinate_rates
from dlnrepro.dynamics.fits.slopes import windowed_slope
from dlnrepro.dynamics.risks.margin_losses import log_risk
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each, stacked
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.errors import NoSuchDraw
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.classification import CoordinateRates, LeastShare, Loss, Separable, TwoClasses
from dlnrepro.settings.numerals import numeral

POINTS = 100
EARLIEST = -6.0
"""The flow starts at log t = -6: what happens before changes the weights by less than e^-6."""

TOLERANCE = 1e-10
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
    sets = [_draw(params, generator) for generator in generators]
    starts = params.start_scale * normal((params.inputs,), generators)
    train = _flow if params.method == "flow" else _descent
    times, paths = train(params, sets, starts, progress)
    measured = (_measure(params, classes, times, path) for classes, path in zip(sets, paths, strict=True))
    measures, series = zip(*measured, strict=True)
    return Result(stacked(measures), {"log_time": times, **stacked(series)})


def _draw(params: Params, generator: Generator) -> Classes:
    """One run's data: drawn again until the next point's margin lies far enough above the support vectors'.

    The share of such a point in the gradient vanishes only as t^(-slack).
    """
    for _ in range(DRAWS):
        classes = params.classes(generator, params.least_share)
        margins = classes.truth @ classes.solution.direction / classes.solution.margin
        others = np.delete(margins, classes.solution.support)
        if others.min() >= 1 + params.least_slack:
            return classes
    raise NoSuchDraw(f"data with a slack of {numeral(params.least_slack)}", DRAWS)


def _flow(params: Params, sets: Sequence[Classes], starts: Tensor, progress: Progress) -> tuple[Tensor, Tensor]:
    """The values of log t, and the weights there, of shape (runs, points, n_0)."""
    times = np.concatenate([[EARLIEST], np.geomspace(params.horizon / 1000, params.horizon, POINTS)])
    rates = array_of(coordinate_rates(params.inputs, params.coordinate_rates))
    paths = []
    for run, tick in each(progress, len(sets)):
        clocked = _clocked(tick, params.horizon)
        start = array_of(starts[run])
        path = follow_logarithm(sets[run].signed, start, params.loss, rates, times, TOLERANCE, clocked)
        paths.append(tensor_of(path[1:]))
    return tensor_of(times[1:]), torch.stack(paths)


def _clocked(progress: Progress, horizon: float) -> Callable[[float], None]:
    """The progress of a flow in log t, up to the horizon."""
    return lambda time: progress(max(time, 0) / horizon, "")


def _descent(params: Params, sets: Sequence[Classes], starts: Tensor, progress: Progress) -> tuple[Tensor, Tensor]:
    """The same for gradient descent with a constant step size, from the first record with log t >= 1 on."""
    steps = round(math.exp(params.horizon) / params.step_size)
    first = math.ceil(math.e / params.step_size)
    records = [step for step in log_grid(steps, 2 * POINTS) if step >= first]
    gradient = risk_gradient(tensor_of(np.stack([classes.signed for classes in sets])), params.loss)
    _, recorded = descend(
        [starts[..., None]],
        gradient,
        lambda _: params.step_size,
        steps,
        records,
        lambda weights: {"path": weights[0][..., 0]},
        progress,
    )
    times = [math.log(step * params.step_size) for step in records]
    return torch.tensor(times, dtype=torch.float64), recorded["path"].mT


def _measure(
    params: Params, classes: Classes, times: Tensor, path: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Measures and series of one run from its path, of shape (points, n_0)."""
    solution = classes.solution
    direction, length = tensor_of(solution.direction), 1 / solution.margin
    expected = times[:, None] * length * direction + tensor_of(limit_shift(classes.truth, solution))
    residual = torch.linalg.vector_norm(path - expected, dim=-1) / length
    sines, law = _sine(path, direction), _sine(expected, direction)
    risk = log_risk(params.loss)(array_of(tensor_of(classes.signed) @ path[-1])).value
    measures = {
        "separation": torch.tensor(solution.margin, dtype=torch.float64),
        "certificate": torch.tensor(solution.residual, dtype=torch.float64),
        "residual_error": residual[-1],
        "direction_slope": windowed_slope(times, sines, times >= times[-1] / 3),
        "loss_constant": torch.tensor(risk + float(times[-1]) - 2 * math.log(length), dtype=torch.float64).exp(),
        "direction": sines[-1],
    }
    return measures, {"sine": sines, "sine_law": law, "residual": residual}


def _sine(weights: Tensor, axis: Tensor) -> Tensor:
    """The sine of the angle to a unit vector, of shape (points,)."""
    across = weights - (weights @ axis)[:, None] * axis
    ratio: Tensor = torch.linalg.vector_norm(across, dim=-1) / torch.linalg.vector_norm(weights, dim=-1)
    return ratio
