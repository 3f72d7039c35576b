"""Gradient descent of a linear regression at several step sizes: how does it converge, and up to which size?

W_l <- W_l - eta dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_2 W_1 or, in the control, one matrix. The
initialization (start) is small. It has the singular vectors of Z = sum_k sigma_k u_k v_k^T, which are those of S too,
or it is Gaussian. The variances of the inputs along v_k are lambda_k. Theory: near the end, each step multiplies the
error of the first mode by 1 - 2 eta sigma_1. The network converges to the balanced solution if eta is below 2 / c, with
c the largest curvature there. For white inputs c is 2 sigma_1, and no solution has a smaller one, so the limit is
eta sigma_1 = 1 from any start.

Source: the setting and the kind of statement are those of Gidel, Bach and Lacoste-Julien (2019, arXiv:1904.13262);
the factor and the curvature are derived in `dlnrepro.dynamics.modes.sequential`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import zero_of_line
from dlnrepro.dynamics.modes.descents import settling_path
from dlnrepro.dynamics.modes.sequential import contraction_factor, largest_curvature
from dlnrepro.dynamics.modes.settling import settling_factors
from dlnrepro.dynamics.networks.plain import data_of, squared_error
from dlnrepro.dynamics.risks.squared_loss import commuting_moment, regression_gradient
from dlnrepro.dynamics.starts.balanced import balanced_layers, draw_mode_strengths
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.starts.targets import Target
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
    """A regression, and the step sizes of its descents."""

    variance: Positive = Field(description="lambda_1, the variance of the inputs along the first mode")
    other_variances: PositiveRange = Field(
        description="range of the variances of the inputs along all other v_k, which are drawn log-uniformly"
    )
    basis: Literal["aligned", "random"] = Field(
        description="initialization: balanced layers with the singular vectors of Z (`aligned`), or Gaussian layers of"
        " the same size (`random`)"
    )
    start: PositiveRange = Field(
        description="range of the initial strength of a mode, which is drawn log-uniformly; entries of Gaussian layers"
        " have the standard deviation sqrt(strength / fan-in)"
    )
    ratios: Sweep = Field(
        description="range of the step ratio eta c / 2, where c is the largest curvature at the balanced solution of"
        " two layers; for white inputs this is eta sigma_1"
    )
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
    " multiplies the relative error of the first mode while that lies in [1e-9, 1e-4]; NaN if it never lies there",
    "turning_ratio": "eta sigma_1 at which the least-squares line through the measured factors is zero; the largest"
    " eta sigma_1 of the sweep if the line is level",
    "end_distance": "largest relative distance ||W - W_LS||_F / ||W_LS||_F of the product W from the least-squares"
    " solution W_LS at the end, over the sweep, >= 0",
    "least_end_distance": "smallest relative distance ||W - W_LS||_F / ||W_LS||_F of the product W from the"
    " least-squares solution W_LS at the end, over the sweep, >= 0",
}

SERIES = {
    "step_ratio": Series("step ratio", "step size times the largest singular value of Z, eta sigma_1"),
    "factor": Series("step ratio", "measured factor by which a step multiplies the error of the first mode"),
    "factor_law": Series("step ratio", "predicted factor 1 - L eta sigma_1"),
    "step": Series("step", "number of gradient steps"),
    "distance": Series(
        "step",
        "relative distance ||W - W_LS||_F / ||W_LS||_F from the least-squares solution W_LS, at the largest step ratio",
    ),
}


def _steps_times(factor: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The change of `settling_path` into one that takes longer or shorter steps."""
    return lambda right: (
        lambda weights, gradient, loss, sizes, *rest: right(weights, gradient, loss, factor * sizes, *rest)
    )


FLAWS = {
    "factor": Flaw("the predicted factor is too large by 5 %", "contraction_factor", scaled(1.05)),
    "sign": Flaw("the predicted factor has the opposite sign", "contraction_factor", negated),
    "curvature": Flaw(
        "the largest curvature is 2 sigma_1 for all inputs",
        "largest_curvature",
        lambda right: (
            lambda ends, spread, rows: right(ends * spread[:, : ends.shape[1]], torch.ones_like(spread), rows)
        ),
    ),
    "step": Flaw(
        "the descents take steps that are 4 % longer than those of the formula", "settling_path", _steps_times(1.04)
    ),
    "long-step": Flaw(
        "the descents take steps that are 10 % longer than those of the formula", "settling_path", _steps_times(1.1)
    ),
    "short-step": Flaw(
        "the descents take steps that are 10 % shorter than those of the formula", "settling_path", _steps_times(0.9)
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, inputs and initializations; descend at all step ratios at once; measure the factors."""
    target, modes = params.target(generators), len(params.strengths)
    variances = _variances(params, generators)
    moment = commuting_moment(target, variances)
    finals = target.strengths / variances[:, :modes]
    sweep = torch.linspace(*params.ratios, params.points, dtype=torch.float64)
    limits = 2 / largest_curvature(finals, variances, params.outputs)
    sizes = sweep * limits[:, None]
    recorded = settling_path(
        _start(params, target, generators),
        regression_gradient(moment[:, None], target.matrix[:, None]),
        squared_error(*(part[:, None] for part in data_of(moment, target.matrix))),
        sizes,
        target,
        finals,
        params.steps,
        progress,
    )
    factors, ratios = settling_factors(recorded["error"], WINDOW), sizes * target.strengths[:, :1]
    law = contraction_factor(ratios, params.formula_depth)
    end, steps = recorded["distance"][..., -1], even_grid(params.steps, POINTS)
    measures = {
        "factor_error": (factors - law).abs().amax(-1),
        "turning_ratio": zero_of_line(sweep, factors) * limits * target.strengths[:, 0],
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


def _variances(params: Params, generators: Sequence[Generator]) -> Tensor:
    """The variances of the inputs along v_1, v_2, ..., of shape (runs, n_0); white inputs draw nothing."""
    low, high = params.other_variances
    first = torch.full((len(generators), 1), params.variance, dtype=torch.float64)
    if low == high:
        return torch.cat([first, torch.full((len(generators), params.inputs - 1), low, dtype=torch.float64)], -1)
    return torch.cat([first, draw_mode_strengths(low, high, params.inputs - 1, generators)], -1)


def _start(params: Params, target: Target, generators: Sequence[Generator]) -> list[Tensor]:
    """Balanced layers in the basis of the target, or Gaussian layers."""
    modes = len(params.strengths)
    starts = draw_mode_strengths(*params.start, modes, generators)
    if params.basis == "aligned":
        bases = target.left[..., :modes], starts, target.right[..., :modes]
        return balanced_layers(*bases, params.widths[1:-1], generators)
    scales = starts[:, :1, None].sqrt()
    return [scales * layer for layer in gaussian(params.widths, 1.0, generators)]
