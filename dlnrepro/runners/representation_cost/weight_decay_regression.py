"""Gradient descent with weight decay of linear networks of several architectures, compared with a convex problem.

    F(theta) = 1/(2n) ||X f_theta - Y||_F^2 + decay/2 ||theta||^2

At a minimum of F, the weights theta are the cheapest ones for their predictor w = f_theta: ||theta||^2 = R(w), the
representation cost. With two layers R/2 is a norm, and w is the solution of least squares with this norm as penalty.
A proximal method solves this convex problem without a network, and with a certificate.

Training goes on in rounds until the gradient of F is small, run by run. At the end the gradient is computed again, by
autograd on the network as a plain formula (`dlnrepro.dynamics.representation_cost.plain_networks`).

Source: Dai, Karzand, Srebro (NeurIPS 2021) for the question; the formulas are those of
`dlnrepro.dynamics.representation_cost.formulas`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.representation_cost.convex_penalty import Penalty, certified_distance, minimise, norm
from dlnrepro.dynamics.representation_cost.formulas import representation_costs
from dlnrepro.dynamics.representation_cost.plain_networks import plain_network
from dlnrepro.dynamics.representation_cost.regression import Regression, autograd_gradient
from dlnrepro.dynamics.representation_cost.tied_layers import predictor, squared_norm
from dlnrepro.dynamics.starts.draws import normal, orthonormal, uniform
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.tensors.records import Record, log_grid
from dlnrepro.dynamics.training.momentum import descend_with_momentum
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, ORDERED, PositiveRange, Same, StepSize, law_value, same_or_number
from dlnrepro.settings.representation_cost import ArchitectureSettings

LawDecay = Annotated[
    Same | float,
    same_or_number(0, 1),
    Field(
        description="weight decay of the convex problem: that of the training (`same`), or a number, for negative"
        " controls and for networks that are not compared with the convex problem"
    ),
]

RECORDS = 60
CONVEX_STEPS = 1200
CONVERGED = 1e-7
"""Training ends if ||grad F|| is at most this multiple of the weight decay times ||theta||."""

Condition = Annotated[float, Field(ge=1, le=100)]


class Params(ArchitectureSettings):
    """An architecture, a regression with a drawn teacher, its training, and the convex problem."""

    architecture: Penalty = Field(description="architecture of the network: how the weights fill its layers")
    law: Literal["same", Penalty] = Field(
        description="architecture whose norm is the penalty of the convex problem: that of the network (`same`), or"
        " another one, which makes the problem wrong on purpose, for a negative control"
    )
    samples: int = Field(ge=4, le=256, description="n, the number of samples, at least twice the number of inputs")
    condition: Annotated[tuple[Condition, Condition], FROM_LIST, ORDERED] = Field(
        description="range of the condition number of the covariance of the Gaussian inputs, drawn log-uniformly; the"
        " largest eigenvalue is 1"
    )
    teacher: PositiveRange = Field(
        description="range of the Frobenius norm of the teacher, the predictor that generates the outputs, drawn"
        " log-uniformly"
    )
    noise: PositiveRange = Field(
        description="range of the standard deviation of the Gaussian noise on the outputs, drawn log-uniformly"
    )
    scale: float = Field(gt=0, le=3, description="standard deviation of the weights at the initialization")
    decay: float = Field(
        ge=0, le=1, description="weight decay in training, the factor on ||theta||^2 / 2 in the objective"
    )
    law_decay: LawDecay
    step_size: StepSize
    momentum: float = Field(ge=0, lt=1, description="momentum of gradient descent; 0 is plain gradient descent")
    steps: int = Field(ge=1, le=10**6, description="number of gradient steps of a round of training")
    rounds: int = Field(
        ge=1,
        le=100,
        description="largest number of rounds; a run is trained until the end of the first round after which the"
        " gradient of its objective is small, and each round begins without momentum",
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """Too few samples for a certificate, and a convex problem without a penalty."""
        yield from super().contradictions()
        if self.samples < 2 * self.inputs:
            expected = f"at least {2 * self.inputs}, twice the inputs, so that the convex solution is certified"
            yield Contradiction("samples", expected)
        if self.formula_decay == 0:
            found = "`same`, which is 0" if self.law_decay == "same" else None
            yield Contradiction("law_decay", "a number above 0", found)

    @property
    def formula(self) -> Penalty:
        """The architecture whose norm is the penalty of the convex problem."""
        return self.architecture if self.law == "same" else self.law

    @property
    def formula_decay(self) -> float:
        """The weight decay of the convex problem, as a number."""
        return law_value(self.law_decay, self.decay)

    def numbers(self) -> int:
        """Weights, matrices and their gradients, the data, and the records of predictors."""
        places = sum(layer.places.numel() for layer in self.layers)
        return 12 * places + (2 * RECORDS + self.samples) * self.inputs * (1 + self.outputs)


MEASURES = {
    "distance": "relative distance ||w - w_convex||_F / ||w_convex||_F of the predictor w at the end from the solution"
    " of the convex problem, >= 0",
    "objective_gap": "relative difference between the training objective at the end, with the penalty of the convex"
    " problem as weight decay, and the minimum of the convex problem, >= 0",
    "excess": "||theta||^2 / R(w) - 1 at the end, where theta are the weights and R(w) is the representation cost of"
    " their predictor w by the formula for the network",
    "unconverged": "||grad F|| / (decay ||theta||) at the end of the training with weight decay, >= 0, where F is the"
    " objective and theta are the weights; without weight decay, the decay of the convex problem takes its place",
    "residual": "||grad F|| / (decay ||theta||) at the end, >= 0, where F is the objective with the decay of the convex"
    " problem, theta are the weights, and the gradient comes from autograd on a plain network",
    "learned": "norm ||w||_F of the predictor at the end divided by that of the teacher",
    "certificate": "bound on the relative error of the computed solution of the convex problem, from its duality gap,"
    " >= 0",
}

SERIES = {
    "step": Series("step", "number of gradient steps of the first round"),
    "distance_path": Series(
        "step",
        "relative distance ||w - w_convex||_F / ||w_convex||_F of the predictor w from the"
        " solution of the convex problem",
    ),
    "excess_path": Series(
        "step",
        "excess ||theta||^2 / R(w) - 1, with the weights theta and the representation cost R(w) of their predictor w",
    ),
}

FLAWS = {
    "formula": Flaw("the representation cost by the formula is too large by 5 %", "representation_costs", scaled(1.05)),
    "predictor": Flaw("the predictor of the network is too large by 5 %", "predictor", scaled(1.05)),
    "gradient": Flaw(
        "the gradients of the first layer are twice as large as those of the objective's loss",
        "dlnrepro.dynamics.representation_cost.regression:tied_gradient",
        lambda right: lambda *given: [2 * part if layer == 0 else part for layer, part in enumerate(right(*given))],
    ),
    "norm": Flaw("the penalty of the convex minimum is too large by 5 %", "norm", scaled(1.05)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; train; solve the convex problem; compare the two predictors."""
    layers, law, decay = params.layers, params.formula, params.formula_decay
    regression, teachers = _draw(params, generators)
    start = [params.scale * normal((layer.count,), generators) for layer in layers]
    records = log_grid(params.steps, RECORDS)
    end, unconverged, recorded = _train(params, regression, start, records, part_of(progress, 0, 0.8))
    convex = minimise(law, *regression, decay, params.part, CONVEX_STEPS, part_of(progress, 0.8, 0.2))
    path = torch.cat([recorded["predictor"].movedim(-1, 1), predictor(layers, end)[:, None]], dim=1)
    squares = torch.cat([recorded["cost"], squared_norm(end)[:, None]], dim=1)
    costs = representation_costs(params.architecture, path, params.depth, params.part)
    distance = torch.linalg.matrix_norm(path - convex[:, None]) / torch.linalg.matrix_norm(convex)[:, None]
    excess = squares / costs - 1
    least = regression.loss(convex) + decay * norm(law, convex, params.part)
    objective = regression.loss(path[:, -1]) + decay / 2 * squares[:, -1]
    measures = {
        "distance": distance[:, -1],
        "objective_gap": (objective / least - 1).abs(),
        "excess": excess[:, -1],
        "unconverged": unconverged,
        "residual": _residuals(params, regression, end),
        "learned": torch.linalg.matrix_norm(path[:, -1]) / teachers,
        "certificate": certified_distance(law, convex, *regression, decay, params.part),
    }
    series = {
        "step": torch.tensor(records, dtype=torch.float64),
        "distance_path": distance[:, :-1],
        "excess_path": excess[:, :-1],
    }
    return Result(measures, series)


