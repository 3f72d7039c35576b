"""One measure in one arm, compared with its interval: how many runs lie inside, and what that decides.

`inside` counts the finite runs in the interval, `outside` the finite runs not in it, and `undecided` the runs without a
number: NaN, divergence, a time budget that is used up, or a threshold that has no value in this run. An undecided run
is evidence for neither side. This holds for the arms in which a criterion must hold and for the controls in which it
must fail. Runs that do not meet an assumption of their arm are outside the hypotheses of the claim: they are `left_out`
and count for nothing.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dlnrepro.claimfile.interval import Interval
from dlnrepro.verdict.outcome import Outcome
from dlnrepro.verdict.rule import Decision, almost_all, every

CONFIDENCE = 0.95

Quantifier = Literal["every", "almost all"]
"""Which draws a criterion speaks of."""


@dataclass(frozen=True)
class Check:
    """One measure in one arm, compared with its interval.

    Attributes:
        values: one number per run, also of the runs that are left out; None for an undecided run.
        share: the share of the counted runs that lie inside (of a control: outside); None without such runs.
        share_low, share_high: the exact two-sided 95 % confidence interval of the share (Clopper, Pearson 1934).
        median: the median of the finite values of the runs that are not left out, or of all runs if all are left out;
            None if there are none. `min` and `max` are computed in this way too.
        control: whether the arm is a control, which must lie outside.
        decision: what the runs decide: of an arm, whether the criterion holds there; of a control, whether it fails as
            required, which is then the decision "holds".
        left_out_seeds: the seeds of the runs that are left out.
        counterexample: the seed of the first run outside, if a criterion for every draw is broken by it.
        thresholds: only if some threshold is a formula: each key of the interval -> its number in each run.
        wrong_formula: whether the control changes only the formula that the measure is compared with.
    """

    arm: str
    seeds: tuple[int, ...]
    values: tuple[float | None, ...]
    inside: int
    outside: int
    undecided: int
    left_out: int
    share: float | None
    share_low: float
    share_high: float
    median: float | None
    min: float | None
    max: float | None
    control: bool
    decision: Decision
    left_out_seeds: tuple[int, ...] = ()
    counterexample: int | None = None
    thresholds: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    wrong_formula: bool = False

    @property
    def counted(self) -> int:
        """How many runs have a number and meet the assumptions."""
        return self.inside + self.outside

    @property
    def numbers(self) -> list[float]:
        """The finite values of the runs that are not left out, or of all runs if all are left out."""
        return [value for place in self.places if (value := self.values[place]) is not None]

    @property
    def places(self) -> list[int]:
        """The indices of the runs with these values."""
        skipped = set(self.left_out_seeds) if self.left_out < len(self.seeds) else set()
        runs = enumerate(zip(self.seeds, self.values, strict=True))
        return [place for place, (seed, value) in runs if value is not None and seed not in skipped]

    @property
    def holds(self) -> bool:
        """Whether it is as it must be: a criterion holds in an arm, or a control fails as required."""
        return self.decision == "holds"

    @property
    def broken(self) -> bool:
        """Whether it is not as it must be: a criterion is broken in an arm, or a control passes."""
        return self.decision == "broken"


def share_interval(successes: int, runs: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact two-sided confidence interval of a share, given `successes` of `runs` (Clopper, Pearson 1934).

    Its ends are quantiles of Beta(successes, runs - successes + 1) and Beta(successes + 1, runs - successes).
    """
    if not runs:
        return 0.0, 1.0
    side = (1 - confidence) / 2
    if successes in (0, runs):
        far = side ** (1 / runs)
        return (far, 1.0) if successes else (0.0, 1 - far)
    # Imported only here, because the import takes longer than all of `dlnrepro report`, which often needs no quantile.
    from scipy.special import betaincinv

    low = betaincinv(successes, runs - successes + 1, side)
    return float(low), float(betaincinv(successes + 1, runs - successes, 1 - side))


def check(
    arm: str,
    outcome: Outcome,
    measure: str,
    interval: Interval | Sequence[Interval | None],
    *,
    runs: Quantifier = "almost all",
    control: bool = False,
    last: bool = False,
    meets: Sequence[bool] | None = None,
    thresholds: Mapping[str, Sequence[float | None]] | None = None,
) -> Check:
    """One measure of one arm compared with an interval; a run without a number, or an interval, is undecided.

    Args:
        arm: the name of the arm.
        outcome: its numbers.
        measure: the name of the measure.
        interval: where it must lie; in a control it must lie outside. It is one interval for all runs, or one per run,
            which is None for a run without an interval.
        runs: which draws the criterion speaks of. A control must fail in almost all draws in any case.
        control: whether the arm is a control.
        last: whether no further runs will be made.
        meets: whether each run meets the assumptions of its arm; None if there are none.
        thresholds: the numbers of the intervals in each run, if they are formulas; they are only recorded.

    Raises:
        ValueError: there are more numbers than seeds, so it is unclear to which run they belong.
    """
    given = list(outcome.measures.get(measure, ()))
    if len(given) > len(outcome.seeds):
        raise ValueError(f"expected at most {len(outcome.seeds)} numbers of {measure}, found {len(given)}")
    given += [None] * (len(outcome.seeds) - len(given))
    own = [interval] * len(given) if isinstance(interval, Interval) else list(interval)
    values = tuple(
        value if value is not None and math.isfinite(value) and mine is not None else None
        for value, mine in zip(given, own, strict=True)
    )
    counted = [place for place in range(len(values)) if meets is None or meets[place]]
    finite = [value for place in counted or range(len(values)) if (value := values[place]) is not None]
    within = [
        (outcome.seeds[place], mine.contains(value))
        for place in counted
        if (value := values[place]) is not None and (mine := own[place]) is not None
    ]
    out = [seed for seed, contained in within if not contained]
    inside, outside, undecided = len(within) - len(out), len(out), len(counted) - len(within)
    passing, failing = (outside, inside) if control else (inside, outside)
    for_every = runs == "every" and not control
    low, high = share_interval(passing, len(within))
    return Check(
        arm=arm,
        seeds=outcome.seeds,
        values=values,
        inside=inside,
        outside=outside,
        undecided=undecided,
        left_out=len(values) - len(counted),
        share=passing / len(within) if within else None,
        share_low=low,
        share_high=high,
        median=statistics.median(finite) if finite else None,
        min=min(finite, default=None),
        max=max(finite, default=None),
        control=control,
        decision=every(passing, failing, undecided)
        if for_every
        else _decision(passing, failing, undecided, last, stopped=outcome.spent or outcome.fault is not None),
        left_out_seeds=tuple(
            seed for place, seed in enumerate(outcome.seeds) if meets is not None and not meets[place]
        ),
        counterexample=out[0] if for_every and out else None,
        thresholds={key: tuple(found) for key, found in (thresholds or {}).items()},
    )


def _decision(passing: int, failing: int, undecided: int, last: bool, stopped: bool) -> Decision:
    """Whether almost all draws pass; if the arm was stopped, too few runs decide nothing."""
    found = almost_all(passing, failing, undecided, last and not stopped)
    return "undecided" if stopped and found == "open" else found
