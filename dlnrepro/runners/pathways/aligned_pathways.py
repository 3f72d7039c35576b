"""Gradient descent of P aligned, balanced paths that share one mode, at every step size of a sweep.

    w_p <- w_p - eta w_p^(L-1) (sum_r w_r^L - s)

This is exactly how full matrices W_(p,l) = w_p I move under the loss 1/2 ||M - M*||_F^2. Path p carries w_p^L of the
mode with singular value s, and its share is w_p^L / sum_r w_r^L. The step size eta is given by the step ratio
gamma = eta S1, where S1 = L s^(2-2/L) is the sharpness when one path carries the mode alone. The sweep over gamma is a
further dimension of the tensors.

Theory: gradient flow from a small initialization (start) ends with shares x_law, by a conservation law; a zero-loss
solution is stable if its largest share is at most x*(gamma). So the largest share is min(x_law, x*).

In every run the first steps and the sharpness at the initialization are compared with those of full matrices by
automatic differentiation.

Source: Kim, Lee 2026 (arXiv:2606.05219) for the limits on gamma; the conservation law, the curve x*(gamma) and the
reduction to scalars are derived here (`dlnrepro.dynamics.pathways.closed_forms`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.sweeps import first_position, from_here_on, largest_where
from dlnrepro.dynamics.pathways import aligned_paths
from dlnrepro.dynamics.pathways.aligned_paths import (
    aligned_contributions,
    aligned_shares,
    aligned_sharpness,
    descend_aligned,
    scaled_start,
)
from dlnrepro.dynamics.pathways.closed_forms import most_kept, single_path_sharpness
from dlnrepro.dynamics.pathways.exponent_fits import stability_exponents
from dlnrepro.dynamics.pathways.parallel_paths import peak_share
from dlnrepro.dynamics.pathways.plain_paths import aligned_matrices, check_aligned_steps, check_sharpness
from dlnrepro.dynamics.pathways.share_laws import ShareLaw, share_law
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, ORDERED, Positive
from dlnrepro.settings.pathways import AlignedPathSettings, StepRatio

EQUAL = 1e-3
"""Shares that differ by less than this count as equal."""

RECORDS = 120

CHECKED = 2
"""The number of steps that are compared with those of full matrices."""


class Params(AlignedPathSettings):
    """Aligned paths, their initialization, and the step ratios at which they descend."""

    strength: Positive = Field(description="s, the singular value of the only mode of the target")
    start_scale: float = Field(
        gt=0,
        le=1,
        description="scale of the initialization: the w_p relative to those in the same proportion at zero loss, where"
        " every layer of path p is w_p times the identity",
    )
    ratios: Annotated[tuple[StepRatio, StepRatio], FROM_LIST, ORDERED] = Field(
        description="range of the step ratio gamma = eta L s^(2-2/L) in the sweep, where eta is the step size"
    )
    points: int = Field(ge=1, le=200, description="number of values of gamma in the sweep, evenly spaced")
    steps: int = Field(ge=1, le=10**6, description="number of gradient steps")
    window: int = Field(
        ge=2,
        le=10**5,
        multiple_of=2,
        description="number of steps at the end over which shares are averaged; it is even, because the residual"
        " alternates in sign above the stability limit",
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """An average over more steps than the descent has."""
        yield from super().contradictions()
        if self.window > self.steps:
            yield Contradiction("window", f"at most {self.steps}, the number of steps")

    def numbers(self) -> int:
        """The powers of the layer scalars, some copies of them, and the records."""
        return self.points * self.paths * (self.depth + 12 + RECORDS)


MEASURES = {
    "share": "largest share of the mode that one path carries at the last gamma of the sweep, from the mean over the"
    " last steps, in [1/P, 1]",
    "peak_share": "largest share of one path at the last gamma of the sweep, over the records from the first one on at"
    " which 90 % of the mode is learned; it equals `share` if there is none",
    "start_share": "largest share of the mode that one path carries at the initialization, in [1/P, 1]",
    "most_kept": "largest part of its share at the initialization that a losing path can keep to the end, by a bound"
    " from the conservation law of gradient flow, at most 1: c^L (1 - rho^(L-2))^(-L/(L-2)), where c^L is the part of"
    " the mode that all paths carry at the initialization, and rho the largest layer scalar of a losing path relative"
    " to that of the winner; 1 for L = 2",
    "share_change": "largest change of the share of any path from the initialization to the end, over the sweep, in"
    " [0, 1]",
    "law_error": "largest |x / x_law - 1| over the losing paths and the gammas of the sweep, where x is the share at"
    " the end and x_law the share by the conservation law of gradient flow; |x| for a path with x_law = 0",
    "over_bound": "largest amount by which the largest share exceeds min(x_law, x*) in the sweep; x_law is the share by"
    " the conservation law of gradient flow, x* the largest share that stability allows",
    "under_bound": "largest amount by which the largest share falls below min(x_law, x*) in the sweep; x_law is the"
    " share by the conservation law of gradient flow, x* the largest share that stability allows",
    "limit_low": "smallest step size times sharpness at the end, over the gammas where stability limits the share"
    " (the largest stable share x* is below x_law - 0.01, with x_law the share by the conservation law, and gamma <"
    " 2 P^(1-2/L) for P paths); over the whole sweep if there are none",
    "limit_high": "largest step size times sharpness at the end, over the gammas where stability limits the share"
    " (the largest stable share x* is below x_law - 0.01, with x_law the share by the conservation law, and gamma <"
    " 2 P^(1-2/L) for P paths); over the whole sweep if there are none",
    "loss": "largest loss 1/2 (sum_p w_p^L - s)^2 at the end, over the gammas where stability limits the share"
    " (the largest stable share x* is below x_law - 0.01, with x_law the share by the conservation law, and gamma <"
    " 2 P^(1-2/L) for P paths); over the whole sweep if there are none",
    "spread": "largest difference between the largest and the smallest share at the end, over the gammas of at least"
    " 2 P^(1-2/L), or over the whole sweep if there are none, in [0, 1]",
    "leaving_ratio": "smallest gamma / 2 of the sweep at which the share of all losing paths together more than"
    " doubles; the last gamma / 2 if it never does",
    "equality_ratio": "smallest gamma / (2 P^(1-2/L)) from which on all shares agree within 1e-3 in the sweep; the last"
    " gamma / (2 P^(1-2/L)) if they do not agree there",
    "exponent_gap": "beta - (2-2/L), where beta is fitted to x^beta + (1-x)^beta = gamma_c / gamma over the gammas"
    " where stability limits the largest share x (for two paths); NaN if there are fewer than three such gammas",
}

SERIES = {
    "step_ratio": Series("step ratio", "step ratio gamma = eta S1"),
    "share_at_ratio": Series("step ratio", "largest share of one path at the end"),
    "stable_share": Series("step ratio", "largest share x* that stability allows"),
    "expected_share": Series("step ratio", "largest share by theory, min(x_law, x*)"),
    "limit_at_ratio": Series("step ratio", "step size times sharpness at the end"),
    "step": Series("step", "number of gradient steps"),
    "share_at_step": Series("step", "largest share of one path, at the last gamma"),
    "limit_at_step": Series("step", "step size times sharpness, at the last gamma"),
}

_LAWS = "dlnrepro.dynamics.pathways.share_laws"

FLAWS = {
    "conservation-law": Flaw(
        "the conserved power is that of a depth that is 5 % too large",
        f"{_LAWS}:race_end",
        lambda right: lambda start, strength, depth, law_depth: right(start, strength, depth, 1.05 * law_depth),
    ),
    "smaller-stable-share": Flaw("x* is 5 % too small", f"{_LAWS}:largest_stable_share", scaled(0.95)),
    "larger-stable-share": Flaw("x* is 5 % too large", f"{_LAWS}:largest_stable_share", scaled(1.05)),
    "exponent": Flaw("the fitted exponent beta is too large by 0.1", "stability_exponents", shifted(0.1)),
    "flatter": Flaw("the sharpness is 5 % too small", "aligned_sharpness", scaled(0.95)),
    "sharper": Flaw("the sharpness is 5 % too large", "aligned_sharpness", scaled(1.05)),
    "small-steps": Flaw("the steps are 5 % too small", "single_path_sharpness", scaled(1 / 0.95)),
    "large-steps": Flaw("the steps are 5 % too large", "single_path_sharpness", scaled(1 / 1.05)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Train all runs at all values of gamma together, and compare them with the closed forms."""
    ratios = torch.linspace(*params.ratios, params.points, dtype=torch.float64)
    depth, strength, points = params.depth, params.strength, params.points
    sizes = ratios / single_path_sharpness(strength, depth)
    start = scaled_start(params.relative_start(generators), strength, depth, params.start_scale)
    records = log_grid(params.steps, RECORDS)
    swept = start[:, None, :].expand(-1, points, -1)
    _check(swept, strength, depth, sizes)
    trained = descend_aligned(swept, strength, depth, sizes, params.steps, params.window, records, progress)
    law = share_law(ratios, start, strength, depth, params.formula_depth)
    sharp = sizes * aligned_sharpness(trained.weights, depth)
    shares = aligned_shares(trained.mean.abs())
    share = shares.amax(-1)
    last = trained.recorded[:, -1].mT
    carried = aligned_contributions(last, depth).abs()
    total = carried.sum(-1)
    measures = _over_the_sweep(params, law, start, shares) | {
        "share": share[:, -1],
        "peak_share": peak_share(carried.amax(-1) / total, total >= 0.9 * strength, share[:, -1]),
        "limit_low": -largest_where(-sharp, law.limited),
        "limit_high": largest_where(sharp, law.limited),
        "loss": largest_where(
            0.5 * (aligned_contributions(trained.weights, depth).sum(-1) - strength) ** 2, law.limited
        ),
    }
    series = {
        "step_ratio": ratios,
        "share_at_ratio": share,
        "stable_share": law.stable,
        "expected_share": law.largest,
        "limit_at_ratio": sharp,
        "step": torch.tensor(records, dtype=torch.float64),
        "share_at_step": carried.amax(-1) / total,
        "limit_at_step": float(sizes[-1]) * aligned_sharpness(last, depth),
    }
    return Result(measures, series)


