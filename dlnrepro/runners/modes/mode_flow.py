"""Gradient flow of a deep linear network from an aligned start, mode by mode, held against the closed form.

dW_l/dt = -dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_L ... W_1, white inputs S = I and
Z = sum_i s_i u_i v_i^T. Started with the singular vectors of Z in balanced layers, W keeps them, and each mode follows
a' = L a^(2-2/L) (s - a) on its own: a sigmoid for two layers, steeper the deeper the network. Gradient descent at a
falling series of step sizes departs from it in proportion to the step size.

Source: Saxe, McClelland and Ganguli 2014 (arXiv:1312.6120); the closed form for every depth is derived in
`dlnrepro.dynamics.modes.learning_curves`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.modes.learning_curves import mode_curves
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.risks.squared_loss import regression_gradient
from dlnrepro.dynamics.starts.balanced import draw_strength, unbalanced
from dlnrepro.dynamics.starts.draws import orthonormal
from dlnrepro.dynamics.starts.targets import Target, draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.dynamics.training.step_halving import refined_descents
from dlnrepro.runner import Progress, Result, Series

POINTS = 100
DESCENT_POINTS = 25
RELATIVE, ABSOLUTE = 1e-10, 1e-14

Positive = Annotated[float, Field(gt=0, le=100)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=8, description="L, the number of weight matrices")
    inputs: int = Field(ge=1, le=32, description="n_0")
    hidden: int = Field(ge=1, le=32, description="n_1 = ... = n_{L-1}, at least the number of modes")
    outputs: int = Field(ge=1, le=32, description="n_L")
    strengths: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1, max_length=32)] = Field(
        description="s, the singular values of Z, strictly falling"
    )
    jitter: float = Field(ge=0, lt=1, description="each run multiplies each strength by 1 + jitter x, |x| <= 1")
    start_low: float = Field(gt=0, le=1, description="least strength a(0) of a mode of the start, drawn log-uniformly")
    start_high: float = Field(gt=0, le=1, description="largest one, below the weakest strength")
    basis: Literal["aligned", "random"] = Field(description="of the start: that of Z, or an independent one")
    layer_factor: float = Field(gt=0, le=100, description="W_1 times, W_L divided by this: unbalanced unless 1")
    input_spread: float = Field(
        ge=1, le=1000, description="largest over smallest eigenvalue of S, whose determinant is 1; white if 1"
    )
    law_depth: int = Field(ge=2, le=8, description="the L of the closed form; another than the depth is an error")
    horizon: float = Field(gt=0, le=10**4, description="time to which flow and descents go")
    step_size: float = Field(gt=0, le=1, description="eta of the coarsest descent")
    halvings: int = Field(ge=1, le=8, description="how many finer descents, each at half the step size of the last")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if any(after >= before for before, after in zip(self.strengths, self.strengths[1:], strict=False)):
            raise ValueError("strengths must fall strictly")
        if len(self.strengths) > min(self.inputs, self.hidden, self.outputs):
            raise ValueError("strengths must be no more than inputs, hidden or outputs")
        if self.start_low > self.start_high or self.start_high >= self.strengths[-1] * (1 - self.jitter):
            raise ValueError("the start's strengths must lie below the target's, and the low end below the high end")
        return self

    @property
    def coarse_steps(self) -> int:
        """The steps of the coarsest descent, so many that its records fall on whole steps."""
        return DESCENT_POINTS * max(1, round(self.horizon / self.step_size / DESCENT_POINTS))

    def memory(self, runs: int) -> int:
        """The weights at every recorded time, and the closed form's brackets."""
        layers = self.hidden * (self.inputs + self.outputs + (self.depth - 2) * self.hidden)
        return 8 * runs * (POINTS + DESCENT_POINTS) * 6 * (layers + self.inputs * self.outputs)


MEASURES = {
    "closed_form_error": "the largest ||W - sum_i a_i(t) u_i v_i^T||_F / s_1 along the flow, a_i by closed form, >= 0",
    "descent_order": "slope of the log of the largest such distance along a descent against the log of the step size",
    "unlearned": "||W - Z||_F / s_1 at the end of the flow, >= 0",
}

