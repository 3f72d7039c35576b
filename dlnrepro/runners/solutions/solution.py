"""Weights of any linear network that have zero loss: drawn, moved to where a function of them is least, and measured.

Each run draws weights of the network M = sum_p W_(p,L) ... W_(p,1) with M = Z, so that they are global minima of
1/2 E||M x - Z x||^2 for inputs x of second moment v I. It then minimises nothing, the norm sum ||W_(p,l)||_F^2, or the
sharpness (the largest eigenvalue of the Hessian) over the weights with M = Z, and reads off norms, spectra and the
Hessian. No measure contains a formula of theory: a claim compares them with formulas of its own, as in
`equals: depth * top ** (2 - 2 / depth)`.

Source: the searches are those of `dlnrepro.dynamics.representation_cost.fibre`,
`dlnrepro.dynamics.flat_minima.reparametrisations` and `dlnrepro.dynamics.pathways.flattening`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.flat_minima.reparametrisations import flattest
from dlnrepro.dynamics.networks.gaps import singular_triples
from dlnrepro.dynamics.pathways.flattening import flattened_paths
from dlnrepro.dynamics.pathways.parallel_paths import network
from dlnrepro.dynamics.pathways.path_draws import gaussian_paths
from dlnrepro.dynamics.solutions.drawn import disturbed, equal_split, landed, least_norm
from dlnrepro.dynamics.solutions.measured import (
    gain_ratio,
    hessian_spectrum,
    power_sum,
    sharpness_by_two_routes,
    squared_norm,
)
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import Depth, Positive, Width
from dlnrepro.settings.targets import TargetSettings, at_most_as_many


class Params(TargetSettings):
    """The network, the weights that are drawn, and what is minimised over them."""

    depth: Depth
    hidden: Width = Field(
        description="n_1 = ... = n_(L-1), the width of the hidden layers: at least the number of singular values"
    )
    paths: int = Field(ge=1, le=8, description="number P of parallel paths, whose matrices are added up")
    weights: Literal["balanced", "disturbed", "landed", "own"] = Field(
        description="weights that are drawn. `balanced`: balanced layers, each path with an equal share of Z."
        " `disturbed`: the same after random changes of the hidden bases. `landed`: Gaussian weights that are brought"
        " to the product Z. `own`: Gaussian weights, whose network is taken as Z"
    )
    disturbance: float = Field(
        ge=0,
        le=5,
        description="for the weights `disturbed`: the matrices of the changes have singular values between e^-t and e^t"
        " with this t",
    )
    scale: float = Field(
        gt=0,
        le=10,
        description="for the weights `landed` and `own`: standard deviation of an entry times the square root of the"
        " fan-in",
    )
    minimise: Literal["nothing", "norm", "sharpness"] = Field(
        description="function that is minimised over the weights with the network Z; for several paths, `sharpness` is"
        " divided by s^(2-2/L), with the largest singular value s of the network, and Z moves with the weights"
    )
    iterations: int = Field(ge=0, le=10**4, description="number of steps of the minimisation; 0 leaves it out")
    exponent: float = Field(gt=0, le=10, description="q in the measure `power_sum`, sum_k s_k^q")
    variance: Positive = Field(description="variance v of the inputs, which are white; it multiplies the whole Hessian")

    def contradictions(self) -> Iterable[Contradiction]:
        """More singular values than the hidden layers can carry, and choices that are only for one path."""
        yield from super().contradictions()
        yield from at_most_as_many(self, "strengths", ("hidden",))
        if self.paths > 1 and self.weights in {"disturbed", "landed"}:
            yield Contradiction("weights", "balanced or own for several paths")
        if self.paths > 1 and self.minimise == "norm":
            yield Contradiction("minimise", "nothing or sharpness for several paths")
        if self.paths > 1 and self.minimise == "sharpness" and self.weights == "balanced":
            yield Contradiction("weights", "own for the least sharpness of several paths")

    @property
    def widths(self) -> list[int]:
        """The widths n_0 .. n_L."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), self.outputs]

    def numbers(self) -> int:
        """A few copies of one Hessian, and of the matrix J J^T."""
        size = self.paths * sum(before * after for before, after in pairwise(self.widths))
        return 6 * size**2 + 4 * (self.depth + self.paths) * (self.inputs * self.outputs) ** 2


