"""Gradient descent of a deep linear classifier by Ji and Telgarsky's step-size rule, next to gradient flow.

The network W_L ... W_1 with one output is trained on the logistic risk, from a start that is no worse than the zero
network, with the step sizes of `dynamics.ruled_descent`, or a multiple of them. From the same start gradient flow is
followed to the same times (the sums of step sizes), by a method of order eight.

Theory: while eta_t <= 1 / beta the risk falls in each step by eta_t ||grad R||^2 / 2 or more. So the sum of
eta_t ||grad R||^2 is at most 2 R(0), and since a step moves W_{l+1}^T W_{l+1} - W_l W_l^T by
eta_t^2 (grad_{l+1}^T grad_{l+1} - grad_l grad_l^T), none of these moves by more than 2 R(0) times the largest step.

Source: Ji and Telgarsky 2019 (arXiv:1810.02032), Assumption 5, Lemma 5, Theorem 3 of the OpenReview submission; the
bound on the imbalances is derived here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from torch import Generator, Tensor

from dlnrepro.dynamics.activations.relu_network import ReluNetwork
from dlnrepro.dynamics.classification import separable_data
from dlnrepro.dynamics.classification.smoothness_rule import RuledDescent, descend_by_rule
from dlnrepro.dynamics.classification.training import start
from dlnrepro.dynamics.networks.chain import imbalance
from dlnrepro.dynamics.networks.gaps import rank_one_gap
from dlnrepro.dynamics.risks.margin_losses import log_risk
from dlnrepro.dynamics.stiff_flow.margin_flow import unflatten
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Progress, Result, Series

Array = NDArray[np.float64]

LOSS: Literal["logistic"] = "logistic"
RECORDS = 60
RELATIVE, ABSOLUTE = 1e-9, 1e-11


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    data: Literal["separable", "flipped"] = Field(description="separable, or with a fifth of the labels turned round")
    dimension: int = Field(ge=2, le=50, description="of the data, in the unit ball")
    samples: int = Field(ge=5, le=1000, description="how many points")
    gap: float = Field(ge=0, lt=0.5, description="least distance of a point from the labelling plane")
    depth: int = Field(ge=2, le=8, description="L, the number of weight matrices")
    width: int = Field(ge=2, le=64, description="of every hidden layer")
    scale: float = Field(gt=0, le=10, description="entries of W_l have deviation scale / sqrt(n_{l-1})")
    factor: float = Field(gt=0, le=1e5, description="on the steps of the rule; 1 is the rule")
    steps: int = Field(ge=10, le=10**6, description="gradient steps")

    def memory(self, runs: int) -> int:
        """The records of descent and flow, the data and the margins."""
        weights = self.width * (self.dimension + (self.depth - 2) * self.width + 1)
        return 8 * runs * (6 * RECORDS * weights + 4 * self.samples * self.dimension) + 10**6


MEASURES = {
    "start_excess": "log R - log l(0) at the start: at most 0 if it is no worse than the zero network",
    "worst_fall": "the largest (R_{t+1} - R_t) / (eta_t ||grad R_t||^2) of a step; -1/2 or less by the smoothness",
    "drift_over_bound": "the largest change of an imbalance W_{l+1}^T W_{l+1} - W_l W_l^T at a record, in Frobenius "
    "norm, over 2 R(0) times the largest step, >= 0",
    "flow_distance": "the largest distance of descent and flow at equal times, over the flow's norm, >= 0",
    "gap_distance": "the largest difference of the two's largest rank-one gap of a hidden layer, over the flow's, >= 0",
    "risk_ratio": "R at the end over R at the start",
    "gap_ratio": "the largest rank-one gap of a hidden layer at the end over that at the start",
    "time": "the sum of the step sizes",
}

SERIES = {
    "clock": Series("record", "the sum of the step sizes so far"),
    "risk": Series("record", "R of the descent"),
    "flow_risk": Series("record", "R of the flow at the same time"),
    "gap": Series("record", "largest rank-one gap of a hidden layer of the descent"),
    "flow_gap": Series("record", "the same of the flow"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend with all runs at once; follow the flow of one after another."""
    draw = separable_data.flipped if params.data == "flipped" else separable_data.separable
    sets = [draw(params.dimension, params.samples, params.gap, True, 0.0, each).signed for each in generators]
    widths = [params.dimension, *[params.width] * (params.depth - 1), 1]
    weights = start(widths, params.scale, LOSS, sets, False, generators)
    descent, shapes = _descend(params, weights, sets, progress)
    risk = log_risk(LOSS)

    def gradient(run: int, whole: Array) -> Array:
        here = risk(sets[run] @ whole[0])
        slope: Array = math.exp(here.value) * (here.gradient @ sets[run])
        return slope[None]

    def told(fraction: float, note: str) -> None:
        progress(0.8 + 0.2 * fraction, f"flow, {note}")

    clocks = tensor_of(_rising(descent.clocks))
    flowing = flow(weights, gradient, clocks, [1.0] * params.depth, RELATIVE, ABSOLUTE, told)
    layers = [tensor_of(np.ascontiguousarray(layer)) for layer in unflatten(descent.path, shapes)]
    risks = tensor_of(descent.risks)
    gap, flow_gap = _gap(layers), _gap(flowing)
    flow_risk = [
        [math.exp(risk(row).value) for row in (sets[run] @ predictors.T).T]
        for run, predictors in enumerate(array_of(_predictors(flowing)))
    ]
    bound = 2 * risks[:, 0] * tensor_of(descent.largest_step)
    measures = {
        "start_excess": torch.stack([one.log() for one in risks[:, 0]]) - math.log(math.log(2)),
        "worst_fall": tensor_of(descent.worst_fall),
        "drift_over_bound": _drift(layers) / bound,
        "flow_distance": (_norm(layers, flowing) / _norm(flowing)).amax(-1),
        "gap_distance": ((gap - flow_gap).abs() / flow_gap).amax(-1),
        "risk_ratio": risks[:, -1] / risks[:, 0],
        "gap_ratio": gap[:, -1] / gap[:, 0],
        "time": clocks[:, -1],
    }
    series = {
        "clock": clocks,
        "risk": risks,
        "flow_risk": torch.tensor(flow_risk, dtype=torch.float64),
        "gap": gap,
        "flow_gap": flow_gap,
    }
    return Result(measures, series)


