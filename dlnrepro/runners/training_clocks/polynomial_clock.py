"""The end of training of a deep linear network on a target of lower rank: how the last of the loss goes.

F = 1/2 ||W_L ... W_1 - M||_F^2 + decay/2 sum ||W_l||_F^2, by gradient descent from scaled orthogonal layers. Where M
has no mode, a singular value s of balanced layers obeys s' = -L s^(3-2/L): the gap F - F* falls as a power of time, and
|grad F| ~ (F - F*)^theta with theta = 1 - 1/(2L), so that T(eta), when the gap first is eta, grows as
eta^-(2 theta - 1). Unbalanced layers or decay make theta = 1/2 and the clock logarithmic.

Source: the premise |grad F| ~ (F - F*)^theta with 1/2 < theta < 1 and the clock that follows are those of Tan, Gai,
Zhang 2026 (arXiv:2606.05863); that this network meets it, and with which theta, is derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

import torch
from pydantic import BaseModel, Field, model_validator
from scipy.optimize import minimize_scalar
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import log_slope
from dlnrepro.dynamics.networks.chain import imbalance, prefixes, product, pull_back
from dlnrepro.dynamics.starts.draws import normal, orthonormal
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run, squared_length
from dlnrepro.dynamics.tensors.records import Record, log_grid
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.runner import Progress, Result, Series

RECORDS = 200

Positive = Annotated[float, Field(gt=0, le=10)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=1, le=8, description="L, the number of weight matrices, all square")
    size: int = Field(ge=2, le=16, description="rows and columns of every matrix")
    strengths: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1, max_length=15)] = Field(
        description="the target's singular values, fewer than size"
    )
    start: float = Field(gt=0, le=2, description="singular value of the product at the start, all the same")
    misalignment: float = Field(
        ge=0, le=10, description="the start is U Q V^T, Q the orthogonal factor of I + this times a Gaussian matrix"
    )
    layer_factor: float = Field(gt=0, le=10, description="W_1 times, W_L divided by this: unbalanced unless 1")
    decay: float = Field(ge=0, le=1, description="of the weights")
    step_size: float = Field(gt=0, le=1, description="eta")
    horizon: float = Field(gt=0, le=10**6, description="step size times steps")
    gap_from: float = Field(gt=0, lt=1, description="powers are fitted from this F - F*")
    gap_to: float = Field(gt=0, lt=1, description="to this one")
    law_depth: int = Field(ge=1, le=8, description="the depth in theta = 1 - 1/(2L); another than L is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if len(self.strengths) >= self.size:
            raise ValueError("strengths must be fewer than size, or nothing is left that could fall as a power")
        if self.gap_from <= self.gap_to:
            raise ValueError("gap_from must lie above gap_to")
        if self.steps > 10**6:
            raise ValueError("horizon / step_size must be at most 10^6 steps")
        return self

    @property
    def steps(self) -> int:
        """How many gradient steps reach the horizon."""
        return max(1, round(self.horizon / self.step_size))

    def memory(self, runs: int) -> int:
        """Weights, gradients and products, and the records."""
        return 8 * runs * (8 * self.depth * self.size**2 + 8 * RECORDS) + 10**6


MEASURES = {
    "theta": "slope of log |grad F| against log(F - F*) between the two gaps; 0 if they are never reached",
    "clock_slope": "-slope of log t against log(F - F*) between the two gaps; 0 if they are never reached",
    "theta_error": "|theta - (1 - 1/(2L))|, with the law's L, >= 0",
    "clock_error": "|clock_slope - (1 - 1/L)|, with the law's L, >= 0",
    "relation_error": "|clock_slope - (2 theta - 1)|, >= 0",
    "end_gap": "F - F* at the end",
    "imbalance": "largest ||W_{l+1}^T W_{l+1} - W_l W_l^T||_F of the start, over ||W_1||_F^2, >= 0; 0 for one layer",
}

SERIES = {
    "time": Series("time", "step size times steps"),
    "gap": Series("time", "F - F*"),
    "law": Series("time", "sum of s^2 / 2 with s = ((2L-2) t)^(-L/(2L-2)), s the value of each missing mode"),
    "slope_norm": Series("time", "|grad F|"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw frames, then layers; descend; fit powers."""
    target, weights = _start(params, generators)
    records = log_grid(params.steps, RECORDS)[1:]
    least = sum(_least(strength, params.depth, params.decay) for strength in params.strengths)

    def gradient(current: Sequence[Tensor]) -> Weights:
        partial = prefixes(current)
        slopes = pull_back(current, partial, partial[-1] - target)
        return [slope + params.decay * weight for slope, weight in zip(slopes, current, strict=True)]

    def observe(current: Weights) -> Record:
        squares = squared_length(current)
        loss = ((product(current) - target) ** 2).sum((-2, -1)) / 2 + params.decay / 2 * squares
        return {
            "gap": loss - least,
            "square": squared_length(gradient(current)),
        }

    _, recorded = descend(weights, gradient, lambda _: params.step_size, params.steps, records, observe, progress)
    gap, slope_norm = recorded["gap"], recorded["square"].sqrt()
    times = (torch.tensor(records, dtype=torch.float64) * params.step_size).expand(len(gap), -1).clone()
    inside = (gap < params.gap_from) & (gap > params.gap_to)
    reached = gap[:, -1:] <= params.gap_to
    inside = inside & reached
    logs = each_run(torch.log, gap.clamp_min(1e-300))
    theta = log_slope(logs, slope_norm, inside)
    clock = torch.where(torch.isfinite(theta), -log_slope(logs, times, inside), torch.nan)
    measures = {
        "theta": theta,
        "clock_slope": clock,
        "theta_error": (theta - 1 + 0.5 / params.law_depth).abs(),
        "clock_error": (clock - 1 + 1 / params.law_depth).abs(),
        "relation_error": (clock - 2 * theta + 1).abs(),
        "end_gap": gap[:, -1],
        "imbalance": _imbalance(weights),
    }
    series = {"time": times, "gap": gap, "law": _law(params, times), "slope_norm": slope_norm}
    return Result(measures, series)


