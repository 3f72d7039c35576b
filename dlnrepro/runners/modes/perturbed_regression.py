"""Gradient descent of a two-layer regression whose second moments do not commute, compared with one where they do.

W_l <- W_l - eta dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_2 W_1 from a small Gaussian start (initialization).
With S = I + epsilon B, B symmetric of norm 1, the inputs' second moment has other eigenvectors than
Z = sum_i sigma_i u_i v_i^T has right singular vectors. The reference is the descent from the same start at epsilon = 0.
Theory: the path departs from it by O(epsilon) at all times, and the modes are learned in the same order, at the same
times. While all weights are small only Z acts; so, in the control, strengths sigma_i + epsilon or sigma_i - epsilon
shift the times, by more for a weaker mode.

Source: the setting and the kind of statement are those of Gidel, Bach and Lacoste-Julien (2019, arXiv:1904.13262); that
the order in epsilon is 1, and the control, are derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.fits.sweeps import falling_sweep
from dlnrepro.dynamics.modes.descents import product_path
from dlnrepro.dynamics.modes.learning_times import mode_shares, passing_times, time_ratios
from dlnrepro.dynamics.modes.perturbations import Perturbed, perturbed_moments
from dlnrepro.dynamics.risks.squared_loss import regression_gradient
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.tensors.records import even_grid
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.fields import FROM_LIST, SPREAD, SeveralStrengths, Share, StepSize
from dlnrepro.settings.modes import RegressionSettings

HALF = 0.5
POINTS = 150


class Params(RegressionSettings):
    """A regression with several modes, its perturbations, and the descents with and without them."""

    strengths: SeveralStrengths
    perturbed: Perturbed = Field(
        description="the moment that is perturbed: S = I + epsilon B with B symmetric of norm 1 (inputs), or Z, to"
        " whose strengths epsilon is added with random signs (cross)"
    )
    epsilon: Annotated[tuple[Share, Share], FROM_LIST, SPREAD] = Field(
        description="range of epsilon, the size of the perturbation; learning times are measured at its high end"
    )
    points: int = Field(ge=2, le=50, description="how many values of epsilon, evenly spaced in the logarithm")
    start_scale: float = Field(
        gt=0,
        le=1,
        description="scale of the start: the entries of W_l are normal with standard deviation scale / sqrt(n_{l-1})",
    )
    step_size: StepSize
    refined: int = Field(
        ge=1, le=16, description="how many steps of size eta / `refined` the reference takes for each step of size eta"
    )

    def numbers(self) -> int:
        """The product at every step, three times over, and the weights."""
        kept = 3 * self.steps * self.inputs * self.outputs
        return (self.points + 1) * (kept + 64 * self.hidden * self.inputs)


MEASURES = {
    "deviation_order": "slope of log max_t ||W_epsilon - W_0||_F against log epsilon",
    "deviation": "max_t ||W_epsilon - W_0||_F / sigma_1 at the largest epsilon, >= 0",
    "time_shift": "the largest |T_i / T_i(epsilon = 0) - 1| over the modes at the largest epsilon, T_i being the step "
    "at which mode i is half learned, >= 0",
    "time_ratio": "the least T_{i+1} / T_i at the largest epsilon, >= 0; 1 where modes are learned together",
    "unlearned": "the largest |1 - share of a mode| at the end of the reference, >= 0",
}

SERIES = {
    "epsilon": Series("epsilon", "the size of the perturbation"),
    "largest_deviation": Series("epsilon", "max_t ||W_epsilon - W_0||_F / sigma_1"),
    "step": Series("step", "gradient steps taken"),
    "deviation_path": Series("step", "||W_epsilon - W_0||_F / sigma_1 at the largest epsilon"),
    "modes_learned": Series("step", "the sum of the modes' shares at the largest epsilon"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, perturbations and starts; descend at all sizes of all runs at once, and without perturbation."""
    target = params.target(generators)
    strengths, sizes = target.strengths, falling_sweep(*params.epsilon, params.points)
    path, plain = _paths(params, target, sizes, generators, progress)
    deviation = torch.linalg.matrix_norm(path - plain) / strengths[:, :1, None]
    largest = deviation.amax(-1)
    shares, plain_shares = (mode_shares(whole[:, 0], target, strengths).mT for whole in (path, plain))
    times, plain_times = passing_times(shares, HALF), passing_times(plain_shares, HALF)
    steps = even_grid(params.steps, POINTS)
    measures = {
        "deviation_order": slope(sizes.log(), each_run(torch.log, largest)),
        "deviation": largest[:, 0],
        "time_shift": (times / plain_times - 1).abs().amax(-1),
        "time_ratio": time_ratios(times).amin(-1),
        "unlearned": (plain_shares[..., -1] - 1).abs().amax(-1),
    }
    series = {
        "epsilon": sizes,
        "largest_deviation": largest,
        "step": steps.to(torch.float64),
        "deviation_path": deviation[:, 0][:, steps],
        "modes_learned": shares.sum(1)[:, steps],
    }
    return Result(measures, series)


def _paths(
    params: Params, target: Target, sizes: Tensor, generators: Sequence[Generator], progress: Progress
) -> tuple[Tensor, Tensor]:
    """The products (runs, points or 1, steps + 1, n_L, n_0) of the descents with and without perturbation."""
    moment, cross = perturbed_moments(params.perturbed, target, sizes, generators)
    draws = [draw[:, None] for draw in gaussian(params.widths, params.start_scale, generators)]
    starts = [draw.expand(-1, params.points, -1, -1) for draw in draws]
    perturbed = regression_gradient(moment, cross)
    plain = regression_gradient(torch.eye(params.inputs, dtype=torch.float64), target.matrix[:, None])
    size, steps, refined = params.step_size, params.steps, params.refined
    share = 1 / (1 + refined)
    first, second = part_of(progress, 0, share), part_of(progress, share, 1 - share, "reference")
    return (
        product_path(starts, perturbed, size, steps, 1, first),
        product_path(draws, plain, size / refined, steps * refined, refined, second),
    )
