"""Gradient descent of P paths of full, random matrices on a target with one or more modes.

    W_(p,l) <- W_(p,l) - eta dR/dW_(p,l),   R = 1/2 ||sum_p W_(p,L) ... W_(p,1) - M*||_F^2

R is the squared loss on whitened inputs. M* = U diag(s) V^T has random frames U and V. The step size eta is given by
the step ratio gamma = eta S1, where S1 = L s_1^(2-2/L) is the sharpness when one path carries mode 1 alone.

The step size may first climb in stairs, each of which begins with a tiny random displacement of the weights (kick): in
floating point the residual can vanish exactly, and then an unstable solution would pass for a stable one. The descent
ends with a cool-down at a small step size, after which sharpness and shares are read at zero loss.

The gradient at the initialization and the sharpness at the end are compared with those of a plain program with
automatic differentiation, in every run.

Source: Kim, Lee 2026 (arXiv:2606.05219); the bound x*(gamma) on shares is derived here
(`dlnrepro.dynamics.pathways.closed_forms`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import sum_paths
from dlnrepro.dynamics.networks.curvature import gauss_newton, largest_eigenvalue, sharpness
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.dynamics.pathways.closed_forms import equal_split_factor, largest_stable_share, single_path_sharpness
from dlnrepro.dynamics.pathways.path_draws import first_path_alone, gaussian_paths
from dlnrepro.dynamics.pathways.plain_paths import check_gradient, check_sharpness
from dlnrepro.dynamics.pathways.stages import Stage, descend_in_stages, stairs
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.records import Record, log_grid
from dlnrepro.dynamics.training.descent import gradient_taken
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST
from dlnrepro.settings.pathways import PathMatrixSettings, StepRatio

PathScale = Annotated[float, Field(ge=0, le=100)]

RECORDS = 100


class Params(PathMatrixSettings):
    """Paths of full matrices, their initialization, and the stages of the descent: stairs, a hold and a cool-down."""

    start: Literal["random", "single-path"] = Field(
        description="initialization: Gaussian layers (`random`), or a first path that carries the target alone, plus"
        " Gaussian layers (`single-path`)"
    )
    start_scale: float = Field(
        gt=0,
        le=2,
        description="scale of the Gaussian layers: the standard deviation of an entry times the square root of the"
        " fan-in",
    )
    path_scales: Annotated[tuple[PathScale, ...], FROM_LIST] = Field(
        min_length=2, max_length=8, description="factors on the Gaussian layers, one for each path; their number is P"
    )
    first_ratio: StepRatio = Field(
        description="gamma = eta L s_1^(2-2/L) on the first stair, where eta is the step size"
    )
    step_ratio: StepRatio = Field(description="gamma = eta L s_1^(2-2/L) after the stairs, where eta is the step size")
    stairs: int = Field(
        ge=0,
        le=100,
        description="number of stairs, from first_ratio towards step_ratio; with 0 the step size is constant until the"
        " cool-down",
    )
    stair_steps: int = Field(ge=1, le=10**4, description="number of gradient steps on each stair")
    hold_steps: int = Field(ge=1, le=10**6, description="number of gradient steps at step_ratio, after the stairs")
    cool_ratio: float = Field(
        gt=0, lt=2, description="gamma = eta L s_1^(2-2/L) in the cool-down, where eta is the step size"
    )
    cool_steps: int = Field(ge=1, le=10**5, description="number of gradient steps in the cool-down")
    kick: float = Field(
        ge=0,
        le=1e-3,
        description="scale of the random displacement of all weights before each stair and before the hold: the"
        " standard deviation of an entry times the square root of the fan-in",
    )
    mode: int = Field(ge=1, le=8, description="number of the mode whose shares are measured; 1 is the strongest")

    def contradictions(self) -> Iterable[Contradiction]:
        """A mode that the target does not have."""
        yield from super().contradictions()
        if self.mode > len(self.strengths):
            yield Contradiction("mode", f"at most {len(self.strengths)}, the number of strengths")

    @property
    def paths(self) -> int:
        """P, the number of paths."""
        return len(self.path_scales)

    def numbers(self) -> int:
        """Weights, kicks, gradients and partial products, and the Gauss-Newton matrix at a record."""
        return self.paths * (12 * self.path_size + 4 * (self.inputs * self.outputs) ** 2)


MEASURES = {
    "share": "largest share of the mode that one path carries after the cool-down, in [1/P, 1]",
    "peak_share": "largest share of one path over the records from the first one on at which 90 % of the mode is"
    " learned; it equals `share` if there is none, in [1/P, 1]",
    "share_drop": "fall of the largest share from its peak, once the mode is learned, to its value after the cool-down,"
    " in [0, 1 - 1/P]",
    "bound_gap": "largest share after the cool-down minus x*(gamma_k), the largest share that stability allows;"
    " gamma_k = gamma (s_k / s_1)^(2-2/L) belongs to the measured mode k",
    "largest_bound_gap": "largest share of a mode k after the cool-down minus x*(gamma_k), the largest share that"
    " stability allows, where this difference is largest over the modes; gamma_k = gamma (s_k / s_1)^(2-2/L)",
    "second_ratio": "gamma_2 = gamma (s_2 / s_1)^(2-2/L), the step size before the cool-down times the sharpness when"
    " one path carries the second mode alone; 0 if there is one mode",
    "limit": "sharpness after the cool-down times the step size eta before the cool-down",
    "sharpness_ratio": "sharpness after the cool-down divided by S1 = L s_1^(2-2/L), the sharpness of a single path",
    "factor_error": "relative error of P^(2/L-1) S1 for the sharpness after the cool-down, where S1 = L s_1^(2-2/L),"
    " >= 0",
    "off_diagonal": "part of sum_p ||M_p||_F^2 outside the modes of the target after the cool-down, in [0, 1]; M_p is"
    " the matrix of path p",
    "loss": "loss 1/2 ||sum_p M_p - M*||_F^2 after the cool-down, where M_p is the matrix of path p and M* the target",
}

SERIES = {
    "step": Series("step", "number of gradient steps"),
    "mode_share": Series("step", "largest share of the measured mode"),
    "strongest_share": Series("step", "largest share of the strongest mode"),
    "weakest_share": Series("step", "largest share of the weakest mode"),
    "stable_share": Series("step", "largest share of the measured mode that stability allows"),
    "limit_in_time": Series(
        "step",
        "step size before the cool-down times the largest eigenvalue of J J^T, with J the Jacobian of the"
        " network's matrix",
    ),
}

FLAWS = {
    "factor": Flaw("P^(2/L-1) is 5 % too large", "equal_split_factor", scaled(1.05)),
    "flatter": Flaw("the sharpness is 5 % too small", "sharpness", scaled(0.95)),
    "sharper": Flaw("the sharpness is 5 % too large", "sharpness", scaled(1.05)),
    "smaller-stable-share": Flaw("x* is 5 % too small", "largest_stable_share", scaled(0.95)),
    "larger-stable-share": Flaw("x* is 5 % too large", "largest_stable_share", scaled(1.05)),
    "small-steps": Flaw("S1 is too large, and the steps are 5 % too small", "single_path_sharpness", scaled(1 / 0.95)),
    "large-steps": Flaw("S1 is too small, and the steps are 5 % too large", "single_path_sharpness", scaled(1 / 1.05)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Train all runs together through stairs, hold and cool-down, and measure shares and sharpness."""
    left, right = params.frames(generators)
    strengths = params.drawn_strengths(generators)
    target = left * strengths[:, None] @ right.mT
    weights = _start(params, left, right, strengths, generators)
    directions = gaussian_paths([1.0] * params.paths, params.widths, generators)
    single = single_path_sharpness(params.strengths[0], params.depth)
    step_size = params.step_ratio / single
    stages = _stages(params, single)
    records = log_grid(sum(stage.steps for stage in stages), RECORDS)[:-1]

    gradient = parallel_paths.loss_gradient(target)

    def observe(current: Weights) -> Record:
        carried = parallel_paths.mode_contributions(current, left, right).abs()
        return {"carried": carried, "limit": step_size * sharpness(current)}

    # Not at the start itself, which may be a minimum of the loss.
    nearby = [1.5 * weight for weight in weights]
    check_gradient(gradient_taken(gradient, nearby), nearby, target)
    trained, recorded = descend_in_stages(weights, gradient, stages, directions, records, observe, progress)
    end = observe(trained)
    check_sharpness(largest_eigenvalue(gauss_newton(trained)), trained)
    mode, carried, stable = params.mode - 1, recorded["carried"].movedim(-1, 1), _stable_shares(params, strengths)
    shares = parallel_paths.largest_share(carried).mT
    last = parallel_paths.largest_share(end["carried"])
    learned = sum_paths(carried[..., None])[:, :, mode, 0] >= 0.9 * strengths[:, mode, None]
    peak = parallel_paths.peak_share(shares[:, mode], learned, last[:, mode])
    ratio = end["limit"] / params.step_ratio
    measures = {
        "share": last[:, mode],
        "peak_share": peak,
        "share_drop": peak - last[:, mode],
        "bound_gap": (last - stable)[:, mode],
        "largest_bound_gap": (last - stable).amax(-1),
        "second_ratio": _mode_ratios(params, strengths, params.depth)[:, 1:2].sum(-1),
        "limit": end["limit"],
        "sharpness_ratio": ratio,
        "factor_error": (ratio / equal_split_factor(params.paths, params.formula_depth) - 1).abs(),
        "off_diagonal": parallel_paths.off_diagonal_share(trained, left, right),
        "loss": parallel_paths.loss(trained, target),
    }
    series = {
        "step": torch.tensor(records, dtype=torch.float64),
        "mode_share": shares[:, mode],
        "strongest_share": shares[:, 0],
        "weakest_share": shares[:, -1],
        "stable_share": stable[:, mode, None].expand(-1, len(records)),
        "limit_in_time": recorded["limit"],
    }
    return Result(measures, series)


