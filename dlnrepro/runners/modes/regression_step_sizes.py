"""Gradient descent of an aligned linear regression at every step size of a sweep: how does it settle, and up to where?

W_l <- W_l - eta dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_2 W_1 or, in the control, one matrix. The start has
the singular vectors of Z = sum_i sigma_i u_i v_i^T, which are those of S too, with small strengths. The step size is
given as the step ratio eta sigma_1. Theory: near the end, a step multiplies the error of the first mode by
1 - 2 eta sigma_1, so it is approached from one side up to the ratio 1/2, from alternating sides up to 1, and not at all
beyond.

Source: the setting and the kind of statement are those of Gidel, Bach and Lacoste-Julien (2019, arXiv:1904.13262);
the factor is derived in `dlnrepro.dynamics.modes.sequential`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.modes.learning_times import mode_shares
from dlnrepro.dynamics.modes.sequential import contraction_factor
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.risks.squared_loss import commuting_moment, regression_gradient
from dlnrepro.dynamics.starts.balanced import draw_strength
from dlnrepro.dynamics.starts.draws import orthonormal
from dlnrepro.dynamics.starts.targets import Target, draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.runner import Progress, Result, Series

WINDOW = (1e-9, 1e-4)
"""Errors between which the factor is read: later than what is not linear, earlier than rounding."""

POINTS = 150

Positive = Annotated[float, Field(gt=0, le=100)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    layers: Literal[1, 2] = Field(description="one matrix, or two")
    inputs: int = Field(ge=1, le=32, description="n_0")
    hidden: int = Field(ge=1, le=64, description="n_1 of two layers, at least the number of modes")
    outputs: int = Field(ge=1, le=32, description="n_L")
    strengths: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1, max_length=32)] = Field(
        description="sigma, the singular values of Z, strictly falling"
    )
    jitter: float = Field(ge=0, lt=1, description="each run multiplies each strength by 1 + jitter x, |x| <= 1")
    variance: float = Field(gt=0, le=100, description="the eigenvalue of S for the first mode; 1 for the others")
    start_low: float = Field(gt=0, le=1, description="least strength of a mode of the start, drawn log-uniformly")
    start_high: float = Field(gt=0, le=1, description="largest one")
    lowest_ratio: float = Field(gt=0, le=2, description="eta sigma_1 at the start of the sweep")
    highest_ratio: float = Field(gt=0, le=2, description="eta sigma_1 at its end")
    points: int = Field(ge=2, le=100, description="step ratios, evenly spaced")
    steps: int = Field(ge=2, le=10**5, description="gradient steps")
    law_depth: int = Field(ge=1, le=8, description="the L of the factor 1 - L eta sigma_1; another than 2 is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if any(after >= before for before, after in zip(self.strengths, self.strengths[1:], strict=False)):
            raise ValueError("strengths must fall strictly")
        if len(self.strengths) > min(self.inputs, self.hidden, self.outputs):
            raise ValueError("strengths must be no more than inputs, hidden or outputs")
        if self.start_low > self.start_high or self.lowest_ratio >= self.highest_ratio:
            raise ValueError("the low end of a range must lie below its high end")
        return self

    def memory(self, runs: int) -> int:
        """The weights with their gradients, and two numbers at every step."""
        layers = self.hidden * (self.inputs + self.outputs)
        return 8 * runs * self.points * (16 * layers + 8 * self.steps)


MEASURES = {
    "factor_error": "the largest |measured - (1 - L eta sigma_1)| over the sweep, of the factor by which a step "
    "multiplies the first mode's error: the median over errors in [1e-9, 1e-4]; 0 where no error lies there",
    "turning_ratio": "the eta sigma_1 at which the least-squares line through the measured factors is zero; the "
    "largest one of the sweep if the line is level",
    "end_distance": "the largest ||W - W_LS||_F / ||W_LS||_F at the end over the sweep, >= 0",
    "least_end_distance": "the smallest one over the sweep, >= 0",
}

SERIES = {
    "step_ratio": Series("step ratio", "eta sigma_1"),
    "factor": Series("step ratio", "the measured factor"),
    "factor_law": Series("step ratio", "1 - L eta sigma_1"),
    "step": Series("step", "gradient steps taken"),
    "distance": Series("step", "||W - W_LS||_F / ||W_LS||_F at the largest step ratio"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then aligned starts; descend at all step ratios of all runs at once; measure the factors."""
    strengths = draw_strengths(params.strengths, params.jitter, generators)
    target = rotated(params.outputs, params.inputs, strengths, generators)
    moment = commuting_moment(target, [params.variance])
    ratios = torch.linspace(params.lowest_ratio, params.highest_ratio, params.points, dtype=torch.float64)
    sizes = (ratios / strengths[:, :1])[..., None, None]
    finals = strengths.clone()
    finals[:, 0] = finals[:, 0] / params.variance
    modes = len(params.strengths)
    solution = target.left[..., :modes] * finals[:, None] @ target.right[..., :modes].mT
    slopes = regression_gradient(moment[:, None], target.matrix[:, None])
    size = torch.linalg.matrix_norm(solution)[:, None]

    def moves(weights: Weights) -> Weights:
        return [sizes * part for part in slopes(weights)]

    def observe(weights: Weights) -> Record:
        whole = product(weights)
        error = mode_shares(whole, target, finals)[..., 0] - 1
        return {"error": error, "distance": torch.linalg.matrix_norm(whole - solution[:, None]) / size}

    weights = [layer[:, None].expand(-1, params.points, -1, -1) for layer in _start(params, target, generators)]
    _, recorded = descend(weights, moves, lambda _: 1.0, params.steps, range(params.steps + 1), observe, progress)
    factors = torch.stack([torch.stack([_factor(row) for row in rows]) for rows in recorded["error"]])
    law = contraction_factor(ratios, params.law_depth).expand_as(factors)
    end = recorded["distance"][..., -1]
    records = torch.linspace(0, params.steps, min(POINTS, params.steps + 1), dtype=torch.float64).round()
    measures = {
        "factor_error": (factors - law).abs().amax(-1),
        "turning_ratio": _zero(ratios.expand_as(factors), factors),
        "end_distance": end.amax(-1),
        "least_end_distance": end.amin(-1),
    }
    series = {
        "step_ratio": ratios.expand_as(factors),
        "factor": factors,
        "factor_law": law,
        "step": records.expand(len(factors), -1),
        "distance": recorded["distance"][:, -1][:, records.to(torch.int64)],
    }
    return Result(measures, series)


