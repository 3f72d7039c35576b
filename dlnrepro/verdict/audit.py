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
from dataclasses import dataclass, field
from typing import Any, Literal

from dlnrepro.claimfile.formula import Value
from dlnrepro.claimfile.reach import arm_values
from dlnrepro.claimfile.schema import Assumption, Bounded, Claim, Criterion
from dlnrepro.verdict.bounds import bound_in_runs, intervals
from dlnrepro.verdict.check import Check, Quantifier
from dlnrepro.verdict.distances import Axis, Counted, Distances, Unit, axis_of, compared, counted_runs
from dlnrepro.verdict.judge import Judged, Word, arm_numbers, judge, meets_assumptions
from dlnrepro.verdict.operating import operation
from dlnrepro.verdict.outcome import BATCH, Outcome
from dlnrepro.verdict.rule import BAD, MOST_UNDECIDED, Decision
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

Status = Literal["holds", "broken", "noticed", "in doubt", "left out", "undecided", "passed", "no effect", "error"]
"""How a criterion comes out under a change.

Under a harmless change: `holds`, `broken` or `undecided`. With a flaw: `noticed` if it is broken; `in doubt` if it is
not decided after the largest number of runs, though they have numbers; `left out` if an assumption is not met any more;
`undecided` if too few runs have a number, which shows nothing; `passed` if it still holds; `no effect` if the flaw
changes no number of its measure. `error` stands for an arm with an error.
"""

GOOD_STATUS = ("holds", "noticed", "in doubt", "left out")


@dataclass(frozen=True)
class Chances:
    """With which probabilities an arm holds, is broken, or is undecided."""

    holds: float
    broken: float
    undecided: float


