"""The sharpness of multi-path networks at zero loss, from their whole Hessian; nothing is trained.

Each run draws its own networks and takes the matrix of each network as its target M*, so that every network is a
global minimum of 1/2 ||sum_p W_(p,L) ... W_(p,1) - M*||_F^2. There are three families. The first are aligned, balanced
networks with random hidden frames, which split each mode evenly, at random, or not at all. The second are such
networks with Gaussian noise, from slight to strong, for the lower bound on arbitrary weights. The third are Gaussian
networks that a search makes as flat as it can.

Source: Kim, Lee 2026 (arXiv:2606.05219) for the formula and its factor; the bound for arbitrary weights and its
proof are derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.networks.curvature import gauss_newton, largest_eigenvalue, sharpness
from dlnrepro.dynamics.networks.gaps import singular_triples
from dlnrepro.dynamics.pathways import parallel_paths, plain_paths
from dlnrepro.dynamics.pathways.closed_forms import balanced_sharpness, equal_split_factor, single_path_sharpness
from dlnrepro.dynamics.pathways.flattening import flattened_paths
from dlnrepro.dynamics.pathways.path_draws import gaussian_paths
from dlnrepro.dynamics.starts.balanced import hidden_frames, layers_between
from dlnrepro.dynamics.starts.draws import normal, uniform
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.fields import FROM_LIST, ORDERED, Positive
from dlnrepro.settings.pathways import PathMatrixSettings, Paths

NoiseScale = Annotated[float, Field(gt=0, le=10)]


class Params(PathMatrixSettings):
    """Networks at zero loss: aligned ones that split each mode, and ones that are disturbed by noise."""

    paths: Paths
    splits: int = Field(ge=1, le=64, description="number of aligned networks per run that split each mode at random")
    noisy: int = Field(ge=2, le=256, description="number of networks per run that are disturbed by noise")
    noise: Annotated[tuple[NoiseScale, NoiseScale], FROM_LIST, ORDERED] = Field(
        description="range of the noise, evenly spaced in its logarithm: the standard deviation of an entry times the"
        " square root of the fan-in"
    )
    imbalance: float = Field(
        ge=1, le=10, description="factor by which W_1 is multiplied and W_2 divided; 1 keeps the layers balanced"
    )

    tilt: float = Field(
        ge=-0.9,
        le=2,
        description="ratio of what a path carries in an even split to what the path before it carries; 1 makes the"
        " split equal, and a negative ratio gives the paths alternating signs",
    )
    variance: Positive = Field(description="variance of the inputs, which are white; it multiplies the whole Hessian")
    search_steps: int = Field(
        ge=0, le=10**4, description="number of steps of the search for the flattest weights; 0 leaves it out"
    )

    def numbers(self) -> int:
        """Five copies of the Hessians of the aligned networks, and the small matrices of the noisy ones."""
        small = self.noisy * self.paths * self.depth * (self.inputs * self.outputs) ** 2
        return 5 * (self.paths + self.splits) * (self.paths * self.path_size) ** 2 + small


MEASURES = {
    "formula_error": "relative error of the formula max_k L sum_p q_(p,k)^(2-2/L) for the sharpness, where path p"
    " carries q_(p,k) of mode k, the largest over the aligned networks, >= 0",
    "factor_error": "relative error of P^(2/L-1) for the sharpness of the equal split, relative to a single path, >= 0",
    "slope_error": "slope of the log of the sharpness of the equal split among P' = 1 .. P paths against log P', minus"
    " the predicted 2/L - 1",
    "range_excess": "largest amount by which the sharpness, relative to a single path, leaves [P^(2/L-1), 1] over the"
    " aligned networks; at most 0 if none does",
    "bound_ratio": "smallest ratio of the sharpness to its lower bound L sum_p |u^T M_p v|^(2-2/L), over the noisy"
    " networks and the pairs u, v of singular vectors of their matrices; M_p is the matrix of path p",
    "found_ratio": "sharpness over P^(2/L-1) L s^(2-2/L) after the search for the flattest weights, where s is the"
    " largest singular value of the network's own matrix; NaN without a search",
}

SERIES = {
    "paths": Series("number of paths", "number P' of paths that share the modes"),
    "equal_sharpness": Series("number of paths", "sharpness of the equal split, relative to a single path"),
    "equal_law": Series("number of paths", "predicted factor P'^(2/L-1)"),
    "noise": Series("noise scale", "scale of the Gaussian noise"),
    "bound_by_noise": Series("noise scale", "sharpness divided by its lower bound L sum_p |u^T M_p v|^(2-2/L)"),
}

FLAWS = {
    "formula": Flaw("the formula for the sharpness is 5 % too large", "balanced_sharpness", scaled(1.05)),
    "factor": Flaw("P^(2/L-1) is 5 % too large", "equal_split_factor", scaled(1.05)),
    "slope": Flaw("the fitted exponent of P' is too large by 0.1", "slope", shifted(0.1)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw all networks of all runs, and compare their Hessians with the closed forms."""
    progress(0.0, "drawing the networks")
    law_depth = params.formula_depth
    weights, contributions = _aligned(params, params.paths + params.splits, generators)
    sharp = params.variance * parallel_paths.sharpness_at_zero_loss(weights, part_of(progress, 0, 0.6))
    progress(0.6, "computing the lower bounds")
    noise = params.noise[0] * torch.logspace(
        0, 1, params.noisy, base=params.noise[1] / params.noise[0], dtype=torch.float64
    )
    ratios = _bound_ratios(params, noise, generators)
    law = each_run(lambda row: balanced_sharpness(row, law_depth), contributions)
    counts = torch.arange(1, params.paths + 1, dtype=torch.float64)
    relative = sharp / sharp[:, :1]
    equal = relative[:, : params.paths]
    factors = [equal_split_factor(count, law_depth) for count in range(1, params.paths + 1)]
    slopes = each_run(lambda row: slope(counts.log(), row.log()), equal)
    measures = {
        "formula_error": (sharp / law - 1).abs().amax(-1),
        "factor_error": (equal[:, -1] / factors[-1] - 1).abs(),
        "slope_error": slopes - (2 / law_depth - 1),
        "range_excess": torch.maximum(relative - 1, factors[-1] - relative).amax(-1),
        "bound_ratio": ratios.amin(-1),
        "found_ratio": _found_ratio(params, generators, part_of(progress, 0.7, 0.3)),
    }
    series = {
        "paths": counts,
        "equal_sharpness": equal,
        "equal_law": torch.tensor(factors, dtype=torch.float64),
        "noise": noise,
        "bound_by_noise": ratios,
    }
    return Result(measures, series)