def _start(params: Params, target: Target, generators: Sequence[Generator]) -> list[Tensor]:
    """Balanced layers with the target's singular vectors and drawn strengths."""
    modes = len(params.strengths)
    drawn = [draw_strength(params.start_low, params.start_high, generators) for _ in range(modes)]
    strengths = torch.stack(drawn, -1)[:, None]
    left, right = target.left[..., :modes], target.right[..., :modes]
    if params.layers == 1:
        return [left * strengths @ right.mT]
    frames = [right, orthonormal(params.hidden, modes, generators), left]
    return [after * strengths.sqrt() @ before.mT for before, after in pairwise(frames)]


def _factor(errors: Tensor) -> Tensor:
    """The median of e_{t+1} / e_t over the steps with an error in the window; 0 if there is none, NaN if not finite."""
    if not bool(torch.isfinite(errors).all()):
        return torch.full((), torch.nan, dtype=errors.dtype)
    sizes = errors[:-1].abs()
    inside = (sizes > WINDOW[0]) & (sizes < WINDOW[1])
    if not bool(inside.any()):
        return torch.zeros((), dtype=errors.dtype)
    return (errors[1:][inside] / errors[:-1][inside]).median()


def _zero(x: Tensor, y: Tensor) -> Tensor:
    """Where the least-squares line through (x, y) crosses zero, or the last x if it is level, of shape (runs,)."""
    centre, height = x.mean(-1, keepdim=True), y.mean(-1, keepdim=True)
    steepness = ((x - centre) * (y - height)).sum(-1) / ((x - centre) ** 2).sum(-1)
    crossing = (centre - height / steepness[:, None])[:, 0]
    return torch.where(steepness == 0, x[:, -1], crossing)
