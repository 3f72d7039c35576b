"""Gradient descent of a deep linear classifier with the step sizes of Ji and Telgarsky, compared with gradient flow.

The network W_L ... W_1 with one output is trained on the logistic risk R, from an initialization (start) that is not
worse than the zero network. The step sizes eta_t are those of `dynamics.classification.smoothness_rule`, or a multiple
of them. From the same initialization gradient flow is followed to the same times (the sums of step sizes), by a method
of order eight.

Theory: if R is beta-smooth along a step and eta_t <= 1 / beta, the step lowers R by at least eta_t ||grad R||^2 / 2. So
the sum of eta_t ||grad R||^2 is at most 2 R_0, with R_0 the risk at the initialization. A step changes the imbalance
W_(l+1)^T W_(l+1) - W_l W_l^T by eta_t^2 (grad_(l+1)^T grad_(l+1) - grad_l grad_l^T). Therefore no imbalance changes by
more than 2 R_0 times the largest step size.

Source: Ji and Telgarsky 2019 (arXiv:1810.02032), Assumption 5, Lemma 5, Theorem 3 of the OpenReview submission; the
bound on the imbalances is derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.activations.conserved_balance import changes, largest_sizes
from dlnrepro.dynamics.activations.relu_network import LayerKind, network_of
from dlnrepro.dynamics.classification.smoothness_rule import descend_by_rule
from dlnrepro.dynamics.networks.chain import product, whole_norm
from dlnrepro.dynamics.networks.gaps import hidden_rank_one_gap
from dlnrepro.dynamics.risks.margin_losses import log_loss_at_zero, log_risks, risk_field
from dlnrepro.dynamics.stiff_flow.margin_flow import layers_of
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Flaw, Progress, Result, Series, negated, scaled
from dlnrepro.settings.classification import DeepClassifier, Separable

LOSS: Literal["logistic"] = "logistic"
RECORDS = 60
RELATIVE, ABSOLUTE = 1e-9, 1e-11


class Params(DeepClassifier):
    """A deep linear classifier, and its descent with the step sizes of the rule."""

    data: Separable
    factor: float = Field(gt=0, le=1e5, description="factor on the step sizes of the rule; 1 keeps to the rule")
    steps: int = Field(ge=10, le=10**6, description="the number of gradient steps")

    def numbers(self) -> int:
        """The records of descent and flow, the data and the margins."""
        return 6 * RECORDS * self.weight_count + 4 * self.samples * self.inputs


MEASURES = {
    "start_excess": "log R - log l(0) at the initialization, with R the risk and l the loss, natural logarithms; at "
    "most 0 if the initialization is not worse than the zero network",
    "worst_fall": "largest value over the steps of (R_(t+1) - R_t) / (eta_t ||grad R_t||^2), with R_t the risk and "
    "eta_t the step size; -1/2 or less if the risk is smooth along the step",
    "drift_over_bound": "largest change of an imbalance W_(l+1)^T W_(l+1) - W_l W_l^T at a recorded step, in Frobenius "
    "norm, over twice the initial risk times the largest step size, >= 0",
    "flow_distance": "largest distance between the weights of descent and of flow at equal times, over the norm of "
    "the flow's weights, >= 0",
    "gap_distance": "largest difference between descent and flow at equal times in the largest rank-one gap "
    "1 - ||W_l||_2 / ||W_l||_F of a hidden layer, over the gap of the flow, >= 0",
    "risk_ratio": "the risk at the end over the risk at the initialization",
    "gap_ratio": "the largest rank-one gap 1 - ||W_l||_2 / ||W_l||_F of a hidden layer at the end over that at the "
    "initialization",
    "time": "the sum of all step sizes, which is the time of the flow",
}

SERIES = {
    "clock": Series("recorded points", "time: the sum of the step sizes so far"),
    "risk": Series("recorded points", "risk of the descent"),
    "flow_risk": Series("recorded points", "risk of the flow at the same time"),
    "gap": Series("recorded points", "largest rank-one gap of a hidden layer of the descent"),
    "flow_gap": Series("recorded points", "largest rank-one gap of a hidden layer of the flow at the same time"),
}

FLAWS = {
    "uphill": Flaw(
        "the gradient of the descent has the opposite sign",
        "dlnrepro.dynamics.activations.relu_network:margin_slopes",
        negated,
    ),
    "long-gradient": Flaw(
        "the gradient of the descent is 5 % too long",
        "dlnrepro.dynamics.activations.relu_network:margin_slopes",
        scaled(1.05),
    ),
    "long-layer": Flaw(
        "the last layer of the descent is recorded 5 % too long",
        "layers_of",
        lambda right: lambda *given: [*right(*given)[:-1], 1.05 * right(*given)[-1]],
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend with all runs at once; follow the flow of one run after another."""
    sets = [params.classes(generator).signed for generator in generators]
    weights, labels = params.initialization(sets, LOSS, generators), np.ones((len(sets), params.samples))
    kinds: list[LayerKind] = ["linear"] * params.depth
    rates = [1.0] * params.depth
    network, begin = network_of(np.stack(sets), labels, LOSS, kinds, weights, rates)
    records = log_grid(params.steps, RECORDS)
    descent = descend_by_rule(network, begin, params.factor, params.steps, records, part_of(progress, 0, 0.8))
    layers, clocks = layers_of(descent.path, network.shapes), tensor_of(descent.rising_clocks)
    rest = part_of(progress, 0.8, 0.2, "flow")
    flowing = flow(weights, risk_field(LOSS, sets), clocks, rates, RELATIVE, ABSOLUTE, rest)
    predictors = array_of(product(flowing)[:, :, 0])
    flow_risks = [log_risks(LOSS, (points @ rows.T).T) for points, rows in zip(sets, predictors, strict=True)]
    risks, gap, flow_gap = tensor_of(descent.risks), hidden_rank_one_gap(layers), hidden_rank_one_gap(flowing)
    apart = [one - other for one, other in zip(layers, flowing, strict=True)]
    measures = {
        "start_excess": each_run(torch.log, risks[:, 0]) - log_loss_at_zero(LOSS),
        "worst_fall": tensor_of(descent.worst_fall),
        "drift_over_bound": largest_sizes(changes(layers)).matrix / (2 * risks[:, 0] * tensor_of(descent.largest_step)),
        "flow_distance": (whole_norm(apart) / whole_norm(flowing)).amax(-1),
        "gap_distance": ((gap - flow_gap).abs() / flow_gap).amax(-1),
        "risk_ratio": risks[:, -1] / risks[:, 0],
        "gap_ratio": gap[:, -1] / gap[:, 0],
        "time": clocks[:, -1],
    }
    series = {
        "clock": clocks,
        "risk": risks,
        "flow_risk": each_run(torch.exp, torch.stack(flow_risks)),
        "gap": gap,
        "flow_gap": flow_gap,
    }
    return Result(measures, series)
