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
    AlignedDescent,
    aligned_contributions,
    aligned_sharpness,
    descend_aligned,
)
from dlnrepro.dynamics.pathways.closed_forms import (
    equality_limit,
    largest_stable_share,
    race_end,
    single_path_sharpness,
    stability_exponents,
)
from dlnrepro.dynamics.pathways.parallel_paths import peak_share
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, ORDERED, Positive
from dlnrepro.settings.pathways import AlignedPathSettings, StepRatio

MARGIN = 0.01
"""A run counts as limited by stability where x* lies this far below the share at which its race would end."""

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
    sizes = ratios / single_path_sharpness(params.strength, params.depth)
    start = _start(params, generators)
    records = log_grid(params.steps, RECORDS)
    trained = descend_aligned(
        start[:, None, :].expand(-1, params.points, -1),
        params.strength,
        params.depth,
        sizes,
        params.steps,
        params.window,
        records,
        progress,
    )
    measures, swept = _sweep(params, start, trained, ratios, sizes)
    last = trained.recorded[:, -1].mT
    carried = aligned_contributions(last, params.depth).abs()
    total = carried.sum(-1)
    share_in_time, share = carried.amax(-1) / total, swept["share_at_ratio"][:, -1]
    peak = peak_share(share_in_time, total >= 0.9 * params.strength, share)
    timed = {
        "step": torch.tensor(records, dtype=torch.float64),
        "share_at_step": share_in_time,
        "limit_at_step": float(sizes[-1]) * aligned_sharpness(last, params.depth),
    }
    return Result({"share": share, "peak_share": peak} | measures, swept | timed)


def _start(params: Params, generators: Sequence[Generator]) -> Tensor:
    """Layer scalars at the start, of shape (runs, paths), the first path ahead."""

    def scaled(row: Tensor) -> Tensor:
        whole = aligned_contributions(row, params.depth).sum()
        return params.start_scale * (params.strength / whole) ** (1 / params.depth) * row

    return each_run(scaled, params.relative_start(generators))


def _sweep(
    params: Params, start: Tensor, trained: AlignedDescent, ratios: Tensor, sizes: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The measures that compare the sweep with theory, and the series over step ratios."""
    depth, strength, law_depth = params.depth, params.strength, params.formula_depth
    limit = equality_limit(params.paths, law_depth)
    before = _shares(aligned_contributions(start, depth))
    shares = _shares(trained.mean.abs())
    law = _shares(each_run(lambda row: race_end(row, strength, depth, law_depth), start))
    stable = largest_stable_share(ratios, params.paths, law_depth)
    share, lead = shares.amax(-1), law.amax(-1, keepdim=True)
    expected = torch.minimum(lead, stable)
    sharp = sizes * aligned_sharpness(trained.weights, depth)
    losses = 0.5 * (aligned_contributions(trained.weights, depth).sum(-1) - strength) ** 2
    spread = share - shares.amin(-1)
    above = (ratios >= limit).expand_as(share)
    limited = ~above & (stable < lead - MARGIN)
    losers = law[:, 1:][:, None].expand_as(shares[..., 1:])
    error = torch.where(losers > 0, shares[..., 1:] / losers - 1, shares[..., 1:]).abs()
    return {
        "share_change": (shares - before[:, None]).abs().amax((-2, -1)),
        "law_error": error.amax((-2, -1)),
        "over_bound": (share - expected).amax(-1),
        "under_bound": (expected - share).amax(-1),
        "limit_low": -largest_where(-sharp, limited),
        "limit_high": largest_where(sharp, limited),
        "loss": largest_where(losses, limited),
        "spread": largest_where(spread, above),
        "leaving_ratio": first_position(1 - share > 2 * (1 - before.amax(-1, keepdim=True)), ratios / 2, share),
        "equality_ratio": first_position(from_here_on(spread < EQUAL), ratios / limit, share),
        "exponent_gap": stability_exponents(ratios, share, limited) - (2 - 2 / law_depth),
    }, {
        "step_ratio": ratios,
        "share_at_ratio": share,
        "stable_share": stable,
        "expected_share": expected,
        "limit_at_ratio": sharp,
    }


def _shares(carried: Tensor) -> Tensor:
    """The share of each path in what all paths carry together."""
    return carried / carried.sum(-1, keepdim=True)
