"""Gradient flow of a deep linear network that fits one linear measurement, from ever smaller starts.

dW_l/dt = -dR/dW_l with R = 1/2 (<A, W> - y)^2, W = W_L ... W_1 and A = sum_r a_r u_r v_r^T. Any W with <A, W> = y is a
solution; which one is found? The start is alpha times the partial isometry of A, in balanced layers, for a sweep
of alpha. Theory: the deeper the network, the wider the gap that opens between the first singular value and the others.

Source: Arora, Cohen, Hu and Luo 2019 (arXiv:1905.13655); what is conserved, and the powers of alpha, are derived in
`dlnrepro.dynamics.factorisation.sensing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.factorisation.sensing import escape_times, gap_exponents, sensed_end
from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.starts.balanced import unbalanced
from dlnrepro.dynamics.starts.draws import orthonormal
from dlnrepro.dynamics.starts.targets import Target, draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Progress, Result, Series

POINTS = 80
RELATIVE, ABSOLUTE = 1e-10, 1e-14

Positive = Annotated[float, Field(gt=0, le=100)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=1, le=6, description="L, the number of weight matrices")
    inputs: int = Field(ge=2, le=16, description="n_0")
    hidden: int = Field(ge=2, le=16, description="n_1 = ... = n_{L-1}, at least the number of measured strengths")
    outputs: int = Field(ge=2, le=16, description="n_L")
    measured: Annotated[tuple[Positive, ...], Field(strict=False, min_length=2, max_length=16)] = Field(
        description="a, the singular values of A, strictly falling"
    )
    jitter: float = Field(ge=0, lt=1, description="each run multiplies each of them by 1 + jitter x, |x| <= 1")
    value: float = Field(gt=0, le=100, description="y")
    largest_start: float = Field(gt=0, le=1, description="alpha at one end of the sweep")
    smallest_start: float = Field(gt=0, le=1, description="alpha at the other end")
    points: int = Field(ge=2, le=20, description="starts of the sweep, evenly spaced in the logarithm")
    layer_factor: float = Field(gt=0, le=1000, description="W_1 times, W_L divided by this: unbalanced unless 1")
    settling: float = Field(gt=0, le=1000, description="time that is followed after the first mode has grown")
    law_depth: int = Field(ge=1, le=8, description="the L that theory is told; another than the depth is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if any(after >= before for before, after in zip(self.measured, self.measured[1:], strict=False)):
            raise ValueError("measured strengths must fall strictly")
        if len(self.measured) > min(self.inputs, self.hidden, self.outputs):
            raise ValueError("measured strengths must be no more than inputs, hidden or outputs")
        if self.smallest_start >= self.largest_start:
            raise ValueError("smallest_start must lie below largest_start")
        if self.value <= self.largest_start * sum(self.measured) * (1 + self.jitter):
            raise ValueError("value must exceed what the largest start measures")
        if self.depth == 1 and self.layer_factor != 1:
            raise ValueError("layer_factor must be 1 for a single layer")
        return self

    def memory(self, runs: int) -> int:
        """The weights at every recorded time of every start."""
        layers = self.hidden * (self.inputs + self.outputs + self.depth * self.hidden)
        return 8 * runs * self.points * POINTS * 4 * layers


MEASURES = {
    "law_error": "the largest |sigma_r / law - 1| at the end over the sweep and the modes, sigma_r = u_r^T W v_r, >= 0",
    "gap_exponent": "slope of log(sigma_2 / sigma_1) at the end against log alpha",
    "gap_exponent_error": "that less the power of a vanishing alpha that theory tells",
    "gap_ratio": "sigma_2 / sigma_1 at the end of the smallest start",
    "misfit": "the largest |<A, W> / y - 1| over the sweep at the end, >= 0",
}

SERIES = {
    "start": Series("start", "alpha"),
    "ratio": Series("start", "sigma_2 / sigma_1 at the end"),
    "ratio_law": Series("start", "the same by what is conserved"),
    "time": Series("time", "time along the flow"),
    "first": Series("time", "sigma_1 from the smallest start"),
    "second": Series("time", "sigma_2 from the smallest start"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw measurements and frames; follow the flow from every start of every run; hold the ends against the law."""
    measured = draw_strengths(params.measured, params.jitter, generators)
    matrix = rotated(params.outputs, params.inputs, measured, generators)
    span = torch.linspace(0, 1, params.points, dtype=torch.float64)
    starts = params.largest_start * (params.smallest_start / params.largest_start) ** span
    weights = _start(params, matrix, starts, generators)
    sensor = array_of(matrix.matrix)

    def gradient(run: int, whole: Array) -> Array:
        own = sensor[run // params.points]
        slopes: Array = ((own * whole).sum() - params.value) * own
        return slopes

    leaving = each_run(lambda row: escape_times(row, params.value, starts, params.depth), measured)
    times = (leaving + params.settling)[..., None] * torch.linspace(0, 1, POINTS, dtype=torch.float64)
    layers, rates = [layer.flatten(0, 1) for layer in weights], [1.0] * params.depth
    path = product(flow(layers, gradient, times.flatten(0, 1), rates, RELATIVE, ABSOLUTE, progress))
    path = path.reshape(len(measured), params.points, *path.shape[1:])
    modes = len(params.measured)
    left, right = matrix.left[:, None, None, :, :modes], matrix.right[:, None, None, :, :modes]
    values = torch.diagonal(left.mT @ path @ right, dim1=-2, dim2=-1)
    ends = values[:, :, -1]
    law = each_run(lambda row: _ends(row, starts, params), measured)
    ratio, expected = ends[..., 1] / ends[..., 0], law[..., 1] / law[..., 0]
    logs = starts.log().expand_as(ratio)
    exponent = slope(logs, each_run(torch.log, ratio))
    measures = {
        "law_error": (ends / law - 1).abs().amax((-2, -1)),
        "gap_exponent": exponent,
        "gap_exponent_error": exponent - gap_exponents(measured, params.law_depth),
        "gap_ratio": ratio[:, -1],
        "misfit": ((ends * measured[:, None]).sum(-1) / params.value - 1).abs().amax(-1),
    }
    series = {
        "start": starts.expand_as(ratio),
        "ratio": ratio,
        "ratio_law": expected,
        "time": times[:, -1],
        "first": values[:, -1, :, 0],
        "second": values[:, -1, :, 1],
    }
    return Result(measures, series)


def _start(params: Params, matrix: Target, starts: Tensor, generators: Sequence[Generator]) -> list[Tensor]:
    """Balanced layers (runs, points, ..) of alpha sum_r u_r v_r^T, out of balance by the factor."""
    modes = len(params.measured)
    hidden = [orthonormal(params.hidden, modes, generators) for _ in range(params.depth - 1)]
    frames = [matrix.right[..., :modes], *hidden, matrix.left[..., :modes]]
    roots = (starts ** (1 / params.depth))[:, None, None]
    layers = [roots * (after @ before.mT)[:, None] for before, after in pairwise(frames)]
    return layers if params.depth == 1 else unbalanced(layers, params.layer_factor)


def _ends(measured: Tensor, starts: Tensor, params: Params) -> Tensor:
    """The law's singular values of one run, of shape (points, modes)."""
    return torch.stack([sensed_end(measured, params.value, float(start), params.law_depth) for start in starts])
