"""Gradient flow of a deep linear classifier that starts against the data: the risk stays above that of zero weights.

Ji and Telgarsky assume that the risk of the initialization (start) is at most l(0), the risk of the zero network. Here
the data are symmetric about an axis. The initialization is balanced, of rank one and points against that axis, so its
risk is above l(0). Such a network shrinks to zero and stays there. For three layers or more
`dynamics.classification.mirrored_data` has the rate.

Independence: the velocity of the weights, from differences along the path, is compared with the gradient of a plain
network by automatic differentiation.

Source: Ji and Telgarsky 2019 (arXiv:1810.02032), Assumption 2 and the remark on it; the rate is derived here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.classification.mirrored_data import axial_start, late_norm, mirrored_pairs, pull_at_zero
from dlnrepro.dynamics.fits.slopes import log_slope
from dlnrepro.dynamics.networks.chain import product, smallest_norm
from dlnrepro.dynamics.risks.margin_losses import log_excess, risk_field
from dlnrepro.dynamics.risks.plain_risk import plain_risk, relative_distance
from dlnrepro.dynamics.starts.balanced import draw_strength
from dlnrepro.dynamics.tensors.arrays import Array, Weights, array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import PositiveRange, Same, same_or_whole
from dlnrepro.settings.networks import DeepSettings

RELATIVE, ABSOLUTE = 1e-9, 1e-16
"""Relative and absolute tolerance of the flow; the layers shrink to 1e-6."""

NEARBY, EVERY = 1e-3, 5
"""The velocity is measured between a recorded time and a time that is later by this share, at every fifth record."""


class Params(DeepSettings):
    """Symmetric data, an initialization on one side of them, and the flow from there."""

    inputs: int = Field(ge=2, le=32, description="n_0, the dimension of the data")
    hidden: int = Field(ge=1, le=64, description="n_1 = ... = n_(L-1), the width of the hidden layers")
    pairs: int = Field(ge=1, le=200, description="the number of pairs of a point and its mirror image")
    loss: Literal["logistic", "exponential"] = Field(
        description="the loss l(m) of a margin m: log(1 + exp(-m)) or exp(-m)"
    )
    side: Literal["opposed", "favourable"] = Field(
        description="the direction of the predictor at the initialization: `opposed` (away from the data) or"
        " `favourable` (towards them)"
    )
    tilt: float = Field(
        ge=0, le=1, description="angle between the axis and the predictor at the initialization, in radians"
    )
    start: PositiveRange = Field(
        description="range of the predictor's length at the initialization, which is drawn log-uniformly"
    )
    last_layer_rate: float = Field(
        gt=0, le=100, description="learning rate of W_L over that of the other layers; 1 makes them equal"
    )
    horizon: float = Field(ge=10, le=1e8, description="time t to which the flow is followed")
    points: int = Field(
        ge=30,
        le=200,
        description="the number of recorded times, evenly in the logarithm over the last six decades of time",
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
        """The weights at every recorded time, and the data."""
        weights = self.hidden * (self.inputs + (self.depth - 2) * self.hidden + 1)
        return 4 * self.points * weights + 4 * self.pairs * self.inputs


MEASURES = {
    "velocity_error": "largest distance between the velocity of the weights, from differences along the path, and "
    "-grad R of a plain network by automatic differentiation, over the length of the gradient, >= 0",
    "late_time": "(L-2) g_0 t ||W(0)||^(L-2) at the end, > 0: the time t in units of the time in which the smallest "
    "layer, of initial norm ||W(0)||, shrinks, with L = law_depth and g_0 = -l'(0) times the mean height of the data "
    "on the axis",
    "start_excess": "log R - log R_0 at the initialization (natural logarithms), with R the risk and R_0 = l(0) that"
    " of the zero network; at most 0 under the theorem's assumption",
    "least_excess": "the smallest value of log R - log R_0 along the flow (natural logarithms), with R the risk and"
    " R_0 = l(0) that of the zero network",
    "end_excess": "log R - log R_0 at the end of the flow (natural logarithms), with R the risk and R_0 = l(0) that"
    " of the zero network",
    "shrinkage": "smallest Frobenius norm of a layer at the end, divided by the smallest one at the initialization, >"
    " 0",
    "exponent_gap": "slope of the log of the smallest Frobenius norm of a layer against log t over the last two "
    "decades of time t, plus 1/(L-2), with L = law_depth; 0 if the law holds",
    "collapse_ratio": "smallest Frobenius norm of a layer at the end, divided by ((L-2) g_0 t)^(-1/(L-2)), with L ="
    " law_depth and g_0 = -l'(0) times the mean height of the data on the axis, > 0",
}

SERIES = {
    "time": Series("time", "time t of the flow"),
    "risk_ratio": Series("time", "R / R_0, the risk R divided by the risk R_0 = l(0) of the zero network"),
    "norm": Series("time", "smallest Frobenius norm of a layer"),
    "norm_law": Series("time", "derived law ((L-2) g_0 t)^(-1/(L-2)), or the initial norm if that is smaller"),
}

FLAWS = {
    "pull": Flaw("g_0, the pull of the data on the zero network, is 5 % too large", "pull_at_zero", scaled(1.05)),
    "last-layer": Flaw(
        "the last layer moves 5 % faster than the gradient says",
        "flow",
        lambda right: lambda *given: right(*given[:3], [*given[3][:-1], 1.05], *given[4:]),
    ),
    "exponent": Flaw("the fitted exponent is larger by 0.1", "log_slope", shifted(0.1)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then initializations; follow the flow of one run after another."""
    signed = mirrored_pairs(params.inputs, params.pairs, generators)
    lengths = draw_strength(*params.start, generators)
    side = -1.0 if params.side == "opposed" else 1.0
    weights = axial_start(params.widths, lengths, side, params.tilt, generators)
    times = params.horizon * 10 ** torch.linspace(-6, 0, params.points, dtype=torch.float64)
    times[-1] = params.horizon
    field = risk_field(params.loss, list(array_of(signed)))
    path, error = _followed(params, weights, signed, times, field, progress)
    along = log_excess(params.loss, signed, product(path)[:, :, 0])
    norm, before = smallest_norm(path), smallest_norm(weights)
    depth = params.formula_depth
    pull = pull_at_zero(signed, params.loss)
    law = late_norm(pull, times, depth)
    late = (times > params.horizon / 100).expand_as(norm)
    measures = {
        "velocity_error": error,
        "late_time": (depth - 2) * pull * params.horizon * each_run(lambda value: value ** (depth - 2), before),
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


def _followed(
    params: Params,
    weights: Weights,
    signed: Tensor,
    times: Tensor,
    field: Callable[[int, Array], Array],
    progress: Progress,
) -> tuple[Weights, Tensor]:
    """The path at the times, and the largest relative error of its velocity, of shape (runs,)."""
    chosen = torch.arange(0, len(times) - 1, EVERY)
    both, order = torch.cat([times, times[chosen] * (1 + NEARBY)]).sort()
    rates = [*[1.0] * (params.depth - 1), params.last_layer_rate]
    path = flow(weights, field, both, rates, RELATIVE, ABSOLUTE, progress)
    first = torch.searchsorted(both, times[chosen])
    lengths = (both[first + 1] - both[first])[:, None, None]
    worst = []
    for run, points in enumerate(signed):
        ends = [(layer[run, first], layer[run, first + 1]) for layer in path]
        plain = plain_risk(
            params.loss, [(one + other) / 2 for one, other in ends], points, torch.ones(len(points), dtype=points.dtype)
        )
        risks = each_run(torch.exp, plain.logarithm)[:, None, None]
        moved = [(one - other) / lengths for one, other in ends]
        worst.append(relative_distance(moved, [risks * part for part in plain.gradient]).amax())
    return [layer[:, order < len(times)] for layer in path], torch.stack(worst)
