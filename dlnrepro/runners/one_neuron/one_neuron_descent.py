"""Gradient descent of a linear network with a layer of few neurons, from a balanced start; where does it end, how fast?

W_l <- W_l - eta dR/dW_l with R = 1/2 ||W_N ... W_1 - Z||_F^2, the squared loss on whitened inputs with Z = Y X^T. The
first layer has `bottleneck` neurons, one in the theory; the start is W = s u v^T in balanced layers (u, v drawn, or
without their overlaps with the first modes of Z). Theory: the flow tends to Z_(k*) = sigma_k* u_k* v_k*^T with k* the
first mode with u_k^T u + v_k^T v != 0, u^T Z v never falls, and the last stage has the rate
sigma_1^(1-2/N) (sigma_1 - sigma_2).

Source: the setting and the kind of statement are Eftekhari's (2020, arXiv:2002.09852) and Chen, Lin and Zhang's (2022,
arXiv:2201.02761); the formulas are derived in `dlnrepro.dynamics.one_neuron.closed_form`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import log_slope
from dlnrepro.dynamics.networks.chain import imbalance, prefixes, product, pull_back
from dlnrepro.dynamics.one_neuron.closed_form import limit_mode, local_rate
from dlnrepro.dynamics.one_neuron.start import Pair, balanced, draw_pair, tilted
from dlnrepro.dynamics.starts.balanced import draw_strength
from dlnrepro.dynamics.starts.targets import Target, diagonal, draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.momentum import descend_with_momentum
from dlnrepro.runner import Progress, Result, Series

RECORDS = 400
THINNING = 2
WINDOW = (1e-12, 1e-7)

Positive = Annotated[float, Field(gt=0, le=100)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=8, description="N, the number of weight matrices")
    inputs: int = Field(ge=1, le=32, description="n_0")
    bottleneck: int = Field(ge=1, le=32, description="n_1; 1 is the one-neuron layer")
    hidden: int = Field(ge=1, le=32, description="n_2 = ... = n_{N-1}")
    outputs: int = Field(ge=1, le=32, description="n_N")
    strengths: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1, max_length=32)] = Field(
        description="the target's singular values, strictly falling, as many as outputs or inputs"
    )
    jitter: float = Field(ge=0, lt=1, description="each run multiplies each strength by 1 + jitter x, |x| <= 1")
    basis: Literal["random", "diagonal"] = Field(
        description="of the target; only the diagonal one keeps a missing mode at exactly zero in floating point"
    )
    missing: int = Field(ge=0, le=31, description="with how many of the first modes the start has zero overlap")
    tilt: float = Field(ge=0, le=0.1, description="then added to the start's overlaps with mode 1")
    overlap_low: float = Field(ge=-100, le=100, description="least u^T Z v / sigma_2 of the start")
    overlap_high: float = Field(ge=-100, le=100, description="largest u^T Z v / sigma_2 of the start")
    start_low: float = Field(gt=0, le=100, description="least strength s of the start, drawn log-uniformly")
    start_high: float = Field(gt=0, le=100, description="largest strength s of the start")
    step_size: float = Field(gt=0, le=1, description="eta")
    momentum: float = Field(ge=0, lt=1, description="0 for plain gradient descent")
    horizon: float = Field(gt=0, le=10**5, description="step size times steps")
    rate_depth: int = Field(ge=2, le=8, description="the depth in the rate formula; another than N is an error")
    law: Literal["overlap", "first"] = Field(
        description="the limit told by theory: Z_(k*) with k* from the start's overlaps, or Z_(1) whatever the start"
    )

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if any(after >= before for before, after in zip(self.strengths, self.strengths[1:], strict=False)):
            raise ValueError("strengths must fall strictly")
        if len(self.strengths) != min(self.inputs, self.outputs):
            raise ValueError("strengths must be as many as the smaller one of inputs and outputs")
        if self.missing >= min(self.inputs, self.outputs):
            raise ValueError("missing must leave a mode")
        if self.bottleneck > min(self.inputs, self.outputs, *[self.hidden] * (self.depth > 2)):
            raise ValueError("bottleneck must be no wider than the other layers")
        if self.overlap_low >= self.overlap_high or self.start_low > self.start_high:
            raise ValueError("the low end of a range must lie below its high end")
        if self.steps > 10**7:
            raise ValueError("horizon / step_size must be at most 10^7 steps")
        return self

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_N."""
        return [self.inputs, self.bottleneck, *[self.hidden] * (self.depth - 2), self.outputs]

    @property
    def steps(self) -> int:
        """How many gradient steps reach the horizon."""
        return max(1, round(self.horizon / self.step_size))

    def memory(self, runs: int) -> int:
        """Weights, gradients, velocities and products, the draws of a start, and the records."""
        layers = sum(before * after for before, after in zip(self.widths, self.widths[1:], strict=False))
        return 8 * runs * (16 * layers + 8 * self.inputs * self.outputs + 10 * RECORDS) + 10**6


