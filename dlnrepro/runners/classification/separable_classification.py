"""Deep linear classifiers, trained until log(1/R), with R the risk, reaches a horizon such as 1e12, if it does.

A network W_L ... W_1 with one output is trained on R = (1/n) sum_i l(y_i W_L ... W_1 x_i). The initialization (start)
is of order one, not balanced, and not worse than the zero network. Gradient flow is followed on a clock that reaches
log(1/R) = 1e12 (`dynamics.stiff_flow.margin_flow`); discrete descents stop after a given number of steps. The maximum
margin comes from an oracle that sees only the data (`dynamics.classification.maximum_margin`).

Source: Ji and Telgarsky 2019 (arXiv:1810.02032) for the setting and for the measures of the layers. The rates of
`dynamics.classification.margin_convergence`, and the slopes -2 and -4 of the layers' gaps, are derived here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.classification.layer_alignment import AlignmentPath, fit_layers, observe_layers
from dlnrepro.dynamics.classification.margin_convergence import (
    Direction,
    fit_direction,
    observe_direction,
    sine_to_scaled,
)
from dlnrepro.dynamics.classification.maximum_margin import maximum_margin
from dlnrepro.dynamics.classification.separable_data import Classes, share_of_least
from dlnrepro.dynamics.classification.training import (
    Training,
    coordinate_rates,
    learning_rates,
    movement,
    train,
)
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.risks.margin_losses import log_loss_at_zero, log_risks
from dlnrepro.dynamics.risks.plain_risk import plain_risk
from dlnrepro.dynamics.stiff_flow.path import MANY
from dlnrepro.dynamics.tensors.arrays import Array, Weights, array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import stacked
from dlnrepro.errors import Disagreement
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.base import WORKSPACE, Contradiction
from dlnrepro.settings.classification import CoordinateRates, DeepClassifier, LeastShare, Loss
from dlnrepro.settings.fields import Window
from dlnrepro.settings.numerals import numeral

ROUTES_AGREE = 1e-6
"""Two solvers of relative tolerance 1e-9 differ by about 1e-8; a distance of hundreds of tolerances is too much."""

EARLY, EVERY = 1e6, 5
"""The direction of movement is checked at every fifth recorded point with log(1/R) below this; above, the rounding of
the margins, 1e-16 log(1/R), shows in the gradient."""


class Params(DeepClassifier):
    """A deep linear classifier, its training, and the windows of log(1/R) in which laws are tested."""

    spanning: bool = Field(
        description="`true`: the support vectors span the space; `false`: they must not; not used for"
        " `data: under-determined`"
    )
    least_share: LeastShare
    loss: Loss
    method: Literal["flow", "normalised", "sign", "adam"] = Field(
        description="gradient `flow`, or a discrete descent: `normalised` along the curve of the flow, `sign` descent"
        " or `adam`"
    )
    second_layer_rate: float = Field(
        gt=0, le=1e4, description="learning rate of W_2 over that of the other layers; 1 makes them equal"
    )
    coordinate_rates: CoordinateRates
    alternating_rates: float = Field(
        ge=1,
        le=100,
        description="learning rates of the entries of W_1 are multiplied and divided by this in turn, like the squares"
        " of a chessboard; 1 changes nothing",
    )
    horizon: float = Field(gt=1, le=1e13, description="for `method: flow`: log(1/R) at the end, natural logarithm")
    tolerance: float = Field(
        ge=1e-12, le=1e-3, description="for `method: flow`: the relative error that the solver allows per step"
    )
    step_size: float = Field(
        gt=0,
        le=10,
        description="for a discrete descent: the growth of log(1/R) per step to first order for `normalised`, the"
        " change of every weight per step for `sign`, the learning rate for `adam`",
    )
    steps: int = Field(ge=1, le=1_000_000, description="for a discrete descent: the number of steps")
    points: int = Field(ge=20, le=200, description="the number of recorded points along the path of the weights")
    layers_window: Window = Field(
        description="range of log(1/R), natural logarithm, in which slopes of the layers' norms and gaps are fitted"
    )
    direction_window: Window = Field(
        description="range of log(1/R), natural logarithm, in which slopes of the predictor's gaps are fitted"
    )
    constants_window: Window = Field(
        description="range of log(1/R), natural logarithm, in which constants are compared with theory"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """Unequal learning rates for a method that does not define them."""
        yield from super().contradictions()
        if self.method in ("sign", "adam"):
            for key in ("second_layer_rate", "coordinate_rates", "alternating_rates"):
                if getattr(self, key) != 1:
                    yield Contradiction(key, f"1 for `method: {self.method}`")

    def memory(self, runs: int) -> int:
        """The bytes that `runs` runs hold at their peak: all paths twice, decompositions of one, and one Jacobian."""
        rank = 2 * self.hidden * (self.depth - 1) + self.inputs + 1
        jacobian = 8 * (self.weight_count if self.weight_count < MANY else rank) ** 2
        path = (self.points + 2) * self.weight_count
        return 8 * ((2 * runs + 10) * path + jacobian + runs * self.samples * self.inputs) + WORKSPACE


MEASURES = {
    "separation": "the maximum margin of the data that the network is trained on; 0 if no hyperplane separates them",
    "certificate": "largest relative residual of the optimality (KKT) conditions of the computed maximum-margin"
    " solution, >= 0",
    "least_share": "smallest multiplier of a support vector over the largest, in (0, 1]",
    "gradient_error": "largest distance between the direction in which the weights move and that of -grad R of a plain"
    " network by automatic differentiation, both of length 1, at recorded points with log(1/R) below 1e6, >= 0; for a"
    " discrete descent, the gradient times the learning rates takes the place of the movement",
    "start_excess": "log R - log R_0 at the initialization (natural logarithms), with R the risk and R_0 = l(0) that"
    " of the zero network; at most 0 if the initialization is not worse than the zero network",
    "start_gap": "smallest rank-one gap 1 - ||W_l||_2 / ||W_l||_F of a hidden layer at the initialization, in [0, 1]",
    "start_norm": "smallest Frobenius norm of a hidden layer at the initialization",
    "route_gap": "distance between the weights by two solvers of the flow at a common time, divided by their norm; 0"
    " for a discrete descent",
    "imbalance_drift": "largest change of an imbalance W_(l+1)^T W_(l+1) - W_l W_l^T since the initialization, in"
    " Frobenius norm, divided by the squared norm of all weights",
    "log_inverse_risk": "log(1/R) at the end of training, with R the risk, natural logarithm",
    "growth": "Frobenius norm of a layer at the end divided by that at the initialization, for the layer that grows"
    " least",
    "growth_exponent": "L times the slope of log min_l ||W_l||_F against log log(1/R) over "
    "`layers_window`, a window of log(1/R), with L the depth and R the risk; NaN if the run does not reach the window",
    "rank_one_gap": "largest rank-one gap 1 - ||W_l||_2 / ||W_l||_F of a hidden layer at the end, in [0, 1]",
    "rank_one_slope": "slope of the log of the largest rank-one gap 1 - ||W_l||_2 / ||W_l||_F against log min_l "
    "||W_l||_F over `layers_window`, a window of log(1/R) (R is the risk); NaN if the run does not reach the window",
    "alignment_gap": "largest alignment gap 1 - |<v_(l+1), u_l>| at the end, in [0, 1], with u_l and v_l the top "
    "left and right singular vectors of W_l",
    "alignment_slope": "slope of the log of the largest alignment gap 1 - |<v_(l+1), u_l>| against log min_l "
    "||W_l||_F over `layers_window`, a window of log(1/R) (R is the risk), with u_l and v_l the top left and right "
    "singular vectors of W_l; NaN if the run does not reach the window",
    "product_gap": "1 - |<W_L ... W_1, v_1>| / prod_l ||W_l||_F at the end, in [0, 1], with v_1 the top right "
    "singular vector of W_1",
    "lemma_over_bound": "largest ratio during the run of ||W_l||_F^2 - ||W_l||_2^2 or 1 - <v_(l+1), u_l>^2 to its "
    "bound in Lemma 2 of Ji and Telgarsky; at most 1 if the lemma holds",
    "direction": "sine of the angle between the predictor and the maximum-margin direction at the end, in [0, 1]",
    "margin_gap": "1 minus the ratio of the predictor's margin to the maximum margin at the end; above 1 if a point "
    "is misclassified",
    "direction_slope": "slope of the log of the sine of the angle to the maximum-margin direction against log "
    "log(1/R) in the direction's window of log(1/R) (R is the risk); NaN if the run does not reach the window",
    "direction_slope_by_depth": "L times the slope of the log of the sine of the angle to the maximum-margin "
    "direction against log log(1/R) in the direction's window of log(1/R), with L the depth and R the risk; NaN if "
    "the run does not reach the window",
    "margin_slope": "slope of the log of 1 minus the ratio of the predictor's margin to the maximum margin against "
    "log log(1/R) in the direction's window of log(1/R) (R is the risk); NaN if the run does not reach the window",
    "direction_constant": "sine of the angle to the maximum-margin direction times log(1/R), divided by its limit"
    " gamma ||rho||, where the ratio is farthest from 1 in the constants' window of log(1/R) (R is the risk); gamma"
    " is the maximum margin and rho the limit of the predictor's part perpendicular to that direction; NaN if the run"
    " does not reach the window",
    "margin_constant": "1 minus the ratio of the predictor's margin to the maximum margin, times log(1/R), divided by"
    " its limit max_i -<rho, z_i>, where the result is farthest from 1 in the constants' window of log(1/R) (R is the"
    " risk); z_i are the support vectors and rho is the limit of the predictor's part perpendicular to the"
    " maximum-margin direction; NaN if the run does not reach the window",
    "rates_direction": "sine of the angle between the predictor and the maximum-margin direction in the norm of the "
    "learning rates, sum_j w_j^2 / rate_j; equal to the measure direction if the rates are equal",
}

SERIES = {
    "risk_path": Series("recorded points", "log(1/R), with R the risk"),
    "norm_path": Series("recorded points", "smallest Frobenius norm of a layer"),
    "rank_one_path": Series("recorded points", "largest rank-one gap 1 - ||W_l||_2 / ||W_l||_F of a hidden layer"),
    "alignment_path": Series("recorded points", "largest alignment gap 1 - |<v_(l+1), u_l>| of neighbouring layers"),
    "direction_path": Series("recorded points", "sine of the angle between predictor and maximum-margin direction"),
    "direction_law_path": Series("recorded points", "derived law gamma ||rho|| / log(1/R) of the sine of the angle"),
    "margin_path": Series("recorded points", "1 minus the ratio of the predictor's margin to the maximum margin"),
}


def _longer_hidden_gradients(right: Callable[..., Any]) -> Callable[..., Any]:
    """The change of `predictor_pull_back` into one whose gradients of all layers but the last are 3 times as long."""

    def wrong(weights: Sequence[Array], suffixes: Sequence[Array], vector: Array) -> Array:
        pull: Array = 3 * right(weights, suffixes, vector)
        pull[-weights[-1].size :] /= 3
        return pull

    return wrong


FLAWS = {
    "offset": Flaw(
        "the limit rho of the predictor's part perpendicular to the maximum-margin direction is 5 % too long",
        "dlnrepro.dynamics.classification.margin_convergence:limit_offset",
        scaled(1.05),
    ),
    "direction-exponent": Flaw(
        "every fitted exponent of the predictor's gaps is larger by 0.1",
        "dlnrepro.dynamics.classification.margin_convergence:windowed_slope",
        shifted(0.1),
    ),
    "layer-exponent": Flaw(
        "every fitted exponent of the layers' norms and gaps is larger by 0.1",
        "dlnrepro.dynamics.classification.layer_alignment:windowed_slope",
        shifted(0.1),
    ),
    "angle": Flaw(
        "the sine of the angle between neighbouring layers is larger by 1e-4",
        "dlnrepro.dynamics.classification.layer_alignment:sine",
        shifted(1e-4),
    ),
    "bound": Flaw(
        "the constant D of Lemma 2 is half as large",
        "dlnrepro.dynamics.classification.layer_alignment:excess_bound",
        scaled(0.5),
    ),
    "rates-exponent": Flaw(
        "the learning rates enter the norm of their own margin with an exponent that is larger by 0.1",
        "sine_to_scaled",
        lambda right: lambda predictor, signed, rates: right(predictor, signed, rates**1.1),
    ),
    "hidden-gradients": Flaw(
        "the gradients of all layers but the last are 3 times as long",
        "dlnrepro.dynamics.stiff_flow.margin_flow:predictor_pull_back",
        _longer_hidden_gradients,
    ),
    "predictor": Flaw(
        "the predictor is 0.01 % too short in comparison with the norms of the layers",
        "dlnrepro.dynamics.classification.layer_alignment:product",
        scaled(0.9999),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights, from each run's generator; train all runs and measure them."""
    sets = [params.classes(generator, params.least_share, params.spanning) for generator in generators]
    signed = [classes.signed for classes in sets]
    training = Training(
        loss=params.loss,
        method=params.method,
        rates=learning_rates(
            params.depth,
            params.hidden,
            params.inputs,
            params.coordinate_rates,
            params.alternating_rates,
            params.second_layer_rate,
        ),
        horizon=params.horizon,
        tolerance=params.tolerance,
        step_size=params.step_size,
        steps=params.steps,
        points=params.points,
    )
    weights = params.initialization(signed, params.loss, generators)
    paths, gaps = train(training, weights, signed, progress)
    if bool((gaps > ROUTES_AGREE).any()):
        raise Disagreement(
            f"gradient flow by two solvers: expected paths within {numeral(ROUTES_AGREE)} of each other, "
            f"found {numeral(float(gaps.nan_to_num().max()), 2)}"
        )
    measured = (_measure(params, training, classes, path) for classes, path in zip(sets, paths, strict=True))
    measures, series = zip(*measured, strict=True)
    return Result({**stacked(measures), "route_gap": gaps}, stacked(series))


