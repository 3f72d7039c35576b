"""Gradient descent with weight decay of linear networks of several architectures, held against a convex problem.

    F(theta) = 1/(2n) ||X f_theta - Y||^2 + decay/2 ||theta||^2

At its minima theta is the cheapest way to realise f_theta: ||theta||^2 = R(f_theta), the representation cost. With two
layers R/2 is a norm, and f_theta solves least squares with that norm as penalty, which a proximal method solves with a
certificate and without a network.

Source: Dai, Karzand, Srebro (NeurIPS 2021) for the question; the formulas are those of
`dlnrepro.dynamics.representation_cost.formulas`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import prefixes
from dlnrepro.dynamics.representation_cost.convex_penalty import Penalty, certified_distance, minimise, norm
from dlnrepro.dynamics.representation_cost.formulas import representation_cost
from dlnrepro.dynamics.representation_cost.spiky_predictors import draw_spiky
from dlnrepro.dynamics.representation_cost.tied_layers import (
    Layers,
    build,
    matrices,
    predictor,
    squared_norm,
    tied_gradient,
)
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.tensors.records import Record, log_grid
from dlnrepro.dynamics.training.momentum import descend_with_momentum
from dlnrepro.runner import Progress, Result, Series

RECORDS = 60
CONVEX_STEPS = 600
ENTRYWISE = ("fully-connected", "diagonal")
"""Norms that make sense for several outputs: of singular values, and of entries."""


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    architecture: Penalty = Field(description="of the network")
    depth: int = Field(ge=2, le=6, description="L, the number of layers")
    inputs: int = Field(ge=2, le=16, description="D")
    outputs: int = Field(ge=1, le=8, description="more than one for the fully connected network only")
    hidden: int = Field(ge=1, le=16, description="width of the hidden layers of the fully connected network")
    part: int = Field(ge=1, le=8, description="size of the groups, which divides D")
    samples: int = Field(ge=4, le=256, description="n, at least twice D")
    spread: float = Field(ge=0, le=3, description="deviation of the logarithms of the teacher's coordinates")
    teacher: float = Field(gt=0, le=10, description="Frobenius norm of the teacher")
    noise: float = Field(ge=0, le=10, description="deviation of what is added to the outputs")
    scale: float = Field(gt=0, le=3, description="deviation of the weights at the start")
    decay: float = Field(ge=0, le=1, description="of the weights, in training")
    penalty: float = Field(gt=0, le=1, description="weight of the norm in the convex problem")
    law: Penalty = Field(description="whose norm the convex problem has; another than the network's is an error")
    step_size: float = Field(gt=0, le=1, description="eta")
    momentum: float = Field(ge=0, lt=1, description="of the heavy ball; 0 for plain gradient descent")
    steps: int = Field(ge=1, le=10**6, description="gradient steps")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        laws = (self.architecture, self.law)
        if self.outputs > 1 and (self.architecture != "fully-connected" or self.law not in ENTRYWISE):
            raise ValueError("outputs must be 1 unless the network is fully connected, and the law that or diagonal")
        if "group" in laws and self.inputs % self.part:
            raise ValueError("part must divide inputs")
        if self.architecture == "fully-connected" and self.hidden < min(self.inputs, self.outputs):
            raise ValueError("hidden must be no smaller than inputs or outputs")
        if self.samples < 2 * self.inputs:
            raise ValueError("samples must be at least twice inputs, for one solution and a certificate of it")
        return self

    @property
    def layers(self) -> Layers:
        """The network."""
        return build(self.architecture, self.depth, self.inputs, self.outputs, self.hidden, self.inputs, self.part)

    def memory(self, runs: int) -> int:
        """Weights, matrices and their gradients, the data, and the records of predictors."""
        places = sum(layer.places.numel() for layer in self.layers)
        return 8 * runs * (12 * places + (2 * RECORDS + self.samples) * self.inputs * (1 + self.outputs)) + 10**7


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


class _Problem(NamedTuple):
    """Data of all runs: X, Y, and the teacher."""

    x: Tensor
    y: Tensor
    teacher: Tensor


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend; solve the convex problem; compare."""
    layers = params.layers
    problem = _draw(params, generators)
    start = [params.scale * normal((layer.count,), generators) for layer in layers]
    records = log_grid(params.steps, RECORDS)

    def observe(values: list[Tensor]) -> Record:
        return {"predictor": predictor(layers, values), "cost": squared_norm(values)}

    def descending(fraction: float, note: str) -> None:
        progress(0.8 * fraction, note)

    end, recorded = descend_with_momentum(
        start,
        _gradient(params, layers, problem),
        params.step_size,
        params.momentum,
        params.steps,
        records,
        observe,
        descending,
    )
    convex = minimise(
        params.law,
        problem.x,
        problem.y,
        params.penalty,
        params.part,
        CONVEX_STEPS,
        part_of(progress, 0.8, 0.2),
    )
    path = recorded["predictor"].movedim(-1, 1)
    costs = each_run(lambda every: _costs(params, every), path)
    size = torch.linalg.matrix_norm(convex)
    distance = torch.linalg.matrix_norm(path - convex[:, None]) / size[:, None]
    excess = recorded["cost"] / costs - 1
    least = _loss(problem, convex) + params.penalty * norm(params.law, convex, params.part)
    objective = _loss(problem, path[:, -1]) + params.penalty / 2 * squared_norm(end)
    measures = {
        "distance": distance[:, -1],
        "objective_gap": (objective / least - 1).abs(),
        "excess": excess[:, -1],
        "learned": torch.linalg.matrix_norm(path[:, -1]) / params.teacher,
        "certificate": certified_distance(params.law, convex, problem.x, problem.y, params.penalty, params.part),
    }
    series = {
        "step": torch.tensor(records, dtype=torch.float64).expand(len(size), -1).clone(),
        "distance_path": distance,
        "excess_path": excess,
    }
    return Result(measures, series)


