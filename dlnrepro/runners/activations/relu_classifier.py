"""A ReLU network with a linear head, trained until its risk is close to zero: what it conserves, and its ranks.

The body is one ReLU layer, with or without a block h -> h + max(V h, 0) above it. The head is a chain of linear layers
with one output. Gradient flow of the risk R = (1/n) sum_i l(y_i f(x_i)) is followed on the clock of
`dynamics.activations.relu_network`, from an initialization (start) of order one that is not balanced. Some neurons of
the first layer may get a large bias, so that most of them stay active on all examples.

Theory: the imbalance W_(l+1)^T W_(l+1) - W_l W_l^T of neighbouring layers is constant in the head. Between the ReLU
layer and the head only its block of neurons that are active on all examples is constant. So the layers of the head
become rank one, as `dynamics.activations.head_excess` derives; the ReLU layer need not.

Source: Le and Jegelka 2022 (arXiv:2201.11968), abstract, for the statements; the laws are derived here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.activations.chebyshev import growing_times
from dlnrepro.dynamics.activations.clusters import DIMENSION, Labelling, clusters
from dlnrepro.dynamics.activations.head_excess import block_drift, grown_slope, observe_excess
from dlnrepro.dynamics.activations.relu_flow import draw_weights, follow
from dlnrepro.dynamics.activations.relu_network import LayerKind, ReluNetwork, network_of
from dlnrepro.dynamics.classification.layer_alignment import observe_layers
from dlnrepro.dynamics.networks.gaps import rank_one_gap
from dlnrepro.dynamics.risks.margin_losses import LossName, log_risks
from dlnrepro.dynamics.risks.plain_risk import plain_risk
from dlnrepro.dynamics.stiff_flow.margin_flow import layers_of
from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each, stacked
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Flaw, Progress, Result, Series, shifted
from dlnrepro.settings.base import Contradiction, Settings

ACTIVE = 0.01
"""A neuron counts as active if W_1 x is above this, where weights are of order one; below, it may slide on its kink."""

EVERY = 8
"""The direction of movement is checked at every eighth recorded point."""

FOLLOWING = 0.95
"""The share of the progress bar for following the flow; the rest is for measuring."""


class Params(Settings):
    """Four clusters of points, a network of a body and a head, its initialization, and the flow from there."""

    labelling: Labelling = Field(
        description="labels of the four clusters: `crossed`, which no line separates, `parted` by a line, or"
        " `contradictory`, which no network fits"
    )
    each: int = Field(ge=1, le=100, description="the number of points in each cluster")
    spread: float = Field(
        ge=0, lt=1, description="half the side of the square of a cluster, with centres at (+-1, +-1)"
    )
    noise: float = Field(ge=0, le=1, description="standard deviation of the third coordinate of the points")
    body: Literal["relu", "relu and skip", "linear"] = Field(
        description="the layers below the head: one ReLU layer, without or with a skip block above it, or one linear"
        " layer"
    )
    head: Literal["linear", "relu"] = Field(
        description="the activation of the head's hidden layers; its last layer is always linear"
    )
    body_width: int = Field(ge=2, le=128, description="the width of the layers of the body")
    head_width: int = Field(ge=2, le=64, description="the width of the hidden layers of the head")
    head_depth: int = Field(
        ge=2, le=6, description="the number of weight matrices of the head; the last of them is a row"
    )
    shifted: float = Field(
        ge=0, le=1, description="share of the first layer's neurons that start with a large bias weight"
    )
    shift: float = Field(ge=0, le=100, description="number added to the absolute bias weight of the shifted neurons")
    loss: LossName = Field(description="the loss l(m) of a margin m: log(1 + exp(-m)), exp(-m) or (1 - m)^2 / 2")
    head_rate: float = Field(
        gt=0,
        le=100,
        description="learning rate of the head's first layer over that of all other layers; 1 makes them equal",
    )
    horizon: float = Field(
        gt=0, le=1e6, description="the clock at the end of the flow; about log(1/R) if the risk R goes to zero"
    )
    first_step: float = Field(gt=0, le=10, description="the first and smallest step of the flow, in units of the clock")
    growth: float = Field(ge=0, le=0.5, description="ratio of a later step to the clock; 0 makes all steps equal")
    stiffness: float = Field(
        gt=0, le=1e4, description="largest size of the flow's eigenvalues for which every step is stable"
    )
    points: int = Field(ge=10, le=200, description="the largest number of recorded points, evenly over the steps")

    def contradictions(self) -> Iterable[Contradiction]:
        """A horizon that equal steps would reach too slowly."""
        yield from super().contradictions()
        if self.horizon > 10**5 * self.first_step and self.growth < 1e-3:
            yield Contradiction("growth", "at least 0.001 for a horizon of more than 100000 first steps")

    @property
    def kinds(self) -> list[LayerKind]:
        """The kinds of layers 1 .. L."""
        below: list[LayerKind] = ["linear"] if self.body == "linear" else ["relu"]
        skip: list[LayerKind] = ["skip"] if self.body == "relu and skip" else []
        return [*below, *skip, *[self.head] * (self.head_depth - 1), "linear"]

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        body = [self.body_width] * (2 if self.body == "relu and skip" else 1)
        return [DIMENSION, *body, *[self.head_width] * (self.head_depth - 1), 1]

    @property
    def layer_rates(self) -> list[float]:
        """The learning rates of layers 1 .. L."""
        body = len(self.kinds) - self.head_depth
        return [*[1.0] * body, self.head_rate, *[1.0] * (self.head_depth - 1)]

    def numbers(self) -> int:
        """The recorded weights, and copies of weights, activities and their decompositions."""
        weights = sum(before * after for before, after in pairwise(self.widths))
        return (self.points + 20) * weights + 60 * self.each * (self.body_width + 10)


MEASURES = {
    "gradient_error": "largest distance between the direction in which the weights move and that of -grad R of a plain"
    " network by automatic differentiation, both of length 1, at every eighth recorded point, >= 0",
    "log_inverse_risk": "log(1/R) at the end of training, with R the risk, natural logarithm",
    "start_gap": "smallest rank-one gap 1 - ||W_k||_2 / ||W_k||_F of a hidden layer of the head at the "
    "initialization, in [0, 1]",
    "start_norm": "smallest Frobenius norm of a hidden layer of the head at the initialization",
    "growth": "Frobenius norm of a layer of the head at the end divided by that at the initialization, for the layer"
    " that grows least",
    "head_gap": "largest rank-one gap 1 - ||W_k||_2 / ||W_k||_F of a hidden layer of the head at the end, in [0, 1]",
    "head_alignment": "largest alignment gap 1 - |<v_(k+1), u_k>| of neighbouring layers of the head at the end, in "
    "[0, 1], with u_k and v_k the top left and right singular vectors of W_k",
    "alignment_slope": "slope of the log of the largest alignment gap 1 - |<v_(k+1), u_k>| of the head against "
    "log min_k ||W_k||_F, where min_k ||W_k||_F is at least twice the largest ||W_k||_F of the initialization; NaN "
    "if that holds at fewer than eight recorded points",
    "excess_ratio": "the excess ||W_k||_F^2 - ||W_k||_2^2 at the end divided by its limit E_k, which is computed from"
    " the initial imbalances, for the hidden layer of the head whose ratio is farthest from 1",
    "body_gap": "rank-one gap 1 - ||W_1||_2 / ||W_1||_F of the first layer at the end, in [0, 1]",
    "head_drift": "largest change since the initialization of an imbalance W_(k+1)^T W_(k+1) - W_k W_k^T in the head,"
    " in Frobenius norm, divided by the squared norm of the head",
    "stable_drift": "largest change since the initialization of the imbalance between W_1 and the first layer of the"
    " head, in the block of stable neurons only, in Frobenius norm, divided by the squared norm of all weights",
    "full_drift": "largest change since the initialization of the whole imbalance between W_1 and the first layer of"
    " the head, in Frobenius norm, divided by the squared norm of all weights",
    "stable_neurons": "the number of neurons of W_1 with W_1 x > 0.01 on all examples x after every step",
    "other_neurons": "the number of neurons of W_1 with W_1 x of 0.01 or less on some example x after some step",
}

SERIES = {
    "risk_path": Series("recorded points", "log(1/R), with R the risk"),
    "norm_path": Series("recorded points", "smallest Frobenius norm of a layer of the head"),
    "head_gap_path": Series("recorded points", "largest rank-one gap of a hidden layer of the head"),
    "head_gap_law": Series("recorded points", "derived law of the largest rank-one gap, from the initial imbalances"),
    "body_gap_path": Series("recorded points", "rank-one gap 1 - ||W_1||_2 / ||W_1||_F of the first layer"),
    "head_drift_path": Series("recorded points", "change of the head's imbalances, divided by the head's squared norm"),
    "stable_drift_path": Series(
        "recorded points",
        "change of the imbalance of W_1 and head for stable neurons only, divided by the squared norm of all weights",
    ),
    "full_drift_path": Series(
        "recorded points",
        "change of the imbalance of W_1 and head for all neurons, divided by the squared norm of all weights",
    ),
}

FLAWS = {
    "always-active": Flaw(
        "the gradient passes through neurons that are not active",
        "dlnrepro.dynamics.activations.relu_network:through_kink",
        lambda right: lambda back, linear: right(back, abs(linear) + 1),
    ),
    "squared-slopes": Flaw(
        "the derivatives of the loss of the margins are replaced by their squares",
        "dlnrepro.dynamics.activations.relu_network:margin_slopes",
        lambda right: lambda *given: -(right(*given) ** 2),
    ),
    "rates": Flaw(
        "the last layer learns 5 % faster",
        "network_of",
        lambda right: lambda *given: right(*given[:-1], [*given[-1][:-1], 1.05 * given[-1][-1]]),
    ),
    "excess": Flaw(
        "the limit of the excess is 5 % too small",
        "observe_excess",
        lambda right: lambda head: replace(right(head), ratio=right(head).ratio / 0.95),
    ),
    "slope": Flaw("the fitted slope of the alignment is 0.5 too large", "grown_slope", shifted(0.5)),
    "block": Flaw(
        "the block of stable neurons contains all neurons",
        "block_drift",
        lambda right: lambda below, above, chosen: right(below, above, torch.ones_like(chosen)),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; follow the flow of all runs at once; measure one run after another."""
    points, labels = clusters(params.labelling, params.each, params.spread, params.noise, generators)
    weights = draw_weights(
        params.kinds, params.widths, round(params.shifted * params.body_width), params.shift, generators
    )
    network, start = network_of(
        array_of(points), array_of(labels), params.loss, params.kinds, weights, params.layer_rates
    )
    times = growing_times(params.horizon, params.first_step, params.growth)
    flowing = part_of(progress, 0, FOLLOWING)
    path, least = follow(network, start, times, params.stiffness, params.points, flowing)
    margins = np.stack([network.margins(state) for state in path], axis=1)
    errors = [_gradient_error(network, path[::EVERY], run) for run in range(len(generators))]
    measured = [
        _measure(params, network.shapes, margins[run], path[:, run], least[run] > ACTIVE)
        for run, _ in each(part_of(progress, FOLLOWING, 1 - FOLLOWING, "measuring"), len(generators))
    ]
    measures, series = zip(*measured, strict=True)
    return Result({**stacked(measures), "gradient_error": torch.stack(errors)}, stacked(series))


