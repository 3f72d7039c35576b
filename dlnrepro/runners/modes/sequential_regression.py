"""Gradient descent of a linear regression from ever smaller starts: when is each mode learned, and what lies between?

W_l <- W_l - eta dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_2 W_1 or, in the control, one matrix. The start
is epsilon times one Gaussian draw, for a sweep of epsilon. S has the right singular vectors of
Z = sum_i sigma_i u_i v_i^T.
Theory: mode i is learned at a time that grows by 1 / ln(1 + eta sigma_i) with ln(1/epsilon), in the order of sigma;
between two modes the network comes as near to the solution of reduced-rank regression as a power of epsilon.

Source: the setting and the kind of statement are those of Gidel, Bach and Lacoste-Julien (2019, arXiv:1904.13262);
slopes and powers are derived in `dlnrepro.dynamics.modes.sequential`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.modes.learning_times import mode_shares, passing_times
from dlnrepro.dynamics.modes.sequential import plateau_exponents, time_slopes
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.risks.squared_loss import (
    commuting_moment,
    leading_modes,
    mode_variances,
    reduced_rank,
    regression_gradient,
)
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.starts.targets import Target, draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.runner import Progress, Result, Series

HALF, NEARLY = 0.5, 0.9
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
    variances: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1, max_length=32)] = Field(
        description="lambda, the eigenvalues of S for the first right singular vectors of Z; 1 for the others"
    )
    largest_start: float = Field(gt=0, le=10, description="epsilon at one end of the sweep")
    smallest_start: float = Field(gt=0, le=10, description="epsilon at the other end; what is not a slope is read here")
    points: int = Field(ge=2, le=50, description="starts of the sweep, evenly spaced in the logarithm")
    step_size: float = Field(gt=0, le=10, description="eta")
    steps: int = Field(ge=2, le=10**5, description="gradient steps")
    law: Literal["reduced-rank", "strengths"] = Field(
        description="plateaus told by theory: reduced-rank regression, or the first modes in the order of sigma"
    )

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if any(after >= before for before, after in zip(self.strengths, self.strengths[1:], strict=False)):
            raise ValueError("strengths must fall strictly")
        if len(self.strengths) > min(self.inputs, self.outputs):
            raise ValueError("strengths must be no more than inputs or outputs")
        if len(self.variances) > self.inputs:
            raise ValueError("variances must be no more than inputs")
        if self.smallest_start >= self.largest_start:
            raise ValueError("smallest_start must lie below largest_start")
        if 2 * self.step_size * self.strengths[0] * (1 + self.jitter) >= 1:
            raise ValueError("step_size must lie below 1 / (2 sigma_1)")
        return self

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.inputs, *[self.hidden] * (self.layers - 1), self.outputs]

    def memory(self, runs: int) -> int:
        """The product at every step, three times over, and the weights."""
        return 8 * runs * self.points * (3 * self.steps * self.inputs * self.outputs + 64 * self.hidden * self.inputs)


MEASURES = {
    "time_slope_error": "the largest |(dT_i / d ln(1/epsilon)) ln(1 + eta sigma_i) - 1| over the modes, T_i being the "
    "step at which mode i is half learned, >= 0; 1 where times do not depend on the start",
    "next_share": "the largest share of a mode when the one before it has reached 0.9, at the smallest start",
    "time_ratio": "the least T_{i+1} / T_i at the smallest start, >= 0; 1 where modes are learned together",
    "plateau": "the largest over k < modes of the least ||W - W_k||_F / ||W_k||_F along the descent at the smallest "
    "start, W_k being what `law` names, >= 0",
    "plateau_slope_error": "the largest |fitted / predicted - 1| over k of the power of epsilon in that distance; 1 "
    "where the distance does not depend on the start",
    "end_distance": "||W - W_LS||_F / ||W_LS||_F at the end of the smallest start, W_LS being least squares, >= 0",
    "order_gap": "||W_1 of reduced-rank regression - sigma_1 / lambda_1 u_1 v_1^T||_F over the latter's norm, >= 0",
}

SERIES = {
    "step": Series("step", "gradient steps taken"),
    "modes_learned": Series("step", "the sum of the modes' shares, from the smallest start"),
    "distance_to_rank_one": Series("step", "||W - W_1||_F / ||W_1||_F, from the smallest start"),
    "strength": Series("mode", "sigma_i"),
    "time_slope": Series("mode", "dT_i / d ln(1/epsilon), in steps"),
    "time_slope_law": Series("mode", "1 / ln(1 + eta sigma_i)"),
    "start": Series("start", "epsilon"),
    "first_plateau": Series("start", "the least ||W - W_1||_F / ||W_1||_F along the descent"),
    "first_plateau_law": Series("start", "the predicted power of epsilon, through the smallest start"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; descend from all starts of all runs at once; measure times and plateaus."""
    strengths = draw_strengths(params.strengths, params.jitter, generators)
    target = rotated(params.outputs, params.inputs, strengths, generators)
    draws = gaussian(params.widths, 1.0, generators)
    span = torch.linspace(0, 1, params.points, dtype=torch.float64)
    starts = params.largest_start * (params.smallest_start / params.largest_start) ** span
    moment, cross = commuting_moment(target, params.variances), target.matrix
    _, recorded = descend(
        [starts[:, None, None] * draw[:, None] for draw in draws],
        regression_gradient(moment[:, None], cross[:, None]),
        lambda _: params.step_size,
        params.steps,
        range(params.steps + 1),
        _whole,
        progress,
    )
    path = recorded["whole"].movedim(-1, 2)
    learned, modes = _times(params, path, target, starts, strengths / mode_variances(target, moment))
    plateaus, between = _plateaus(params, path, target, starts, moment)
    solution = reduced_rank(moment, cross, strengths.shape[-1])
    measures = {
        "end_distance": _relative(path[:, -1, -1], solution),
        "order_gap": _relative(reduced_rank(moment, cross, 1), leading_modes(target, moment, 1)),
    }
    return Result(learned | plateaus | measures, modes | between)


