"""Verdicts: pure functions of a claim and the numbers measured for it."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, Literal

from dlnrepro.claimfile.controls import wrong_formulas
from dlnrepro.claimfile.parameters import numbers, settled
from dlnrepro.claimfile.reach import arm_values
from dlnrepro.claimfile.schema import Assumption, Bounded, Claim
from dlnrepro.errors import UsageError, shortened
from dlnrepro.settings.formula import Value
from dlnrepro.verdict.bounds import bound_in_runs, intervals, run_thresholds, stated_with_values
from dlnrepro.verdict.check import Check, Quantifier, check
from dlnrepro.verdict.distances import distances
from dlnrepro.verdict.outcome import Outcome
from dlnrepro.verdict.slack import slack
from dlnrepro.visible import on_one_line

Word = Literal["reproduced", "not reproduced", "inconclusive", "error"]

UNDECIDED = "without it, the criteria decide nothing"
"""What follows from an assumption that is not met."""


@dataclass(frozen=True)
class Judged:
    """A criterion, or an assumption (which has no controls), with its checks.

    Attributes:
        interval: the keys of the claim file that give the interval, each with its number or its formula.
        interval_text: the interval as text; a formula is followed by its value, or by the range of its values.
        runs: which draws it speaks of.
        holds: it holds in every arm of `holds_in`.
        broken: it is broken in some arm of `holds_in`.
        controls_fail: every control fails as required.
        gap: the distance between the worst run and the nearest control run, that is, the absolute difference of their
            values; negative if that control run lies no further outside the interval than the worst run; None without
            finite runs on both sides. If runs have different thresholds, it is the difference of their places relative
            to their own thresholds. `dlnrepro.verdict.distances` says which control run is the nearest.
        worst: the value of the run, of all arms in which the criterion must hold, that lies furthest outside the
            interval, or nearest to its bound if all lie inside.
        slack: the factor between the threshold and the worst run (`dlnrepro.verdict.slack`); None where it has no
            meaning.
    """

    id: str
    says: str
    measure: str
    interval: dict[str, float | str]
    interval_text: str
    runs: Quantifier
    holds: bool
    broken: bool
    controls_fail: bool
    gap: float | None
    worst: float | None
    holds_in: tuple[Check, ...]
    fails_in: tuple[Check, ...]
    slack: float | None = None

    @property
    def mark(self) -> str:
        """`pass`, `fail` or `undecided`."""
        return "pass" if self.holds else "fail" if self.broken else "undecided"


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim, and the sentence that says why."""

    word: Word
    because: str
    assumptions: tuple[Judged, ...]
    criteria: tuple[Judged, ...]

    @property
    def in_doubt(self) -> list[str]:
        """The arms in which further runs are needed for a decision.

        There are none if further runs cannot change the verdict: after an error, and if an assumption is not met.
        """
        if self.word == "error" or any(item.broken for item in self.assumptions):
            return []
        checks = [check for item in self.assumptions for check in item.holds_in]
        checks += [check for item in self.criteria for check in (*item.holds_in, *item.fails_in)]
        return list(dict.fromkeys(check.arm for check in checks if check.decision == "open"))