SERIES = {
    "time": Series("time", "time along the flow"),
    "learned": Series("time", "sum_i u_i^T W v_i / s_i: how many modes are learned"),
    "learned_law": Series("time", "the same by the closed form"),
    "step_size": Series("step_size", "eta of each descent"),
    "descent_error": Series("step_size", "largest distance from the closed form along each descent, over s_1"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; follow the flow of each run; then descend with all runs at each step size."""
    strengths = draw_strengths(params.strengths, params.jitter, generators)
    target = rotated(params.outputs, params.inputs, strengths, generators)
    modes = len(params.strengths)
    starts = torch.stack([draw_strength(params.start_low, params.start_high, generators) for _ in range(modes)], -1)
    weights = unbalanced(_start(params, target, starts, generators), params.layer_factor)
    spread = params.input_spread ** torch.linspace(0.5, -0.5, params.inputs, dtype=torch.float64)
    cross, moment = array_of(target.matrix), array_of(spread)

    def gradient(run: int, whole: Array) -> Array:
        """Of the squared loss of one run, on the product."""
        slopes: Array = whole * moment - cross[run]
        return slopes

    times = torch.linspace(0, params.horizon, POINTS, dtype=torch.float64)
    rates = [1.0] * params.depth
    path = product(flow(weights, gradient, times, rates, RELATIVE, ABSOLUTE, part_of(progress, 0, 0.5)))
    curves, whole = _expected(params, target, starts, times)
    later = part_of(progress, 0.5, 0.5, "descent")
    sizes, errors = _descents(params, target, starts, weights, torch.diag(spread), later)
    carried = torch.diagonal(target.left.mT[:, None] @ path @ target.right[:, None], dim1=-2, dim2=-1)[..., :modes]
    unit = strengths[:, :1]
    measures = {
        "closed_form_error": (torch.linalg.matrix_norm(path - whole) / unit).amax(-1),
        "descent_order": slope(each_run(torch.log, sizes), each_run(torch.log, errors)),
        "unlearned": torch.linalg.matrix_norm(path[:, -1] - target.matrix) / unit[:, 0],
    }
    series = {
        "time": times.expand(len(unit), -1),
        "learned": (carried / strengths[:, None]).sum(-1),
        "learned_law": (curves / strengths[:, None]).sum(-1),
        "step_size": sizes,
        "descent_error": errors,
    }
    return Result(measures, series)


def _expected(params: Params, target: Target, starts: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
    """The closed form at the times: what is carried of each mode, (runs, times, modes), and the product."""
    modes = starts.shape[-1]
    curves = mode_curves(target.strengths, starts, params.law_depth, times)
    left, right = target.left[:, None, :, :modes], target.right[:, None, :, :modes]
    return curves, left * curves[..., None, :] @ right.mT


def _descents(
    params: Params, target: Target, starts: Tensor, weights: Sequence[Tensor], moment: Tensor, progress: Progress
) -> tuple[Tensor, Tensor]:
    """The step sizes, and the largest distance of each descent from the closed form over s_1, both (runs, sizes)."""
    _, expected = _expected(
        params, target, starts, torch.linspace(0, params.horizon, DESCENT_POINTS + 1, dtype=torch.float64)
    )
    unit, slopes = target.strengths[:, :1], regression_gradient(moment, target.matrix)
    steps = params.coarse_steps, params.halvings, DESCENT_POINTS
    sizes, errors = [], []
    for size, layers in refined_descents(weights, slopes, params.horizon, *steps, progress):
        sizes.append(torch.full_like(unit[:, 0], size))
        errors.append((torch.linalg.matrix_norm(product(layers) - expected) / unit).amax(-1))
    return torch.stack(sizes, -1), torch.stack(errors, -1)


def _start(params: Params, target: Target, starts: Tensor, generators: Sequence[Generator]) -> list[Tensor]:
    """Balanced layers with strengths a(0)^(1/L), in the basis of the target or in one of their own."""
    modes = starts.shape[-1]
    frames = [orthonormal(params.hidden, modes, generators) for _ in range(params.depth - 1)]
    left, right = target.left[..., :modes], target.right[..., :modes]
    if params.basis == "random":
        left, right = orthonormal(params.outputs, modes, generators), orthonormal(params.inputs, modes, generators)
    roots = each_run(lambda row: row ** (1 / params.depth), starts)[:, None]
    return [after * roots @ before.mT for before, after in pairwise([right, *frames, left])]
