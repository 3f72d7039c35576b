"""Gradient descent with weight decay of linear networks of several architectures, compared with a convex problem.

    F(theta) = 1/(2n) ||X f_theta - Y||_F^2 + decay/2 ||theta||^2

At a minimum of F, the weights theta are the cheapest ones for their predictor w = f_theta: ||theta||^2 = R(w), the
representation cost. With two layers R/2 is a norm, and w is the solution of least squares with this norm as penalty.
A proximal method solves this convex problem without a network, and with a certificate.

Source: Dai, Karzand, Srebro (NeurIPS 2021) for the question; the formulas are those of
`dlnrepro.dynamics.representation_cost.formulas`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.representation_cost.convex_penalty import Penalty, certified_distance, minimise, norm
from dlnrepro.dynamics.representation_cost.formulas import representation_costs
from dlnrepro.dynamics.representation_cost.regression import Regression
from dlnrepro.dynamics.representation_cost.tied_layers import predictor, squared_norm
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.tensors.records import Record, log_grid
from dlnrepro.dynamics.training.momentum import descend_with_momentum
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import Same, StepSize, law_value, same_or_number
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
CONVEX_STEPS = 600


class Params(ArchitectureSettings):
    """An architecture, a regression with a drawn teacher, its training, and the convex problem."""

    architecture: Penalty = Field(description="architecture of the network: how the weights fill its layers")
    law: Literal["same", Penalty] = Field(
        description="architecture whose norm is the penalty of the convex problem: that of the network (`same`), or"
        " another one, which makes the problem wrong on purpose, for a negative control"
    )
    samples: int = Field(ge=4, le=256, description="n, the number of samples, at least twice the number of inputs")
    teacher: float = Field(
        gt=0, le=10, description="Frobenius norm of the teacher, the predictor that generates the outputs"
    )
    noise: float = Field(
        ge=0, le=10, description="standard deviation of the Gaussian noise on the outputs of the teacher"
    )
    scale: float = Field(gt=0, le=3, description="standard deviation of the weights at the initialization")
    decay: float = Field(
        ge=0, le=1, description="weight decay in training, the factor on ||theta||^2 / 2 in the objective"
    )
    law_decay: LawDecay
    step_size: StepSize
    momentum: float = Field(ge=0, lt=1, description="momentum of gradient descent; 0 is plain gradient descent")
    steps: int = Field(ge=1, le=10**6, description="number of gradient steps")

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
    "learned": "norm ||w||_F of the predictor at the end divided by that of the teacher",
    "certificate": "bound on the relative error of the computed solution of the convex problem, from its duality gap,"
    " >= 0",
}

SERIES = {
    "step": Series("step", "number of gradient steps"),
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
    "norm": Flaw("the penalty of the convex minimum is too large by 5 %", "norm", scaled(1.05)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; train; solve the convex problem; compare the two predictors."""
    layers, law, decay = params.layers, params.formula, params.formula_decay
    regression = _draw(params, generators)
    start = [params.scale * normal((layer.count,), generators) for layer in layers]
    records = log_grid(params.steps, RECORDS)

    def observe(values: Weights) -> Record:
        return {"predictor": predictor(layers, values), "cost": squared_norm(values)}

    end, recorded = descend_with_momentum(
        start,
        regression.gradient(layers, params.decay),
        params.step_size,
        params.momentum,
        params.steps,
        records,
        observe,
        part_of(progress, 0, 0.8),
    )
    convex = minimise(law, *regression, decay, params.part, CONVEX_STEPS, part_of(progress, 0.8, 0.2))
    path = recorded["predictor"].movedim(-1, 1)
    costs = representation_costs(params.architecture, path, params.depth, params.part)
    distance = torch.linalg.matrix_norm(path - convex[:, None]) / torch.linalg.matrix_norm(convex)[:, None]
    excess = recorded["cost"] / costs - 1
    least = regression.loss(convex) + decay * norm(law, convex, params.part)
    objective = regression.loss(path[:, -1]) + decay / 2 * squared_norm(end)
    measures = {
        "distance": distance[:, -1],
        "objective_gap": (objective / least - 1).abs(),
        "excess": excess[:, -1],
        "learned": torch.linalg.matrix_norm(path[:, -1]) / params.teacher,
        "certificate": certified_distance(law, convex, *regression, decay, params.part),
    }
    series = {
        "step": torch.tensor(records, dtype=torch.float64),
        "distance_path": distance,
        "excess_path": excess,
    }
    return Result(measures, series)


def _draw(params: Params, generators: Sequence[Generator]) -> Regression:
    """Gaussian inputs, a teacher with log-normal coordinates of the network's kind, and its noisy outputs."""
    x = normal((params.samples, params.inputs), generators)
    drawn = params.draw(1, generators)[:, 0]
    teacher = params.teacher * drawn / torch.linalg.matrix_norm(drawn)[:, None, None]
    noise = params.noise * normal((params.samples, params.outputs), generators)
    return Regression(x, x @ teacher + noise)