def _aligned(params: Params, count: int, generators: Sequence[Generator]) -> tuple[Weights, Tensor]:
    """Aligned, balanced networks (runs, count, paths, ..): equal splits among 1 .. P paths, then random splits."""
    modes, paths = len(params.strengths), params.paths
    left, right = (frame[:, None, None].expand(-1, count, paths, -1, -1) for frame in params.frames(generators))
    hidden = [
        torch.stack(hidden_frames([width] * (count * paths), modes, generators), 1) for width in params.widths[1:-1]
    ]
    frames = [right, *(frame.reshape(-1, count, paths, *frame.shape[2:]) for frame in hidden), left]
    # Cubes of uniform numbers: from nearly even splits to nearly single paths.
    draws = uniform((count, paths, modes), 0.0, 1.0, generators)
    parts = draws * draws * draws
    for network in range(paths):
        parts[:, network] = 0
        parts[:, network, : network + 1] = params.tilt ** torch.arange(network + 1, dtype=torch.float64)[:, None]
    contributions = parts / parts.sum(-2, keepdim=True) * params.drawn_strengths(generators)[:, None, None]
    frames[-1] = frames[-1] * contributions.sign()[..., None, :]
    weights = layers_between(frames, contributions.abs())
    return [weights[0] * params.imbalance, weights[1] / params.imbalance, *weights[2:]], contributions


def _bound_ratios(params: Params, noise: Tensor, generators: Sequence[Generator]) -> Tensor:
    """Sharpness over its lower bound, the least over singular pairs, of shape (runs, noisy)."""
    base, _ = _aligned(params, params.paths + params.noisy, generators)
    weights = []
    for layer in base:
        shape = layer[0, params.paths :].shape
        scale = noise[:, None, None, None] / shape[-1] ** 0.5
        weights.append(layer[:, params.paths :] + scale * normal(shape, generators))
    left, _, right = singular_triples(parallel_paths.network(weights))
    carried = parallel_paths.mode_contributions(weights, left, right)
    bound = each_run(lambda row: balanced_sharpness(row, params.formula_depth), carried)
    return params.variance * sharpness(weights) / bound


def _found_ratio(params: Params, generators: Sequence[Generator], progress: Progress) -> Tensor:
    """The sharpness after a search from Gaussian weights, over that of the equal split, of shape (runs,)."""
    if params.search_steps == 0:
        return torch.full((len(generators),), torch.nan, dtype=torch.float64)
    start = gaussian_paths([1.0] * params.paths, params.widths, generators)
    weights = flattened_paths(start, params.search_steps, progress)
    plain_paths.check_sharpness(largest_eigenvalue(gauss_newton(weights)), weights)
    depth = params.formula_depth
    _, strengths, _ = singular_triples(parallel_paths.network(weights))
    least = [
        equal_split_factor(params.paths, depth) * single_path_sharpness(top, depth) for top in strengths[:, 0].tolist()
    ]
    return params.variance * sharpness(weights) / torch.tensor(least, dtype=torch.float64)
