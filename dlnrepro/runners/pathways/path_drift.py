"""A losing path beyond the edge of stability: at what rate it gains, from which step size on, and how long it takes.

Gradient descent of P aligned, balanced paths that share one mode of strength 1, at all points of a sweep together: over
step ratios gamma = eta L, from a start at the minimum of a single path, or over start scales, from a small start, at
one step ratio. Theory: z = w^-(L-2) of a losing path falls by (L-2) eta <r> in each step, <r> being the mean residual
of the single path's cycle of two; nothing up to gamma = 2, and 3 (L-2) / (2 (5L-4)) (gamma - 2) next to it.

Source: Kim, Lee 2026 (arXiv:2606.05219) for the limit and the restoration; the drift is derived here
(`dlnrepro.dynamics.pathways.drift_theory`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.pathways.aligned_drift import CHUNK, Drift, observe_drift
from dlnrepro.dynamics.pathways.aligned_paths import aligned_contributions
from dlnrepro.dynamics.pathways.drift_theory import LARGEST, cycle_residual, onset_slope
from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.runner import Progress, Result, Series


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=8, description="L, the number of weight matrices of each path")
    paths: int = Field(ge=2, le=8, description="P")
    lowest_ratio: float = Field(gt=0, le=LARGEST, description="gamma at the start of the sweep")
    highest_ratio: float = Field(gt=0, le=LARGEST, description="gamma at its end; the steps between are equal")
    lowest_scale: float = Field(gt=0, le=1, description="layer scalars of the start, over those at zero loss")
    highest_scale: float = Field(gt=0, le=1, description="the same at the sweep's end; quotients between are equal")
    points: int = Field(ge=4, le=100, description="of the sweep")
    loser_low: float = Field(ge=0, le=1, description="least layer scalar of a losing path over the winner's")
    loser_high: float = Field(ge=0, le=1, description="largest one; the draw is uniform between the two")
    steps: int = Field(ge=CHUNK, le=10**6, description="gradient steps, rounded up to a multiple of 500")
    law_depth: int = Field(ge=3, le=8, description="the depth that theory is told; another than L is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if self.loser_low > self.loser_high:
            raise ValueError("loser_low must not exceed loser_high")
        if self.lowest_ratio > self.highest_ratio or self.lowest_scale > self.highest_scale:
            raise ValueError("the low end of a sweep must not exceed its high end")
        if (self.lowest_ratio < self.highest_ratio) == (self.lowest_scale < self.highest_scale):
            raise ValueError("the sweep must be over step ratios or over start scales, one of them")
        return self

    def memory(self, runs: int) -> int:
        """The records of one chunk of steps, a few copies of them."""
        return 8 * runs * self.points * self.paths * (6 * CHUNK + 50) + 10**6


MEASURES = {
    "loser_share": "what the largest losing path carries of the mode when that is learned, the most over the sweep",
    "escaped": "the share of the sweep's points at which z of that path falls to 0.6 of what it was then, in [0, 1]",
    "drift_ratio": "the fall of z per step over (L-2) eta <r>, where it is farthest from 1 over the sweep; 0 if it did "
    "not fall at every point, or should not",
    "onset_gap": "the step ratio at which the drift vanishes, by a cubic in gamma, over 2, less 1; of the last "
    "step ratio instead if z did not fall at every point, or in a sweep over scales",
    "onset_slope": "the cubic's slope there over 3 (L-2) / (2 (5L-4)); 0 in these cases",
    "exponent_gap": "the exponent of the restoration time in the start scale, plus L-2; a time that is not reached has "
    "the exponent 0, and so has a sweep over step ratios",
    "time_ratio": "the restoration time's increase with z over 1 / ((L-2) eta <r>); 0 in these cases",
}

SERIES = {
    "step_ratio": Series("sweep", "gamma = eta L"),
    "start_scale": Series("sweep", "layer scalars of the start, over those at zero loss"),
    "drift": Series("sweep", "the fall of z per step; 0 where z does not fall"),
    "drift_law": Series("sweep", "(L-2) eta <r>, from the cycle of a single path"),
    "lag": Series("sweep", "z when the mode is learned"),
    "restoration_time": Series("sweep", "steps until the path carries 0.05 of the mode; all steps, if it never does"),
    "restoration_law": Series("sweep", "z over (L-2) eta <r>; all steps, if one of the two is not a number above 0"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Train all runs at all points of the sweep together, and hold them against the drift."""
    ratios = torch.linspace(params.lowest_ratio, params.highest_ratio, params.points, dtype=torch.float64)
    scales = tensor_of(np.geomspace(params.lowest_scale, params.highest_scale, params.points))
    start = _start(params, generators)[:, None] * scales[:, None]
    seen = observe_drift(start, params.depth, params.law_depth, ratios / params.depth, params.steps, progress)
    law = (params.law_depth - 2) * ratios / params.depth * cycle_residual(ratios, params.law_depth)
    gained = torch.isfinite(seen.drift)
    lost = seen.lost.any(-1)
    measures = {
        "loser_share": seen.share.amax(-1),
        "escaped": gained.to(torch.float64).mean(-1),
        "drift_ratio": each_run(lambda row: _farthest(row, law), seen.drift),
        **_onset(params, seen.drift, ratios),
        **_restoration(params, seen, scales, law),
    }
    whole = torch.full_like(law, params.steps)
    expected = torch.where((law > 0) & torch.isfinite(seen.lag), seen.lag / law, whole)
    series = {
        "step_ratio": ratios.expand_as(seen.lag),
        "start_scale": scales.expand_as(seen.lag),
        "drift": seen.drift.nan_to_num(0.0),
        "drift_law": law.expand_as(seen.lag),
        "lag": seen.lag,
        "restoration_time": torch.where(seen.regained.isnan(), whole, seen.regained),
        "restoration_law": expected,
    }
    return Result({name: torch.where(lost, torch.nan, value) for name, value in measures.items()}, series)


