"""A linear classifier of one layer on separable data: where does it go, and how slowly?

R = (1/n) sum_i l(<w, z_i>) with signed points z_i, trained by gradient flow, followed in log t, or by gradient descent
with a constant step, t being step size times steps. Theory: w = what log t + wtilde + o(1), with what the hard-margin
solution, whatever the start; so the direction tends to the maximum margin as 1 / log t, and R t to 1 / gamma^2.

Source: Soudry, Hoffer, Nacson, Gunasekar and Srebro 2018 (arXiv:1710.10345); the constants are written down in
`dlnrepro.dynamics.classification.one_layer_asymptotics`, the maximum margin is from an oracle that sees the data alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.classification.one_layer_asymptotics import limit_shift
from dlnrepro.dynamics.classification.one_layer_flow import follow_logarithm, risk_gradient
from dlnrepro.dynamics.classification.separable_data import DRAWS, Classes, flipped, separable
from dlnrepro.dynamics.fits.slopes import windowed_slope
from dlnrepro.dynamics.risks.margin_losses import Name, log_risk
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.errors import NoSuchDraw
from dlnrepro.runner import Progress, Result, Series

POINTS = 100
EARLIEST = -6.0
"""The flow starts at log t = -6: what happens before changes the weights by less than e^-6."""

TOLERANCE = 1e-10


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    labels: Literal["separable", "flipped"] = Field(description="by a hyperplane, or a fifth of them turned round")
    dimension: int = Field(ge=2, le=20, description="of the data")
    samples: int = Field(ge=4, le=500, description="how many points")
    gap: float = Field(ge=0, lt=0.5, description="least distance of a point from the labelling plane")
    least_share: float = Field(ge=0, lt=1, description="least multiplier of a support vector over the largest")
    least_slack: float = Field(
        ge=0, lt=1, description="by how much the next point's margin exceeds the support vectors', relative"
    )
    start_scale: float = Field(ge=0, le=100, description="deviation of the entries of w at the start")
    loss: Name = Field(description="l(m) = log(1 + exp(-m)), exp(-m) or (1 - m)^2 / 2")
    coordinate_rates: float = Field(
        ge=1, le=100, description="learning rates of the coordinates run from 1 / this to this; 1 makes them equal"
    )
    method: Literal["flow", "descent"] = Field(description="gradient flow in log t, or descent with a constant step")
    step_size: float = Field(gt=0, le=100, description="of the descent")
    horizon: float = Field(gt=0, le=10**4, description="log t at the end")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if self.samples <= 2 * self.dimension:
            raise ValueError("samples must be more than twice the dimension")
        if self.method == "descent" and self.horizon - math.log(self.step_size) > math.log(10**7):
            raise ValueError("the descent must take at most 10^7 steps")
        if self.method == "descent" and self.coordinate_rates != 1:
            raise ValueError("coordinate_rates must be 1 for the descent")
        return self

    def memory(self, runs: int) -> int:
        """The data, the margins of a step, and the paths."""
        return 8 * runs * (4 * self.samples * self.dimension + 4 * POINTS * self.samples)


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
    "sine_law": Series("log time", "the same for what log t + wtilde"),
    "residual": Series("log time", "||w - what log t - wtilde|| / ||what||"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then starts; follow each run's flow, or descend with all at once; hold the path against theory."""
    sets = [_draw(params, generator) for generator in generators]
    starts = params.start_scale * normal((params.dimension,), generators)
    times, path = (_flow if params.method == "flow" else _descent)(params, sets, starts, progress)
    kept = [_measure(params, classes, times, run) for classes, run in zip(sets, path, strict=True)]
    measures = {name: torch.stack([one[0][name] for one in kept]) for name in kept[0][0]}
    return Result(measures, {name: torch.stack([one[1][name] for one in kept]) for name in kept[0][1]})


def _draw(params: Params, generator: Generator) -> Classes:
    """One run's data: drawn again until the next point's margin lies far enough above the support vectors'.

    Such a point's share of the gradient vanishes as t^(-slack) only.
    """
    draw = separable if params.labels == "separable" else flipped
    for _ in range(DRAWS):
        classes = draw(params.dimension, params.samples, params.gap, True, params.least_share, generator)
        margins = classes.truth @ classes.solution.direction / classes.solution.margin
        others = np.delete(margins, classes.solution.support)
        if others.min() >= 1 + params.least_slack:
            return classes
    raise NoSuchDraw(f"data with a slack of {params.least_slack:g}", DRAWS)


def _flow(params: Params, sets: Sequence[Classes], starts: Tensor, progress: Progress) -> tuple[Tensor, Tensor]:
    """The values of log t, and the weights there (runs, points, dimension)."""
    times = np.concatenate([[EARLIEST], np.geomspace(params.horizon / 1000, params.horizon, POINTS)])
    exponents = torch.linspace(-1, 1, params.dimension, dtype=torch.float64)
    rates = np.array([params.coordinate_rates**exponent for exponent in exponents.tolist()])
    paths = []
    for run, (classes, start) in enumerate(zip(sets, array_of(starts), strict=True)):

        def tick(time: float, run: int = run) -> None:
            progress((run + max(time, 0) / params.horizon) / len(sets), f"run {run + 1} of {len(sets)}")

        tick(0.0)
        path = follow_logarithm(classes.signed, start, params.loss, rates, times, TOLERANCE, tick)
        paths.append(tensor_of(path[1:]))
    return tensor_of(times[1:]), torch.stack(paths)


def _descent(params: Params, sets: Sequence[Classes], starts: Tensor, progress: Progress) -> tuple[Tensor, Tensor]:
    """The same for gradient descent with a constant step; times from the first with log t >= 1 on."""
    steps = round(math.exp(params.horizon) / params.step_size)
    first = math.ceil(math.e / params.step_size)
    records = [step for step in log_grid(steps, 2 * POINTS) if step >= first]
    signed = tensor_of(np.stack([classes.signed for classes in sets]))
    _, recorded = descend(
        [starts[..., None]],
        risk_gradient(signed, params.loss),
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
    """Measures and series of one run from its path (points, dimension)."""
    solution = classes.solution
    direction, length = tensor_of(solution.direction), 1 / solution.margin
    shift = tensor_of(limit_shift(classes.truth, solution))
    expected = times[:, None] * length * direction + shift
    residual = torch.linalg.vector_norm(path - expected, dim=-1) / length
    sines, law = _sine(path, direction), _sine(expected, direction)
    late = times >= times[-1] / 3
    risk = log_risk(params.loss)(array_of(tensor_of(classes.signed) @ path[-1])).value
    measures = {
        "separation": torch.tensor(solution.margin, dtype=torch.float64),
        "certificate": torch.tensor(solution.residual, dtype=torch.float64),
        "residual_error": residual[-1],
        "direction_slope": windowed_slope(times, sines, late),
        "loss_constant": torch.tensor(risk + float(times[-1]) - 2 * math.log(length), dtype=torch.float64).exp(),
        "direction": sines[-1],
    }
    return measures, {"log_time": times, "sine": sines, "sine_law": law, "residual": residual}


def _sine(weights: Tensor, axis: Tensor) -> Tensor:
    """The sine of the angle to a unit vector, of shape (points,)."""
    across = weights - (weights @ axis)[:, None] * axis
    ratio: Tensor = torch.linalg.vector_norm(across, dim=-1) / torch.linalg.vector_norm(weights, dim=-1)
    return ratio
