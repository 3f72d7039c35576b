"""The audit of a claim: how good each of its criteria is, how sharp it is, and how its verdict could be wrong.

An audit has three parts, and all of them are pure functions of measured numbers.

* On fresh seeds: the share of passing runs of each arm and of failing runs of each control, the sharpness of each
  criterion (`dlnrepro.verdict.sharpness`), and the chances of a wrong decision.
* Under harmless changes, with which every criterion must come out as it does without them.
* With flaws, which the criteria that they name must notice.

A finding is a sentence about something that is not as it should be. An audit without findings is passed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from dlnrepro.claimfile.schema import Assumption, Bounded, Claim, Criterion
from dlnrepro.settings.formula import Value
from dlnrepro.verdict.audit_findings import change_findings, fresh_findings
from dlnrepro.verdict.audited import ArmAudit, ArmChances, Audited, ChangeAudit, CriterionAudit, Wrong
from dlnrepro.verdict.bounds import bound_in_runs, intervals
from dlnrepro.verdict.check import Check, Quantifier
from dlnrepro.verdict.distances import Axis, Counted, Distances, axis_of, compared, counted_runs
from dlnrepro.verdict.judge import Judged, arm_numbers, judge, meets_assumptions
from dlnrepro.verdict.operating import operation
from dlnrepro.verdict.outcome import BATCH, Outcome
from dlnrepro.verdict.rule import BAD
from dlnrepro.verdict.sharpness import (
    Resolution,
    Sample,
    Scale,
    Threshold,
    on_scale,
    quantiles,
    resolution,
    scale_of,
    spread_of,
    thresholds,
)


def audited(claim: Claim, fresh: Mapping[str, Outcome], changes: Sequence[ChangeAudit]) -> Audited:
    """The audit of a claim from its numbers on fresh seeds, and from how its criteria come out under changes."""
    verdict = judge(claim, fresh)
    pairs: list[tuple[Judged, Bounded]] = [*zip(verdict.assumptions, claim.assumptions, strict=True)]
    pairs += zip(verdict.criteria, claim.criteria, strict=True)
    criteria = tuple(_criterion(claim, item, bounded, fresh) for item, bounded in pairs)
    named = {name for flawed in claim.audit.flaws.values() for name in flawed.breaks}
    untested = tuple(criterion.id for criterion in claim.criteria if criterion.id not in named)
    usual = claim.expect == "reproduced" and verdict.word != "error"
    findings = [*fresh_findings(claim, verdict.word, verdict.because)]
    findings += [sentence for change in changes for sentence in change_findings(change)]
    findings += [f"no flaw is declared that {name} must notice" for name in untested]
    return Audited(
        verdict=verdict.word,
        because=verdict.because,
        expect=claim.expect,
        criteria=criteria,
        changes=tuple(changes),
        estimated=_wrong(criteria, pessimistic=False) if usual else None,
        pessimistic=_wrong(criteria, pessimistic=True) if usual else None,
        false_holds=max((chances(BAD, item.runs, claim.seeds).holds for item in verdict.criteria), default=0.0),
        untested=untested,
        findings=tuple(findings),
    )


def chances(share: float, runs: Quantifier, batch: int) -> ArmChances:
    """What the rule decides about an arm, if this share of all draws is as it must be."""
    if runs == "every":
        holds = share**batch
        return ArmChances(holds, 1 - holds, 0.0)
    found = operation(share, max(batch, BATCH))
    return ArmChances(found.holds, found.broken, found.undecided)


def _criterion(claim: Claim, item: Judged, bounded: Bounded, fresh: Mapping[str, Outcome]) -> CriterionAudit:
    """One criterion, or one assumption, on fresh seeds."""
    assumption = isinstance(bounded, Assumption)
    names = arm_numbers(claim, fresh)
    kept = {check.arm: _counted(claim, check, fresh, names, assumption) for check in (*item.holds_in, *item.fails_in)}
    arms = tuple(_arm(check, kept[check.arm], item.runs, claim.seeds) for check in item.holds_in)
    controls = tuple(_arm(check, kept[check.arm], "almost all", claim.seeds) for check in item.fails_in)
    found = compared(item.interval, _runs(item, arms), counted_runs(item.interval, item.fails_in))
    worst, nearest = found.worst, found.nearest
    places = _Places(item, found.axis, arms, controls)
    spread = places.spread(worst.arm) if worst is not None else 0.0
    relative = found.axis is not None and found.axis.unit != "measure"
    like = [chances(1 - arm.share_low, item.runs, claim.seeds).holds for arm in controls if arm.counted]
    return CriterionAudit(
        id=item.id,
        assumption=assumption,
        says=item.says,
        measure=item.measure,
        interval=item.interval,
        interval_text=item.interval_text,
        runs=item.runs,
        why=bounded.why,
        scale=places.scale,
        spread=spread,
        worst=worst.value if worst is not None else None,
        worst_arm=worst.arm if worst is not None else None,
        nearest=nearest.value if nearest is not None else None,
        nearest_control=nearest.arm if nearest is not None else None,
        gap=places.gap(found, spread),
        thresholds=places.thresholds(),
        resolution=places.resolution(),
        theory_allows=bounded.theory_allows if isinstance(bounded, Criterion) else None,
        like_controls=max(like, default=None),
        arms=arms,
        controls=controls,
        unit=found.axis.unit if found.axis is not None else "measure",
        worst_place=worst.place if relative and worst is not None else None,
        nearest_place=nearest.place if relative and nearest is not None else None,
        theory=_theory(bounded, item, kept, fresh, names),
    )


class _Places:
    """The runs of a criterion on one axis, and how sharp the criterion is there."""

    def __init__(self, item: Judged, axis: Axis | None, arms: Sequence[ArmAudit], controls: Sequence[ArmAudit]) -> None:
        self._item, self._axis = item, axis
        self._of_arm = {
            arm.arm: [axis.place(value, own) for _, value, own in _runs(item, [arm])] if axis is not None else []
            for arm in (*arms, *controls)
        }
        self._arms, self._controls = map(self._samples, (arms, controls))
        every = [place for places in self._of_arm.values() for place in places]
        ends = [] if axis is None else [end for end in (axis.interval.low, axis.interval.high) if math.isfinite(end)]
        self.scale: Scale = "linear" if axis is None else scale_of(every, axis.interval)
        self._on_scale = on_scale(self.scale, [*every, *ends])

    def _samples(self, arms: Sequence[ArmAudit]) -> list[Sample]:
        return [Sample(tuple(self._of_arm[arm.arm]), arm.undecided) for arm in arms]

    def spread(self, arm: str) -> float:
        """The interquartile range of the runs of an arm."""
        return spread_of(self._of_arm[arm], self._on_scale)

    def gap(self, found: Distances, spread: float) -> float | None:
        """The distance between the worst run and the nearest control run, in units of the spread."""
        worst, nearest = found.worst, found.nearest
        if worst is None or nearest is None or found.gap is None or spread <= 0:
            return None
        apart = abs(self._on_scale(nearest.place) - self._on_scale(worst.place)) / spread
        return apart if found.gap > 0 else 0.0 - apart

    def thresholds(self) -> tuple[Threshold, ...]:
        """Which thresholds would give the same decisions."""
        # Distances from thresholds have their end at 0, whatever the keys are.
        if self._axis is None or self._axis.unit == "distance":
            return ()
        keys, bounds = list(self._item.interval), self._axis.interval
        return tuple(thresholds(keys, bounds, self._arms, self._controls, self._item.runs))

    def resolution(self) -> Resolution | None:
        """The smallest changes that the criterion notices."""
        return resolution(self._axis.interval, self._arms) if self._axis is not None else None


def placed(item: CriterionAudit) -> tuple[Axis | None, list[list[float]]]:
    """The axis on which the runs of a criterion are compared, and the places of each arm and each control on it."""
    arms = (*item.arms, *item.controls)
    axis = axis_of(item.interval, [own for _, _, own in _runs(item, arms)])
    if axis is None:
        return None, [[] for _ in arms]
    return axis, [[axis.place(value, own) for _, value, own in _runs(item, [arm])] for arm in arms]


def _runs(item: Judged | CriterionAudit, arms: Iterable[ArmAudit]) -> list[Counted]:
    """The runs of some arms that count."""
    found: list[Counted] = []
    for arm in arms:
        own = intervals(item.interval, arm.thresholds, len(arm.values))
        found += [(arm.arm, value, mine) for value, mine in zip(arm.values, own, strict=True) if mine is not None]
    return found


def _theory(
    bounded: Bounded,
    item: Judged,
    kept: Mapping[str, Sequence[int]],
    fresh: Mapping[str, Outcome],
    names: Mapping[str, Mapping[str, Value]],
) -> tuple[tuple[float, float], ...]:
    """The threshold and theory's threshold where they are nearest to each other, and where they are furthest apart."""
    allowed = bounded.theory_allows if isinstance(bounded, Criterion) else None
    if allowed is None:
        return ()
    ours = next(bound for key, bound in bounded.bounds.items() if key != "equals")
    pairs: list[tuple[float, float]] = []
    for check in item.holds_in:
        if (outcome := fresh.get(check.arm)) is None:
            continue
        both = [bound_in_runs(bound, names[check.arm], outcome) for bound in (ours, allowed)]
        found = [(both[0][place], both[1][place]) for place in kept[check.arm]]
        pairs += [(mine, theirs) for mine, theirs in found if mine is not None and theirs is not None]
    if not pairs:
        return ()
    ratios = all(min(pair) > 0 for pair in pairs)
    ends = [choose(pairs, key=lambda pair: pair[1] / pair[0] if ratios else pair[1] - pair[0]) for choose in (min, max)]
    return tuple(dict.fromkeys(ends))