def _start(params: Params, generators: Sequence[Generator]) -> Tensor:
    """Layer scalars at zero loss, (runs, paths): the winner first, then losers at a drawn fraction of it."""
    losers = uniform((params.paths - 1,), params.loser_low, params.loser_high, generators)
    shape = torch.cat([losers.new_ones(len(generators), 1), losers], -1)
    return each_run(lambda row: row / aligned_contributions(row, params.depth).sum() ** (1 / params.depth), shape)


def _farthest(drift: Tensor, law: Tensor) -> Tensor:
    """The quotient farthest from 1 over a sweep, 0 where one of the two is missing."""
    quotients = torch.where(torch.isfinite(drift) & (law > 0), drift / law, torch.zeros_like(drift))
    return quotients[(quotients - 1).abs().argmax()]


def _onset(params: Params, drift: Tensor, ratios: Tensor) -> dict[str, Tensor]:
    """Where the drift begins and how steeply, by a cubic in gamma - 2."""
    last = drift.new_tensor([params.highest_ratio / 2 - 1, 0.0])

    def fitted(row: Tensor) -> Tensor:
        if not bool(torch.isfinite(row).all()) or params.lowest_ratio == params.highest_ratio:
            return last
        cubic = np.polynomial.Polynomial.fit(array_of(ratios - 2), array_of(row), 3)
        roots = cubic.roots()
        root = float(roots[np.abs(roots).argmin()].real)
        return row.new_tensor([root / 2, float(cubic.deriv()(root)) / onset_slope(params.law_depth)])

    both = each_run(fitted, drift)
    return {"onset_gap": both[:, 0], "onset_slope": both[:, 1]}


def _restoration(params: Params, seen: Drift, scales: Tensor, law: Tensor) -> dict[str, Tensor]:
    """How the restoration time grows as the start shrinks, by straight lines through the sweep."""
    never = scales.new_tensor([float(params.law_depth - 2), 0.0])

    def fitted(times: Tensor, lags: Tensor) -> Tensor:
        if not bool(torch.isfinite(times).all()) or params.lowest_scale == params.highest_scale:
            return never
        exponent = np.polynomial.Polynomial.fit(array_of(scales.log()), array_of(times.log()), 1).deriv()(0.0)
        rise = np.polynomial.Polynomial.fit(array_of(lags), array_of(times), 1).deriv()(0.0)
        return scales.new_tensor([float(exponent) + params.law_depth - 2, float(rise) * float(law[0])])

    both = each_run(fitted, seen.regained, seen.lag)
    return {"exponent_gap": both[:, 0], "time_ratio": both[:, 1]}
