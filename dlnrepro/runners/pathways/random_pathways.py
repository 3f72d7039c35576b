"""Gradient descent of P paths of full, random matrices on a target of two or more modes.

W_{p,l} <- W_{p,l} - eta dR/dW_{p,l} with R = 1/2 ||sum_p W_{p,L} ... W_{p,1} - M*||_F^2, which is the squared loss on
whitened inputs. M* = U diag(s) V^T with random frames U, V. The step size is given as the step ratio
gamma = eta L s_1^(2-2/L). The descent may climb to its step ratio in stairs, each begun by a tiny random kick: in
floating point the residual can vanish exactly, and then an unstable solution would be taken for a stable one.
It ends with a cool-down at a small step, after which sharpness and shares are read at zero loss.

Source: Kim, Lee 2026 (arXiv:2606.05219); the bound x*(gamma) is derived here (`dynamics.pathways.closed_forms`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.curvature import sharpness
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.dynamics.pathways.closed_forms import equal_split_factor, largest_stable_share, single_path_sharpness
from dlnrepro.dynamics.pathways.path_draws import first_path_alone, gaussian_paths
from dlnrepro.dynamics.pathways.stages import Stage, descend_in_stages, stairs
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.records import Record, log_grid
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST
from dlnrepro.settings.pathways import PathMatrixSettings, StepRatio

PathScale = Annotated[float, Field(ge=0, le=100)]

RECORDS = 100


class Params(PathMatrixSettings):
    """Paths of full matrices, their start, and the stages of their descent: stairs, a hold and a cool-down."""

    start: Literal["random", "single-path"] = Field(
        description="`random`: Gaussian layers; `single-path`: the first path carries the target, and they are added"
    )
    start_scale: float = Field(gt=0, le=2, description="scale of the Gaussian layers, over the root of the fan-in")
    path_scales: Annotated[tuple[PathScale, ...], FROM_LIST] = Field(
        min_length=2, max_length=8, description="a factor on the Gaussian layers of each path, one for each path"
    )
    first_ratio: StepRatio = Field(description="the step ratio gamma = eta L s_1^(2-2/L) on the first stair")
    step_ratio: StepRatio = Field(description="the step ratio gamma = eta L s_1^(2-2/L) after the stairs")
    stairs: int = Field(
        ge=0, le=100, description="number of stairs; with 0 the step size is constant until the cool-down"
    )
    stair_steps: int = Field(ge=1, le=10**4, description="number of gradient steps on each stair")
    hold_steps: int = Field(ge=1, le=10**6, description="number of gradient steps at step_ratio")
    cool_ratio: float = Field(gt=0, lt=2, description="the step ratio gamma = eta L s_1^(2-2/L) of the cool-down")
    cool_steps: int = Field(ge=1, le=10**5, description="number of gradient steps of the cool-down")
    kick: float = Field(
        ge=0, le=1e-3, description="standard deviation of the random kick before each stair and before the hold"
    )
    mode: int = Field(ge=1, le=8, description="number of the mode whose shares are measured; 1 is the strongest")

    def contradictions(self) -> Iterable[Contradiction]:
        """A mode that the target does not have."""
        yield from super().contradictions()
        if self.mode > len(self.strengths):
            yield Contradiction("mode", f"at most {len(self.strengths)}, the number of strengths")

    @property
    def paths(self) -> int:
        """P."""
        return len(self.path_scales)

    def numbers(self) -> int:
        """Weights, kicks, gradients and partial products, and the Gauss-Newton matrix at a record."""
        return self.paths * (12 * self.path_size + 4 * (self.inputs * self.outputs) ** 2)


MEASURES = {
    "share": "the largest path's share of the mode after the cool-down, in [1/P, 1]",
    "peak_share": "the largest share recorded once 90 % of the mode is learned; share, if it never is",
    "share_drop": "peak_share - share, in [0, 1 - 1/P]",
    "bound_gap": "share - x*(gamma_k), with gamma_k = gamma (s_k / s_1)^(2-2/L) the mode's own step ratio",
    "limit": "eta x sharpness after the cool-down, eta being the step size before it",
    "sharpness_ratio": "sharpness after the cool-down over S1 = L s_1^(2-2/L)",
    "factor_error": "|sharpness_ratio / P^(2/L-1) - 1|",
    "off_diagonal": "the part of sum_p ||M_p||_F^2 outside the target's modes after the cool-down, in [0, 1]",
    "loss": "1/2 ||M - M*||_F^2 after the cool-down",
}

SERIES = {
    "step": Series("step", "gradient steps taken"),
    "mode_share": Series("step", "the largest path's share of the measured mode"),
    "strongest_share": Series("step", "the largest path's share of mode 1"),
    "weakest_share": Series("step", "the largest path's share of the last mode"),
    "stable_share": Series("step", "x*(gamma_k) of the measured mode, at the step ratio before the cool-down"),
    "limit_in_time": Series(
        "step", "eta x the largest eigenvalue of J J^T, eta being the step size before the cool-down"
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Train all runs together through stairs, hold and cool-down, and measure shares and sharpness."""
    left, right = params.frames(generators)
    target = left * torch.tensor(params.strengths, dtype=torch.float64) @ right.mT
    weights = _start(params, left, right, generators)
    directions = gaussian_paths([1.0] * params.paths, params.widths, generators)
    single = single_path_sharpness(params.strengths[0], params.depth)
    step_size = params.step_ratio / single
    stages = [
        *stairs(params.first_ratio / single, step_size, params.stairs, params.stair_steps, params.kick),
        Stage(step_size, params.hold_steps, params.kick),
        Stage(params.cool_ratio / single, params.cool_steps, 0.0),
    ]
    records = log_grid(sum(stage.steps for stage in stages), RECORDS)[:-1]

    def gradient(current: Weights) -> Weights:
        return parallel_paths.loss_gradient(current, target)

    def observe(current: Weights) -> Record:
        carried = parallel_paths.mode_contributions(current, left, right).abs()
        return {"carried": carried, "limit": step_size * sharpness(current)}

    trained, recorded = descend_in_stages(weights, gradient, stages, directions, records, observe, progress)
    end = observe(trained)
    mode, carried, stable = params.mode - 1, recorded["carried"].movedim(-1, 1), _stable_share(params)
    shares = parallel_paths.largest_share(carried).mT
    share = parallel_paths.largest_share(end["carried"])[:, mode]
    learned = parallel_paths.sum_paths(carried[..., None])[:, :, mode, 0] >= 0.9 * params.strengths[mode]
    peak = parallel_paths.peak_share(shares[:, mode], learned, share)
    ratio = end["limit"] / params.step_ratio
    measures = {
        "share": share,
        "peak_share": peak,
        "share_drop": peak - share,
        "bound_gap": share - stable,
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
        "stable_share": stable.expand(len(records)),
        "limit_in_time": recorded["limit"],
    }
    return Result(measures, series)


def _start(params: Params, left: Tensor, right: Tensor, generators: Sequence[Generator]) -> Weights:
    """Gaussian layers, on top of an aligned, balanced solution of the first path alone where that is the start."""
    noise = gaussian_paths([params.start_scale * scale for scale in params.path_scales], params.widths, generators)
    if params.start == "random":
        return noise
    solution = first_path_alone(left, params.strengths, right, params.widths[1:-1], params.paths, generators)
    return [layer + extra for layer, extra in zip(solution, noise, strict=True)]


def _stable_share(params: Params) -> Tensor:
    """x*(gamma_k) of the measured mode before the cool-down, of shape (1,)."""
    relative = params.strengths[params.mode - 1] / params.strengths[0]
    ratio = torch.tensor([params.step_ratio * relative ** (2 - 2 / params.formula_depth)], dtype=torch.float64)
    return largest_stable_share(ratio, params.paths, params.formula_depth)
