"""Gradient descent of a deep linear classifier with the step sizes of Ji and Telgarsky, compared with gradient flow.

The network W_L ... W_1 with one output is trained on the logistic risk R, from an initialization (start) that is not
worse than the zero network. The step sizes eta_t are those of `dynamics.classification.smoothness_rule`, or a multiple
of them. From the same initialization gradient flow is followed to the same times (the sums of step sizes), by a method
of order eight.

Theory: if R is beta-smooth along a step and eta_t <= 1 / beta, the step lowers R by at least eta_t ||grad R||^2 / 2. So
the sum of eta_t ||grad R||^2 is at most 2 R_0, with R_0 the risk at the initialization. A step changes the imbalance
W_(l+1)^T W_(l+1) - W_l W_l^T by eta_t^2 (grad_(l+1)^T grad_(l+1) - grad_l grad_l^T). Therefore no imbalance changes by
more than 2 R_0 times the largest step size. In the limit R vanishes as 1 / t, with the constant of
`dynamics.classification.smoothness_rule`.

Independence: at every recorded step the update of the weights is compared with the gradient of a plain network by
automatic differentiation, and its length with the rule.

Source: Ji and Telgarsky 2019 (arXiv:1810.02032), Assumption 5, Lemma 5, Theorem 3 of the OpenReview submission, and the
bound on the sum of eta_t ||grad R||^2 after Theorem 4; the bound on the imbalances by the largest step size and the
rate of the risk are derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.activations.conserved_balance import changes, largest_sizes
from dlnrepro.dynamics.activations.relu_network import LayerKind, network_of
from dlnrepro.dynamics.classification.smoothness_rule import RuledDescent, descend_by_rule
from dlnrepro.dynamics.fits.slopes import windowed_slope
from dlnrepro.dynamics.networks.chain import product, whole_norm
from dlnrepro.dynamics.networks.gaps import hidden_rank_one_gap
from dlnrepro.dynamics.risks.margin_losses import log_loss_at_zero, log_risks, risk_field
from dlnrepro.dynamics.risks.plain_risk import plain_risk
from dlnrepro.dynamics.stiff_flow.margin_flow import Shapes, layers_of
from dlnrepro.dynamics.tensors.arrays import Array, Weights, array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Flaw, Progress, Result, Series, negated, scaled, shifted
from dlnrepro.settings.classification import DeepClassifier, Separable

LOSS: Literal["logistic"] = "logistic"
RECORDS = 60
LATE = 0.25
"""The power of the risk is fitted over the steps from this share of all steps on."""
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
    "norm_over_ball": "largest Frobenius norm of a layer at the end of a step over R_t, the bound on the norms of all "
    "layers in the rule of the step, > 0; at most 1 if the risk is smooth along every step",
    "update_error": "largest distance between an update of the weights times beta(R_t) and -grad R of a plain network "
    "by automatic differentiation, over the length of grad R, at the recorded steps, >= 0; beta(R_t) is the smoothness "
    "by the norms at the recorded steps so far",
    "step_over_rule": "largest eta_t beta(R_t) at a recorded step, > 0: eta_t is the length of the update over the "
    "length of grad R by automatic differentiation, and beta(R_t) is the smoothness by the norms at the recorded "
    "steps so far; at most 1 by the rule",
    "flow_distance": "largest distance between the weights of descent and of flow at equal times, over the norm of "
    "the flow's weights, >= 0",
    "gap_distance": "largest difference between descent and flow at equal times in the largest rank-one gap "
    "1 - ||W_l||_2 / ||W_l||_F of a hidden layer, over the gap of the flow, >= 0",
    "risk_ratio": "the risk at the end over the risk at the initialization",
    "flow_risk_ratio": "the risk of the flow at the same time as the end of the descent over the risk at the "
    "initialization",
    "risk_power": "slope of the log of the risk against the log of the number of steps over the last three quarters "
    "of the steps; -1 in the limit if the risk vanishes",
    "risk_pace": "growth of 1/R per step over the last three quarters of the steps, over gamma^2 / (2 L (b + G)), with "
    "R the risk, gamma the maximum margin, L the depth, b = 1/4 and G = 1; 1 in the limit if the risk vanishes",
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
    "long-steps": Flaw(
        "every step is 1.3 times as long as the rule allows",
        "dlnrepro.dynamics.classification.smoothness_rule:_step_size",
        scaled(1.3),
    ),
    "square-root": Flaw(
        "the derivatives of the loss of the margins are replaced by their square roots in the descent",
        "dlnrepro.dynamics.activations.relu_network:margin_slopes",
        lambda right: lambda *given: -np.sqrt(-right(*given)),
    ),
    "exponent": Flaw("the fitted exponent of the risk is larger by 0.5", "windowed_slope", shifted(0.5)),
    "small-ball": Flaw(
        "the bound R_t on the norms of the layers is 10 % too small",
        "dlnrepro.dynamics.classification.smoothness_rule:_largest_norm",
        scaled(0.9),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend with all runs at once; follow the flow of one run after another."""
    classes = [params.classes(generator) for generator in generators]
    sets = [one.signed for one in classes]
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
    margins = torch.tensor([one.solution.margin for one in classes], dtype=torch.float64)
    measures = {
        "drift_over_bound": largest_sizes(changes(layers)).matrix
        / (2 * tensor_of(descent.risks)[:, 0] * tensor_of(descent.largest_step)),
        **_of_steps(params, descent, network.shapes, sets),
        **_of_risk(params, descent, records, margins),
        **_next_to_the_flow(layers, flowing),
        "flow_risk_ratio": each_run(torch.exp, torch.stack([path[-1] - path[0] for path in flow_risks])),
        "time": clocks[:, -1],
    }
    series = {
        "clock": clocks,
        "risk": tensor_of(descent.risks),
        "flow_risk": each_run(torch.exp, torch.stack(flow_risks)),
        "gap": hidden_rank_one_gap(layers),
        "flow_gap": hidden_rank_one_gap(flowing),
    }
    return Result(measures, series)