def _start(params: Params, generators: Sequence[Generator]) -> tuple[Tensor, Weights]:
    """The target, and layers a Q_l whose product is a^L U Q V^T, but for the layer factor."""
    size, modes = params.size, len(params.strengths)
    left, right = orthonormal(size, size, generators), orthonormal(size, size, generators)
    strengths = torch.tensor(params.strengths, dtype=torch.float64)
    target = left[..., :modes] * strengths @ right[..., :modes].mT
    turned = torch.eye(size, dtype=torch.float64) + params.misalignment * normal((size, size), generators)
    wanted = left @ _orthogonal_factor(turned) @ right.mT
    inner = [orthonormal(size, size, generators) for _ in range(params.depth - 1)]
    rest = wanted @ prefixes(inner)[-1].mT if inner else wanted
    scale = params.start ** (1 / params.depth)
    weights = [scale * frame for frame in (*inner, rest)]
    if params.depth > 1:
        weights[0] = weights[0] * params.layer_factor
        weights[-1] = weights[-1] / params.layer_factor
    return target, weights


def _orthogonal_factor(matrix: Tensor) -> Tensor:
    """The nearest orthogonal matrix."""
    left, _, right = torch.linalg.svd(matrix)
    nearest: Tensor = left @ right
    return nearest


def _least(strength: float, depth: int, decay: float) -> float:
    """The least 1/2 (s - strength)^2 + decay/2 L s^(2/L) over s from strength / 2 to strength, where training ends."""
    if decay == 0:
        return 0.0

    def height(s: float) -> float:
        return (s - strength) ** 2 / 2 + decay / 2 * depth * float(s ** (2 / depth))

    return float(
        minimize_scalar(height, bounds=(strength / 2, strength), method="bounded", options={"xatol": 1e-12}).fun
    )


def _imbalance(weights: Weights) -> Tensor:
    """The start's largest imbalance over the squared size of the first layer."""
    if len(weights) == 1:
        return torch.zeros(len(weights[0]), dtype=torch.float64)
    largest = torch.stack([torch.linalg.matrix_norm(matrix) for matrix in imbalance(weights)]).amax(0)
    return largest / (weights[0] * weights[0]).sum((-2, -1))


def _law(params: Params, times: Tensor) -> Tensor:
    """The derived gap of the modes that the target lacks; for one layer, e^(-2t) from the start."""
    missing = params.size - len(params.strengths)
    depth = params.law_depth
    if depth == 1:
        return missing / 2 * params.start**2 * each_run(torch.exp, -2 * times)
    return missing / 2 * each_run(lambda time: ((2 * depth - 2) * time) ** (-depth / (depth - 1)), times)