def _draw(params: Params, generators: Sequence[Generator]) -> _Problem:
    """Gaussian inputs, a spiky teacher in the network's own coordinates, and its noisy outputs."""
    x = normal((params.samples, params.inputs), generators)
    shape = (1, params.inputs, params.outputs)
    drawn = draw_spiky(params.architecture, shape, params.part, params.spread, generators)[:, 0]
    teacher = params.teacher * drawn / torch.linalg.matrix_norm(drawn)[:, None, None]
    noise = params.noise * normal((params.samples, params.outputs), generators)
    return _Problem(x, x @ teacher + noise, teacher)


def _gradient(params: Params, layers: Layers, problem: _Problem) -> Callable[[list[Tensor]], list[Tensor]]:
    """The gradient of F on every layer's parameters."""
    moment = problem.x.mT @ problem.x / params.samples
    cross = problem.x.mT @ problem.y / params.samples

    def gradient(values: list[Tensor]) -> list[Tensor]:
        chain = matrices(layers, values)
        partial = prefixes(chain)
        slopes = tied_gradient(layers, chain, partial, moment @ partial[-1] - cross)
        return [slope + params.decay * value for slope, value in zip(slopes, values, strict=True)]

    return gradient


def _loss(problem: _Problem, w: Tensor) -> Tensor:
    """1/(2n) ||X w - Y||_F^2, of shape (runs,)."""
    return ((problem.x @ w - problem.y) ** 2).sum((-2, -1)) / (2 * problem.x.shape[-2])


def _costs(params: Params, every: Tensor) -> Tensor:
    """R of every predictor along one run's path; NaN where it is not finite."""
    costs = [
        representation_cost(params.architecture, w, params.depth, params.part)
        if bool(torch.isfinite(w).all())
        else torch.tensor(torch.nan, dtype=torch.float64)
        for w in every
    ]
    return torch.stack(costs)