@dataclass(frozen=True)
class ArmAudit:
    """One arm or control of a criterion on fresh seeds.

    Attributes:
        runs: how many runs were made.
        passing: the runs that are as they must be: inside, or in a control outside.
        counted: the runs with a number that meet the assumptions.
        share_low, share_high: the exact 95 % interval of the share of such runs.
        quantiles: of the counted runs: smallest, 5 %, 25 %, median, 75 %, 95 %, largest; nothing without such runs.
        estimated, pessimistic: what the rule decides if the share is the one found, or the lower end of its interval;
            None without counted runs.
        values: the numbers of the counted runs; left out of the stored table of audits.
        thresholds: only if some threshold is a formula: each key of the interval -> its number in each counted run;
            left out of the stored table too.
    """

    arm: str
    runs: int
    passing: int
    counted: int
    share_low: float
    share_high: float
    decision: Decision
    control: bool = False
    undecided: int = 0
    left_out: int = 0
    share: float | None = None
    quantiles: tuple[float, ...] = ()
    estimated: Chances | None = None
    pessimistic: Chances | None = None
    values: tuple[float, ...] = ()
    thresholds: dict[str, tuple[float | None, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class CriterionAudit:
    """A criterion, or an assumption, on fresh seeds.

    Attributes:
        interval: the keys of the claim file that give the interval, each with its number or its formula.
        runs: which draws it speaks of.
        why: the reason of its threshold, as the claim file gives it.
        scale: how its values are compared.
        unit: the unit in which runs are compared: the measure's own, or, if their thresholds differ, relative to the
            thresholds (`dlnrepro.verdict.distances`).
        spread: the interquartile range of the arm with the worst run, in this unit or in decades.
        worst: the run that lies furthest outside the interval, or nearest to its end; and the arm it belongs to.
        nearest: the control run that is nearest to it; and its control.
        gap: the distance between the two in units of the spread; None without controls, or if the spread is 0.
        worst_place, nearest_place: where the two runs lie relative to their own thresholds; None if these are equal.
        thresholds: which thresholds would give the same decisions, in this unit.
        resolution: the smallest changes of the measure that it notices, in this unit, if its interval has two ends.
        theory_allows: the loosest threshold that theory implies, if the claim file gives it: its number or its formula.
        theory: the threshold and theory's threshold in the arms; if they are formulas whose ratio (or difference)
            differs between runs, in the run where it is smallest and in the run where it is largest.
        like_controls: the largest probability with which the criterion would hold in an arm whose runs lie inside as
            often as those of one of its controls (the upper end of the interval of that share); None without controls.
    """

    id: str
    assumption: bool
    says: str
    measure: str
    interval: dict[str, float | str]
    interval_text: str
    runs: Quantifier
    why: str | None
    scale: Scale
    spread: float
    worst: float | None
    worst_arm: str | None
    nearest: float | None
    nearest_control: str | None
    gap: float | None
    thresholds: tuple[Threshold, ...]
    resolution: Resolution | None
    theory_allows: float | str | None
    like_controls: float | None
    arms: tuple[ArmAudit, ...]
    controls: tuple[ArmAudit, ...]
    unit: Unit = "measure"
    worst_place: float | None = None
    nearest_place: float | None = None
    theory: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class ArmUnderChange:
    """One arm of a criterion under a change."""

    arm: str
    inside: int
    counted: int
    decision: Decision
    undecided: int = 0
    left_out: int = 0


@dataclass(frozen=True)
class Response:
    """How one criterion, or one assumption, comes out under a change."""

    criterion: str
    status: Status
    arms: tuple[ArmUnderChange, ...]


@dataclass(frozen=True)
class ChangeAudit:
    """A harmless change, or a flaw, with the criteria that it is tried on.

    Attributes:
        says: what is changed, or what is false then.
        settings: the changed settings.
        plant: the flaw of the runner that is planted, if there is one.
        runs: the number of runs of all arms together.
        fault: the error of an arm, if there is one.
    """

    name: str
    kind: Literal["harmless", "flaw"]
    says: str
    settings: dict[str, Any]
    plant: str | None
    runs: int
    responses: tuple[Response, ...]
    fault: str | None = None


@dataclass(frozen=True)
class Wrong:
    """The chances that a complete run of the claim ends wrongly; sums over arms, so each is an upper bound.

    Attributes:
        not_reproduced: the chance of a false "not reproduced".
        undecided: the chance of a false "inconclusive".
    """

    not_reproduced: float
    undecided: float


@dataclass(frozen=True)
class Audited:
    """All results of an audit of a claim.

    Attributes:
        verdict, because: the verdict on all runs on fresh seeds.
        expect: the verdict that the claim file expects.
        estimated, pessimistic: the chances of a wrong verdict if the shares are those found, or the lower ends of their
            intervals; None if the claim is expected to fail, or if an arm has no numbers.
        false_holds: the chance that a criterion holds in an arm in which 80 % of all possible runs satisfy it: the
            largest chance of a false "reproduced" under the rule.
        untested: the criteria that no flaw names.
        findings: what is not as it should be, each in a sentence.
    """

    verdict: Word
    because: str
    expect: str
    criteria: tuple[CriterionAudit, ...]
    changes: tuple[ChangeAudit, ...]
    estimated: Wrong | None
    pessimistic: Wrong | None
    false_holds: float
    untested: tuple[str, ...]
    findings: tuple[str, ...]


def audited(claim: Claim, fresh: Mapping[str, Outcome], changes: Sequence[ChangeAudit]) -> Audited:
    """The audit of a claim from its numbers on fresh seeds, and from how its criteria come out under changes."""
    verdict = judge(claim, fresh)
    pairs: list[tuple[Judged, Bounded]] = [*zip(verdict.assumptions, claim.assumptions, strict=True)]
    pairs += zip(verdict.criteria, claim.criteria, strict=True)
    criteria = tuple(_criterion(claim, item, bounded, fresh) for item, bounded in pairs)
    named = {name for flawed in claim.audit.flaws.values() for name in flawed.breaks}
    untested = tuple(criterion.id for criterion in claim.criteria if criterion.id not in named)
    usual = claim.expect == "reproduced" and verdict.word != "error"
    findings = [*_on_fresh_seeds(claim, verdict.word, verdict.because)]
    findings += [sentence for change in changes for sentence in _of_change(change)]
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


def chances(share: float, runs: Quantifier, batch: int) -> Chances:
    """What the rule decides about an arm, if this share of all draws is as it must be."""
    if runs == "every":
        holds = share**batch
        return Chances(holds, 1 - holds, 0.0)
    found = operation(share, max(batch, BATCH))
    return Chances(found.holds, found.broken, found.undecided)


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


def change_audit(
    claim: Claim, name: str, outcomes: Mapping[str, Outcome], unchanged: Mapping[str, Outcome]
) -> ChangeAudit:
    """How the criteria of a claim come out under one of its harmless changes, or with one of its flaws.

    Args:
        claim: the claim.
        name: the name of the change in the claim's `audit:` section.
        outcomes: the numbers of the arms that it changes.
        unchanged: the numbers of these arms without the change, on the same first seeds.
    """
    fault = next((f"arm {arm}: {found.fault}" for arm, found in outcomes.items() if found.fault), None)
    runs = sum(len(outcome.seeds) for outcome in outcomes.values())
    if name in claim.audit.harmless:
        settings = claim.audit.harmless[name]
        responses = _responses(claim, outcomes, unchanged, settings, flaw=False)
        return ChangeAudit(name, "harmless", "", settings, None, runs, responses, fault)
    flawed = claim.audit.flaws[name]
    tested = with_criteria(claim, flawed.breaks)
    responses = _responses(tested, outcomes, unchanged, flawed.settings, flaw=True)
    return ChangeAudit(name, "flaw", flawed.says, flawed.settings, flawed.plant, runs, responses, fault)


def with_criteria(claim: Claim, names: Iterable[str]) -> Claim:
    """The claim with some of its criteria alone."""
    kept = tuple(criterion for criterion in claim.criteria if criterion.id in set(names))
    return claim.model_copy(update={"criteria": kept})


def _responses(
    claim: Claim,
    outcomes: Mapping[str, Outcome],
    unchanged: Mapping[str, Outcome],
    settings: Mapping[str, Any],
    flaw: bool,
) -> tuple[Response, ...]:
    """How each criterion comes out in the arms that a change of some settings reaches."""
    params = {arm: arm_values(claim, arm, settings, quick=False) for arm in outcomes if arm in claim.arms}
    verdict = judge(claim, outcomes, controls=False, params=params)
    plain = judge(claim, unchanged, controls=False)
    before = {item.id: item for item in plain.criteria}
    found = []
    for item in verdict.criteria if flaw else (*verdict.assumptions, *verdict.criteria):
        checks = [check for check in item.holds_in if check.arm in outcomes]
        if not checks:
            continue
        if any(outcomes[check.arm].fault for check in checks):
            status: Status = "error"
        elif flaw:
            status = _noticed(checks, item, outcomes, unchanged)
        else:
            status = _unharmed(checks, before.get(item.id), claim.expect)
        arms = tuple(
            ArmUnderChange(check.arm, check.inside, check.counted, check.decision, check.undecided, check.left_out)
            for check in checks
        )
        found.append(Response(item.id, status, arms))
    return tuple(found)


def _unharmed(checks: Sequence[Check], before: Judged | None, expect: str) -> Status:
    """How a criterion comes out under a harmless change; a criterion that is broken without it may be broken."""
    if all(check.holds for check in checks):
        return "holds"
    if expect == "not reproduced" and before is not None and before.broken:
        return "holds"
    return "broken" if any(check.broken for check in checks) else "undecided"


def _noticed(
    checks: Sequence[Check], item: Judged, outcomes: Mapping[str, Outcome], unchanged: Mapping[str, Outcome]
) -> Status:
    """How a criterion comes out with a flaw that it must notice."""
    if all(_same_numbers(outcomes[check.arm], unchanged.get(check.arm), item.measure) for check in checks):
        return "no effect"
    if any(check.broken for check in checks):
        return "noticed"
    if all(check.holds for check in checks):
        return "passed"
    open_ones = [check for check in checks if not check.holds]
    if any(check.left_out > MOST_UNDECIDED * len(check.seeds) for check in open_ones):
        return "left out"
    numbers = [check for check in open_ones if check.counted and check.undecided <= MOST_UNDECIDED * len(check.seeds)]
    return "in doubt" if numbers else "undecided"


def _same_numbers(changed: Outcome, unchanged: Outcome | None, measure: str) -> bool:
    """Whether a flaw has changed no number of a measure, on the seeds that both have."""
    if unchanged is None:
        return False
    before = dict(zip(unchanged.seeds, unchanged.measures.get(measure, ()), strict=False))
    after = dict(zip(changed.seeds, changed.measures.get(measure, ()), strict=False))
    shared = before.keys() & after.keys()
    return bool(shared) and all(_same(before[seed], after[seed]) for seed in shared)


def _same(first: float | None, second: float | None) -> bool:
    """Whether two numbers are the same; two missing numbers are."""
    missing = [value is None or math.isnan(value) for value in (first, second)]
    return all(missing) or (not any(missing) and first == second)


def _on_fresh_seeds(claim: Claim, word: Word, because: str) -> list[str]:
    """What is not as it should be on fresh seeds without any change."""
    return [] if word == claim.expect else [f"on fresh seeds the claim is {word}: {because}"]


def _of_change(change: ChangeAudit) -> list[str]:
    """What is not as it should be under a change."""
    if change.fault is not None:
        return [f"{_called(change)}: {change.fault}"]
    if not change.responses:
        return [f"{_called(change)} changes no arm in which a criterion must hold"]
    by_status: dict[Status, list[str]] = {}
    for response in change.responses:
        by_status.setdefault(response.status, []).append(response.criterion)
    bad = [(status, names) for status, names in by_status.items() if status not in GOOD_STATUS]
    return [_sentence(change, status, ", ".join(names)) for status, names in bad]


def _sentence(change: ChangeAudit, status: Status, names: str) -> str:
    """What is not as it should be in some criteria under a change."""
    called = _called(change)
    if status == "broken":
        return f"{called} breaks {names}"
    if status == "passed":
        return f"{called} is not noticed: it does not break {names}"
    if status == "no effect":
        return f"{called} has no effect: it changes no number of {names}"
    if change.kind == "flaw":
        return f"{called} is not noticed: {names} is undecided, because too few runs have a number"
    return f"{called} leaves {names} undecided"


def _called(change: ChangeAudit) -> str:
    """A change by its kind and its name."""
    return f"the {'harmless change' if change.kind == 'harmless' else 'flaw'} {change.name}"