def _of_steps(params: Params, descent: RuledDescent, shapes: Shapes, sets: Sequence[Array]) -> dict[str, Tensor]:
    """The fall of the risk in every step, and the steps compared with the rule and with a plain network."""
    errors, shares = [], []
    for run, signed in enumerate(sets):
        layers = layers_of(descent.path[run], shapes)
        plain = plain_risk(LOSS, [layer[:-1] for layer in layers], tensor_of(signed), torch.ones(len(signed)))
        slopes = array_of(torch.cat([part.flatten(1) for part in plain.gradient], 1))
        slopes = slopes * np.exp(array_of(plain.logarithm))[:, None]
        moves = descent.path[run, :-1] - descent.onward[run]
        long, steep = (np.sqrt((part * part).sum(-1, keepdims=True)) for part in (moves, slopes))
        norms = np.max([array_of(torch.linalg.matrix_norm(layer[:-1])) for layer in layers], axis=0)
        ball = np.maximum.accumulate(np.maximum(norms, 1)) + 0.4 / params.depth**2
        smoothness = 2.5 * params.depth**2 * ball ** (2 * params.depth - 2)
        with np.errstate(all="ignore"):  # a run that has diverged is NaN, or no longer moves
            apart = np.sqrt(((moves * smoothness[:, None] - slopes) ** 2).sum(-1, keepdims=True))
            errors.append(np.fmax.reduce((apart / steep)[:, 0]))
            shares.append(np.fmax.reduce((long / steep)[:, 0] * smoothness))
    return {
        "worst_fall": tensor_of(descent.worst_fall),
        "norm_over_ball": tensor_of(descent.farthest),
        "update_error": tensor_of(np.array(errors)),
        "step_over_rule": tensor_of(np.array(shares)),
    }


def _of_risk(params: Params, descent: RuledDescent, records: Sequence[int], margins: Tensor) -> dict[str, Tensor]:
    """The risk at both ends, and how it vanishes in the last three quarters of the steps."""
    risks, steps = tensor_of(descent.risks), torch.tensor(records, dtype=torch.float64)
    late = steps >= LATE * params.steps
    growth = (1 / risks[:, -1] - 1 / risks[:, late][:, 0]) / (steps[-1] - steps[late][0])
    power = [windowed_slope(steps, risk, late) for risk in risks]
    return {
        "start_excess": each_run(torch.log, risks[:, 0]) - log_loss_at_zero(LOSS),
        "risk_ratio": risks[:, -1] / risks[:, 0],
        "risk_power": torch.stack(power),
        "risk_pace": growth * 2.5 * params.depth / (margins * margins),
    }


def _next_to_the_flow(layers: Weights, flowing: Weights) -> dict[str, Tensor]:
    """The distances of descent and flow at equal times, in the weights and in the gap of the layers to rank one."""
    gap, flow_gap = hidden_rank_one_gap(layers), hidden_rank_one_gap(flowing)
    apart = [one - other for one, other in zip(layers, flowing, strict=True)]
    return {
        "flow_distance": (whole_norm(apart) / whole_norm(flowing)).amax(-1),
        "gap_distance": ((gap - flow_gap).abs() / flow_gap).amax(-1),
        "gap_ratio": gap[:, -1] / gap[:, 0],
    }