def judge(
    claim: Claim,
    outcomes: Mapping[str, Outcome],
    controls: bool = True,
    last: bool = True,
    params: Mapping[str, Mapping[str, Any]] | None = None,
) -> Verdict:
    """The verdict on a claim.

    Args:
        claim: what is claimed.
        outcomes: the outcome of each arm; a missing arm has no runs and decides nothing.
        controls: whether the controls were run; without them a verdict rests on the claim's own arms alone.
        last: whether no further runs will be made, so that what is still in doubt is undecided.
        params: arm -> every parameter with which it was run, for thresholds that are formulas; an arm that is missing
            was run as the claim file says.

    A run is undecided if it has no number for a measure, or a number that is not finite, or if a threshold has no value
    in it. A run that does not meet an assumption of its arm is left out of the criteria there.

    Returns:
        The verdict, where an error has priority over every other verdict.

    Raises:
        UsageError: an argument is not a claim or not a mapping of outcomes; or the runs of an arm cannot be counted,
            since a seed is there twice, there are more numbers than seeds, or a value is not a number.
    """
    if not isinstance(claim, Claim):
        raise UsageError(f"expected a claim, as load_claim gives it, found {_short(claim)}")
    if not isinstance(outcomes, Mapping):
        raise UsageError(f"{claim.id}: expected a mapping of arms to outcomes, found {_short(outcomes)}")
    for arm, outcome in outcomes.items():
        if fault := _miscounted(outcome):
            raise UsageError(f"{claim.id}: arm {arm}: {fault}")
    names = arm_numbers(claim, outcomes, params)
    meets = {arm: meets_assumptions(claim.assumptions, arm, found, names[arm]) for arm, found in outcomes.items()}
    last = last or not claim.draws
    assumptions = tuple(_judged(item, item.quantity, (), outcomes, names, last, {}) for item in claim.assumptions)
    criteria = tuple(
        _with_kinds(
            _judged(item, item.id, item.fails_in if controls else (), outcomes, names, last, meets),
            wrong_formulas(claim, item),
        )
        for item in claim.criteria
    )
    word, because = _word(outcomes, assumptions, criteria)
    return Verdict(word, because, assumptions, criteria)


def _miscounted(outcome: Outcome) -> str | None:
    """The reason why the runs of an arm cannot be counted, or None."""
    if not isinstance(outcome, Outcome):
        return f"expected an Outcome, found {_short(outcome)}"
    if not isinstance(outcome.measures, Mapping):
        return f"measures: expected a mapping of names to numbers, found {_short(outcome.measures)}"
    if fault := _no_numbers("seeds", outcome.seeds, Integral):
        return fault
    if repeated := [seed for seed, count in Counter(outcome.seeds).items() if count > 1]:
        return f"seeds: expected each seed once, found {repeated[0]} again"
    for measure, values in outcome.measures.items():
        if fault := _no_numbers(measure, values, Real):
            return fault
        if len(values) > len(outcome.seeds):
            return f"{measure}: expected one number for each of {len(outcome.seeds)} seeds, found {len(values)}"
    return None


def _no_numbers(name: str, values: object, kind: type) -> str | None:
    """The reason why this is not a sequence of numbers of a kind, or None; a missing measure is None."""
    what = "whole numbers" if kind is Integral else "numbers or None"
    if not (isinstance(values, Iterable) and isinstance(values, Sized)) or isinstance(values, str | bytes):
        return f"{name}: expected {what}, one for each run, found {_short(values)}"
    for value in values:
        # Most values are of these types, and the general check takes longer.
        if (type(value) is float or value is None) if kind is Real else type(value) is int:
            continue
        too_large = kind is Real and isinstance(value, int) and abs(value) > sys.float_info.max
        if isinstance(value, bool) or not isinstance(value, kind) or too_large:
            return f"{name}: expected {what}, found {_short(value)}"
    return None


def _short(value: object) -> str:
    """A value of the caller as text for a message."""
    return on_one_line(shortened(repr(value)))


def arm_numbers(
    claim: Claim, arms: Iterable[str], params: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, dict[str, Value]]:
    """Arm -> its parameters that are numbers or lists of numbers; the arguments are those of `judge`."""
    given = params or {}
    own = {
        arm: settled(arm_values(claim, arm, {}, quick=False)) for arm in arms if arm not in given and arm in claim.arms
    }
    return {arm: numbers(given.get(arm, own.get(arm, {}))) for arm in arms}


