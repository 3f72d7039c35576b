"""One measure in one arm, compared with one interval: how many runs lie inside, and what that shows.

`inside` counts the finite runs in the interval, `outside` the finite runs not in it, and `undecided` the rest: NaN,
divergence, or a time budget that is used up. An undecided run is evidence for neither side. This holds for the arms in
which a criterion must hold and for the controls in which it must fail.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from dlnrepro.claimfile.interval import Interval
from dlnrepro.verdict.outcome import Outcome

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Check:
    """One measure in one arm, compared with one interval.

    Attributes:
        share_lower_bound: exact (Clopper-Pearson) one-sided 95 % lower bound on the share of runs inside.
        median: the median of the finite values; None if there are none. `min` and `max` are computed in this way too.
        holds: there are runs, and all but `misses` are inside.
        broken: more than `misses` runs are outside.
        tells: there are runs, and all but `misses` are outside: a control fails as required.
    """

    arm: str
    seeds: tuple[int, ...]
    values: tuple[float | None, ...]
    inside: int
    outside: int
    undecided: int
    share_lower_bound: float
    median: float | None
    min: float | None
    max: float | None
    holds: bool
    broken: bool
    tells: bool


def share_lower_bound(successes: int, runs: int) -> float:
    """The exact one-sided 95 % lower bound on a share, given `successes` of `runs` (Clopper, Pearson 1934).

    It is the 5 % quantile of Beta(successes, runs - successes + 1): 0 without a success, and 0.05^(1/runs) if all are.
    """
    if successes == 0:
        return 0.0
    if successes == runs:
        return float((1 - CONFIDENCE) ** (1 / runs))
    # Imported only here, because the import takes longer than all of `dlnrepro report`, which often needs no quantile.
    from scipy.special import betaincinv

    return float(betaincinv(successes, runs - successes + 1, 1 - CONFIDENCE))


def check(arm: str, outcome: Outcome, measure: str, interval: Interval, misses: int) -> Check:
    """One measure of one arm compared with an interval; a run without a number is undecided.

    Raises:
        ValueError: there are more numbers than seeds, so it is unclear to which run they belong.
    """
    given = list(outcome.measures.get(measure, ()))
    if len(given) > len(outcome.seeds):
        raise ValueError(f"expected at most {len(outcome.seeds)} numbers of {measure}, found {len(given)}")
    given += [None] * (len(outcome.seeds) - len(given))
    values = tuple(value if value is not None and math.isfinite(value) else None for value in given)
    finite = [value for value in values if value is not None]
    inside = sum(interval.contains(value) for value in finite)
    outside = len(finite) - inside
    return Check(
        arm=arm,
        seeds=outcome.seeds,
        values=values,
        inside=inside,
        outside=outside,
        undecided=len(values) - len(finite),
        share_lower_bound=share_lower_bound(inside, len(values)),
        median=statistics.median(finite) if finite else None,
        min=min(finite, default=None),
        max=max(finite, default=None),
        holds=bool(values) and inside >= len(values) - misses,
        broken=outside > misses,
        tells=bool(values) and outside >= len(values) - misses,
    )
