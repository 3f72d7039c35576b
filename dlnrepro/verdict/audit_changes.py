"""How the criteria of a claim come out under the changes of its audit: harmless changes, and flaws."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlnrepro.claimfile.parameters import settled
from dlnrepro.claimfile.reach import arm_values
from dlnrepro.claimfile.schema import Claim
from dlnrepro.verdict.audited import ArmUnderChange, ChangeAudit, Response, Status
from dlnrepro.verdict.check import Check
from dlnrepro.verdict.judge import Judged, judge
from dlnrepro.verdict.outcome import Outcome
from dlnrepro.verdict.rule import MOST_UNDECIDED


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
    flawed = claim.audit.flaws.get(name)
    faults = [(arm, found.fault) for arm, found in outcomes.items() if found.fault]
    fault = next((f"arm {arm}: {text}" for arm, text in faults if flawed is None or not _disagrees(text)), None)
    runs = sum(len(outcome.seeds) for outcome in outcomes.values())
    if flawed is None:
        settings = claim.audit.harmless[name]
        responses = _responses(claim, outcomes, unchanged, settings, flaw=False)
        return ChangeAudit(name, "harmless", "", settings, None, runs, responses, fault)
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
    params = {arm: settled(arm_values(claim, arm, settings, quick=False)) for arm in outcomes if arm in claim.arms}
    verdict = judge(claim, outcomes, controls=False, params=params)
    plain = judge(claim, unchanged, controls=False)
    before = {item.id: item for item in plain.criteria}
    found = []
    for item in verdict.criteria if flaw else (*verdict.assumptions, *verdict.criteria):
        checks = [check for check in item.holds_in if check.arm in outcomes]
        if not checks:
            continue
        faults = [fault for check in checks if (fault := outcomes[check.arm].fault)]
        if faults:
            status: Status = "noticed" if flaw and all(map(_disagrees, faults)) else "error"
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


def _disagrees(fault: str) -> bool:
    """Whether the error of an arm is that two routes to one number disagree, which is how a runner notices a flaw."""
    return fault.startswith("Disagreement")


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
