"""Deep linear classifiers, trained until the logarithm of their risk runs away, if it does.

A network W_L ... W_1 with one output is trained on R = (1/n) sum_i l(y_i W_L ... W_1 x_i), from a start that is of
order one, not balanced, and no worse than the zero network. Gradient flow is followed on a clock that reaches
log(1/R) = 1e12 (`dynamics.margin_flow`); discrete descents stop at a number of steps. The maximum
margin comes from an oracle that sees the data alone (`dynamics.classification.maximum_margin`).

Source: Ji and Telgarsky 2019 (arXiv:1810.02032) for the setting and for what is measured of the layers; the rates of
`dynamics.margin_convergence`, and the slopes -2 and -4 of the layers' gaps, are derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.classification.layer_alignment import observe_layers
from dlnrepro.dynamics.classification.margin_convergence import observe_direction, sine_to_scaled
from dlnrepro.dynamics.classification.maximum_margin import maximum_margin
from dlnrepro.dynamics.classification.separable_data import Classes, DataKind, drawing
from dlnrepro.dynamics.classification.training import Training, coordinate_rates, learning_rates, start, train
from dlnrepro.dynamics.fits.slopes import windowed_ratio, windowed_slope
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.risks.margin_losses import LossName, log_loss_at_zero, log_risk
from dlnrepro.dynamics.stiff_flow.margin_flow import weights_of
from dlnrepro.dynamics.stiff_flow.path import MANY
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.errors import Disagreement
from dlnrepro.runner import Progress, Result, Series

ROUTES_AGREE = 1e-6
"""Two routes of relative tolerance 1e-9 differ by some 1e-8; hundreds of tolerances are another curve."""


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The setting."""

    data: DataKind = Field(
        description="separable; the same with a fifth of the labels flipped; or fewer points than dimensions"
    )
    dimension: int = Field(ge=2, le=50, description="of the data")
    samples: int = Field(ge=2, le=1000, description="how many points")
    gap: float = Field(
        ge=0, lt=0.5, description="least distance of a point from the labelling plane; not for under-determined"
    )
    spanning: bool = Field(description="the support vectors span the space, or must not; not for under-determined")
    least_share: float = Field(
        ge=0, lt=1, description="least multiplier of a support vector over the largest; data with less are drawn again"
    )
    depth: int = Field(ge=2, le=8, description="number of weight matrices L")
    width: int = Field(ge=2, le=256, description="of every hidden layer")
    scale: float = Field(gt=0, le=10, description="of the start: entries of W_l have deviation scale / sqrt(n_{l-1})")
    loss: LossName = Field(description="l(m) = log(1 + exp(-m)), exp(-m) or (1 - m)^2 / 2")
    method: Literal["flow", "normalised", "sign", "adam"] = Field(description="gradient flow, or a discrete descent")
    second_layer_rate: float = Field(gt=0, le=1e4, description="learning rate of W_2 over that of the others")
    coordinate_rates: float = Field(
        ge=1, le=100, description="learning rates of W_1's columns run from 1 / this to this; 1 makes them equal"
    )
    horizon: float = Field(gt=1, le=1e13, description="the flow ends at this log(1/R)")
    tolerance: float = Field(ge=1e-12, le=1e-3, description="relative error of the flow per step")
    step_size: float = Field(gt=0, le=10, description="of a discrete descent, in its own unit")
    steps: int = Field(ge=1, le=1_000_000, description="of a discrete descent")
    points: int = Field(ge=20, le=200, description="recorded on the way")
    layers_from: float = Field(gt=0, description="slopes of layers' norms and gaps are fitted from this log(1/R)")
    layers_to: float = Field(gt=0, description="to this one")
    direction_from: float = Field(gt=0, description="slopes of the predictor's gaps are fitted from this log(1/R)")
    direction_to: float = Field(gt=0, description="to this one")
    constants_from: float = Field(gt=0, description="constants are compared from this log(1/R)")
    constants_to: float = Field(gt=0, description="to this one")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.data == "under-determined" and self.samples >= self.dimension:
            raise ValueError("samples: under-determined data need fewer than the dimension")
        if self.data != "under-determined" and self.samples <= 2 * self.dimension:
            raise ValueError("samples: need more than twice the dimension")
        if self.method in ("sign", "adam") and (self.second_layer_rate, self.coordinate_rates) != (1, 1):
            raise ValueError(f"method: {self.method} has no unequal rates")
        if self.layers_from >= self.layers_to:
            raise ValueError("layers_to: must lie above layers_from")
        if self.direction_from >= self.direction_to:
            raise ValueError("direction_to: must lie above direction_from")
        if self.constants_from >= self.constants_to:
            raise ValueError("constants_to: must lie above constants_from")
        return self

    def memory(self, runs: int) -> int:
        """The bytes that `runs` runs hold at their peak: paths twice, the decompositions of one, and one Jacobian."""
        weights = self.width * (self.dimension + (self.depth - 2) * self.width + 1)
        rank = 2 * self.width * (self.depth - 1) + self.dimension + 1
        jacobian = 8 * (weights if weights < MANY else rank) ** 2
        path = (self.points + 2) * weights
        return 8 * ((2 * runs + 10) * path + jacobian + runs * self.samples * self.dimension)


