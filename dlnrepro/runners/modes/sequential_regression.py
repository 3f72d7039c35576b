"""Gradient descent of a linear regression from ever smaller starts: when is each mode learned, and what lies between?

W_l <- W_l - eta dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_2 W_1 or, in the control, one matrix. The start
(initialization) is epsilon times one Gaussian draw, for a sweep of epsilon. S has the right singular vectors of
Z = sum_i sigma_i u_i v_i^T.
Theory: mode i is learned at a time that grows by 1 / ln(1 + eta sigma_i) with ln(1/epsilon), in the order of sigma;
between two modes the distance of the network from the solution of reduced-rank regression is a power of epsilon.

Source: the setting and the kind of statement are those of Gidel, Bach and Lacoste-Julien (2019, arXiv:1904.13262);
slopes and powers are derived in `dlnrepro.dynamics.modes.sequential`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.lines import exponential_line
from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.fits.sweeps import falling_sweep
from dlnrepro.dynamics.modes.descents import product_path, relative_distance
from dlnrepro.dynamics.modes.learning_times import following_shares, mode_shares, passing_times, time_ratios
from dlnrepro.dynamics.modes.plateaus import PlateauLaw, approached_plateaus, plateau_matrices
from dlnrepro.dynamics.modes.sequential import plateau_exponents, time_slopes
from dlnrepro.dynamics.risks.squared_loss import (
    commuting_moment,
    leading_modes,
    mode_variances,
    reduced_rank,
    regression_gradient,
)
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.records import even_grid
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, Positive, SeveralStrengths, StepSize
from dlnrepro.settings.modes import RegressionSettings, Sweep
from dlnrepro.settings.numerals import numeral
from dlnrepro.settings.targets import at_most_as_many

HALF, NEARLY = 0.5, 0.9
POINTS = 150


class Params(RegressionSettings):
    """A regression with several modes, the starts, and the descents from them."""

    strengths: SeveralStrengths
    variances: Annotated[tuple[Positive, ...], FROM_LIST] = Field(
        min_length=1,
        max_length=32,
        description="lambda_i, the eigenvalues of S for the first right singular vectors of Z; 1 for the others",
    )
    start: Sweep = Field(
        description="range of epsilon, the factor on the weights at the start; shares, ratios and distances are"
        " measured at its low end, and slopes over the range"
    )
    points: int = Field(ge=2, le=50, description="how many values of epsilon, evenly spaced in the logarithm")
    step_size: StepSize
    law: PlateauLaw = Field(
        description="the plateaus by the theory: solutions of reduced-rank regression, or the sums of the first modes"
        " in the order of sigma (strengths)"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """More variances than the inputs have, and steps that overshoot."""
        yield from super().contradictions()
        yield from at_most_as_many(self, "variances", ["inputs"])
        if self.step_size >= (limit := 1 / (2 * self.strengths[0] * (1 + self.jitter))):
            yield Contradiction(
                "step_size", f"a step below 1 / (2 sigma_1), {numeral(limit, 3)} for the largest sigma_1"
            )

    def numbers(self) -> int:
        """The product at every step, three times over, and the weights."""
        return self.points * (3 * self.steps * self.inputs * self.outputs + 64 * self.hidden * self.inputs)


MEASURES = {
    "time_slope_error": "the largest |(dT_i / d ln(1/epsilon)) ln(1 + eta sigma_i) - 1| over the modes, T_i being the "
    "step at which mode i is half learned, >= 0; 1 where times do not depend on the start",
    "next_share": "the largest share of a mode when the one before it has reached 0.9, at the smallest start",
    "time_ratio": "the least T_{i+1} / T_i at the smallest start, >= 0; 1 where modes are learned together",
    "plateau": "the largest over k < modes of the least ||W - W_k||_F / ||W_k||_F along the descent at the smallest "
    "start, W_k being what `law` names, >= 0",
    "plateau_slope_error": "the largest |fitted / predicted - 1| over k of the power of epsilon in that distance; 1 "
    "where the distance does not depend on the start",
    "end_distance": "||W - W_LS||_F / ||W_LS||_F at the end of the smallest start, W_LS being least squares, >= 0",
    "order_gap": "||W_1 of reduced-rank regression - sigma_1 / lambda_1 u_1 v_1^T||_F over the latter's norm, >= 0",
}

SERIES = {
    "step": Series("step", "gradient steps taken"),
    "modes_learned": Series("step", "the sum of the modes' shares, from the smallest start"),
    "distance_to_rank_one": Series("step", "||W - W_1||_F / ||W_1||_F, from the smallest start"),
    "strength": Series("mode", "sigma_i"),
    "time_slope": Series("mode", "dT_i / d ln(1/epsilon), in steps"),
    "time_slope_law": Series("mode", "1 / ln(1 + eta sigma_i)"),
    "start": Series("start", "epsilon"),
    "first_plateau": Series("start", "the least ||W - W_1||_F / ||W_1||_F along the descent"),
    "first_plateau_law": Series("start", "the predicted power of epsilon, through the smallest start"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; descend from all starts of all runs at once; measure times and plateaus."""
    target, starts = params.target(generators), falling_sweep(*params.start, params.points)
    weights = [starts[:, None, None] * draw[:, None] for draw in gaussian(params.widths, 1.0, generators)]
    moment, cross = commuting_moment(target, params.variances), target.matrix
    gradient = regression_gradient(moment[:, None], cross[:, None])
    path = product_path(weights, gradient, params.step_size, params.steps, 1, progress)
    plateaus = approached_plateaus(path, plateau_matrices(params.law, target, moment), starts)
    powers, solution = plateau_exponents(target.strengths), reduced_rank(moment, cross, len(params.strengths))
    first = plateaus.least[:, 0]
    learned, modes = _times(params, path, target, starts, moment)
    measures = {
        "plateau": plateaus.least[..., -1].amax(-1),
        "plateau_slope_error": (plateaus.powers / powers - 1).abs().amax(-1),
        "end_distance": relative_distance(path[:, -1, -1], solution),
        "order_gap": relative_distance(reduced_rank(moment, cross, 1), leading_modes(target, moment, 1)),
    }
    series = {
        "start": starts,
        "first_plateau": first,
        "first_plateau_law": exponential_line(starts.log(), first, powers[:, 0], torch.tensor(-1)),
        "distance_to_rank_one": plateaus.first[:, even_grid(params.steps, POINTS)],
    }
    return Result(learned | measures, modes | series)


def _times(
    params: Params, path: Tensor, target: Target, starts: Tensor, moment: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Learning times: measures, and series over steps and modes."""
    finals = target.strengths / mode_variances(target, moment)
    shares = mode_shares(path, target, finals).movedim(2, -1)
    smallest, steps = shares[:, -1], even_grid(params.steps, POINTS)
    half = passing_times(shares, HALF).movedim(1, -1)
    slopes = slope((1 / starts).log(), half)
    law = time_slopes(target.strengths, params.step_size)
    measures = {
        "time_slope_error": (slopes / law - 1).abs().amax(-1),
        "next_share": following_shares(smallest, NEARLY).amax(-1),
        "time_ratio": time_ratios(half[..., -1]).amin(-1),
    }
    return measures, {
        "step": steps.to(torch.float64),
        "modes_learned": smallest.sum(1)[:, steps],
        "strength": target.strengths.clone(),
        "time_slope": slopes,
        "time_slope_law": law,
    }
