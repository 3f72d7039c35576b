"""The sharpness of multi-path networks at zero loss, from their whole Hessian; nothing is trained.

Each run draws its own networks and makes each one's matrix its target, so that every network is a global minimum of
1/2 ||sum_p W_{p,L} ... W_{p,1} - M*||_F^2. Two families: aligned, depth-balanced networks that split each mode at
random, evenly or not at all, with random hidden frames; and such networks disturbed by Gaussian noise from slight to
overwhelming, for the lower bound on arbitrary weights.

Source: Kim, Lee 2026 (arXiv:2606.05219) for the formula and its factor; the bound for arbitrary weights and its
proof are derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.networks.curvature import hessian, largest_eigenvalue, sharpness
from dlnrepro.dynamics.networks.gaps import singular_triples
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.dynamics.pathways.closed_forms import balanced_sharpness, equal_split_factor
from dlnrepro.dynamics.starts.balanced import layers_between
from dlnrepro.dynamics.starts.draws import normal, orthonormal, uniform
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.errors import Disagreement
from dlnrepro.runner import Progress, Result, Series

ROUNDING = 1e-9
"""Relative gap that two routes to one eigenvalue may leave: for matrices of a few hundred rows."""

Strength = Annotated[float, Field(gt=0, le=100)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=6, description="L, the number of weight matrices of each path")
    paths: int = Field(ge=2, le=6, description="P")
    inputs: int = Field(ge=1, le=16, description="n_0")
    hidden: int = Field(ge=1, le=16, description="n_1 = ... = n_{L-1}")
    outputs: int = Field(ge=1, le=16, description="n_L")
    strengths: Annotated[tuple[Strength, ...], Field(strict=False, min_length=1, max_length=8)] = Field(
        description="the target's singular values, falling"
    )
    splits: int = Field(ge=1, le=64, description="networks per run that split the modes at random")
    noisy: int = Field(ge=2, le=256, description="networks per run that are disturbed by noise")
    least_noise: float = Field(gt=0, le=10, description="scale of the least noise, over the root of the fan-in")
    most_noise: float = Field(gt=0, le=10, description="scale of the most; evenly spaced in the logarithm between")
    imbalance: float = Field(ge=1, le=10, description="a factor on W_1, undone in W_2; 1 keeps the layers balanced")
    law_depth: int = Field(ge=2, le=8, description="the depth that theory is told; another than L is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if list(self.strengths) != sorted(self.strengths, reverse=True):
            raise ValueError("strengths must not rise")
        if len(self.strengths) > min(self.inputs, self.hidden, self.outputs):
            raise ValueError("strengths must be no more than inputs, hidden or outputs")
        if self.least_noise > self.most_noise:
            raise ValueError("least_noise must not exceed most_noise")
        return self

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), self.outputs]

    def memory(self, runs: int) -> int:
        """Five copies of the Hessians of the aligned networks, and the small matrices of the noisy ones."""
        size = self.paths * sum(before * after for before, after in zip(self.widths, self.widths[1:], strict=False))
        small = self.noisy * self.paths * self.depth * (self.inputs * self.outputs) ** 2
        return 8 * runs * (5 * (self.paths + self.splits) * size**2 + small)


MEASURES = {
    "formula_error": "the largest |sharpness / max_k L sum_p q_{p,k}^(2-2/L) - 1| over the aligned networks",
    "factor_error": "|(sharpness of the equal split / sharpness of a single path) / P^(2/L-1) - 1|",
    "slope_error": "the least-squares slope of log sharpness against log P' for equal splits among P' = 1 .. P paths, "
    "less 2/L - 1",
    "range_excess": "the most by which sharpness / (sharpness of a single path) leaves [P^(2/L-1), 1] over the aligned "
    "networks; 0 or less inside",
    "bound_ratio": "the least sharpness / (L sum_p |u^T M_p v|^(2-2/L)) over the noisy networks and their singular "
    "pairs u, v",
}

SERIES = {
    "paths": Series("paths", "P' = 1 .. P"),
    "equal_sharpness": Series("paths", "sharpness of the equal split among P' paths over that of a single path"),
    "equal_law": Series("paths", "P'^(2/L-1)"),
    "noise": Series("noise", "the noise's scale"),
    "bound_by_noise": Series("noise", "the least ratio of sharpness to its lower bound at this noise"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw all networks of all runs, and hold their Hessians against the closed forms."""
    progress(0.0, "drawing networks")
    weights, contributions = _aligned(params, params.paths + params.splits, generators)
    sharp = _whole_sharpness(weights, progress)
    progress(0.8, "lower bounds")
    noise = torch.logspace(0, 1, params.noisy, base=params.most_noise / params.least_noise, dtype=torch.float64)
    noise = params.least_noise * noise
    ratios = _bound_ratios(params, noise, generators)
    law = each_run(lambda row: balanced_sharpness(row, params.law_depth), contributions)
    counts = torch.arange(1, params.paths + 1, dtype=torch.float64)
    relative = sharp / sharp[:, :1]
    equal = relative[:, : params.paths]
    factor = equal_split_factor(params.paths, params.law_depth)
    slopes = each_run(lambda row: slope(counts.log(), row.log()), equal)
    measures = {
        "formula_error": (sharp / law - 1).abs().amax(-1),
        "factor_error": (equal[:, -1] / factor - 1).abs(),
        "slope_error": slopes - (2 / params.law_depth - 1),
        "range_excess": torch.maximum(relative - 1, factor - relative).amax(-1),
        "bound_ratio": ratios.amin(-1),
    }
    runs = len(generators)
    expected = torch.tensor([equal_split_factor(int(count), params.law_depth) for count in counts], dtype=torch.float64)
    series = {
        "paths": counts.expand(runs, -1),
        "equal_sharpness": equal,
        "equal_law": expected.expand(runs, -1),
        "noise": noise.expand(runs, -1),
        "bound_by_noise": ratios,
    }
    return Result(measures, series)


