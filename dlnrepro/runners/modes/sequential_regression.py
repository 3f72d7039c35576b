"""Gradient descent of a linear regression from smaller and smaller initializations: when is each mode learned?

W_l <- W_l - eta dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_2 W_1 or, in the control, one matrix. The
initialization (start) is epsilon times one Gaussian draw, for several values of epsilon. S has the right singular
vectors of Z = sum_i sigma_i u_i v_i^T.
Theory: the time at which mode i is learned grows with ln(1/epsilon) at the slope 1 / ln(1 + eta sigma_i), and so does
the interval between two modes. When a mode is learned, the share of the next one is a power of epsilon, and between two
modes the distance of W from the solution of reduced-rank regression is another power of epsilon.

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
from dlnrepro.dynamics.modes.learning_times import following_shares, mode_shares, passing_times
from dlnrepro.dynamics.modes.plateaus import PlateauLaw, approached_plateaus, plateau_matrices
from dlnrepro.dynamics.modes.sequential import next_share_exponents, plateau_exponents, time_slopes
from dlnrepro.dynamics.networks.plain import data_of, squared_error
from dlnrepro.dynamics.risks.squared_loss import (
    commuting_moment,
    leading_modes,
    mode_variances,
    reduced_rank,
    regression_gradient,
)
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.records import even_grid
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, Positive, SeveralStrengths, StepSize
from dlnrepro.settings.modes import RegressionSettings, Sweep
from dlnrepro.settings.numerals import numeral
from dlnrepro.settings.targets import at_most_as_many

HALF, NEARLY = 0.5, 0.9
POINTS = 150


class Params(RegressionSettings):
    """A regression with several modes, its initializations, and the descents from them."""

    strengths: SeveralStrengths
    variances: Annotated[tuple[Positive, ...], FROM_LIST] = Field(
        min_length=1,
        max_length=32,
        description="lambda_i, the variances of the inputs along the first right singular vectors v_i of Z; the"
        " variances along all other v_i are 1",
    )
    start: Sweep = Field(
        description="range of epsilon, the factor on the initial weights; slopes and powers are fitted over the range"
    )
    points: int = Field(ge=2, le=50, description="number of values of epsilon, evenly spaced in log epsilon")
    step_size: StepSize
    law: PlateauLaw = Field(
        description="plateaus that the theory predicts: the solutions of reduced-rank regression (`reduced-rank`), or"
        " the sums of the first modes in the order of sigma (`strengths`)"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """More variances than inputs; a step size that overshoots."""
        yield from super().contradictions()
        yield from at_most_as_many(self, "variances", ["inputs"])
        if self.step_size >= (limit := 1 / (2 * self.strengths[0] * (1 + self.jitter))):
            yield Contradiction(
                "step_size", f"a step size below 1 / (2 sigma_1), which is {numeral(limit, 3)} for the largest sigma_1"
            )

    def numbers(self) -> int:
        """The product at every step, three times over, and the weights."""
        return self.points * (3 * self.steps * self.inputs * self.outputs + 64 * self.hidden * self.inputs)


MEASURES = {
    "time_slope_error": "largest relative error over the modes i of the predicted slope dT_i / d ln(1/epsilon) = 1 /"
    " ln(1 + eta sigma_i), where T_i is the step at which mode i is half learned, >= 0; 1 if the times do not depend"
    " on epsilon",
    "interval_slope_error": "largest relative error over the modes i of the predicted slope d(T_(i+1) - T_i) /"
    " d ln(1/epsilon) of the interval between two modes, where T_i is the step at which mode i is half learned, >= 0; 1"
    " if the intervals do not depend on epsilon",
    "next_share": "largest share of its final value that a mode has when the mode before it reaches 0.9 of its own,"
    " from the smallest epsilon",
    "next_share_power_error": "largest absolute error over the modes of the predicted power of epsilon in the share"
    " that a mode has when the mode before it reaches 0.9 of its final value, >= 0; the power itself if the share does"
    " not depend on epsilon",
    "plateau": "largest over k of the smallest ||W - W_k||_F / ||W_k||_F along the descent from the smallest epsilon,"
    " where W is the product and W_k the reduced-rank solution of rank k or the sum of the first k modes, as `law`"
    " says, >= 0",
    "plateau_limit": "largest absolute value over k of the smallest distance ||W - W_k||_F / ||W_k||_F that is left as"
    " epsilon vanishes: the intercept of a line through the distances against epsilon to the predicted power (W_k as"
    " in `plateau`)",
    "plateau_power_error": "largest distance over k of the fitted power of epsilon in the smallest distance from W_k"
    " (as in `plateau`) from the interval between two predicted powers, >= 0; the smaller one of them if the distance"
    " does not depend on epsilon",
    "end_distance": "relative distance ||W - W_LS||_F / ||W_LS||_F of the product W from the least-squares solution"
    " W_LS at the end of the descent from the smallest epsilon, >= 0",
    "least_ratio": "smallest ratio sigma_i / sigma_(i+1) of neighbouring singular values of Z, above 1",
    "order_gap": "relative distance of the reduced-rank solution of rank 1 from the strongest mode, sigma_1 /"
    " lambda_1 u_1 v_1^T, in the Frobenius norm, >= 0",
}

SERIES = {
    "step": Series("step", "number of gradient steps"),
    "modes_learned": Series("step", "number of learned modes (sum of their shares), from the smallest epsilon"),
    "distance_to_rank_one": Series(
        "step",
        "relative distance ||W - W_1||_F / ||W_1||_F of the product W from the reduced-rank solution W_1 of rank 1"
        " (or the first mode, as the setting law says)",
    ),
    "strength": Series("mode", "singular value sigma_i of the mode in the target Z"),
    "time_slope": Series("mode", "growth dT_i / d ln(1/epsilon) of the learning time, in steps"),
    "time_slope_law": Series("mode", "predicted growth of the learning time, 1 / ln(1 + eta sigma_i) steps"),
    "start": Series("start", "scale epsilon of the initialization"),
    "first_plateau": Series(
        "start",
        "smallest relative distance ||W - W_1||_F / ||W_1||_F of the product W from the reduced-rank solution W_1 of"
        " rank 1 (or the first mode, as the setting law says)",
    ),
    "first_plateau_law": Series("start", "predicted power of epsilon, through the value at the smallest epsilon"),
}

FLAWS = {
    "slope": Flaw("the predicted growth of a learning time is too large by 5 %", "time_slopes", scaled(1.05)),
    "exponent": Flaw(
        "the predicted powers of epsilon are too large by 0.1",
        "plateau_exponents",
        lambda right: lambda *given: tuple(power + 0.1 for power in right(*given)),
    ),
    "share": Flaw(
        "the predicted power of epsilon in a share is too large by 0.15", "next_share_exponents", shifted(0.15)
    ),
    "plateau": Flaw(
        "the predicted solutions of rank k are too large by 5 %",
        "plateau_matrices",
        lambda right: lambda *given: [1.05 * matrix for matrix in right(*given)],
    ),
    "step": Flaw(
        "the descent takes steps that are 5 % longer than those of the formula",
        "product_path",
        lambda right: lambda weights, gradient, loss, size, *rest: right(weights, gradient, loss, 1.05 * size, *rest),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets and initializations; descend from all of them at once; measure times and plateaus."""
    target, starts = params.target(generators), falling_sweep(*params.start, params.points)
    weights = [starts[:, None, None] * draw[:, None] for draw in gaussian(params.widths, 1.0, generators)]
    spectrum = torch.ones(params.inputs, dtype=torch.float64)
    spectrum[: len(params.variances)] = torch.tensor(params.variances, dtype=torch.float64)
    moment, cross = commuting_moment(target, spectrum.expand(len(generators), -1)), target.matrix
    gradient = regression_gradient(moment[:, None], cross[:, None])
    loss = squared_error(*(part[:, None] for part in data_of(moment, cross)))
    path = product_path(weights, gradient, loss, params.step_size, params.steps, 1, progress)
    low, high = plateau_exponents(target.strengths, mode_variances(target, moment), params.step_size)
    plateaus = approached_plateaus(path, plateau_matrices(params.law, target, moment), starts, low)
    solution, first = reduced_rank(moment, cross, len(params.strengths)), plateaus.least[:, 0]
    learned, modes = _times(params, path, target, starts, moment)
    measures = {
        "plateau": plateaus.least[..., -1].amax(-1),
        "plateau_limit": plateaus.limits.abs().amax(-1),
        "plateau_power_error": torch.maximum(low - plateaus.powers, plateaus.powers - high).clamp_min(0).amax(-1),
        "end_distance": relative_distance(path[:, -1, -1], solution),
        "least_ratio": (target.strengths[:, :-1] / target.strengths[:, 1:]).amin(-1),
        "order_gap": relative_distance(reduced_rank(moment, cross, 1), leading_modes(target, moment, 1)),
    }
    series = {
        "start": starts,
        "first_plateau": first,
        "first_plateau_law": exponential_line(starts.log(), first, low[:, 0], torch.tensor(-1)),
        "distance_to_rank_one": plateaus.first[:, even_grid(params.steps, POINTS)],
    }
    return Result(learned | measures, modes | series)


def _times(
    params: Params, path: Tensor, target: Target, starts: Tensor, moment: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The measures and series of learning times, over steps and over modes."""
    finals = target.strengths / mode_variances(target, moment)
    shares = mode_shares(path, target, finals).movedim(-1, 1)
    steps, scales = even_grid(params.steps, POINTS), (1 / starts).log()
    slopes, law = slope(scales, passing_times(shares, HALF)), time_slopes(target.strengths, params.step_size)
    following = following_shares(shares, NEARLY)
    powers = slope(-scales, each_run(torch.log, following))
    measures = {
        "time_slope_error": (slopes / law - 1).abs().amax(-1),
        "interval_slope_error": (slopes.diff() / law.diff() - 1).abs().amax(-1),
        "next_share": following[..., -1].amax(-1),
        "next_share_power_error": (powers - next_share_exponents(target.strengths, params.step_size)).abs().amax(-1),
    }
    return measures, {
        "step": steps.to(torch.float64),
        "modes_learned": shares[:, :, -1].sum(1)[:, steps],
        "strength": target.strengths.clone(),
        "time_slope": slopes,
        "time_slope_law": law,
    }
