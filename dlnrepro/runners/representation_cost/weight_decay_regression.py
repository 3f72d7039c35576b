"""Gradient descent with weight decay of linear networks of several architectures, and a convex problem.

    F(theta) = 1/(2n) ||X f_theta - Y||^2 + decay/2 ||theta||^2

At its minima theta is the cheapest way to realise f_theta: ||theta||^2 = R(f_theta), the representation cost. With two
layers R/2 is a norm, and f_theta solves least squares with that norm as penalty, which a proximal method solves with a
certificate and without a network.

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
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import Same, StepSize, law_value, same_or_number
from dlnrepro.settings.representation_cost import ArchitectureSettings

LawDecay = Annotated[
    Same | float,
    same_or_number(0, 1),
    Field(
        description="the weight decay to which the convex problem belongs: `same` is that in training; a number is for"
        " negative controls, or for networks that are not compared with the convex problem"
    ),
]

RECORDS = 60
CONVEX_STEPS = 600


class Params(ArchitectureSettings):
    """An architecture, a regression with a drawn teacher, its training, and the convex problem."""

    architecture: Penalty = Field(description="the architecture of the network")
    law: Literal["same", Penalty] = Field(
        description="the architecture whose norm the convex problem has: `same` is that of the network; another one"
        " makes the problem wrong on purpose, for a negative control"
    )
    samples: int = Field(ge=4, le=256, description="n, the number of samples, at least 2 D")
    teacher: float = Field(gt=0, le=10, description="Frobenius norm of the teacher")
    noise: float = Field(ge=0, le=10, description="standard deviation of the noise on the outputs of the teacher")
    scale: float = Field(gt=0, le=3, description="standard deviation of the weights at the start")
    decay: float = Field(ge=0, le=1, description="the weight decay in training")
    law_decay: LawDecay
    step_size: StepSize
    momentum: float = Field(ge=0, lt=1, description="momentum of the descent; 0 is plain gradient descent")
    steps: int = Field(ge=1, le=10**6, description="number of gradient steps")

    def contradictions(self) -> Iterable[Contradiction]:
        """Too few samples for a certificate, and a convex problem without a penalty."""
        yield from super().contradictions()
        if self.samples < 2 * self.inputs:
            expected = f"at least {2 * self.inputs}, twice inputs, for one solution and a certificate of it"
            yield Contradiction("samples", expected)
        if self.formula_decay == 0:
            found = "`same`, which is 0" if self.law_decay == "same" else None
            yield Contradiction("law_decay", "a number above 0", found)

    @property
    def formula(self) -> Penalty:
        """The architecture whose norm the convex problem has."""
        return self.architecture if self.law == "same" else self.law

    @property
    def formula_decay(self) -> float:
        """The weight decay to which the convex problem belongs, as a number."""
        return law_value(self.law_decay, self.decay)

    def numbers(self) -> int:
        """Weights, matrices and their gradients, the data, and the records of predictors."""
        places = sum(layer.places.numel() for layer in self.layers)
        return 12 * places + (2 * RECORDS + self.samples) * self.inputs * (1 + self.outputs)


MEASURES = {
    "distance": "||w - w_convex||_F / ||w_convex||_F at the end, >= 0",
    "objective_gap": "|F over the minimum of the convex problem - 1| at the end, with the penalty as decay, >= 0",
    "excess": "||theta||^2 / R(w) - 1 at the end, with the network's own R, >= 0",
    "learned": "||w||_F at the end over that of the teacher",
    "certificate": "bound on the convex solution's error from its duality gap, relative, >= 0",
}

SERIES = {
    "step": Series("step", "gradient steps taken"),
    "distance_path": Series("step", "||w - w_convex||_F / ||w_convex||_F"),
    "excess_path": Series("step", "||theta||^2 / R(w) - 1"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend; solve the convex problem; compare."""
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
    """Gaussian inputs, a spiky teacher in the network's own coordinates, and its noisy outputs."""
    x = normal((params.samples, params.inputs), generators)
    drawn = params.draw(1, generators)[:, 0]
    teacher = params.teacher * drawn / torch.linalg.matrix_norm(drawn)[:, None, None]
    noise = params.noise * normal((params.samples, params.outputs), generators)
    return Regression(x, x @ teacher + noise)