def _gradient_error(network: ReluNetwork, path: Array, run: int) -> Tensor:
    """The largest distance of the direction of one run's movement from minus the gradient of a plain network."""
    moving = tensor_of(np.stack([network.velocity(states)[run] for states in path]))
    layers = layers_of(path[:, run], network.shapes)
    points, labels = tensor_of(network.points[run].T.copy()), tensor_of(network.labels[run, 0].copy())
    plain = plain_risk(network.loss, layers, points, labels, network.kinds)
    steepest = -torch.cat([part.flatten(1) for part in plain.gradient], 1)
    units = [rows / torch.linalg.vector_norm(rows, dim=-1, keepdim=True) for rows in (moving, steepest)]
    worst: Tensor = torch.linalg.vector_norm(units[0] - units[1], dim=-1).amax()
    return worst


def _measure(
    params: Params, shapes: Sequence[tuple[int, int]], margins: Array, path: Array, stable: NDArray[np.bool_]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Measures and series of one run from its recorded weights."""
    weights, chosen = layers_of(path, shapes), tensor_of(stable)
    head, stacked_weights = weights[-params.head_depth :], tensor_of(path.copy())
    layers, excess, body = observe_layers(head), observe_excess(head), rank_one_gap(weights[0])
    square = (stacked_weights * stacked_weights).sum(-1)
    reached = -log_risks(params.loss, margins)
    inner = block_drift(weights[0], head[0], chosen) / square
    full = block_drift(weights[0], head[0], torch.ones_like(chosen)) / square
    measures = {
        "log_inverse_risk": reached[-1],
        "start_gap": layers.start_gap,
        "start_norm": layers.start_norm,
        "growth": layers.growth,
        "head_gap": layers.rank_one_gap[-1],
        "head_alignment": layers.alignment_gap[-1],
        "alignment_slope": grown_slope(head, layers.norm, layers.alignment_gap),
        "excess_ratio": excess.ratio[-1],
        "body_gap": body[-1],
        "head_drift": layers.drift.amax(),
        "stable_drift": inner.amax(),
        "full_drift": full.amax(),
        "stable_neurons": chosen.sum().to(torch.float64),
        "other_neurons": (~chosen).sum().to(torch.float64),
    }
    series = {
        "risk_path": reached,
        "norm_path": layers.norm,
        "head_gap_path": layers.rank_one_gap,
        "head_gap_law": excess.gap,
        "body_gap_path": body,
        "head_drift_path": layers.drift,
        "stable_drift_path": inner,
        "full_drift_path": full,
    }
    return measures, series