def meets_assumptions(
    assumptions: Sequence[Assumption], arm: str, outcome: Outcome, names: Mapping[str, Value]
) -> list[bool]:
    """Whether each run of an arm meets all assumptions that are made in this arm.

    Args:
        assumptions: the assumptions of the claim.
        arm: the name of the arm.
        outcome: its numbers.
        names: its parameters that are numbers or lists of numbers.
    """
    meets = [True] * len(outcome.seeds)
    for item in assumptions:
        if arm not in item.holds_in:
            continue
        own = intervals(item.bounds, run_thresholds(item.bounds, names, outcome), len(meets))
        values = [*_values(item, names, outcome), *[None] * len(outcome.seeds)]
        for place, mine in enumerate(own):
            value = values[place]
            meets[place] &= value is not None and math.isfinite(value) and mine is not None and mine.contains(value)
    return meets


def _judged(
    bounded: Bounded,
    name: str,
    controls: Sequence[str],
    outcomes: Mapping[str, Outcome],
    names: Mapping[str, Mapping[str, Value]],
    last: bool,
    meets: Mapping[str, Sequence[bool]],
) -> Judged:
    """A criterion or assumption with its checks, in the arms where it must hold and in the controls."""
    bounds = bounded.bounds
    runs = _draws(bounded, [names.get(arm, {}) for arm in bounded.holds_in if arm in outcomes])

    def one(arm: str, control: bool) -> Check:
        """The check of one arm or control."""
        outcome = outcomes.get(arm, Outcome((), {}))
        known = {**outcome.measures, bounded.quantity: _values(bounded, names.get(arm, {}), outcome)}
        outcome = replace(outcome, measures=known)
        thresholds = run_thresholds(bounds, names.get(arm, {}), outcome)
        return check(
            arm,
            outcome,
            bounded.quantity,
            intervals(bounds, thresholds, len(outcome.seeds)),
            runs=runs,
            control=control,
            last=last or arm not in outcomes,
            meets=meets.get(arm),
            thresholds=thresholds,
        )

    holds_in = tuple(one(arm, False) for arm in bounded.holds_in)
    fails_in = tuple(one(arm, True) for arm in controls)
    found = distances(bounds, holds_in, fails_in)
    return Judged(
        id=name,
        says=bounded.says,
        measure=bounded.quantity,
        interval=bounds,
        interval_text=stated_with_values(bounds, [item.thresholds for item in (*holds_in, *fails_in)]),
        runs=runs,
        holds=all(item.holds for item in holds_in),
        broken=any(item.broken for item in holds_in),
        controls_fail=all(item.holds for item in fails_in),
        gap=found.gap,
        worst=found.worst.value if found.worst is not None else None,
        holds_in=holds_in,
        fails_in=fails_in,
        slack=slack((run.interval, run.value) for run in found.arms),
    )


def _values(bounded: Bounded, names: Mapping[str, Value], outcome: Outcome) -> Sequence[float | None]:
    """The numbers of a test in the runs of an arm: those of its measure, or of the formula in an inequality."""
    if bounded.measure is not None:
        return outcome.measures.get(bounded.measure, ())
    return bound_in_runs(bounded.quantity, names, outcome)


def _draws(bounded: Bounded, of_arms: Sequence[Mapping[str, Value]]) -> Quantifier:
    """The draws of which a test speaks; an inequality of settings alone is the same for every draw."""
    if bounded.measure is None and all(name in names for names in of_arms for name in bounded.named):
        return "every"
    return bounded.runs


def _with_kinds(item: Judged, formulas: Collection[str]) -> Judged:
    """A criterion whose controls are marked if they are wrong formulas."""
    checks = tuple(replace(check, wrong_formula=check.arm in formulas) for check in item.fails_in)
    return replace(item, fails_in=checks)


