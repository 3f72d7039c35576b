"""Gradient flow of P paths of full, random matrices of equal scale, from initializations that shrink to zero.

    dW_(p,l)/dt = -dR/dW_(p,l),   R = 1/2 ||sum_p W_(p,L) ... W_(p,1) - M*||_F^2

Each run draws its target and its Gaussian layers once. The layers are then multiplied by each scale alpha of a sweep,
and the flow is followed from all of these initializations to zero loss.

Theory: in the time alpha^-(L-2) t the growth of a path does not depend on alpha. So the path that would be the first to
diverge takes the mode, while the layers of the other paths are still of order alpha; they carry a part of the mode that
is of order alpha^L. If another path takes another mode, only its first and its last layer remain of order alpha in the
directions of the first mode, and it carries a part of order alpha^2. At depth 2 all paths grow at the same rate.

A second route shares no code with the first one: plain gradient descent by automatic differentiation, from the largest
scale of the sweep.

Source: Kim, Lee 2026 (arXiv:2606.05219) and Shi, Shea-Brown, Buice 2022 (NeurIPS) for the competition of paths; the two
exponents are derived here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import sum_paths
from dlnrepro.dynamics.networks.curvature import sharpness
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.dynamics.pathways.closed_forms import single_path_sharpness
from dlnrepro.dynamics.pathways.path_draws import gaussian_paths
from dlnrepro.dynamics.pathways.path_flow import path_flow
from dlnrepro.dynamics.pathways.plain_paths import check_gradient, plain_descent
from dlnrepro.dynamics.tensors.arrays import Weights, tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.fields import FROM_LIST, SPREAD
from dlnrepro.settings.pathways import PathMatrixSettings, Paths, StepRatio

StartScale = Annotated[float, Field(gt=0, le=2)]


class Params(PathMatrixSettings):
    """Paths of full matrices of equal scale, the scales of their initialization, the flow, and the plain descent."""

    paths: Paths
    scales: Annotated[tuple[StartScale, StartScale], FROM_LIST, SPREAD] = Field(
        description="range of the initialization scale alpha, evenly spaced in its logarithm: the standard deviation of"
        " an entry of any layer of any path times the square root of the fan-in"
    )
    points: int = Field(ge=2, le=20, description="number of initialization scales in the sweep")
    flow_steps: int = Field(ge=1, le=10**5, description="number of implicit steps of the gradient flow")
    change: float = Field(
        gt=0, le=0.5, description="largest relative change of the norm of any layer in one step of the gradient flow"
    )
    descent_ratio: StepRatio = Field(
        description="gamma = eta L s_1^(2-2/L) of the plain gradient descent, where eta is the step size"
    )
    descent_steps: int = Field(
        ge=0,
        le=10**5,
        description="number of steps of the plain gradient descent from the largest scale; 0 leaves it out",
    )

    def numbers(self) -> int:
        """Weights, moves and partial products at every scale, and the matrices J J^T."""
        return self.points * (8 * self.paths * self.path_size + 8 * (self.inputs * self.outputs) ** 2)


MEASURES = {
    "losers_share": "largest part of a mode that all paths but its largest one carry together at the end of the flow"
    " from the smallest initialization, over the modes, in [0, 1 - 1/P]",
    "exponent": "slope of the logarithm of the part of the strongest mode that all paths but the largest one carry,"
    " against the logarithm of the initialization scale, between the two smallest scales",
    "exponent_gap": "slope of the logarithm of the part of the strongest mode that all paths but the largest one carry,"
    " against the logarithm of the initialization scale, between the two smallest scales, minus the predicted exponent:"
    " L if one path has taken all modes, and 2 otherwise",
    "sharpness_ratio": "sharpness at the end of the flow from the smallest initialization divided by S1 ="
    " L s_1^(2-2/L), the sharpness of a single path",
    "descent_gap": "largest difference, over paths and modes, between the share of a mode that a path carries at"
    " the end of plain gradient descent and at the end of the flow, from the largest initialization; NaN without"
    " descent",
    "loss": "largest loss 1/2 ||sum_p M_p - M*||_F^2 at the end of the flow, over the initialization scales, where M_p"
    " is the matrix of path p and M* the target",
}

SERIES = {
    "scale": Series("initialization scale", "initialization scale alpha"),
    "strongest_losers": Series(
        "initialization scale", "part of the strongest mode that all paths but the largest one carry"
    ),
    "losers_law": Series(
        "initialization scale", "predicted power of the initialization scale, through the value at the smallest scale"
    ),
}


def _with_target(factor: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The change of `path_flow` into one towards a target that is too large by a factor."""
    return lambda right: lambda weights, target, *given: right(weights, factor * target, *given)