MEASURES = {
    "distance_to_first": "||W - Z_(1)||_F / sigma_1 at the end, >= 0",
    "distance_to_limit": "||W - Z_(k*)||_F / sigma_1 at the end, with Z_(k*) the limit that `law` names, >= 0",
    "overlap_drop": "the largest fall of u^T Z v = <W, Z> / ||W||_F below an earlier value, over sigma_1, >= 0",
    "rate_ratio": "fitted over predicted rate of ||W - Z_(1)||_F / sigma_1 while it lies in "
    "[1e-12, 1e-7]; 0 if it never does",
    "start_overlap": "u^T Z v / sigma_2 of the start (over sigma_1 if there is one mode only)",
    "start_distance": "||W - Z_(1)||_F / sigma_1 of the start, >= 0",
    "start_imbalance": "largest ||W_{l+1}^T W_{l+1} - W_l W_l^T||_F of the start, over ||W_1||_F^2, >= 0",
    "start_strength": "||W||_F of the start, > 0",
}

SERIES = {
    "time": Series("time", "step size times steps"),
    "distance": Series("time", "||W - Z_(1)||_F / sigma_1"),
    "distance_from_limit": Series("time", "||W - Z_(k*)||_F / sigma_1"),
    "overlap": Series("time", "u^T Z v / sigma_1"),
    "predicted_distance": Series("time", "e^(-rate t), through the distance in the middle of the fitted window"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; descend with all runs at once; measure ends, rates and overlaps."""
    strengths = draw_strengths(params.strengths, params.jitter, generators)
    target = _target(params, strengths, generators)
    limits = (params.overlap_low, params.overlap_high)
    pair = tilted(draw_pair(target, params.missing, limits, generators), params.tilt)
    strength = draw_strength(params.start_low, params.start_high, generators)
    weights = balanced(target, pair, strength, params.widths, generators)
    number = _limit(params, pair, len(params.strengths))
    observe = _observer(target, number)
    stride = -(-params.steps // RECORDS)
    records = sorted({*range(0, params.steps, stride), params.steps})
    matrix = target.matrix

    def gradient(current: Weights) -> Weights:
        partial = prefixes(current)
        return pull_back(current, partial, partial[-1] - matrix)

    _, recorded = descend_with_momentum(
        weights, gradient, params.step_size, params.momentum, params.steps, records, observe, progress
    )
    times = (torch.tensor(records, dtype=torch.float64) * params.step_size).expand(len(strength), -1)
    first = recorded["distance"]
    inside = (first > WINDOW[0]) & (first < WINDOW[1])
    predicted = local_rate(strengths, params.rate_depth)
    peaks = recorded["overlap"].cummax(-1).values
    begin = observe(weights)
    measures = {
        "distance_to_first": first[:, -1],
        "distance_to_limit": recorded["distance_from_limit"][:, -1],
        "overlap_drop": (peaks - recorded["overlap"]).amax(-1),
        "rate_ratio": log_slope(-times, first, inside) / predicted,
        "start_overlap": begin["overlap"] * strengths[:, 0] / strengths[:, min(1, strengths.shape[-1] - 1)],
        "start_distance": begin["distance"],
        "start_imbalance": _relative_imbalance(weights),
        "start_strength": torch.linalg.matrix_norm(product(weights)),
    }
    series = {"time": times, **recorded, "predicted_distance": _line(times, first, inside, predicted)}
    return Result(measures, {name: _thinned(values) for name, values in series.items()})


def _target(params: Params, strengths: Tensor, generators: Sequence[Generator]) -> Target:
    """The target in its basis."""
    if params.basis == "diagonal":
        return diagonal(params.outputs, params.inputs, strengths)
    return rotated(params.outputs, params.inputs, strengths, generators)


def _limit(params: Params, pair: Pair, modes: int) -> Tensor:
    """The mode that the law names, of shape (runs,)."""
    number = limit_mode(pair, modes)
    return number if params.law == "overlap" else torch.ones_like(number)


def _observer(target: Target, number: Tensor) -> Callable[[Weights], Record]:
    """What is recorded of the weights: distances to the first critical point and to the named one, and the overlap."""
    matrix, limit, first = target.matrix, target.mode(number), target.mode(torch.ones_like(number))
    unit = target.strengths[:, 0]

    def observe(weights: Weights) -> Record:
        whole = product(weights)
        return {
            "distance": torch.linalg.matrix_norm(whole - first) / unit,
            "distance_from_limit": torch.linalg.matrix_norm(whole - limit) / unit,
            "overlap": (whole * matrix).sum((-2, -1)) / torch.linalg.matrix_norm(whole) / unit,
        }

    return observe


def _relative_imbalance(weights: Weights) -> Tensor:
    """The start's largest imbalance over the squared size of a layer."""
    largest = torch.stack([torch.linalg.matrix_norm(matrix) for matrix in imbalance(weights)]).amax(0)
    size: Tensor = torch.linalg.matrix_norm(weights[0])
    return largest / (size * size)


def _line(times: Tensor, distance: Tensor, inside: Tensor, rate: Tensor) -> Tensor:
    """The predicted exponential through the first fitted point, or through the start if no point was fitted."""
    anchor = inside.to(torch.int64).argmax(-1, keepdim=True)
    exponents = -rate[:, None] * (times - times.gather(-1, anchor))
    return distance.gather(-1, anchor) * each_run(torch.exp, exponents)


def _thinned(values: Tensor) -> Tensor:
    """Every second record and the last."""
    return torch.cat([values[:, :-1:THINNING], values[:, -1:]], dim=-1)