def _counted(
    claim: Claim,
    check: Check,
    fresh: Mapping[str, Outcome],
    names: Mapping[str, Mapping[str, Value]],
    assumption: bool,
) -> list[int]:
    """The indices of the runs that count: those with a number that meet the assumptions of their arm."""
    outcome = fresh.get(check.arm)
    if outcome is None:
        return []
    meets = [True] * len(check.values)
    if not assumption:
        meets = meets_assumptions(claim.assumptions, check.arm, outcome, names[check.arm])
    return [place for place, value in enumerate(check.values) if meets[place] and value is not None]


def _arm(check: Check, kept: Sequence[int], runs: Quantifier, batch: int) -> ArmAudit:
    """One arm or control with the chances of a wrong decision."""
    values = tuple(value for place in kept if (value := check.values[place]) is not None)
    return ArmAudit(
        arm=check.arm,
        control=check.control,
        runs=len(check.seeds),
        passing=check.outside if check.control else check.inside,
        counted=check.counted,
        undecided=check.undecided,
        left_out=check.left_out,
        share=check.share,
        share_low=check.share_low,
        share_high=check.share_high,
        decision=check.decision,
        quantiles=quantiles(values),
        estimated=None if check.share is None else chances(check.share, runs, batch),
        pessimistic=None if check.share is None else chances(check.share_low, runs, batch),
        values=values,
        thresholds={key: tuple(found[place] for place in kept) for key, found in check.thresholds.items()},
    )


def _wrong(criteria: Iterable[CriterionAudit], pessimistic: bool) -> Wrong | None:
    """The chances that a claim which is reproduced comes out in another way; None if an arm has no numbers."""
    refuted, undecided = 0.0, 0.0
    for item in criteria:
        for arm in (*item.arms, *item.controls):
            found = arm.pessimistic if pessimistic else arm.estimated
            if found is None:
                return None
            # A control that passes, or an assumption that is not met, makes the claim inconclusive.
            only_doubt = arm.control or item.assumption
            refuted += 0.0 if only_doubt else found.broken
            undecided += found.undecided + (found.broken if only_doubt else 0.0)
    return Wrong(min(1.0, refuted), min(1.0, undecided))