FLAWS = {
    "sharper": Flaw("the sharpness is 5 % too large", "sharpness", scaled(1.05)),
    "first-path-ahead": Flaw(
        "the flow begins with the first path 10 % larger than the descent does",
        "path_flow",
        lambda right: lambda weights, *given: right([_first_larger(layer) for layer in weights], *given),
    ),
    "larger-target": Flaw("the flow goes to a target that is 5 % too large", "path_flow", _with_target(1.05)),
    "exponents": Flaw(
        "the predicted exponents are 10 % too large", "_predicted", lambda right: lambda *given: 1.1 * right(*given)
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Follow the flow of all runs from all scales together, and descend from the largest scale."""
    left, right = params.frames(generators)
    strengths = params.drawn_strengths(generators)
    target = left * strengths[:, None] @ right.mT
    shapes = gaussian_paths([1.0] * params.paths, params.widths, generators)
    scales = tensor_of(np.geomspace(*params.scales, params.points))
    start = [layer[:, None] * scales[:, None, None, None] for layer in shapes]
    first = [layer[:, -1] for layer in start]
    check_gradient(parallel_paths.loss_gradient(target)(first), first, target)
    flow = path_flow(start, target[:, None], params.flow_steps, params.change, part_of(progress, 0, 0.7))
    losers, winner = _losers(flow, left[:, None], right[:, None])
    exponent = (each_run(torch.log, losers[:, 1, 0] / losers[:, 0, 0])) / (scales[1] / scales[0]).log()
    law = _predicted((winner[:, 0] == winner[:, 0, :1]).all(-1), params.formula_depth)
    single = single_path_sharpness(params.strengths[0], params.depth)
    residual = parallel_paths.network(flow) - target[:, None]
    measures = {
        "losers_share": losers[:, 0].amax(-1),
        "exponent": exponent,
        "exponent_gap": exponent - law,
        "sharpness_ratio": sharpness([layer[:, 0] for layer in flow]) / single,
        "descent_gap": _descent_gap(params, first, target, left, right, flow, part_of(progress, 0.7, 0.3)),
        "loss": 0.5 * (residual * residual).sum((-2, -1)).amax(-1),
    }
    powers = each_run(lambda power: (scales / scales[0]) ** power, law)
    series = {"scale": scales, "strongest_losers": losers[..., 0], "losers_law": losers[:, :1, 0] * powers}
    return Result(measures, series)


def _losers(weights: Sequence[Tensor], left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """The part of each mode that all paths but the largest one carry, and the largest path, both (runs, ..., modes).

    The part is a sum over these paths, not a difference from 1, so that it is exact where it is tiny.
    """
    carried = parallel_paths.mode_contributions(weights, left, right).abs().sort(-2, descending=True)
    total = sum_paths(carried.values[..., None])[..., 0]
    others = sum_paths(carried.values[..., 1:, :, None])[..., 0]
    return others / total, carried.indices[..., 0, :]


def _predicted(one_path: Tensor, depth: int) -> Tensor:
    """The exponent of the losers' part of the strongest mode: L if one path took all modes, else 2; 0 at depth 2."""
    return torch.where(one_path, float(depth), 2.0) if depth > 2 else torch.zeros(len(one_path), dtype=torch.float64)


def _descent_gap(
    params: Params,
    first: Weights,
    target: Tensor,
    left: Tensor,
    right: Tensor,
    flow: Weights,
    progress: Progress,
) -> Tensor:
    """The largest difference between a path's share of a mode by plain descent and by the flow, of shape (runs,)."""
    if params.descent_steps == 0:
        return torch.full((len(target),), torch.nan, dtype=torch.float64)
    step_size = params.descent_ratio / single_path_sharpness(params.strengths[0], params.depth)
    trained = plain_descent(first, target, step_size, params.descent_steps, progress)
    ends = [layer[:, -1] for layer in flow]
    found, expected = (
        parallel_paths.shares(parallel_paths.mode_contributions(end, left, right)) for end in (trained, ends)
    )
    return (found - expected).abs().amax((-2, -1))


def _first_larger(layer: Tensor) -> Tensor:
    """A layer of all paths whose first path is 10 % larger."""
    return torch.cat([1.1 * layer[..., :1, :, :], layer[..., 1:, :, :]], -3)