def _aligned(params: Params, count: int, generators: Sequence[Generator]) -> tuple[list[Tensor], Tensor]:
    """Aligned, balanced networks (runs, count, paths, ..): equal splits among 1 .. P paths, then random splits."""
    modes, paths = len(params.strengths), params.paths
    left = orthonormal(params.outputs, modes, generators)[:, None, None].expand(-1, count, paths, -1, -1)
    right = orthonormal(params.inputs, modes, generators)[:, None, None].expand(-1, count, paths, -1, -1)
    hidden = [
        torch.stack([orthonormal(params.hidden, modes, generators) for _ in range(count * paths)], 1)
        for _ in range(params.depth - 1)
    ]
    frames = [right, *(frame.reshape(-1, count, paths, params.hidden, modes) for frame in hidden), left]
    # Cubes of uniform numbers: from nearly even splits to nearly single paths.
    draws = uniform((count, paths, modes), 0.0, 1.0, generators)
    parts = draws * draws * draws
    for network in range(paths):
        parts[:, network] = 0
        parts[:, network, : network + 1] = 1
    contributions = parts / parts.sum(-2, keepdim=True) * torch.tensor(params.strengths, dtype=torch.float64)
    weights = layers_between(frames, contributions)
    return [weights[0] * params.imbalance, weights[1] / params.imbalance, *weights[2:]], contributions


def _whole_sharpness(weights: list[Tensor], progress: Progress) -> Tensor:
    """The top eigenvalue of the whole Hessian at zero loss, held against the one of J J^T."""
    flat = [weight.flatten(0, 1) for weight in weights]
    target = parallel_paths.network(flat)

    def part(fraction: float, note: str) -> None:
        progress(0.7 * fraction, note)

    whole = largest_eigenvalue(hessian(lambda current: parallel_paths.loss(current, target), flat, part))
    small = sharpness(flat)
    worst = float((whole / small - 1).abs().max())
    if not worst <= ROUNDING:
        raise Disagreement(f"sharpness: autograd's Hessian and J J^T differ by {worst:.1e} relative")
    return whole.reshape(weights[0].shape[:2])


def _bound_ratios(params: Params, noise: Tensor, generators: Sequence[Generator]) -> Tensor:
    """Sharpness over its lower bound, the least over singular pairs, of shape (runs, noisy)."""
    base, _ = _aligned(params, params.paths + params.noisy, generators)
    weights = []
    for layer in base:
        shape = layer[0, params.paths :].shape
        scale = noise[:, None, None, None] / shape[-1] ** 0.5
        weights.append(layer[:, params.paths :] + scale * normal(shape, generators))
    left, _, right = singular_triples(parallel_paths.network(weights))
    kept = parallel_paths.mode_contributions(weights, left, right)
    bound = each_run(lambda row: balanced_sharpness(row, params.law_depth), kept)
    return sharpness(weights) / bound
