"""Gradient descent of an aligned linear regression at every step size of a sweep: how does it settle, and up to where?

W_l <- W_l - eta dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_2 W_1 or, in the control, one matrix. The start
(initialization) has the singular vectors of Z = sum_k sigma_k u_k v_k^T, which are those of S too, and small strengths.
The step size is given as the step ratio eta sigma_1. Theory: near the end, a step multiplies the error of the first
mode by 1 - 2 eta sigma_1, so it is approached from one side up to the ratio 1/2, from alternating sides up to 1, and
not at all beyond.

Source: the setting and the kind of statement are those of Gidel, Bach and Lacoste-Julien (2019, arXiv:1904.13262);
the factor is derived in `dlnrepro.dynamics.modes.sequential`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.fits.slopes import zero_of_line
from dlnrepro.dynamics.modes.descents import settling_path
from dlnrepro.dynamics.modes.sequential import contraction_factor
from dlnrepro.dynamics.modes.settling import settling_factors
from dlnrepro.dynamics.risks.squared_loss import commuting_moment, regression_gradient
from dlnrepro.dynamics.starts.balanced import balanced_layers, draw_mode_strengths
from dlnrepro.dynamics.tensors.records import even_grid
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import LawDepth, Positive, PositiveRange
from dlnrepro.settings.modes import RegressionSettings, Sweep
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.targets import at_most_as_many

WINDOW = (1e-9, 1e-4)
"""Errors between which the factor is measured: after the terms that are not linear, and before rounding."""

POINTS = 150


class Params(RegressionSettings, DeepSettings):
    """An aligned regression, and the step sizes of its descents."""

    variance: Positive = Field(description="lambda_1, the eigenvalue of S for the first mode; it is 1 for the others")
    start: PositiveRange = Field(
        description="range of the strength of a mode at the start, which is drawn log-uniformly"
    )
    ratios: Sweep = Field(description="range of the step ratios eta sigma_1")
    points: int = Field(ge=2, le=100, description="how many step ratios, evenly spaced")
    law_depth: LawDepth = Field(
        description="the L in the factor 1 - L eta sigma_1: `same` is the trained depth, which must be 2, because the"
        " factor is derived for two layers; a number makes it wrong on purpose, for a negative control"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """More modes than the hidden layer can hold, and one layer, whose factor is another one."""
        yield from super().contradictions()
        yield from at_most_as_many(self, "strengths", ["hidden"])
        if self.law_depth == "same" and self.depth == 1:
            yield Contradiction("law_depth", "a number for `depth: 1`, which has another factor")

    def numbers(self) -> int:
        """The weights with their gradients, and two numbers at every step."""
        return self.points * (16 * self.hidden * (self.inputs + self.outputs) + 8 * self.steps)


MEASURES = {
    "factor_error": "the largest |measured - (1 - L eta sigma_1)| over the sweep, of the factor by which a step "
    "multiplies the first mode's error: the median over errors in [1e-9, 1e-4]; 0 where no error lies there",
    "turning_ratio": "the eta sigma_1 at which the least-squares line through the measured factors is zero; the "
    "largest one of the sweep if the line is level",
    "end_distance": "the largest ||W - W_LS||_F / ||W_LS||_F at the end over the sweep, >= 0",
    "least_end_distance": "the smallest ||W - W_LS||_F / ||W_LS||_F at the end over the sweep, >= 0",
}

SERIES = {
    "step_ratio": Series("step ratio", "eta sigma_1"),
    "factor": Series("step ratio", "the measured factor"),
    "factor_law": Series("step ratio", "1 - L eta sigma_1"),
    "step": Series("step", "gradient steps taken"),
    "distance": Series("step", "||W - W_LS||_F / ||W_LS||_F at the largest step ratio"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then aligned starts; descend at all step ratios of all runs at once; measure the factors."""
    target, modes = params.target(generators), len(params.strengths)
    ratios = torch.linspace(*params.ratios, params.points, dtype=torch.float64)
    gradient = regression_gradient(commuting_moment(target, [params.variance])[:, None], target.matrix[:, None])
    finals = target.strengths.clone()
    finals[:, 0] = finals[:, 0] / params.variance
    starts = draw_mode_strengths(*params.start, modes, generators)
    bases = target.left[..., :modes], starts, target.right[..., :modes]
    weights = balanced_layers(*bases, params.widths[1:-1], generators)
    sizes = ratios / target.strengths[:, :1]
    recorded = settling_path(weights, gradient, sizes, target, finals, params.steps, progress)
    factors = settling_factors(recorded["error"], WINDOW)
    law = contraction_factor(ratios, params.formula_depth)
    end, steps = recorded["distance"][..., -1], even_grid(params.steps, POINTS)
    measures = {
        "factor_error": (factors - law).abs().amax(-1),
        "turning_ratio": zero_of_line(ratios, factors),
        "end_distance": end.amax(-1),
        "least_end_distance": end.amin(-1),
    }
    series = {
        "step_ratio": ratios,
        "factor": factors,
        "factor_law": law,
        "step": steps.to(torch.float64),
        "distance": recorded["distance"][:, -1][:, steps],
    }
    return Result(measures, series)