def _train(
    params: Params, regression: Regression, start: Weights, records: Sequence[int], progress: Progress
) -> tuple[Weights, Tensor, dict[str, Tensor]]:
    """The weights of each run at the end of its last round, how small the gradient is there, and the first round."""
    gradient = regression.gradient(params.layers, params.decay)

    def observe(values: Weights) -> Record:
        return {"predictor": predictor(params.layers, values), "cost": squared_norm(values)}

    weights, ends = list(start), list(start)
    first: dict[str, Tensor] = {}
    going = torch.ones(len(start[0]), dtype=torch.bool)
    for index in range(params.rounds):
        tick = part_of(progress, index / params.rounds, 1 / params.rounds)
        weights, recorded = descend_with_momentum(
            weights, gradient, params.step_size, params.momentum, params.steps, records, observe, tick
        )
        first = first or recorded
        ends = [torch.where(going[:, None], new, old) for new, old in zip(weights, ends, strict=True)]
        slope = _relative(gradient(ends), ends, params.decay or params.formula_decay)
        going = slope > CONVERGED
        if not bool(going.any()):
            break
    return ends, slope, first


def _residuals(params: Params, regression: Regression, weights: Weights) -> Tensor:
    """The gradient of the objective by autograd, relative to the decay of the convex problem, of shape (runs,)."""
    network = plain_network(
        params.architecture, params.inputs, params.outputs, params.hidden, params.inputs, params.part
    )
    slopes = autograd_gradient(regression, network, params.formula_decay, weights)
    return _relative(slopes, weights, params.formula_decay)


