"""Gradient descent of a two-layer regression whose second moments do not commute, compared with one where they do.

W_l <- W_l - eta dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_2 W_1, from a small Gaussian initialization
(start). The second moment S = I + epsilon B of the inputs, B symmetric of norm 1, has other eigenvectors than
Z = sum_i sigma_i u_i v_i^T has right singular vectors. The reference is the descent from the same initialization at
epsilon = 0.
Theory: the path stays within O(epsilon) of the reference at all times. The modes are learned in the same order, at
almost the same times, because only Z acts while all weights are small. In the control, singular values sigma_i +
epsilon or sigma_i - epsilon of Z shift the learning times, most for the weakest mode.

Source: the setting and the kind of statement are those of Gidel, Bach and Lacoste-Julien (2019, arXiv:1904.13262). The
order 1 in epsilon and the control are derived here.
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
from dlnrepro.dynamics.modes.learning_times import interval_ratios, mode_shares, passing_times
from dlnrepro.dynamics.modes.perturbations import Perturbed, perturbed_moments
from dlnrepro.dynamics.modes.sequential import time_slopes
from dlnrepro.dynamics.networks.plain import data_of, squared_error
from dlnrepro.dynamics.risks.squared_loss import regression_gradient
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.tensors.records import even_grid
from dlnrepro.runner import Flaw, Progress, Result, Series
from dlnrepro.settings.fields import FROM_LIST, SPREAD, SeveralStrengths, Share, StepSize
from dlnrepro.settings.modes import RegressionSettings

HALF = 0.5
POINTS = 150


class Params(RegressionSettings):
    """A regression with several modes, its perturbations, and the descents with and without a perturbation."""

    strengths: SeveralStrengths
    perturbed: Perturbed = Field(
        description="the moment that is perturbed: S = I + epsilon B with B symmetric of norm 1 (`inputs`), or Z, to"
        " whose strengths sigma_k epsilon is added with random signs (`cross`)"
    )
    epsilon: Annotated[tuple[Share, Share], FROM_LIST, SPREAD] = Field(
        description="range of epsilon, the norm of the perturbation; intervals are measured at its high end"
    )
    points: int = Field(ge=2, le=50, description="number of values of epsilon, evenly spaced in log epsilon")
    start_scale: float = Field(
        gt=0,
        le=1,
        description="scale of the initialization: the entries of W_l are normal with standard deviation"
        " scale / sqrt(n_(l-1)), where n_(l-1) is the number of inputs of the layer",
    )
    step_size: StepSize
    refined: int = Field(
        ge=1, le=16, description="number of steps of size eta / `refined` of the reference for each step of size eta"
    )

    def numbers(self) -> int:
        """Three copies of the product at every step, and the weights."""
        kept = 3 * self.steps * self.inputs * self.outputs
        return (self.points + 1) * (kept + 64 * self.hidden * self.inputs)


MEASURES = {
    "deviation_order": "power of epsilon in the largest distance between the perturbed product W_epsilon and the"
    " unperturbed W_0: slope of log max_t ||W_epsilon - W_0||_F against log epsilon",
    "deviation": "largest distance max_t ||W_epsilon - W_0||_F / sigma_1 between the perturbed and the unperturbed"
    " product at the largest epsilon, >= 0",
    "time_shift": "largest |T_i / T_i' - 1| / epsilon over the modes i and the values of epsilon, where T_i is the step"
    " at which mode i is half learned, and T_i' the same without a perturbation, >= 0",
    "interval_ratio": "smallest relative interval T_(i+1) / T_i - 1 at the largest epsilon, over that of a vanishing"
    " initialization, ln(1 + eta sigma_i) / ln(1 + eta sigma_(i+1)) - 1, where T_i is the step at which mode i is half"
    " learned; 0 if modes are learned together",
    "unlearned": "largest |1 - share| over the modes at the end of the unperturbed descent, where the share of a"
    " mode is its value over its final value, >= 0",
}

SERIES = {
    "epsilon": Series("epsilon", "norm epsilon of the perturbation"),
    "largest_deviation": Series(
        "epsilon",
        "largest distance between the perturbed and the unperturbed product, max_t ||W_epsilon - W_0||_F / sigma_1",
    ),
    "step": Series("step", "number of gradient steps"),
    "deviation_path": Series(
        "step",
        "distance between the perturbed and the unperturbed product, ||W_epsilon - W_0||_F / sigma_1, at the"
        " largest epsilon",
    ),
    "modes_learned": Series("step", "number of learned modes (sum of their shares), at the largest epsilon"),
}

FLAWS = {
    "order": Flaw(
        "the perturbation has the norm epsilon^1.1 instead of epsilon",
        "perturbed_moments",
        lambda right: lambda perturbed, target, sizes, draws: right(perturbed, target, sizes**1.1, draws),
    ),
    "cross": Flaw(
        "the perturbed descents fit a target Z that is too large by 5 %",
        "perturbed_moments",
        lambda right: (
            lambda *given: tuple(part * factor for part, factor in zip(right(*given), (1, 1.05), strict=True))
        ),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, perturbations and initializations; descend at all sizes at once, and without perturbation."""
    target = params.target(generators)
    strengths, sizes = target.strengths, falling_sweep(*params.epsilon, params.points)
    path, plain = _paths(params, target, sizes, generators, progress)
    deviation = torch.linalg.matrix_norm(path - plain) / strengths[:, :1, None]
    largest = deviation.amax(-1)
    shares, plain_shares = (mode_shares(whole, target, strengths).mT for whole in (path, plain))
    times, plain_times = passing_times(shares, HALF), passing_times(plain_shares, HALF)
    shifts = (times / plain_times - 1).abs().amax(-1) / sizes
    steps = even_grid(params.steps, POINTS)
    measures = {
        "deviation_order": slope(sizes.log(), each_run(torch.log, largest)),
        "deviation": largest[:, 0],
        "time_shift": shifts.amax(-1),
        "interval_ratio": interval_ratios(times[:, 0], time_slopes(strengths, params.step_size)).amin(-1),
        "unlearned": (plain_shares[..., -1] - 1).abs().amax((-2, -1)),
    }
    series = {
        "epsilon": sizes,
        "largest_deviation": largest,
        "step": steps.to(torch.float64),
        "deviation_path": deviation[:, 0][:, steps],
        "modes_learned": shares[:, 0].sum(1)[:, steps],
    }
    return Result(measures, series)


def _paths(
    params: Params, target: Target, sizes: Tensor, generators: Sequence[Generator], progress: Progress
) -> tuple[Tensor, Tensor]:
    """The products (runs, points or 1, steps + 1, n_L, n_0) with and without perturbation."""
    moment, cross = perturbed_moments(params.perturbed, target, sizes, generators)
    draws = [draw[:, None] for draw in gaussian(params.widths, params.start_scale, generators)]
    starts = [draw.expand(-1, params.points, -1, -1) for draw in draws]
    white, target_alone = torch.eye(params.inputs, dtype=torch.float64), target.matrix[:, None]
    problems = [
        (regression_gradient(*moments), squared_error(*data_of(*moments)))
        for moments in ((moment, cross), (white.expand(*target_alone.shape[:2], -1, -1), target_alone))
    ]
    size, steps, refined = params.step_size, params.steps, params.refined
    share = 1 / (1 + refined)
    first, second = part_of(progress, 0, share), part_of(progress, share, 1 - share, "reference")
    return (
        product_path(starts, *problems[0], size, steps, 1, first),
        product_path(draws, *problems[1], size / refined, steps * refined, refined, second),
    )