MEASURES = {
    "separation": "the largest margin that a unit vector has on the data trained on; 0 if they are not separable",
    "certificate": "largest KKT residual of the maximum-margin oracle, relative; at least 0",
    "start_excess": "log R - log l(0) at the start: at most 0 if it is no worse than the zero network",
    "start_gap": "smallest rank-one gap of a hidden layer at the start, in [0, 1]",
    "start_norm": "smallest Frobenius norm of a hidden layer at the start",
    "route_gap": "relative distance of two solvers where both have been; 0 for a discrete descent",
    "imbalance_drift": "largest change of W_{l+1}^T W_{l+1} - W_l W_l^T over the run, relative to ||theta||^2",
    "log_inverse_risk": "log(1/R) at the end",
    "growth": "smallest ratio of a layer's Frobenius norm at the end to that at the start",
    "growth_exponent": "L times the slope of log min_l ||W_l||_F against log log(1/R) in the layers' range; "
    "0 if the run does not come there",
    "rank_one_gap": "largest 1 - ||W_l||_2 / ||W_l||_F of a hidden layer at the end, in [0, 1]",
    "rank_one_slope": "slope of the log of that gap against log min_l ||W_l||_F in the layers' range; "
    "0 if the run does not come there",
    "alignment_gap": "largest 1 - |<v_{l+1}, u_l>| of neighbours at the end, in [0, 1]",
    "alignment_slope": "its slope, as for the rank-one gap",
    "product_gap": "1 - |<W_L ... W_1, v_1>| / prod_l ||W_l||_F at the end, in [0, 1]",
    "lemma_over_bound": "largest quotient over the run of a side of Lemma 2, (||W_l||_F^2 - ||W_l||_2^2) or "
    "1 - <v_{l+1}, u_l>^2, by its bound; at most 1 if the lemma holds",
    "direction": "sine of the angle between predictor and maximum-margin direction at the end, in [0, 1]",
    "margin_gap": "1 - the predictor's margin over the maximum margin at the end; above 1 if a point is wrong",
    "direction_slope": "slope of the log of the sine against log log(1/R) in the direction's range; "
    "0 if the run does not come there",
    "direction_slope_by_depth": "L times that slope",
    "margin_slope": "the slope of the margin gap, likewise",
    "direction_constant": "sine x log(1/R) over gamma ||rho*||, where it is farthest from 1 in the constants' range; "
    "0 if the run does not come there",
    "margin_constant": "margin gap x log(1/R) over max -<rho*, z_i>, likewise",
    "rates_direction": "sine of the angle to the maximum margin in the norm of the rates, sum_j w_j^2 / rate_j; "
    "that of `direction` if the rates are equal",
}

