"""Gradient flow of a deep linear classifier that starts against the data: does its risk fall below that of zero?

Ji and Telgarsky ask that R(W(0)) <= R(0), the risk of the zero network. Here the data are symmetric about an axis, and
the start is balanced, of rank one and on the wrong side of that axis, so that R(W(0)) > R(0). Such a network shrinks to
zero and stays there: for three layers or more at the rate of `dynamics.classification.mirrored_data`.

Source: Ji and Telgarsky 2019 (arXiv:1810.02032), Assumption 2 and what it is needed for; the rate is derived here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.classification.mirrored_data import axial_start, late_norm, mirrored_pairs, pull_at_zero
from dlnrepro.dynamics.fits.slopes import log_slope
from dlnrepro.dynamics.networks.chain import product, smallest_norm
from dlnrepro.dynamics.risks.margin_losses import log_excess, risk_field
from dlnrepro.dynamics.starts.balanced import draw_strength
from dlnrepro.dynamics.tensors.arrays import array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import PositiveRange, Same, same_or_whole
from dlnrepro.settings.networks import DeepSettings

RELATIVE, ABSOLUTE = 1e-9, 1e-16
"""Tolerances of the flow: layers shrink to 1e-6."""


class Params(DeepSettings):
    """Symmetric data, a start on one side of them, and the flow from there."""

    inputs: int = Field(ge=2, le=32, description="n_0, the dimension of the data")
    hidden: int = Field(ge=1, le=64, description="n_1 = ... = n_{L-1}, the width of the hidden layers")
    pairs: int = Field(ge=1, le=200, description="the number of pairs of a point and its mirror image")
    loss: Literal["logistic", "exponential"] = Field(description="l(m) = log(1 + exp(-m)) or exp(-m)")
    side: Literal["opposed", "favourable"] = Field(
        description="the direction of the predictor at the start: away from the data, or towards them"
    )
    tilt: float = Field(ge=0, le=1, description="angle between the axis and the predictor at the start, in radians")
    start: PositiveRange = Field(description="range of the predictor's length at the start, drawn log-uniformly")
    horizon: float = Field(ge=10, le=1e8, description="time to which the flow is followed")
    points: int = Field(
        ge=30, le=200, description="the number of records, evenly in the logarithm over the last six decades of time"
    )
    law_depth: Annotated[Same | int, same_or_whole(3, 8)] = Field(
        description="the depth in the law of decay, at least 3: `same` is the trained depth; a number makes the law"
        " wrong on purpose, for a negative control"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """Two layers, which shrink exponentially."""
        yield from super().contradictions()
        if self.law_depth == "same" and self.depth == 2:
            yield Contradiction("law_depth", "a number from 3 to 8 for `depth: 2`, which has no such law")

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), 1]

    def numbers(self) -> int:
        """The weights at every record, and the data."""
        weights = self.hidden * (self.inputs + (self.depth - 2) * self.hidden + 1)
        return 4 * self.points * weights + 4 * self.pairs * self.inputs


MEASURES = {
    "start_excess": "log R - log l(0) at the start: at most 0 under the theorem's assumption",
    "least_excess": "the least value of log R - log l(0) along the flow",
    "end_excess": "log R - log l(0) at the end of the flow",
    "shrinkage": "smallest ratio of a layer's norm at the end to that at the start, > 0",
    "exponent_gap": "slope of the log of the layers' norm against log time over the last two decades, plus 1/(L-2), "
    "with L = law_depth",
    "collapse_ratio": "the layers' norm at the end over ((L-2) g_0 t)^(-1/(L-2)), with L = law_depth, > 0",
}

SERIES = {
    "time": Series("time", "time of the flow"),
    "risk_ratio": Series("time", "R / l(0)"),
    "norm": Series("time", "smallest Frobenius norm of a layer"),
    "norm_law": Series("time", "((L-2) g_0 t)^(-1/(L-2)), with L = law_depth, or the start's norm if that is less"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then starts; follow the flow of one run after another."""
    signed = mirrored_pairs(params.inputs, params.pairs, generators)
    lengths = draw_strength(*params.start, generators)
    side = -1.0 if params.side == "opposed" else 1.0
    weights = axial_start(params.widths, lengths, side, params.tilt, generators)
    times = params.horizon * 10 ** torch.linspace(-6, 0, params.points, dtype=torch.float64)
    times[-1] = params.horizon
    field = risk_field(params.loss, list(array_of(signed)))
    path = flow(weights, field, times, [1.0] * params.depth, RELATIVE, ABSOLUTE, progress)
    along = log_excess(params.loss, signed, product(path)[:, :, 0])
    norm, before = smallest_norm(path), smallest_norm(weights)
    depth = params.formula_depth
    law = late_norm(pull_at_zero(signed, params.loss), times, depth)
    late = (times > params.horizon / 100).expand_as(norm)
    measures = {
        "start_excess": log_excess(params.loss, signed, product(weights))[:, 0],
        "least_excess": along.amin(-1),
        "end_excess": along[:, -1],
        "shrinkage": norm[:, -1] / before,
        "exponent_gap": log_slope(times.log().expand_as(norm), norm, late) + 1 / (depth - 2),
        "collapse_ratio": norm[:, -1] / law[:, -1],
    }
    series = {
        "time": times,
        "risk_ratio": each_run(torch.exp, along),
        "norm": norm,
        "norm_law": torch.minimum(law, before[:, None]),
    }
    return Result(measures, series)