def _whole(weights: Weights) -> Record:
    return {"whole": product(weights)}


def _relative(matrix: Tensor, other: Tensor) -> Tensor:
    """||W - W'||_F / ||W'||_F."""
    relative: Tensor = torch.linalg.matrix_norm(matrix - other) / torch.linalg.matrix_norm(other)
    return relative


def _times(
    params: Params, path: Tensor, target: Target, starts: Tensor, finals: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Learning times: measures, and series over steps and modes."""
    shares = mode_shares(path, target, finals).movedim(2, -1)
    half = passing_times(shares, HALF).movedim(1, -1)
    slopes = slope((1 / starts).log().expand_as(half), half)
    law = time_slopes(target.strengths, params.step_size)
    smallest = shares[:, -1]
    nearly = passing_times(smallest, NEARLY).ceil()
    # The first step at which a mode is nearly learned; the last one for a mode that never is.
    index = torch.nan_to_num(nearly).to(torch.int64)[:, :-1, None]
    following = torch.where(torch.isfinite(nearly[:, :-1]), smallest[:, 1:].gather(-1, index)[..., 0], torch.nan)
    ratios = half[:, 1:, -1] / half[:, :-1, -1].clamp_min(1e-9)
    records = _thinned(params.steps)
    measures = {
        "time_slope_error": (slopes / law - 1).abs().amax(-1),
        "next_share": following.amax(-1),
        "time_ratio": ratios.amin(-1),
    }
    return measures, {
        "step": records.to(torch.float64).expand(len(shares), -1),
        "modes_learned": smallest.sum(1)[:, records],
        "strength": target.strengths.clone(),
        "time_slope": slopes,
        "time_slope_law": law,
    }


def _plateaus(
    params: Params, path: Tensor, target: Target, starts: Tensor, moment: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The nearest approach to every plateau: measures, and series over starts and steps."""
    predicted = plateau_exponents(target.strengths)
    logs, nearest, first = starts.log(), [], torch.empty(0)
    for rank in range(1, target.strengths.shape[-1]):
        by_rank = params.law == "reduced-rank"
        named = reduced_rank(moment, target.matrix, rank) if by_rank else leading_modes(target, moment, rank)
        plateau = named[:, None, None]
        distance = torch.linalg.matrix_norm(path - plateau) / torch.linalg.matrix_norm(plateau)
        nearest.append(distance.amin(-1))
        if rank == 1:
            first = distance[:, -1]
    least = torch.stack(nearest, 1)
    fitted = slope(logs.expand_as(least), each_run(torch.log, least))
    lines = each_run(lambda low, power: low * torch.exp(power * (logs - logs[-1])), least[:, 0, -1], predicted[:, 0])
    measures = {
        "plateau": least[..., -1].amax(-1),
        "plateau_slope_error": (fitted / predicted - 1).abs().amax(-1),
    }
    return measures, {
        "start": starts.expand(len(path), -1),
        "first_plateau": least[:, 0],
        "first_plateau_law": lines,
        "distance_to_rank_one": first[:, _thinned(params.steps)],
    }


def _thinned(steps: int) -> Tensor:
    """About POINTS evenly spaced steps, from 0 to the last."""
    return torch.linspace(0, steps, min(POINTS, steps + 1), dtype=torch.float64).round().to(torch.int64)
