"""Global minima of one deep linear network, drawn at random and flattened; nothing is trained.

All weights W_l -> G_l W_l G_{l-1}^{-1} with one product W_L ... W_1 = Z are global minima of
1/2 ||W_L ... W_1 - Z||_F^2. Each run draws a target and balanced weights for it, disturbs them by random G_l from
slight to strong, and flattens the last ones: their sharpness, the largest eigenvalue of the Hessian, is minimised over
the G_l.

Source: Mulayoff and Michaeli 2020 (arXiv:2002.04710) for the least sharpness and the gains at the flattest minima; the
proof in `dlnrepro.dynamics.flat_minima.sharpness_bound` is derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.flat_minima.gauges import flatten, gauged, random_gauges
from dlnrepro.dynamics.flat_minima.sharpness_bound import gain_error, least_sharpness
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.curvature import hessian, largest_eigenvalue
from dlnrepro.dynamics.networks.tangent_kernel import tangent_kernel
from dlnrepro.dynamics.starts.draws import orthonormal
from dlnrepro.dynamics.starts.targets import Target, draw_strengths, rotated
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.errors import Disagreement
from dlnrepro.runner import Progress, Result, Series

ROUNDING = 1e-9
"""Relative gap that two routes to one eigenvalue may leave: for matrices of a few hundred rows."""

Positive = Annotated[float, Field(gt=0, le=100)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=6, description="L, the number of weight matrices")
    inputs: int = Field(ge=1, le=16, description="n_0")
    hidden: int = Field(ge=1, le=16, description="n_1 = ... = n_{L-1}, at least the number of strengths")
    outputs: int = Field(ge=1, le=16, description="n_L")
    strengths: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1, max_length=16)] = Field(
        description="the target's singular values, strictly falling"
    )
    jitter: float = Field(ge=0, lt=1, description="each run multiplies each strength by 1 + jitter x, |x| <= 1")
    strongest: float = Field(gt=0, le=5, description="the G_l have singular values from e^-s to e^s, s up to this")
    points: int = Field(ge=1, le=200, description="strengths s of the sweep, evenly spaced, the strongest the last")
    iterations: int = Field(ge=0, le=10**4, description="of flattening the last network; 0 leaves it as it is")
    law_depth: int = Field(ge=1, le=8, description="the L that theory is told; another than the depth is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if any(after >= before for before, after in zip(self.strengths, self.strengths[1:], strict=False)):
            raise ValueError("strengths must fall strictly")
        if len(self.strengths) > min(self.inputs, self.hidden, self.outputs):
            raise ValueError("strengths must be no more than inputs, hidden or outputs")
        return self

    def memory(self, runs: int) -> int:
        """Kernels of all networks, and a few copies of one Hessian of every run."""
        size = self.hidden * (self.inputs + self.outputs + (self.depth - 2) * self.hidden)
        kernel = (self.inputs * self.outputs) ** 2
        return 8 * runs * (2 * self.points * (size + self.depth * kernel) + 10 * size**2)


MEASURES = {
    "formula_error": "|sharpness / (L s^(2-2/L)) - 1| of the balanced minimum, >= 0",
    "least_ratio": "the least sharpness / (L s^(2-2/L)) over all minima of the run, balanced, disturbed and flattened",
    "disturbed_ratio": "that of the strongest disturbance, before flattening",
    "flattened_ratio": "that of the minimum found by flattening it",
    "gain_error": "the largest | ||W_l ... W_1 v|| / s^(l/L) - 1| over l < L at that minimum, >= 0",
    "moved": "the largest ||W_L ... W_1 - Z||_F / s over the minima, >= 0: 0 if they are minima",
}

SERIES = {
    "disturbance": Series("disturbance", "s, the strength of the random G_l"),
    "ratio": Series("disturbance", "sharpness / (L s^(2-2/L)) of the disturbed minima"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, balanced weights and disturbances; flatten the strongest ones; measure sharpness and gains."""
    strengths = draw_strengths(params.strengths, params.jitter, generators)
    target = rotated(params.outputs, params.inputs, strengths, generators)
    balanced = _balanced(params, target, generators)
    sweep = torch.linspace(0, params.strongest, params.points + 1, dtype=torch.float64)[1:]
    gauges = random_gauges([params.hidden] * (params.depth - 1), sweep, generators)
    disturbed = gauged([layer[:, None].expand(-1, params.points, -1, -1) for layer in balanced], gauges)
    last = [layer[:, -1].contiguous() for layer in disturbed]
    flat = flatten(last, params.iterations, part_of(progress, 0, 0.8))
    tops = strengths[:, 0].tolist()
    law = torch.tensor([least_sharpness(top, params.law_depth) for top in tops], dtype=torch.float64)
    ratios = _sharpness(disturbed) / law[:, None]
    first = _checked(balanced, target.matrix, part_of(progress, 0.8, 0.1)) / law
    end = _checked(flat, target.matrix, part_of(progress, 0.9, 0.1)) / law
    everything = [torch.cat(layers, 1) for layers in zip(_lifted(balanced), disturbed, _lifted(flat), strict=True)]
    off = torch.linalg.matrix_norm(product(everything) - target.matrix[:, None]) / strengths[:, :1]
    measures = {
        "formula_error": (first - 1).abs(),
        "least_ratio": torch.cat([first[:, None], ratios, end[:, None]], -1).amin(-1),
        "disturbed_ratio": ratios[:, -1],
        "flattened_ratio": end,
        "gain_error": each_run(lambda *layers: gain_error(layers, params.law_depth), *flat),
        "moved": off.amax(-1),
    }
    return Result(measures, {"disturbance": sweep.expand_as(ratios), "ratio": ratios})


def _balanced(params: Params, target: Target, generators: Sequence[Generator]) -> list[Tensor]:
    """Balanced weights whose product is the target."""
    modes = len(params.strengths)
    hidden = [orthonormal(params.hidden, modes, generators) for _ in range(params.depth - 1)]
    roots = each_run(lambda row: row ** (1 / params.depth), target.strengths)[:, None]
    frames = [target.right[..., :modes], *hidden, target.left[..., :modes]]
    return [after * roots @ before.mT for before, after in pairwise(frames)]


def _lifted(weights: Sequence[Tensor]) -> list[Tensor]:
    """The weights with a dimension of one point."""
    return [weight[:, None] for weight in weights]


def _sharpness(weights: Sequence[Tensor]) -> Tensor:
    """The largest eigenvalue of the tangent kernel: the Hessian's own at zero loss."""
    return each_run(lambda *layers: largest_eigenvalue(tangent_kernel(layers)), *weights)


def _checked(weights: Sequence[Tensor], target: Tensor, progress: Progress) -> Tensor:
    """The sharpness by the tangent kernel, held against the whole Hessian by automatic differentiation."""

    def loss(layers: Sequence[Tensor]) -> Tensor:
        residual = product(layers) - target
        return 0.5 * (residual * residual).sum((-2, -1))

    whole, small = largest_eigenvalue(hessian(loss, weights, progress)), _sharpness(weights)
    worst = float((whole / small - 1).abs().max())
    if not worst <= ROUNDING:
        raise Disagreement(f"sharpness: autograd's Hessian and the tangent kernel differ by {worst:.1e} relative")
    return small
