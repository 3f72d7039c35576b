"""Gradient flow of a linear network with a one-neuron layer, held against its closed form, with descent beside it.

dW_l/dt = -c_l dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_N ... W_1: the squared loss on inputs of second
moment S (white: S = I), Z = Y X^T. From a balanced start W = s u v^T the product follows a closed form, and the
imbalances are conserved. From u = u_1, v = -v_1 the strength collapses: as e^(-2 sigma_1 t) for N = 2, as t^(-N/(N-2))
for N >= 3; from u and v outside the range of Z, as t^(-N/(2N-2)) for every N.
Gradient descent at a falling series of step sizes departs from both in proportion to the step size.

Source: closed form and exponents are derived in `dynamics.one_neuron.closed_form`, in the setting of Eftekhari 2020
(arXiv:2002.09852) and Chen, Lin, Zhang 2022 (arXiv:2201.02761).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import log_slope, slope
from dlnrepro.dynamics.networks.chain import prefixes, product, pull_back
from dlnrepro.dynamics.one_neuron.motion import Motion
from dlnrepro.dynamics.one_neuron.start import axis_pair, balanced, draw_pair
from dlnrepro.dynamics.starts.balanced import draw_strength, unbalanced
from dlnrepro.dynamics.starts.targets import diagonal, draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import Array, Weights, array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.dynamics.training.step_halving import refined_descents
from dlnrepro.runner import Progress, Result, Series

POINTS = 120
DESCENT_POINTS = 25
RELATIVE, ABSOLUTE = 1e-11, 1e-15

Positive = Annotated[float, Field(gt=0, le=100)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=8, description="N, the number of weight matrices; n_1 = 1")
    inputs: int = Field(ge=2, le=32, description="n_0")
    hidden: int = Field(ge=1, le=32, description="n_2 = ... = n_{N-1}")
    outputs: int = Field(ge=1, le=32, description="n_N, at most n_0")
    strengths: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1, max_length=32)] = Field(
        description="the target's singular values, strictly falling, as many as outputs or fewer"
    )
    jitter: float = Field(ge=0, lt=1, description="each run multiplies each strength by 1 + jitter x, |x| <= 1")
    start: Literal["drawn", "anti-aligned", "aligned", "outside-range"] = Field(
        description="drawn: u, v at random in a random basis; in a diagonal basis: u = u_1 and v = -v_1, u = u_1 and "
        "v = v_1, or u and v perpendicular to all that Z maps from and to"
    )
    overlap_low: float = Field(ge=-100, le=100, description="least u^T Z v / sigma_2 of a drawn start")
    overlap_high: float = Field(ge=-100, le=100, description="largest u^T Z v / sigma_2 of a drawn start")
    start_low: float = Field(gt=0, le=100, description="least strength s of the start, drawn log-uniformly")
    start_high: float = Field(gt=0, le=100, description="largest strength s of the start")
    layer_factor: float = Field(gt=0, le=100, description="W_1 times, W_N divided by this: unbalanced unless 1")
    input_spread: float = Field(
        ge=1, le=1000, description="largest over smallest eigenvalue of S, whose determinant is 1; white if 1"
    )
    first_rate: float = Field(gt=0, le=100, description="c_1; all other layers learn at the rate 1")
    horizon: float = Field(gt=0, le=10**6, description="time to which the flow is followed")
    window_start: float = Field(gt=0, le=10**6, description="time from which power and rate are fitted")
    descent_horizon: float = Field(gt=0, le=1000, description="step size times steps of the descents")
    step_size: float = Field(gt=0, le=1, description="eta of the coarsest descent")
    halvings: int = Field(ge=1, le=8, description="how many finer descents, each at half the step size of the last")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if any(after >= before for before, after in zip(self.strengths, self.strengths[1:], strict=False)):
            raise ValueError("strengths must fall strictly")
        if not len(self.strengths) <= self.outputs <= self.inputs:
            raise ValueError("strengths must be no more than outputs, and outputs no more than inputs")
        if self.start == "outside-range" and len(self.strengths) == self.outputs:
            raise ValueError("strengths must be fewer than outputs for a start outside the range")
        if self.overlap_low >= self.overlap_high or self.start_low > self.start_high:
            raise ValueError("the low end of a range must lie below its high end")
        if self.window_start >= self.horizon:
            raise ValueError("window_start must lie before horizon")
        if self.coarse_steps * 2**self.halvings > 10**7:
            raise ValueError("the finest descent must take at most 10^7 steps")
        return self

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_N."""
        return [self.inputs, 1, *[self.hidden] * (self.depth - 2), self.outputs]

    @property
    def rates(self) -> list[float]:
        """c_1 .. c_N."""
        return [self.first_rate, *[1.0] * (self.depth - 1)]

    @property
    def coarse_steps(self) -> int:
        """The steps of the coarsest descent, so many that its records fall on whole steps."""
        return DESCENT_POINTS * max(1, round(self.descent_horizon / self.step_size / DESCENT_POINTS))

    def memory(self, runs: int) -> int:
        """The weights at every recorded time, and the closed form's panels of one run."""
        layers = sum(before * after for before, after in zip(self.widths, self.widths[1:], strict=False))
        return 8 * runs * (POINTS + DESCENT_POINTS) * 4 * (layers + self.inputs * self.outputs) + 10**8