def _relative(slopes: Weights, weights: Weights, decay: float) -> Tensor:
    """The length of the gradient over decay ||theta||, of shape (runs,)."""
    return (squared_norm(slopes) / squared_norm(weights)).sqrt() / decay


def _draw(params: Params, generators: Sequence[Generator]) -> tuple[Regression, Tensor]:
    """Gaussian inputs, a teacher with log-normal coordinates of the network's kind, its noisy outputs, and its norm."""
    white = normal((params.samples, params.inputs), generators)
    axes = orthonormal(params.inputs, params.inputs, generators)
    spread = _between(params.condition, generators).log()[:, None] * torch.linspace(
        0, -0.5, params.inputs, dtype=torch.float64
    )
    x = white * each_run(torch.exp, spread)[:, None] @ axes.mT
    drawn, size = params.draw(1, generators)[:, 0], _between(params.teacher, generators)
    teacher = size[:, None, None] * drawn / torch.linalg.matrix_norm(drawn)[:, None, None]
    level = _between(params.noise, generators)[:, None, None]
    noise = level * normal((params.samples, params.outputs), generators)
    return Regression(x, x @ teacher + noise), size


def _between(limits: tuple[float, float], generators: Sequence[Generator]) -> Tensor:
    """One log-uniform number of each run, of shape (runs,)."""
    low, high = limits
    return each_run(lambda share: low * torch.exp(share * math.log(high / low)), uniform((), 0.0, 1.0, generators))