def _measure(
    params: Params, training: Training, classes: Classes, weights: Weights
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Measures and series of one run from the weights along its path."""
    predictor, truth = product(weights)[:, 0], tensor_of(classes.truth)
    layers, turn = observe_layers(weights), observe_direction(predictor, truth, classes.solution)
    reached = -log_risks(params.loss, array_of(predictor @ tensor_of(classes.signed).mT))
    own = maximum_margin(classes.signed)
    scales = coordinate_rates(params.inputs, params.coordinate_rates)
    measures = {
        "separation": torch.tensor(own.margin if own else 0.0, dtype=torch.float64),
        "certificate": torch.tensor(classes.solution.residual, dtype=torch.float64),
        "least_share": torch.tensor(share_of_least(classes.solution), dtype=torch.float64),
        "gradient_error": _gradient_error(training, classes, weights, reached),
        "start_excess": -reached[0] - log_loss_at_zero(params.loss),
        "log_inverse_risk": reached[-1],
        "rates_direction": sine_to_scaled(predictor[-1], truth, scales),
        **_of_layers(params, layers, reached),
        **_of_direction(params, turn, reached),
    }
    series = {
        "risk_path": reached,
        "norm_path": layers.norm,
        "rank_one_path": layers.rank_one_gap,
        "alignment_path": layers.alignment_gap,
        "direction_path": turn.sine,
        "direction_law_path": turn.sine_constant / reached,
        "margin_path": turn.margin_gap,
    }
    return measures, series


def _gradient_error(training: Training, classes: Classes, weights: Weights, reached: Tensor) -> Tensor:
    """The largest distance of the direction of movement from minus the gradient by automatic differentiation."""
    early = torch.nonzero(reached < EARLY)[:, 0][::EVERY]
    if len(early) == 0:
        return torch.full((), torch.nan, dtype=torch.float64)  # of a run that was lost
    layers = [layer[early] for layer in weights]
    signed = tensor_of(classes.signed)
    plain = plain_risk(training.loss, layers, signed, torch.ones(len(signed), dtype=torch.float64))
    moving = torch.cat([part.flatten(1) for part in movement(training, layers, classes.signed)], 1)
    steepest = -torch.cat([part.flatten(1) for part in plain.gradient], 1)
    units = [rows / torch.linalg.vector_norm(rows, dim=-1, keepdim=True) for rows in (moving, steepest)]
    worst: Tensor = torch.linalg.vector_norm(units[0] - units[1], dim=-1).amax()
    return worst


def _of_layers(params: Params, layers: AlignmentPath, reached: Tensor) -> dict[str, Tensor]:
    """The measures of the layers, from them and log(1/R) along the path."""
    fit = fit_layers(layers, reached, params.layers_window)
    return {
        "start_gap": layers.start_gap,
        "start_norm": layers.start_norm,
        "imbalance_drift": layers.drift.amax(),
        "growth": layers.growth,
        "growth_exponent": params.depth * fit.growth,
        "rank_one_gap": layers.rank_one_gap[-1],
        "rank_one_slope": fit.rank_one,
        "alignment_gap": layers.alignment_gap[-1],
        "alignment_slope": fit.alignment,
        "product_gap": layers.product_gap[-1],
        "lemma_over_bound": torch.maximum(layers.excess, layers.misalignment).amax(),
    }


def _of_direction(params: Params, turn: Direction, reached: Tensor) -> dict[str, Tensor]:
    """The measures of the predictor's direction and margin, from them and log(1/R) along the path."""
    fit = fit_direction(turn, reached, params.direction_window, params.constants_window)
    return {
        "direction": turn.sine[-1],
        "margin_gap": turn.margin_gap[-1],
        "direction_slope": fit.slope,
        "direction_slope_by_depth": params.depth * fit.slope,
        "margin_slope": fit.margin_slope,
        "direction_constant": fit.constant,
        "margin_constant": fit.margin_constant,
    }
