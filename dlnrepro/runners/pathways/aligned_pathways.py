"""Gradient descent of P aligned, balanced paths that share one mode, at every step size of a sweep.

w_p <- w_p - eta w_p^(L-1) (sum_r w_r^L - s): what full matrices W_l = w I do under 1/2 ||M - M*||_F^2, exactly. The
step size is given as the step ratio gamma = eta S1, S1 = L s^(2-2/L) being the sharpness of the mode when one
path carries it alone; a sweep over gamma is a further dimension of the tensors. Path p carries w_p^L of the mode,
which over their sum is its share.

Source: Kim, Lee 2026 (arXiv:2606.05219); the conservation law, the curve x*(gamma) and the reduction to scalars
are derived here (`dlnrepro.dynamics.pathways.closed_forms`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from pydantic import BaseModel, Field, model_validator
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
from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.runner import Progress, Result, Series

MARGIN = 0.01
"""A run counts as limited by stability where x* lies this far below the share at which its race would end."""

EQUAL = 1e-3
"""Shares that differ by less count as equal."""

RECORDS = 120


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=8, description="L, the number of weight matrices of each path")
    paths: int = Field(ge=2, le=8, description="P")
    strength: float = Field(gt=0, le=100, description="s, the target's singular value")
    start_scale: float = Field(gt=0, le=1, description="the start's layer scalars, over those at zero loss")
    loser_low: float = Field(ge=0, le=1, description="least layer scalar of a losing path over the winner's")
    loser_high: float = Field(ge=0, le=1, description="largest one; the draw is uniform between the two")
    lowest_ratio: float = Field(gt=0, le=10, description="gamma at the start of the sweep")
    highest_ratio: float = Field(gt=0, le=10, description="gamma at its end")
    points: int = Field(ge=1, le=200, description="how many step ratios, evenly spaced")
    steps: int = Field(ge=1, le=10**6, description="gradient steps")
    window: int = Field(ge=2, le=10**5, description="over how many last steps contributions are averaged; even")
    law_depth: int = Field(ge=2, le=8, description="the depth that theory is told; another than L is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if self.loser_low > self.loser_high:
            raise ValueError("loser_low must not exceed loser_high")
        if self.lowest_ratio > self.highest_ratio:
            raise ValueError("lowest_ratio must not exceed highest_ratio")
        if self.window % 2 or self.window > self.steps:
            raise ValueError("window must be even, for beyond the edge the residual alternates, and at most steps")
        return self

    def memory(self, runs: int) -> int:
        """The powers of the layer scalars, a few copies of them, and the records."""
        return 8 * runs * self.points * self.paths * (self.depth + 12 + RECORDS)


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
    """Train all runs at all step ratios together, and hold them against the closed forms."""
    ratios = torch.linspace(params.lowest_ratio, params.highest_ratio, params.points, dtype=torch.float64)
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
    swept, law = _sweep(params, start, trained, ratios, sizes)
    timed = _in_time(params, trained.recorded[:, -1], float(sizes[-1]), records)
    share = swept["share_at_ratio"][:, -1]
    learned = timed.pop("learned").cummax(-1).values >= 0.9 * params.strength
    after = torch.where(learned, timed["share_at_step"], 0).amax(-1)
    measures = {"share": share, "peak_share": torch.where(learned.any(-1), torch.maximum(after, share), share)}
    return Result(measures | law, swept | timed)


def _start(params: Params, generators: Sequence[Generator]) -> Tensor:
    """Layer scalars (runs, paths): the winner first, then losers at a drawn fraction of it."""
    losers = uniform((params.paths - 1,), params.loser_low, params.loser_high, generators)
    shape = torch.cat([losers.new_ones(len(generators), 1), losers], -1)

    def scaled(row: Tensor) -> Tensor:
        whole = aligned_contributions(row, params.depth).sum()
        return params.start_scale * (params.strength / whole) ** (1 / params.depth) * row

    return each_run(scaled, shape)


def _in_time(params: Params, recorded: Tensor, size: float, records: Sequence[int]) -> dict[str, Tensor]:
    """The series over steps at the last step ratio, and how much of the mode is learned."""
    weights = recorded.mT
    contributions = aligned_contributions(weights, params.depth).abs()
    learned = contributions.sum(-1)
    return {
        "step": torch.tensor(records, dtype=torch.float64).expand(len(weights), -1),
        "share_at_step": contributions.amax(-1) / learned,
        "limit_at_step": size * aligned_sharpness(weights, params.depth),
        "learned": learned,
    }


def _sweep(
    params: Params, start: Tensor, trained: AlignedDescent, ratios: Tensor, sizes: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The series over step ratios, and the measures that hold them against theory."""
    depth, paths, strength = params.depth, params.paths, params.strength
    limit = equality_limit(paths, params.law_depth)
    before = aligned_contributions(start, depth) / aligned_contributions(start, depth).sum(-1, keepdim=True)
    carried = trained.mean.abs()
    shares = carried / carried.sum(-1, keepdim=True)
    share = shares.amax(-1)
    law = each_run(lambda row: race_end(row, strength, depth, params.law_depth), start)
    law = law / law.sum(-1, keepdim=True)
    stable = largest_stable_share(ratios, paths, params.law_depth).expand_as(share)
    expected = torch.minimum(law.amax(-1, keepdim=True), stable)
    sharp = sizes * aligned_sharpness(trained.weights, depth)
    losses = 0.5 * (aligned_contributions(trained.weights, depth).sum(-1) - strength) ** 2
    spread = share - shares.amin(-1)
    above = (ratios >= limit).expand_as(share)
    limited = ~above & (stable < law.amax(-1, keepdim=True) - MARGIN)
    losers = law[:, 1:][:, None].expand_as(shares[..., 1:])
    error = torch.where(losers > 0, shares[..., 1:] / losers - 1, shares[..., 1:]).abs()
    return {
        "step_ratio": ratios.expand_as(share),
        "share_at_ratio": share,
        "stable_share": stable,
        "expected_share": expected,
        "limit_at_ratio": sharp,
    }, {
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
        "exponent_gap": stability_exponents(ratios, share, limited) - (2 - 2 / params.law_depth),
    }