def _descend(
    params: Params, weights: Sequence[Tensor], sets: Sequence[Array], progress: Progress
) -> tuple[RuledDescent, list[tuple[int, int]]]:
    """The descent of all runs, and the shapes of the layers."""
    shapes = [(int(weight.shape[-2]), int(weight.shape[-1])) for weight in weights]
    begin = np.concatenate([array_of(weight).reshape(len(sets), -1) for weight in weights], axis=1)
    points = np.ascontiguousarray(np.stack(sets).swapaxes(-1, -2))
    signs = np.ones((len(sets), 1, params.samples))
    network = ReluNetwork(points, signs, LOSS, ["linear"] * params.depth, shapes, np.ones(begin.shape[1]))

    def told(fraction: float, note: str) -> None:
        progress(0.8 * fraction, note)

    records = log_grid(params.steps, RECORDS)
    return descend_by_rule(network, begin, params.factor, params.steps, records, told), shapes


def _rising(clocks: Array) -> Array:
    """The clocks, made to rise strictly where steps vanish beside them or a run is lost: the solver asks for it."""
    risen = clocks.copy()
    for index in range(1, clocks.shape[1]):
        risen[:, index] = np.maximum(clocks[:, index], risen[:, index - 1] + 1e-12 * (1 + risen[:, index - 1]))
    return risen


def _gap(layers: Sequence[Tensor]) -> Tensor:
    """The largest rank-one gap of a hidden layer, of shape (runs, records)."""
    return torch.stack([rank_one_gap(layer) for layer in layers[:-1]]).amax(0)


def _norm(layers: Sequence[Tensor], other: Sequence[Tensor] | None = None) -> Tensor:
    """The norm of all weights, or of the difference of two sets of them, of shape (runs, records)."""
    parts = layers if other is None else [one - two for one, two in zip(layers, other, strict=True)]
    whole: Tensor = torch.linalg.vector_norm(torch.stack([torch.linalg.matrix_norm(part) for part in parts]), dim=0)
    return whole


def _drift(layers: Sequence[Tensor]) -> Tensor:
    """The largest change of an imbalance since the first record, of shape (runs,)."""
    changes = [torch.linalg.matrix_norm(matrix - matrix[:, :1]).amax(-1) for matrix in imbalance(layers)]
    return torch.stack(changes).amax(0)


def _predictors(layers: Sequence[Tensor]) -> Tensor:
    """W_L ... W_1 as rows, of shape (runs, records, dimension)."""
    whole = layers[0]
    for layer in layers[1:]:
        whole = layer @ whole
    return whole[:, :, 0]