MEASURES = {
    "sharpness": "largest eigenvalue of the Hessian of the loss in all weights, >= 0",
    "squared_norm": "sum of the squares of all weights, sum_(p,l) ||W_(p,l)||_F^2, >= 0",
    "top": "largest singular value s_1 of the network's matrix",
    "power_sum": "sum_k s_k^q over all singular values s_k of the network's matrix, with q the setting `exponent`",
    "gain_ratio": "largest over smallest gain of a layer of a path along the first right singular vector of the"
    " network's matrix, >= 1",
    "moved": "||M - Z||_F / s_1, the relative distance of the network's matrix M from the target Z, >= 0",
}

SERIES = {
    "mode": Series("mode", "number k of the singular value, from 1"),
    "singular_value": Series("mode", "k-th largest singular value of the network's matrix"),
    "place": Series("eigenvalue", "number of the eigenvalue, from 1"),
    "eigenvalue": Series("eigenvalue", "largest eigenvalues of the Hessian; all others are zero"),
}

FLAWS = {
    "variance": Flaw("the Hessian is 5 % too large", "sharpness_by_two_routes", scaled(1.05)),
    "norm": Flaw("the squared norm is 5 % too large", "squared_norm", scaled(1.05)),
    "unfinished": Flaw(
        "the search for the least norm is left out",
        "least_norm",
        lambda right: lambda weights, target, iterations, progress: right(weights, target, 0 * iterations, progress),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then weights; minimise; measure norms, spectra and the Hessian."""
    progress(0.0, "drawing the weights")
    weights, target = _drawn(params, generators, part_of(progress, 0, 0.1))
    weights = _minimised(params, weights, target, part_of(progress, 0.1, 0.6))
    if params.weights == "own":
        target = network(weights)
    _, strengths, _ = singular_triples(network(weights))
    sharp = params.variance * sharpness_by_two_routes(weights, target, part_of(progress, 0.7, 0.3))
    values = params.variance * hessian_spectrum(weights)
    return Result(
        {
            "sharpness": sharp,
            "squared_norm": squared_norm(weights),
            "top": strengths[:, 0],
            "power_sum": power_sum(strengths, params.exponent),
            "gain_ratio": gain_ratio(weights),
            "moved": torch.linalg.matrix_norm(network(weights) - target) / strengths[:, 0],
        },
        {
            "mode": torch.arange(1.0, strengths.shape[-1] + 1, dtype=torch.float64),
            "singular_value": strengths,
            "place": torch.arange(1.0, values.shape[-1] + 1, dtype=torch.float64),
            "eigenvalue": values,
        },
    )


def _drawn(params: Params, generators: Sequence[Generator], progress: Progress) -> tuple[Weights, Tensor]:
    """The weights W_1 .. W_L, each of shape (runs, paths, n_l, n_(l-1)), and the target."""
    if params.weights == "own":
        weights = gaussian_paths([params.scale] * params.paths, params.widths, generators)
        return weights, network(weights)
    target = params.target(generators)
    if params.weights == "landed":
        drawn = gaussian_paths([params.scale], params.widths, generators)
        return landed(drawn, target.matrix, progress), target.matrix
    weights = equal_split(target, params.widths[1:-1], params.paths, generators)
    if params.weights == "disturbed":
        weights = disturbed(weights, params.disturbance, generators)
    return weights, target.matrix


def _minimised(params: Params, weights: Weights, target: Tensor, progress: Progress) -> Weights:
    """The weights at which the chosen function is least."""
    if params.minimise == "norm":
        return least_norm(weights, target, params.iterations, progress)
    if params.minimise == "sharpness" and params.paths == 1:
        found = flattest([weight[:, 0] for weight in weights], params.iterations, progress)
        return [weight[:, None] for weight in found]
    return flattened_paths(weights, params.iterations, progress) if params.minimise == "sharpness" else weights