MEASURES = {
    "closed_form_error": "largest ||W - W_closed||_F / sigma_1 along the flow, >= 0",
    "descent_order": "slope of the log of the descents' largest ||W - W_closed||_F against the log of the step size",
    "drift": "largest ||change of W_{l+1}^T W_{l+1} - W_l W_l^T||_F along the flow, over sigma_1^(2/N), >= 0",
    "drift_order": "slope of the log of the descents' drift against the log of the step size",
    "power": "d log ||W||_F / d log t along the flow from window_start on",
    "rate_ratio": "-d log ||W||_F / dt along the flow from window_start on, over 2 sigma_1",
    "end_strength": "||W||_F / sigma_1 at the end of the flow, >= 0",
}

SERIES = {
    "time": Series("time", "time along the flow"),
    "strength": Series("time", "||W||_F"),
    "closed_form_strength": Series("time", "s of the closed form"),
    "flow_error": Series("time", "||W - W_closed||_F / sigma_1 along the flow"),
    "flow_drift": Series("time", "the drift along the flow, over sigma_1^(2/N)"),
    "step_size": Series("step_size", "eta of each descent"),
    "descent_error": Series("step_size", "largest ||W - W_closed||_F / sigma_1 along each descent"),
    "descent_drift": Series("step_size", "largest drift along each descent, over sigma_1^(2/N)"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; follow the flow of each run; then descend with all runs at each step size."""
    motion = _motion(params, generators)
    times = _times(params.horizon)
    target, moment = array_of(motion.target.matrix), array_of(_moment(params))

    def gradient(run: int, whole: Array) -> Array:
        slopes: Array = whole * moment - target[run]
        return slopes

    def flowing(fraction: float, note: str) -> None:
        progress(0.5 * fraction, f"flow, {note}")

    path = flow(motion.weights, gradient, times, params.rates, RELATIVE, ABSOLUTE, flowing)
    whole, expected = product(path), motion.expected(times)
    error, drift = motion.error(whole, expected), motion.drift(path)
    strength = torch.linalg.matrix_norm(whole)
    clock = times.expand(len(strength), -1)
    late = clock >= params.window_start
    sizes, errors, drifts = _descents(params, motion, progress)
    log_sizes = each_run(torch.log, sizes)
    measures = {
        "closed_form_error": error.amax(-1),
        "descent_order": slope(log_sizes, each_run(torch.log, errors)),
        "drift": drift.amax(-1),
        "drift_order": slope(log_sizes, each_run(torch.log, drifts)),
        "power": log_slope(each_run(torch.log, clock), strength, late),
        "rate_ratio": log_slope(-clock, strength, late) / (2 * motion.target.strengths[:, 0]),
        "end_strength": strength[:, -1] / motion.target.strengths[:, 0],
    }
    series = {
        "time": clock.clone(),
        "strength": strength,
        "closed_form_strength": torch.linalg.matrix_norm(expected),
        "flow_error": error,
        "flow_drift": drift,
        "step_size": sizes,
        "descent_error": errors,
        "descent_drift": drifts,
    }
    return Result(measures, series)


def _motion(params: Params, generators: Sequence[Generator]) -> Motion:
    """The target, then the start, drawn from each run's generator."""
    strengths = draw_strengths(params.strengths, params.jitter, generators)
    if params.start == "drawn":
        target = rotated(params.outputs, params.inputs, strengths, generators)
        pair = draw_pair(target, 0, (params.overlap_low, params.overlap_high), generators)
    else:
        target = diagonal(params.outputs, params.inputs, strengths)
        beyond = (params.outputs, params.inputs) if params.start == "outside-range" else (1, 1)
        pair = axis_pair(target, *beyond, -1.0 if params.start == "anti-aligned" else 1.0)
    strength = draw_strength(params.start_low, params.start_high, generators)
    weights = unbalanced(balanced(target, pair, strength, params.widths, generators), params.layer_factor)
    return Motion(target, pair, strength, weights, params.depth)


def _moment(params: Params) -> Tensor:
    """The diagonal of S, evenly spaced in the logarithm, of determinant 1."""
    exponents = torch.linspace(0.5, -0.5, params.inputs, dtype=torch.float64)
    return params.input_spread**exponents


def _times(horizon: float) -> Tensor:
    """Evenly spaced in the logarithm over six decades up to the horizon, and at the horizon itself."""
    grid = horizon * 10 ** torch.linspace(-6, 0, POINTS, dtype=torch.float64)
    grid[-1] = horizon
    return grid


def _descents(params: Params, motion: Motion, progress: Progress) -> tuple[Tensor, Tensor, Tensor]:
    """Step sizes, largest errors and largest drifts of the descents, each of shape (runs, 1 + halvings)."""
    matrix, moment = motion.target.matrix, _moment(params)
    expected = motion.expected(torch.linspace(0, params.descent_horizon, DESCENT_POINTS + 1, dtype=torch.float64))

    def gradient(weights: Weights) -> Weights:
        partial = prefixes(weights)
        slopes = pull_back(weights, partial, partial[-1] * moment - matrix)
        return [rate * part for rate, part in zip(params.rates, slopes, strict=True)]

    def told(fraction: float, note: str) -> None:
        progress(0.5 + 0.5 * fraction, f"descent, {note}")

    sizes, errors, drifts = [], [], []
    horizon, steps, halvings = params.descent_horizon, params.coarse_steps, params.halvings
    for size, path in refined_descents(motion.weights, gradient, horizon, steps, halvings, DESCENT_POINTS, told):
        sizes.append(torch.full_like(motion.strength, size))
        errors.append(motion.error(product(path), expected).amax(-1))
        drifts.append(motion.drift(path).amax(-1))
    return torch.stack(sizes, -1), torch.stack(errors, -1), torch.stack(drifts, -1)