def _stages(params: Params, single: float) -> list[Stage]:
    """The stairs, the hold and the cool-down; `single` is the sharpness S1 of a single path."""
    step_size = params.step_ratio / single
    return [
        *stairs(params.first_ratio / single, step_size, params.stairs, params.stair_steps, params.kick),
        Stage(step_size, params.hold_steps, params.kick),
        Stage(params.cool_ratio / single, params.cool_steps, 0.0),
    ]


def _start(params: Params, left: Tensor, right: Tensor, strengths: Tensor, generators: Sequence[Generator]) -> Weights:
    """Gaussian layers; for `single-path`, they are added to an aligned, balanced solution of the first path alone."""
    noise = gaussian_paths([params.start_scale * scale for scale in params.path_scales], params.widths, generators)
    if params.start == "random":
        return noise
    solution = first_path_alone(left, strengths, right, params.widths[1:-1], params.paths, generators)
    return [layer + extra for layer, extra in zip(solution, noise, strict=True)]


def _mode_ratios(params: Params, strengths: Tensor, depth: int) -> Tensor:
    """gamma_k = gamma (s_k / s_1)^(2-2/L) of every mode before the cool-down, of shape (runs, modes)."""
    return each_run(lambda row: params.step_ratio * (row / row[0]) ** (2 - 2 / depth), strengths)


def _stable_shares(params: Params, strengths: Tensor) -> Tensor:
    """x*(gamma_k) of every mode before the cool-down, of shape (runs, modes)."""
    depth = params.formula_depth
    ratios = _mode_ratios(params, strengths, depth)
    return each_run(lambda row: largest_stable_share(row, params.paths, depth), ratios)
