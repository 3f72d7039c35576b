"""How a losing path gains at large step sizes: at what rate, above which step size, and how long it takes.

Gradient descent of P aligned, balanced paths that share one mode of strength 1, at all points of a sweep together:
over step ratios gamma = eta L (eta is the step size), from an initialization (start) near the minimum of a single path;
or over the scale of a small initialization, at one gamma. The losing paths are all paths but the first. The layer
scalar w of the largest one is followed by z = w^-(L-2), which falls while the path gains.

Theory: z falls by (L-2) eta <r> in each step, where <r> is the mean of the residual r = 1 - w_1^L of a single path over
its cycle of two steps. This is zero up to gamma = 2, and 3 (L-2) / (2 (5L-4)) (gamma - 2) near gamma = 2.

In every run the first steps are compared with those of full matrices by automatic differentiation.

Source: Kim, Lee 2026 (arXiv:2606.05219) for the limit and the restoration; the drift of z is derived here
(`dlnrepro.dynamics.pathways.drift_theory`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.pathways.aligned_drift import CHUNK, observe_drift
from dlnrepro.dynamics.pathways.aligned_paths import aligned_contributions, descend_aligned
from dlnrepro.dynamics.pathways.drift_fits import farthest_ratio, onset, restoration
from dlnrepro.dynamics.pathways.drift_theory import LARGEST, cycle_residual, onset_slope
from dlnrepro.dynamics.pathways.plain_paths import check_aligned_steps
from dlnrepro.dynamics.tensors.arrays import tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, ORDERED
from dlnrepro.settings.pathways import AlignedPathSettings

CycleRatio = Annotated[float, Field(gt=0, le=LARGEST)]
StartScale = Annotated[float, Field(gt=0, le=1)]

CHECKED = 2
"""The number of steps that are compared with those of full matrices."""


class Params(AlignedPathSettings):
    """Aligned paths, and a sweep over step ratios or over initialization scales, whichever of the two is a range."""

    ratios: Annotated[tuple[CycleRatio, CycleRatio], FROM_LIST, ORDERED] = Field(
        description="range of the step ratio gamma = eta L, where eta is the step size, evenly spaced; its ends are"
        " equal in a sweep over `scales`"
    )
    scales: Annotated[tuple[StartScale, StartScale], FROM_LIST, ORDERED] = Field(
        description="range of the initialization scale, evenly spaced in its logarithm: the w_p relative to those at"
        " zero loss, where every layer of path p is w_p times the identity; its ends are equal in a sweep over `ratios`"
    )
    points: int = Field(ge=4, le=100, description="number of points of the sweep, over `ratios` or over `scales`")
    steps: int = Field(ge=CHUNK, le=10**6, description="number of gradient steps, rounded up to a multiple of 500")

    def contradictions(self) -> Iterable[Contradiction]:
        """A sweep over both ranges or over none, and formulas for a depth below 3, for which they do not hold."""
        yield from super().contradictions()
        if self.sweeps_ratios and self.scales[0] < self.scales[1]:
            yield Contradiction("scales", "equal ends, because the sweep is over ratios")
        if not self.sweeps_ratios and self.scales[0] == self.scales[1]:
            yield Contradiction("ratios", "a range to sweep over, because the ends of scales are equal")
        if self.formula_depth < 3:
            found = f"`same`, which is {self.depth}" if self.law_depth == "same" else None
            yield Contradiction("law_depth", "a depth of at least 3, for which the formulas hold", found)

    @property
    def sweeps_ratios(self) -> bool:
        """Whether the sweep is over step ratios."""
        return self.ratios[0] < self.ratios[1]

    def numbers(self) -> int:
        """The records of one chunk of steps, and some copies of them."""
        return self.points * self.paths * (6 * CHUNK + 50)


MEASURES = {
    "loser_share": "part of the mode that the largest losing path carries at the first step at which 90 % of the mode"
    " is learned; the largest value in the sweep",
    "least_fall": "1 - z / z_learned at the end, the smallest one in the sweep, where z = w^-(L-2) belongs to the layer"
    " scalar w of the largest losing path and z_learned is its value when the mode is learned, at most 1",
    "largest_fall": "1 - z / z_learned at the end, the largest one in the sweep, where z = w^-(L-2) belongs to the"
    " layer scalar w of the largest losing path and z_learned is its value when the mode is learned, at most 1",
    "drift_ratio": "fall of z = w^-(L-2) per step, with w the layer scalar of the largest losing path, divided by"
    " (L-2) eta <r> with the step size eta and the mean residual <r> of a single path, where this ratio is farthest"
    " from 1 in the sweep; NaN if z does not fall at every point, or is predicted not to",
    "onset_gap": "gamma / 2 - 1 at the gamma where the fall of z = w^-(L-2) per step vanishes, extrapolated by a"
    " cubic in gamma, with w the layer scalar of the largest losing path; NaN if z does not fall at every point or"
    " gamma is not swept",
    "onset_slope": "slope in gamma of the fall of z = w^-(L-2) per step, where it vanishes, divided by the predicted"
    " 3 (L-2) / (2 (5L-4)), with w the layer scalar of the largest losing path; NaN if z does not fall at every point"
    " or gamma is not swept",
    "exponent_gap": "exponent of the restoration time in the initialization scale, plus L-2; NaN if a time is not"
    " reached or the scale is not swept",
    "time_ratio": "increase of the restoration time per unit of z = w^-(L-2), with w the layer scalar of the largest"
    " losing path, divided by 1 / ((L-2) eta <r>) with the step size eta and the mean residual <r> of a single path;"
    " NaN if a time is not reached or the scale is not swept",
}

SERIES = {
    "step_ratio": Series("point of the sweep", "step ratio gamma = eta L"),
    "start_scale": Series(
        "point of the sweep", "scale alpha of the layer scalars at the initialization, relative to those at zero loss"
    ),
    "drift": Series(
        "point of the sweep",
        "fall of z = w^-(L-2) per step, with w the layer scalar of the largest losing path; 0 where z does not fall",
    ),
    "drift_law": Series(
        "point of the sweep", "predicted fall of z per step, (L-2) eta <r>, with <r> the mean residual of a single path"
    ),
    "lag": Series(
        "point of the sweep",
        "z = w^-(L-2) when the mode is learned, with w the layer scalar of the largest losing path",
    ),
    "restoration_time": Series(
        "point of the sweep",
        "restoration time: steps until the largest losing path carries 5 % of the mode; all steps if it never does",
    ),
    "restoration_law": Series(
        "point of the sweep",
        "predicted restoration time, z / ((L-2) eta <r>); all steps if there is no prediction",
    ),
}


def _with_steps(factor: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The change of `observe_drift` into one whose step sizes are too large by a factor."""
    return lambda right: (
        lambda start, depth, law_depth, sizes, *given: right(start, depth, law_depth, factor * sizes, *given)
    )


