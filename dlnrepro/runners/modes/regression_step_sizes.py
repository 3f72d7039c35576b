"""Gradient descent of an aligned linear regression at several step sizes: how does it converge, and up to which size?

W_l <- W_l - eta dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_2 W_1 or, in the control, one matrix. The
initialization (start) has the singular vectors of Z = sum_k sigma_k u_k v_k^T, which are those of S too, and small
strengths. The step size is given as the step ratio eta sigma_1. Theory: near the end, each step multiplies the error of
the first mode by 1 - 2 eta sigma_1. The mode converges from one side up to the ratio 1/2, from alternating sides up to
1, and not at all above 1.

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
from dlnrepro.runner import Flaw, Progress, Result, Series, negated, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import LawDepth, Positive, PositiveRange
from dlnrepro.settings.modes import RegressionSettings, Sweep
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.targets import at_most_as_many

WINDOW = (1e-9, 1e-4)
"""Range of errors in which the factor is measured: small enough for a linear equation, and large against rounding."""

POINTS = 150


class Params(RegressionSettings, DeepSettings):
    """An aligned regression, and the step sizes of its descents."""

    variance: Positive = Field(
        description="lambda_1, the variance of the inputs along the first mode; it is 1 along all others"
    )
    start: PositiveRange = Field(description="range of the initial strength of a mode, which is drawn log-uniformly")
    ratios: Sweep = Field(description="range of the step ratio eta sigma_1, the step size over its scale 1 / sigma_1")
    points: int = Field(ge=2, le=100, description="number of step ratios, evenly spaced")
    law_depth: LawDepth = Field(
        description="depth L used in the factor 1 - L eta sigma_1: `same` is the value of `depth`, which must then be"
        " 2, because the factor is derived for two layers; another value is a deliberately wrong formula, for"
        " negative controls"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """More modes than the hidden layer can hold; `same` for one layer, whose factor has another formula."""
        yield from super().contradictions()
        yield from at_most_as_many(self, "strengths", ["hidden"])
        if self.law_depth == "same" and self.depth == 1:
            yield Contradiction("law_depth", "a number for `depth: 1`, whose factor has another formula")

    def numbers(self) -> int:
        """The weights with their gradients, and two numbers at every step."""
        return self.points * (16 * self.hidden * (self.inputs + self.outputs) + 8 * self.steps)


MEASURES = {
    "factor_error": "largest |f - (1 - L eta sigma_1)| over the sweep, where f is the median factor by which a step"
    " multiplies the relative error of the first mode while that lies in [1e-9, 1e-4]; f is 0 if it never lies there",
    "turning_ratio": "eta sigma_1 at which the least-squares line through the measured factors is zero; the largest"
    " eta sigma_1 of the sweep if the line is level",
    "end_distance": "largest relative distance ||W - W_LS||_F / ||W_LS||_F of the product W from the least-squares"
    " solution W_LS at the end, over the sweep, >= 0",
    "least_end_distance": "smallest relative distance ||W - W_LS||_F / ||W_LS||_F of the product W from the"
    " least-squares solution W_LS at the end, over the sweep, >= 0",
}

SERIES = {
    "step_ratio": Series("step ratio", "step ratio eta sigma_1, the step size times the largest singular value of Z"),
    "factor": Series("step ratio", "measured factor by which a step multiplies the error of the first mode"),
    "factor_law": Series("step ratio", "predicted factor 1 - L eta sigma_1"),
    "step": Series("step", "number of gradient steps"),
    "distance": Series(
        "step",
        "relative distance ||W - W_LS||_F / ||W_LS||_F from the least-squares solution W_LS, at the largest step ratio",
    ),
}

FLAWS = {
    "factor": Flaw("the predicted factor is too large by 5 %", "contraction_factor", scaled(1.05)),
    "sign": Flaw("the predicted factor has the opposite sign", "contraction_factor", negated),
    "step": Flaw(
        "the descents take steps that are 5 % longer than those of the formula",
        "settling_path",
        lambda right: lambda weights, gradient, sizes, *rest: right(weights, gradient, 1.05 * sizes, *rest),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets and aligned initializations; descend at all step ratios at once; measure the factors."""
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
