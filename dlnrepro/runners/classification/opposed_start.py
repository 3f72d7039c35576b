"""Gradient flow of a deep linear classifier from a start against the data: does the risk ever get below that of zero?

Ji and Telgarsky ask that R(W(0)) <= R(0), the risk of the zero network. Here the data are symmetric about an axis, and
the start is balanced, of rank one and on the wrong side of that axis, so that R(W(0)) > R(0). Such a network shrinks to
zero and stays there: for three layers or more at the rate of `dynamics.mirrored`.

Source: Ji and Telgarsky 2019 (arXiv:1810.02032), Assumption 2 and what it is needed for; the rate is derived here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator
from torch import Generator

from dlnrepro.dynamics.classification.mirrored_data import axial_start, collapse, mirrored_pairs
from dlnrepro.dynamics.fits.slopes import log_slope
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.risks.margin_losses import log_loss_at_zero, log_risk
from dlnrepro.dynamics.starts.balanced import draw_strength
from dlnrepro.dynamics.tensors.arrays import array_of
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Progress, Result, Series

Array = NDArray[np.float64]

RELATIVE, ABSOLUTE = 1e-9, 1e-16
"""Tolerances of the flow: layers shrink to 1e-6."""

SLOPE_AT_ZERO = {"logistic": 0.5, "exponential": 1.0}
"""-l'(0)."""


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=8, description="L, the number of weight matrices")
    dimension: int = Field(ge=2, le=32, description="of the data")
    pairs: int = Field(ge=1, le=200, description="of points, each with its mirror image")
    width: int = Field(ge=1, le=64, description="of every hidden layer")
    loss: Literal["logistic", "exponential"] = Field(description="l(m) = log(1 + exp(-m)) or exp(-m)")
    side: Literal["opposed", "favourable"] = Field(description="the start's side of the axis")
    tilt: float = Field(ge=0, le=1, description="angle of the start's predictor with the axis, in radians")
    start_low: float = Field(gt=0, le=10, description="least length of the start's predictor, drawn log-uniformly")
    start_high: float = Field(gt=0, le=10, description="largest one")
    horizon: float = Field(ge=10, le=1e8, description="time of the flow")
    points: int = Field(ge=30, le=200, description="records, evenly in the logarithm over the last six decades of time")
    law_depth: int = Field(ge=3, le=8, description="the depth that theory is told; another than L is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if self.start_low > self.start_high:
            raise ValueError("start_low must not exceed start_high")
        return self

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.dimension, *[self.width] * (self.depth - 1), 1]

    def memory(self, runs: int) -> int:
        """The records and the data."""
        weights = self.width * (self.dimension + (self.depth - 2) * self.width + 1)
        return 8 * runs * (4 * self.points * weights + 4 * self.pairs * self.dimension) + 10**6


MEASURES = {
    "start_excess": "log R - log l(0) at the start: at most 0 under the theorem's assumption",
    "least_excess": "the least value of log R - log l(0) along the flow",
    "end_excess": "its value at the end",
    "shrinkage": "smallest ratio of a layer's norm at the end to that at the start, > 0",
    "exponent_gap": "power of time by which the layers' norm goes over the last two decades, plus 1/(L-2)",
    "collapse_ratio": "the layers' norm at the end over ((L-2) g_0 t)^(-1/(L-2)), > 0",
}

SERIES = {
    "time": Series("time", "of the flow"),
    "risk_ratio": Series("time", "R / l(0)"),
    "norm": Series("time", "smallest Frobenius norm of a layer"),
    "norm_law": Series("time", "((L-2) g_0 t)^(-1/(L-2)), or the start's norm if that is less"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then starts; follow the flow of one run after another."""
    signed = mirrored_pairs(params.dimension, params.pairs, generators)
    sizes = draw_strength(params.start_low, params.start_high, generators)
    side = -1.0 if params.side == "opposed" else 1.0
    weights = axial_start(params.widths, sizes, side, params.tilt, generators)
    times = params.horizon * 10 ** torch.linspace(-6, 0, params.points, dtype=torch.float64)
    times[-1] = params.horizon
    risk, sets = log_risk(params.loss), array_of(signed)

    def gradient(run: int, whole: Array) -> Array:
        here = risk(sets[run] @ whole[0])
        slope: Array = math.exp(min(here.value, 700.0)) * (here.gradient @ sets[run])
        return slope[None]

    path = flow(weights, gradient, times, [1.0] * params.depth, RELATIVE, ABSOLUTE, progress)
    predictors = array_of(product(path)[:, :, 0])
    zero = log_loss_at_zero(params.loss)
    excess = torch.tensor(
        [[risk(row).value - zero for row in predictors[run] @ sets[run].T] for run in range(len(sets))],
        dtype=torch.float64,
    )
    first = array_of(product(weights)[:, 0])
    begin = torch.tensor([risk(sets[run] @ first[run]).value - zero for run in range(len(sets))], dtype=torch.float64)
    norm = torch.stack([torch.linalg.matrix_norm(layer) for layer in path]).amin(0)
    before = torch.stack([torch.linalg.matrix_norm(layer) for layer in weights]).amin(0)
    law = collapse(SLOPE_AT_ZERO[params.loss] * signed[:, ::2, 0].mean(-1), times, params.law_depth)
    clock = times.expand(len(sets), -1)
    late = clock > params.horizon / 100
    measures = {
        "start_excess": begin,
        "least_excess": excess.amin(-1),
        "end_excess": excess[:, -1],
        "shrinkage": norm[:, -1] / before,
        "exponent_gap": log_slope(times.log().expand(len(sets), -1), norm, late) + 1 / (params.law_depth - 2),
        "collapse_ratio": norm[:, -1] / law[:, -1],
    }
    series = {
        "time": clock.clone(),
        "risk_ratio": torch.stack([row.exp() for row in excess]),
        "norm": norm,
        "norm_law": torch.minimum(law, before[:, None]),
    }
    return Result(measures, series)
