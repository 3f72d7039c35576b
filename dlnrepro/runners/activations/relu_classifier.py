"""A ReLU network with a linear head, trained until its risk runs away: what is conserved, and what becomes of rank one?

The body is one ReLU layer, with or without a block h -> h + max(V h, 0) on top; the head is a chain of linear layers
with one output. Gradient flow of R = (1/n) sum_i l(y_i f(x_i)) is followed on the clock of
`dynamics.activations.relu_network`, from a start of order one that is not balanced. Some of the first layer's neurons
may get a large bias, so that most of these stay active on all examples throughout.

Theory: W_{l+1}^T W_{l+1} - W_l W_l^T is constant between neighbours of the head; between the ReLU layer and the head
only its block of neurons that are active on all examples is. So head layers become of rank one, as
`dynamics.activations.head_excess` says; the ReLU layer need not.

Source: Le and Jegelka 2022 (arXiv:2201.11968), abstract, for the statements; the laws are derived here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from dlnrepro.dynamics.activations.relu_network import LayerKind, network_of
from dlnrepro.dynamics.classification.layer_alignment import observe_layers
from dlnrepro.dynamics.networks.gaps import rank_one_gap
from dlnrepro.dynamics.risks.margin_losses import LossName, log_risks
from dlnrepro.dynamics.stiff_flow.margin_flow import layers_of
from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each, stacked
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction, Settings

ACTIVE = 0.01
"""A neuron counts as active with W_1 x above this, the weights being of order one; below, it may slide on its kink."""

FOLLOWING = 0.95
"""The share of the work that is following the flow; the rest is measuring."""


class Params(Settings):
    """Four clusters of points, a network of a body and a head, its initialization, and the flow from there."""

    labelling: Labelling = Field(
        description="labels of the four clusters: `crossed`, which no line separates, `parted` by a line, or"
        " `contradictory`, which no network fits"
    )
    each: int = Field(ge=1, le=100, description="the number of points in each cluster")
    spread: float = Field(ge=0, lt=1, description="half the side of the square of a cluster; centres are at (+-1, +-1)")
    noise: float = Field(ge=0, le=1, description="standard deviation of the third coordinate of the points")
    body: Literal["relu", "relu and skip", "linear"] = Field(description="the layers below the head")
    head: Literal["linear", "relu"] = Field(description="hidden layers of the head, whose last layer is linear")
    body_width: int = Field(ge=2, le=128, description="the width of the layers of the body")
    head_width: int = Field(ge=2, le=64, description="the width of the hidden layers of the head")
    head_depth: int = Field(
        ge=2, le=6, description="the number of weight matrices of the head, of which the last is a row"
    )
    shifted: float = Field(ge=0, le=1, description="share of the first layer's neurons that start with a large bias")
    shift: float = Field(ge=0, le=100, description="what is added to the absolute bias weight of the shifted neurons")
    loss: LossName = Field(description="l(m) = log(1 + exp(-m)), exp(-m) or (1 - m)^2 / 2")
    head_rate: float = Field(
        gt=0, le=100, description="learning rate of the head's first layer over that of the others; 1 makes them equal"
    )
    horizon: float = Field(
        gt=0, le=1e6, description="the clock at the end of the flow, about log(1/R) there if the risk vanishes"
    )
    first_step: float = Field(gt=0, le=10, description="the first and smallest step of the flow, in units of the clock")
    growth: float = Field(ge=0, le=0.5, description="ratio of a later step to the clock; 0 for equal steps")
    stiffness: float = Field(gt=0, le=1e4, description="bound on the flow's eigenvalues for which the steps are stable")
    points: int = Field(ge=10, le=200, description="the largest number of records, evenly over the steps")

    def contradictions(self) -> Iterable[Contradiction]:
        """Too many steps."""
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
        """The records, and some copies of weights, activities and their decompositions."""
        weights = sum(before * after for before, after in pairwise(self.widths))
        return (self.points + 20) * weights + 60 * self.each * (self.body_width + 10)


MEASURES = {
    "log_inverse_risk": "log(1/R) at the end",
    "start_gap": "smallest rank-one gap of a hidden head layer at the start, in [0, 1]",
    "start_norm": "smallest Frobenius norm of a hidden head layer at the start",
    "growth": "smallest ratio of a head layer's Frobenius norm at the end to that at the start",
    "head_gap": "largest 1 - ||W_k||_2 / ||W_k||_F of a hidden head layer at the end, in [0, 1]",
    "head_alignment": "largest 1 - |<v_{k+1}, u_k>| of neighbours in the head at the end, in [0, 1]",
    "alignment_slope": "slope of the log of head_alignment against log min_k ||W_k||_F where the latter is twice the "
    "largest ||W_k||_F of the start or more; 0 if it is in fewer than eight records",
    "excess_ratio": "(||W_k||_F^2 - ||W_k||_2^2) / E_k at the end, E_k by the imbalances of the start; for the hidden "
    "head layer farthest from 1",
    "body_gap": "1 - ||W_1||_2 / ||W_1||_F at the end, in [0, 1]",
    "head_drift": "largest change in the run of an imbalance of neighbours in the head, over the head's squared norm",
    "stable_drift": "largest change in the run of the imbalance of W_1 and the head's first layer, in the block of "
    "stable neurons only, over the squared norm of all weights",
    "full_drift": "largest change in the run of the imbalance of W_1 and the head's first layer, as a full matrix, "
    "over the squared norm of all weights",
    "stable_neurons": "how many neurons of W_1 have W_1 x > 0.01 on all examples after every step",
    "other_neurons": "how many neurons of W_1 have W_1 x of 0.01 or less on some example after some step",
}

SERIES = {
    "risk_path": Series("record", "log(1/R)"),
    "norm_path": Series("record", "smallest Frobenius norm of a head layer"),
    "head_gap_path": Series("record", "largest rank-one gap of a hidden head layer"),
    "head_gap_law": Series("record", "largest rank-one gap of a hidden head layer, by the imbalances of the start"),
    "body_gap_path": Series("record", "rank-one gap of W_1"),
    "head_drift_path": Series("record", "change of the imbalances in the head, over its squared norm"),
    "stable_drift_path": Series("record", "change of the imbalance of W_1 with the head, stable neurons"),
    "full_drift_path": Series("record", "change of the imbalance of W_1 with the head, all neurons"),
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
    measured = [
        _measure(params, network.shapes, margins[run], path[:, run], least[run] > ACTIVE)
        for run, _ in each(part_of(progress, FOLLOWING, 1 - FOLLOWING, "measuring"), len(generators))
    ]
    measures, series = zip(*measured, strict=True)
    return Result(stacked(measures), stacked(series))


def _measure(
    params: Params, shapes: Sequence[tuple[int, int]], margins: Array, path: Array, stable: NDArray[np.bool_]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Measures and series of one run from its records."""
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
