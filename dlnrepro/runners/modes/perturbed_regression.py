"""Gradient descent of a two-layer regression whose second moments do not commute, held against one where they do.

W_l <- W_l - eta dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_2 W_1 from a small Gaussian start. With
S = I + epsilon B, B symmetric of norm 1, the inputs' second moment has other eigenvectors than
Z = sum_i sigma_i u_i v_i^T has right singular vectors. The reference is the descent from the same start at epsilon = 0.
Theory: the path departs from it by O(epsilon) at all times, and the modes are learned in the same order, at the same
times. While all is small only Z acts; so, in the control, strengths sigma_i + epsilon or sigma_i - epsilon shift the
times, by more the weaker the mode.

Source: the setting and the kind of statement are those of Gidel, Bach and Lacoste-Julien (2019, arXiv:1904.13262); that
the order in epsilon is 1, and the control, are derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.modes.learning_times import mode_shares, passing_times
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.risks.squared_loss import regression_gradient, unit_symmetric
from dlnrepro.dynamics.starts.draws import gaussian, uniform
from dlnrepro.dynamics.starts.targets import Target, draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.runner import Progress, Result, Series

HALF = 0.5
POINTS = 150

Positive = Annotated[float, Field(gt=0, le=100)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    layers: Literal[1, 2] = Field(description="one matrix, or two")
    inputs: int = Field(ge=2, le=32, description="n_0")
    hidden: int = Field(ge=2, le=64, description="n_1 of two layers")
    outputs: int = Field(ge=2, le=32, description="n_L")
    strengths: Annotated[tuple[Positive, ...], Field(strict=False, min_length=2, max_length=32)] = Field(
        description="sigma, the singular values of Z, strictly falling"
    )
    jitter: float = Field(ge=0, lt=1, description="each run multiplies each strength by 1 + jitter x, |x| <= 1")
    perturbed: Literal["inputs", "cross"] = Field(
        description="S = I + epsilon B, B symmetric of norm 1; or Z plus epsilon times random signs of its strengths"
    )
    largest: float = Field(gt=0, lt=1, description="epsilon at one end of the sweep; times are read here")
    smallest: float = Field(gt=0, lt=1, description="epsilon at the other end")
    points: int = Field(ge=2, le=50, description="values of epsilon, evenly spaced in the logarithm")
    start_scale: float = Field(gt=0, le=1, description="of the weights: entries of deviation scale / root of fan-in")
    step_size: float = Field(gt=0, le=10, description="eta")
    refined: int = Field(ge=1, le=16, description="the reference takes this many steps of eta / this for one step")
    steps: int = Field(ge=2, le=10**5, description="gradient steps")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if any(after >= before for before, after in zip(self.strengths, self.strengths[1:], strict=False)):
            raise ValueError("strengths must fall strictly")
        if len(self.strengths) > min(self.inputs, self.outputs):
            raise ValueError("strengths must be no more than inputs or outputs")
        if self.smallest >= self.largest:
            raise ValueError("smallest must lie below largest")
        return self

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.inputs, *[self.hidden] * (self.layers - 1), self.outputs]

    def memory(self, runs: int) -> int:
        """The product at every step, three times over, and the weights."""
        kept = 3 * self.steps * self.inputs * self.outputs
        return 8 * runs * (self.points + 1) * (kept + 64 * self.hidden * self.inputs)


MEASURES = {
    "deviation_order": "slope of log max_t ||W_epsilon - W_0||_F against log epsilon",
    "deviation": "max_t ||W_epsilon - W_0||_F / sigma_1 at the largest epsilon, >= 0",
    "time_shift": "the largest |T_i / T_i(epsilon = 0) - 1| over the modes at the largest epsilon, T_i being the step "
    "at which mode i is half learned, >= 0",
    "time_ratio": "the least T_{i+1} / T_i at the largest epsilon, >= 0; 1 where modes are learned together",
    "unlearned": "the largest |1 - share of a mode| at the end of the reference, >= 0",
}

SERIES = {
    "epsilon": Series("epsilon", "the size of the perturbation"),
    "largest_deviation": Series("epsilon", "max_t ||W_epsilon - W_0||_F / sigma_1"),
    "step": Series("step", "gradient steps taken"),
    "deviation_path": Series("step", "||W_epsilon - W_0||_F / sigma_1 at the largest epsilon"),
    "modes_learned": Series("step", "the sum of the modes' shares at the largest epsilon"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, perturbations and starts; descend at all sizes of all runs at once, and without perturbation."""
    strengths = draw_strengths(params.strengths, params.jitter, generators)
    target = rotated(params.outputs, params.inputs, strengths, generators)
    sizes = torch.linspace(0, 1, params.points, dtype=torch.float64)
    sizes = params.largest * (params.smallest / params.largest) ** sizes
    moment, cross = _moments(params, target, sizes, generators)
    draws = [draw[:, None] for draw in gaussian(params.widths, params.start_scale, generators)]
    share = 1 / (1 + params.refined)
    _, recorded = descend(
        [draw.expand(-1, params.points, -1, -1) for draw in draws],
        regression_gradient(moment, cross),
        lambda _: params.step_size,
        params.steps,
        range(params.steps + 1),
        _whole,
        part_of(progress, 0, share),
    )
    _, reference = descend(
        draws,
        regression_gradient(torch.eye(params.inputs, dtype=torch.float64), target.matrix[:, None]),
        lambda _: params.step_size / params.refined,
        params.steps * params.refined,
        range(0, params.steps * params.refined + 1, params.refined),
        _whole,
        part_of(progress, share, 1 - share, "reference"),
    )
    path, plain = recorded["whole"].movedim(-1, 2), reference["whole"].movedim(-1, 2)
    deviation = torch.linalg.matrix_norm(path - plain) / strengths[:, :1, None]
    largest = deviation.amax(-1)
    shares = mode_shares(path[:, 0], target, strengths).mT
    plain_shares = mode_shares(plain[:, 0], target, strengths).mT
    times, plain_times = passing_times(shares, HALF), passing_times(plain_shares, HALF)
    logs = sizes.log().expand_as(largest)
    records = torch.linspace(0, params.steps, min(POINTS, params.steps + 1), dtype=torch.float64).round()
    thinned = records.to(torch.int64)
    measures = {
        "deviation_order": slope(logs, each_run(torch.log, largest)),
        "deviation": largest[:, 0],
        "time_shift": (times / plain_times - 1).abs().amax(-1),
        "time_ratio": (times[:, 1:] / times[:, :-1].clamp_min(1e-9)).amin(-1),
        "unlearned": (plain_shares[..., -1] - 1).abs().amax(-1),
    }
    series = {
        "epsilon": sizes.expand_as(largest),
        "largest_deviation": largest,
        "step": records.expand(len(largest), -1),
        "deviation_path": deviation[:, 0][:, thinned],
        "modes_learned": shares.sum(1)[:, thinned],
    }
    return Result(measures, series)


def _whole(weights: Weights) -> Record:
    return {"whole": product(weights)}


def _moments(params: Params, target: Target, sizes: Tensor, generators: Sequence[Generator]) -> tuple[Tensor, Tensor]:
    """S and Z at every size, of shapes (runs, points, n_0, n_0) and (runs, points, n_L, n_0)."""
    factors, matrix = sizes[:, None, None], target.matrix
    plain = torch.eye(params.inputs, dtype=torch.float64)
    if params.perturbed == "inputs":
        bend = unit_symmetric(params.inputs, generators)
        return plain + factors * bend[:, None], matrix[:, None].expand(-1, len(sizes), -1, -1)
    signs = uniform((len(params.strengths),), -1.0, 1.0, generators).sign()
    bend = Target(target.left, signs, target.right).matrix
    return plain.expand(len(matrix), len(sizes), -1, -1), matrix[:, None] + factors * bend[:, None]