def _word(
    outcomes: Mapping[str, Outcome], assumptions: Sequence[Judged], criteria: Sequence[Judged]
) -> tuple[Word, str]:
    """The verdict's word and sentence, by the rules in their order."""
    faults = [f"arm {arm}: {outcome.fault}" for arm, outcome in outcomes.items() if outcome.fault]
    if faults:
        return "error", faults[0]
    unmet = [item for item in assumptions if not item.holds]
    broken = [item for item in criteria if item.broken]
    if broken and not unmet:
        return "not reproduced", "; ".join(map(_breach, broken))
    if unmet:
        return "inconclusive", f"{'; '.join(_unmet(item, outcomes) for item in unmet)}; {UNDECIDED}"
    for item in criteria:
        for found in item.holds_in:
            if not found.holds:
                sentence = f"{item.id}: {wanted(item)} is undecided in {found.arm}: {_counts(found, True)}"
                return "inconclusive", sentence + _spent(outcomes, found.arm)
        for found in item.fails_in:
            if not found.holds:
                kind = "passes too, so this criterion is uninformative" if passes(found) else "is undecided"
                sentence = f"{item.id}: its control {found.arm} {kind}: {_counts(found, False)}"
                return "inconclusive", sentence + _spent(outcomes, found.arm)
    controls = ", and every control fails as required" if any(item.fails_in for item in criteria) else ""
    return "reproduced", f"every criterion holds{controls}"


def passes(control: Check) -> bool:
    """Whether a control passes that does not fail as required: the runs decide so, or all of them lie inside."""
    return control.broken or (not control.holds and control.inside > 0 and not control.outside)


def wanted(item: Judged) -> str:
    """What a criterion or an assumption requires, such as `noise < 0.01` or `value = 1 ± 0.1`."""
    return requirement(item.measure, item.interval_text)


def requirement(measure: str, interval_text: str) -> str:
    """A measure and the interval in which it must lie, such as `noise < 0.01` or `value = 1 ± 0.1`."""
    return f"{measure} {'= ' * ('±' in interval_text)}{interval_text}"


def _unmet(item: Judged, outcomes: Mapping[str, Outcome]) -> str:
    """Every arm in which an assumption is not met, and how many of its runs lie outside."""
    bad = [found for found in item.holds_in if not found.holds]
    spent = next(filter(None, (_spent(outcomes, found.arm) for found in bad)), "")
    met = "is not met" if item.broken else "is undecided"
    return f"the assumption {wanted(item)} {met} in {_failing(bad)}{spent}"


def _breach(item: Judged) -> str:
    """Every arm in which a criterion is broken, how many of its runs lie outside, and a counterexample."""
    broken = [found for found in item.holds_in if found.broken]
    against = next((found for found in broken if found.counterexample is not None), None)
    seed = f"; the run with seed {against.counterexample} in {against.arm} is a counterexample" if against else ""
    return f"{item.id}: {wanted(item)} does not hold in {_failing(broken)}{seed}"


def _failing(checks: Sequence[Check]) -> str:
    """Some arms with their runs that do not lie inside; arms with the same numbers of such runs stand together."""
    arms: dict[str, list[str]] = {}
    for found in checks:
        runs = f"{found.outside} of {len(found.seeds)} runs outside{_uncounted(found)}" if found.seeds else "no runs"
        arms.setdefault(runs, []).append(found.arm)
    return ", ".join(f"{', '.join(named)} ({runs}{' in each' * (len(named) > 1)})" for runs, named in arms.items())


def _counts(found: Check, inside: bool) -> str:
    """How many runs of an arm lie on the required side, in words."""
    count = found.inside if inside else found.outside
    side = "inside" if inside else "outside"
    return f"{count} of {len(found.seeds)} runs lie {side}{_uncounted(found)}"


def _uncounted(found: Check) -> str:
    """How many runs of an arm count for neither side, and why, as it follows the other counts."""
    left = f", {found.left_out} left out because an assumption does not hold in them" if found.left_out else ""
    return f", {found.undecided} undecided{left}" if found.undecided else left


def _spent(outcomes: Mapping[str, Outcome], arm: str) -> str:
    """A clause for an arm whose budget was used up."""
    outcome = outcomes.get(arm)
    return ", because its time budget was spent" if outcome is not None and outcome.spent else ""
