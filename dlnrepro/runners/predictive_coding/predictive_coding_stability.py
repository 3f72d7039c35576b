"""The largest stable step size of predictive coding in linear networks, from the spectrum of one step.

No inference is run. One step is applied to every basis vector, which gives the matrix by which activities and
multipliers move, and its eigenvalues determine whether the iteration converges. The step size eta at which the spectral
radius passes 1 is found by root finding and compared with closed forms. Here sigma is a singular value of the
constraints, rho the penalty and alpha the dual step. With the constraints alone (`loss_weight` 0) the limit is
4 / (sigma_max^2 (2 rho + alpha)). The curvature of the loss lowers it a little, to a limit that is again exact. Without
the loss, a complex eigenvalue mu of a mode has |mu|^2 = 1 - eta rho sigma^2: alpha changes its phase, not its modulus.
The matrix is compared with a step by automatic differentiation of the augmented Lagrangian.

Source: Seely, Gould 2026 (arXiv:2605.31022); formulas in `dlnrepro.dynamics.predictive_coding.closed_forms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.predictive_coding.closed_forms import (
    squared_moduli,
    stability_limit,
    stability_limit_with_loss,
)
from dlnrepro.dynamics.predictive_coding.iteration import (
    constraint_matrix,
    edge_of_stability,
    iteration_matrix,
    moving_part,
    spectral_radius,
)
from dlnrepro.dynamics.predictive_coding.network import Order, Rule, random_state
from dlnrepro.dynamics.predictive_coding.two_routes import matrix_error
from dlnrepro.dynamics.tensors.per_run import each, each_run
from dlnrepro.dynamics.tensors.processor import decomposed
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.fields import Share
from dlnrepro.settings.predictive_coding import PredictiveCodingSettings

SEARCH = (0.5, 2.0)
"""The range in which the edge of stability is sought, relative to the limit of the formula."""

COMPLEX = 1e-6
"""An eigenvalue with a smaller imaginary part counts as real. Rounding splits pairs of eigenvalues by far less."""


class Params(PredictiveCodingSettings):
    """A network, the formula of its largest stable step size, and the step sizes of its spectrum."""

    depth: int = Field(ge=3, le=32, description="depth L, the number of weight matrices")
    loss_weight: float = Field(ge=0, le=100, description="factor on the loss; 0 leaves only the constraints")
    modulus_ratio: Share = Field(
        description="step size at which the moduli of eigenvalues are measured, relative to the limit"
    )
    order: Order = Field(
        description="whether the multipliers see the residuals after the activities have moved (`alternating`, as in"
        " the theory) or before (`simultaneous`)"
    )
    law: Literal["constraints", "with-loss"] = Field(
        description="formula of the largest stable step size: `constraints` is the published one, which neglects the"
        " curvature of the loss; `with-loss` is exact"
    )
    law_modulus_dual_step: float = Field(
        ge=0, le=100, description="number added to the penalty rho in the formula of the moduli; 0 in the theory"
    )
    points: int = Field(
        ge=2, le=100, description="number of step sizes in the series, from 0.5 to 1.25 times the limit"
    )

    def numbers(self) -> int:
        """The matrix of one step with its eigenvalues at a few step sizes."""
        return 24 * (2 * (self.depth - 1) * self.hidden) ** 2


MEASURES = {
    "edge_gap": "step size at which the spectral radius of one step passes 1, divided by the limit of the formula,"
    f" minus 1; in [{SEARCH[0] - 1}, {SEARCH[1] - 1}]",
    "radius_below": "spectral radius of one step at 0.98 of the limit of the formula, >= 0",
    "radius_above": "spectral radius of one step at 1.02 of the limit of the formula, >= 0",
    "modulus_error": "largest distance of |mu|^2 of a complex eigenvalue mu from the nearest 1 - eta rho sigma^2 with"
    " a singular value sigma of the constraints, >= 0",
    "complex_share": "fraction of complex eigenvalues at the step size of the moduli, in [0, 1]",
    "route_error": "relative distance of the move of a random state by the matrix of one step from its move by"
    " automatic differentiation of the augmented Lagrangian, >= 0",
}

SERIES = {
    "step_ratio": Series("step_ratio", "step size eta divided by the limit of the formula"),
    "radius": Series("step_ratio", "spectral radius of one step of inference"),
}

FLAWS = {
    "limit-too-large": Flaw("the limit without the loss is too large by 5 %", "stability_limit", scaled(1.05)),
    "limit-too-small": Flaw("the limit without the loss is too small by 5 %", "stability_limit", scaled(0.95)),
    "limit-with-loss": Flaw(
        "the limit with the loss is too large by a millionth", "stability_limit_with_loss", scaled(1 + 1e-6)
    ),
    "moduli": Flaw("the predicted squared moduli are too large by 5 %", "squared_moduli", scaled(1.05)),
    "dual-step": Flaw(
        "the multipliers take steps that are 5 % longer than those of the formulas",
        "dlnrepro.dynamics.predictive_coding.iteration:step",
        lambda right: lambda chain, state, rule: right(chain, state, replace(rule, dual_step=1.05 * rule.dual_step)),
    ),
    "loss": Flaw(
        "the curvature of the loss is 5 % too large",
        "dlnrepro.dynamics.predictive_coding.network:output_error",
        scaled(1.05),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw networks, find the edge of stability of each of them, and measure the moduli of eigenvalues below it."""
    drawn = params.network(params.depth, params.hidden, 1, generators)
    chain = replace(drawn, last=drawn.last * params.loss_weight**0.5)
    penalty, dual_step, formula = params.constants(generators)
    singular = decomposed(torch.linalg.svdvals, constraint_matrix(chain))
    if params.law == "constraints":
        limit = stability_limit(singular[:, 0], penalty, formula)
    else:
        limit = stability_limit_with_loss(chain, penalty, formula)
    rule = Rule(limit, penalty, dual_step, order=params.order)
    ratios = torch.linspace(0.5, 1.25, params.points, dtype=torch.float64)
    edges, radii = [], []
    for index, _ in each(progress, len(generators)):
        one = rule.run(index)
        steps = [replace(one, step_size=one.step_size * ratio) for ratio in (*ratios, 0.98, 1.02)]
        edges.append(edge_of_stability(chain.run(index), one, *SEARCH))
        radii.append(torch.cat([spectral_radius(chain.run(index), step) for step in steps]))
    radius = torch.stack(radii)
    below = replace(rule, step_size=params.modulus_ratio * limit)
    error, share = _moduli(
        each_run(partial(decomposed, torch.linalg.eigvals), moving_part(chain, below)),
        squared_moduli(singular, below.step_size, penalty + params.law_modulus_dual_step),
    )
    state = random_state(chain, generators)
    measures = {
        "edge_gap": torch.tensor(edges, dtype=torch.float64) - 1,
        "radius_below": radius[:, -2],
        "radius_above": radius[:, -1],
        "modulus_error": error,
        "complex_share": share,
        "route_error": matrix_error(chain, iteration_matrix(chain, below), state, below),
    }
    return Result(measures, {"step_ratio": ratios, "radius": radius[:, :-2]})


def _moduli(values: Tensor, expected: Tensor) -> tuple[Tensor, Tensor]:
    """The largest distance of |mu|^2 of a complex eigenvalue from the nearest expected value, and the complex share.

    The distance is NaN if no eigenvalue is complex.
    """
    turned = values.imag.abs() > COMPLEX
    off = ((values.real**2 + values.imag**2)[:, :, None] - expected[:, None, :]).abs().amin(-1)
    error = torch.where(turned, off, 0.0).amax(-1)
    return torch.where(turned.any(-1), error, torch.nan), turned.to(torch.float64).mean(-1)
