"""Gradient descent of P aligned, balanced paths that share one mode, at every step size of a sweep.

w_p <- w_p - eta w_p^(L-1) (sum_r w_r^L - s): what full matrices W_l = w I do under 1/2 ||M - M*||_F^2, exactly. The
step size is given as the step ratio gamma = eta S1, S1 = L s^(2-2/L) being the sharpness of the mode when one
path carries it alone; a sweep over gamma is a further dimension of the tensors. Path p carries w_p^L of the mode,
which over their sum is its share.

Source: Kim, Lee 2026 (arXiv:2606.05219); the conservation law, the curve x*(gamma) and the reduction to scalars
are derived here (`dlnrepro.dynamics.pathways.closed_forms`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.sweeps import first_position, from_here_on, largest_where
from dlnrepro.dynamics.pathways.aligned_paths import (
    aligned_contributions,
    aligned_shares,
    aligned_sharpness,
    descend_aligned,
    scaled_start,
)
from dlnrepro.dynamics.pathways.closed_forms import single_path_sharpness, stability_exponents
from dlnrepro.dynamics.pathways.parallel_paths import peak_share
from dlnrepro.dynamics.pathways.share_laws import ShareLaw, share_law
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, ORDERED, Positive
from dlnrepro.settings.pathways import AlignedPathSettings, StepRatio

EQUAL = 1e-3
"""Shares that differ by less count as equal."""

RECORDS = 120


class Params(AlignedPathSettings):
    """Aligned paths, the start from which they race, and the step ratios at which they descend."""

    strength: Positive = Field(description="s, the singular value of the target's only mode")
    start_scale: float = Field(
        gt=0, le=1, description="layer scalars at the start, over those at which the paths together carry the mode"
    )
    ratios: Annotated[tuple[StepRatio, StepRatio], FROM_LIST, ORDERED] = Field(
        description="range of the step ratio gamma = eta L s^(2-2/L) in the sweep"
    )
    points: int = Field(ge=1, le=200, description="number of step ratios in the sweep, evenly spaced")
    steps: int = Field(ge=1, le=10**6, description="number of gradient steps")
    window: int = Field(
        ge=2,
        le=10**5,
        multiple_of=2,
        description="number of last steps over which contributions are averaged; even, because the residual"
        " alternates in sign beyond the edge of stability",
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """A window that is longer than the descent."""
        yield from super().contradictions()
        if self.window > self.steps:
            yield Contradiction("window", f"at most {self.steps}, the number of steps")

    def numbers(self) -> int:
        """The powers of the layer scalars, some copies of them, and the records."""
        return self.points * self.paths * (self.depth + 12 + RECORDS)


MEASURES = {
    "share": "the largest path's share of the mode at the sweep's last step ratio, window mean, in [1/P, 1]",
    "peak_share": "the largest share recorded there once 90 % of the mode is learned; share, if it never is",
    "share_change": "the largest change of any path's share from start to end, over the sweep, in [0, 1]",
    "law_error": "the largest |x / x_law - 1| of a losing path over the sweep, x_law by the conservation law; 0 for "
    "a path that starts and stays at zero",
    "over_bound": "the largest x - min(x_law, x*) over the sweep: how far a largest share exceeds what the race "
    "leaves or stability allows, whichever is less",
    "under_bound": "the largest min(x_law, x*) - x over the sweep",
    "limit_low": "the least eta x sharpness at the end among the step ratios where x* < x_law - 0.01 and gamma < "
    "2 P^(1-2/L); over all of them, if there are none",
    "limit_high": "the largest eta x sharpness, over the same step ratios",
    "loss": "the largest 1/2 (sum q - s)^2 at the end, over the same step ratios",
    "spread": "the largest share less the smallest, the largest such difference over the step ratios of at least "
    "2 P^(1-2/L); over all of them, if there are none",
    "leaving_ratio": "the least gamma / 2 of the sweep at which the losers' share more than doubles; the last "
    "gamma / 2, if it does nowhere",
    "equality_ratio": "the least gamma / (2 P^(1-2/L)) from which on all shares of the sweep agree within 1e-3; the "
    "last one, if they do not agree there",
    "exponent_gap": "beta - (2-2/L), beta being fitted to x^beta + (1-x)^beta = gamma_c / gamma over the limited "
    "step ratios (two paths); -(2-2/L) if there are fewer than three, or more paths",
}

SERIES = {
    "step_ratio": Series("step ratio", "gamma = eta S1"),
    "share_at_ratio": Series("step ratio", "the largest path's share at the end, window mean"),
    "stable_share": Series("step ratio", "x*(gamma): the largest share that stability allows"),
    "expected_share": Series("step ratio", "min(x_law, x*): what the race leaves, up to the stability limit"),
    "limit_at_ratio": Series("step ratio", "eta x sharpness at the end"),
    "step": Series("step", "gradient steps taken"),
    "share_at_step": Series("step", "the largest path's share, at the last step ratio"),
    "limit_at_step": Series("step", "eta x sharpness, at the last step ratio"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Train all runs at all step ratios together, and compare them with the closed forms."""
    ratios = torch.linspace(*params.ratios, params.points, dtype=torch.float64)
    depth, strength, points = params.depth, params.strength, params.points
    sizes = ratios / single_path_sharpness(strength, depth)
    start = scaled_start(params.relative_start(generators), strength, depth, params.start_scale)
    records = log_grid(params.steps, RECORDS)
    swept = start[:, None, :].expand(-1, points, -1)
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


def _over_the_sweep(params: Params, law: ShareLaw, start: Tensor, shares: Tensor) -> dict[str, Tensor]:
    """The measures that compare the shares at the end, (runs, points, paths), with theory."""
    before, share = aligned_shares(aligned_contributions(start, params.depth)), shares.amax(-1)
    spread, left = share - shares.amin(-1), 2 * (1 - before.amax(-1, keepdim=True))
    return {
        "share_change": (shares - before[:, None]).abs().amax((-2, -1)),
        "law_error": law.losers_error(shares).amax((-2, -1)),
        "over_bound": (share - law.largest).amax(-1),
        "under_bound": (law.largest - share).amax(-1),
        "spread": largest_where(spread, law.equal),
        "leaving_ratio": first_position(1 - share > left, law.ratios / 2, share),
        "equality_ratio": first_position(from_here_on(spread < EQUAL), law.ratios / law.limit, share),
        "exponent_gap": stability_exponents(law.ratios, share, law.limited) - (2 - 2 / params.formula_depth),
    }