SERIES = {
    "risk_path": Series("record", "log(1/R)"),
    "norm_path": Series("record", "smallest Frobenius norm of a layer"),
    "rank_one_path": Series("record", "largest 1 - ||W_l||_2 / ||W_l||_F of a hidden layer"),
    "alignment_path": Series("record", "largest 1 - |<v_{l+1}, u_l>| of neighbours"),
    "direction_path": Series("record", "sine of the angle between predictor and maximum-margin direction"),
    "direction_law_path": Series("record", "gamma ||rho*|| / log(1/R), the law of that sine with no free parameter"),
    "margin_path": Series("record", "1 - the predictor's margin over the maximum margin"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Train and measure; data first, then weights, from each run's generator."""
    draw = drawing(params.data, params.dimension, params.samples, params.gap, params.spanning, params.least_share)
    sets = [draw(generator) for generator in generators]
    training = Training(
        loss=params.loss,
        method=params.method,
        rates=learning_rates(params.depth, params.dimension, params.coordinate_rates, params.second_layer_rate),
        horizon=params.horizon,
        tolerance=params.tolerance,
        step_size=params.step_size,
        steps=params.steps,
        points=params.points,
    )
    widths = [params.dimension, *[params.width] * (params.depth - 1), 1]
    span = params.data == "under-determined"
    weights = start(widths, params.scale, params.loss, [each.signed for each in sets], span, generators)
    paths, gaps = train(training, weights, [each.signed for each in sets], progress)
    if bool((gaps > ROUTES_AGREE).any()):
        raise Disagreement(
            f"gradient flow by two solvers: expected paths within {ROUTES_AGREE:g} of each other, "
            f"found {float(gaps.nan_to_num().max()):.2g}"
        )
    shapes = [(int(weight.shape[-2]), int(weight.shape[-1])) for weight in weights]
    kept = [_measure(params, each, weights_of(path, shapes)) for each, path in zip(sets, array_of(paths), strict=True)]
    measures = {name: torch.stack([one[0][name] for one in kept]) for name in kept[0][0]}
    return Result(
        {**measures, "route_gap": gaps},
        {name: torch.stack([one[1][name] for one in kept]) for name in kept[0][1]},
    )


def _measure(
    params: Params, classes: Classes, path: list[NDArray[np.float64]]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Measures and series of one run from its path."""
    weights = [tensor_of(np.ascontiguousarray(weight)) for weight in path]
    signed, truth = tensor_of(classes.signed), tensor_of(classes.truth)
    layers = observe_layers(weights)
    predictor = product(weights)[:, 0]
    turn = observe_direction(predictor, truth, classes.solution)
    risk = log_risk(params.loss)
    log_inverse = torch.tensor([-risk(row).value for row in array_of(predictor @ signed.mT)], dtype=torch.float64)
    layered = (log_inverse >= params.layers_from) & (log_inverse <= params.layers_to)
    directed = (log_inverse >= params.direction_from) & (log_inverse <= params.direction_to)
    held = (log_inverse >= params.constants_from) & (log_inverse <= params.constants_to)
    own = maximum_margin(classes.signed)
    towards = windowed_slope(log_inverse, turn.sine, directed)
    scales = coordinate_rates(params.dimension, params.coordinate_rates)
    measures = {
        "separation": torch.tensor(own.margin if own else 0.0, dtype=torch.float64),
        "certificate": torch.tensor(classes.solution.residual, dtype=torch.float64),
        "start_excess": -log_inverse[0] - log_loss_at_zero(params.loss),
        "start_gap": layers.start_gap,
        "start_norm": layers.start_norm,
        "imbalance_drift": layers.drift.amax(),
        "log_inverse_risk": log_inverse[-1],
        "growth": layers.growth,
        "growth_exponent": params.depth * windowed_slope(log_inverse, layers.norm, layered),
        "rank_one_gap": layers.rank_one_gap[-1],
        "rank_one_slope": windowed_slope(layers.norm, layers.rank_one_gap, layered),
        "alignment_gap": layers.alignment_gap[-1],
        "alignment_slope": windowed_slope(layers.norm, layers.alignment_gap, layered),
        "product_gap": layers.product_gap[-1],
        "lemma_over_bound": torch.maximum(layers.excess, layers.misalignment).amax(),
        "direction": turn.sine[-1],
        "margin_gap": turn.margin_gap[-1],
        "direction_slope": towards,
        "direction_slope_by_depth": params.depth * towards,
        "margin_slope": windowed_slope(log_inverse, turn.margin_gap, directed),
        "direction_constant": windowed_ratio(turn.sine * log_inverse, turn.sine_constant, held),
        "margin_constant": windowed_ratio(turn.margin_gap * log_inverse, turn.margin_constant, held),
        "rates_direction": sine_to_scaled(predictor[-1], truth, scales),
    }
    series = {
        "risk_path": log_inverse,
        "norm_path": layers.norm,
        "rank_one_path": layers.rank_one_gap,
        "alignment_path": layers.alignment_gap,
        "direction_path": turn.sine,
        "direction_law_path": turn.sine_constant / log_inverse,
        "margin_path": turn.margin_gap,
    }
    return measures, series