FLAWS = {
    "residual": Flaw("the mean residual of the cycle is 5 % too large", "cycle_residual", scaled(1.05)),
    "onset": Flaw("the prefactor of the law near gamma = 2 is 5 % too large", "onset_slope", scaled(1.05)),
    "times": Flaw(
        "the restoration time is read as its power 1.1",
        "restoration",
        lambda right: lambda times, lags, scales: right(times**1.1, lags, scales),
    ),
    "small-steps": Flaw("the steps are 5 % too small", "observe_drift", _with_steps(0.95)),
    "large-steps": Flaw("the steps are 5 % too large", "observe_drift", _with_steps(1.05)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Train all runs at all points of the sweep together, and compare the fall of z with the prediction."""
    ratios = torch.linspace(*params.ratios, params.points, dtype=torch.float64)
    scales = tensor_of(np.geomspace(*params.scales, params.points))
    start = _start(params, generators)[:, None] * scales[:, None]
    law_depth, sizes = params.formula_depth, ratios / params.depth
    first = descend_aligned(start, 1.0, params.depth, sizes, CHECKED, 2, (), lambda *_: None).weights
    check_aligned_steps(first, start, 1.0, params.depth, sizes, CHECKED)
    drift = observe_drift(start, params.depth, law_depth, sizes, params.steps, progress)
    law = (law_depth - 2) * ratios / params.depth * cycle_residual(ratios, law_depth)
    gap, slope = onset(drift.drift, ratios)
    exponent, rise = restoration(drift.regained, drift.lag, scales)
    measures = {
        "loser_share": drift.share.amax(-1),
        "least_fall": drift.fall.amin(-1),
        "largest_fall": drift.fall.amax(-1),
        "drift_ratio": farthest_ratio(drift.drift, law),
        "onset_gap": gap,
        "onset_slope": slope / onset_slope(law_depth),
        "exponent_gap": exponent + law_depth - 2,
        "time_ratio": rise * law[0],
    }
    all_steps = torch.full_like(law, params.steps)
    series = {
        "step_ratio": ratios,
        "start_scale": scales,
        "drift": drift.drift.nan_to_num(0.0),
        "drift_law": law,
        "lag": drift.lag,
        "restoration_time": torch.where(drift.regained.isnan(), all_steps, drift.regained),
        "restoration_law": torch.where((law > 0) & torch.isfinite(drift.lag), drift.lag / law, all_steps),
    }
    lost = drift.diverged.any(-1)
    return Result({name: torch.where(lost, torch.nan, value) for name, value in measures.items()}, series)


def _start(params: Params, generators: Sequence[Generator]) -> Tensor:
    """Layer scalars at zero loss in the drawn proportions, of shape (runs, paths), with the first path ahead."""
    relative = params.relative_start(generators)
    return each_run(lambda row: row / aligned_contributions(row, params.depth).sum() ** (1 / params.depth), relative)