def _check(start: Tensor, strength: float, depth: int, sizes: Tensor) -> None:
    """Compare the first steps, and the sharpness at the initialization, with those of full matrices by autograd."""
    first = descend_aligned(start, strength, depth, sizes, CHECKED, 2, (), lambda *_: None).weights
    check_aligned_steps(first, start, strength, depth, sizes, CHECKED)
    initial = start[:, 0]
    check_sharpness(aligned_paths.aligned_sharpness(initial, depth), aligned_matrices(initial, depth))


def _over_the_sweep(params: Params, law: ShareLaw, start: Tensor, shares: Tensor) -> dict[str, Tensor]:
    """The measures that compare the shares at the end, of shape (runs, points, paths), with theory."""
    before, share = aligned_shares(aligned_contributions(start, params.depth)), shares.amax(-1)
    spread, left = share - shares.amin(-1), 2 * (1 - before.amax(-1, keepdim=True))
    return {
        "start_share": before.amax(-1),
        "most_kept": each_run(lambda scalars: most_kept(scalars, params.strength, params.depth), start),
        "share_change": (shares - before[:, None]).abs().amax((-2, -1)),
        "law_error": law.losers_error(shares).amax((-2, -1)),
        "over_bound": (share - law.largest).amax(-1),
        "under_bound": (law.largest - share).amax(-1),
        "spread": largest_where(spread, law.equal),
        "leaving_ratio": first_position(1 - share > left, law.ratios / 2, share),
        "equality_ratio": first_position(from_here_on(spread < EQUAL), law.ratios / law.limit, share),
        "exponent_gap": stability_exponents(law.ratios, share, law.limited) - (2 - 2 / params.formula_depth),
    }
