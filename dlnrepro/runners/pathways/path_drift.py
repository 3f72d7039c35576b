"""A losing path beyond the edge of stability: at what rate it gains, from which step size on, and how long it takes.

Gradient descent of P aligned, balanced paths that share one mode of strength 1, at all points of a sweep together: over
step ratios gamma = eta L, from a start at the minimum of a single path, or over start scales, from a small start, at
one step ratio. Theory: z = w^-(L-2) of a losing path falls by (L-2) eta <r> in each step, <r> being the mean residual
of the single path's cycle of two; nothing up to gamma = 2, and 3 (L-2) / (2 (5L-4)) (gamma - 2) next to it.

Source: Kim, Lee 2026 (arXiv:2606.05219) for the limit and the restoration; the drift is derived here
(`dlnrepro.dynamics.pathways.drift_theory`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.pathways.aligned_drift import CHUNK, observe_drift
from dlnrepro.dynamics.pathways.aligned_paths import aligned_contributions
from dlnrepro.dynamics.pathways.drift_fits import farthest_ratio, onset, restoration
from dlnrepro.dynamics.pathways.drift_theory import LARGEST, cycle_residual, onset_slope
from dlnrepro.dynamics.tensors.arrays import tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, ORDERED
from dlnrepro.settings.pathways import AlignedPathSettings

CycleRatio = Annotated[float, Field(gt=0, le=LARGEST)]
StartScale = Annotated[float, Field(gt=0, le=1)]


class Params(AlignedPathSettings):
    """Aligned paths, and a sweep over step ratios or over start scales, whichever of the two is a range."""

    ratios: Annotated[tuple[CycleRatio, CycleRatio], FROM_LIST, ORDERED] = Field(
        description="range of the step ratio gamma = eta L, in equal steps; its ends are equal in a sweep over scales"
    )
    scales: Annotated[tuple[StartScale, StartScale], FROM_LIST, ORDERED] = Field(
        description="range of the layer scalars at the start, over those at zero loss, in equal quotients; its ends"
        " are equal in a sweep over step ratios"
    )
    points: int = Field(ge=4, le=100, description="number of points of the sweep")
    steps: int = Field(ge=CHUNK, le=10**6, description="number of gradient steps, rounded up to a multiple of 500")

    def contradictions(self) -> Iterable[Contradiction]:
        """A sweep over both or none, and formulas for a depth that they do not hold for."""
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
    """Train all runs at all points of the sweep together, and compare them with the predicted drift."""
    ratios = torch.linspace(*params.ratios, params.points, dtype=torch.float64)
    scales = tensor_of(np.geomspace(*params.scales, params.points))
    start = _start(params, generators)[:, None] * scales[:, None]
    law_depth = params.formula_depth
    drift = observe_drift(start, params.depth, law_depth, ratios / params.depth, params.steps, progress)
    law = (law_depth - 2) * ratios / params.depth * cycle_residual(ratios, law_depth)
    gap, slope = onset(drift.drift, ratios)
    exponent, rise = restoration(drift.regained, drift.lag, scales)
    measures = {
        "loser_share": drift.share.amax(-1),
        "escaped": torch.isfinite(drift.drift).to(torch.float64).mean(-1),
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
    """Layer scalars at zero loss, of shape (runs, paths), the first path ahead."""
    relative = params.relative_start(generators)
    return each_run(lambda row: row / aligned_contributions(row, params.depth).sum() ** (1 / params.depth), relative)
