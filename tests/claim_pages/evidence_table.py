"""The page `claims/evidence.md`: what of each statement is tested, by which route, and how well each test can fail.

Everything on the page comes from the claim files, from the numbers in `outputs/reference` and from the audits in
`outputs/audits`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dlnrepro.archive.audits import AuditRecord, claim_hash
from dlnrepro.archive.reference_verdicts import reference_verdict
from dlnrepro.claimfile.controls import differences
from dlnrepro.claimfile.schema import Claim
from dlnrepro.report.exchange.markup import code, text
from dlnrepro.report.words.numbers import number
from dlnrepro.report.words.typeset import in_terminal
from dlnrepro.verdict.audited import GOOD_STATUS
from dlnrepro.verdict.judge import Judged, Verdict

NAME = "evidence.md"
OUTPUTS = Path(__file__).parent.parent.parent / "outputs"

UNKNOWN = "unknown"
ONE, SEVERAL, UNEXPLAINED, FORMULA = "one", "several", "unexplained", "formula"

LEGEND = (
    ("Covers", "how much of the source's statement is tested: the *whole* statement, a *part* of it, or a *special "
     "case*. The claim file and the report of a claim say what is tested and what is not."),
    ("Independent route", "a second way to the decisive number, which shares no code with the formula that the number "
     "is held to."),
    ("Controls", "pairs of a criterion and a control in which it must fail. First, pairs whose control differs from "
     "the nearest arm that must hold in one setting; second, in several settings, with a sentence in the claim file "
     "that says which one hypothesis they break; third, wrong formulas, which change only the formula."),
    ("Largest slack", "the largest factor between a threshold and the worst run of its criterion, over all criteria, "
     "by the stored reports in `outputs/reference`. A slack of more than 1,000 has its reason in the claim file."),
    ("Constant controls", "the criteria of which each control has one single value in all of its runs, so that its "
     "runs are one piece of evidence and not sixteen. Such a control is right, but it is weak evidence."),
    ("Criteria", "how many criteria have noticed a flaw that was planted in the runner or in the settings, of how many "
     "criteria, by the audits in `outputs/audits`. A criterion that notices no flaw may be unable to fail."),
)  # fmt: skip
"""What the columns mean."""


def page(claims: Iterable[Claim], audits: Mapping[str, AuditRecord]) -> str:
    """The page of some claims."""
    members = sorted(claims, key=lambda claim: claim.id)
    current = {claim.id: audits[claim.id] for claim in members if _is_current(claim, audits.get(claim.id))}
    verdicts = {claim.id: reference_verdict(OUTPUTS, claim) for claim in members}
    lines = [
        "<!-- `make table` writes this page -->", "", "# What of each statement is tested", "",
        _covered(members), "", _able_to_fail(members, current), "", _pairs(members), "",
        *(f"- **{word}**: {says}" for word, says in LEGEND), "",
        "| covers | claim | independent route | controls | largest slack | constant controls | criteria |",
        "|---|---|---|---|---|---|--:|",
        *(_row(claim, verdicts[claim.id], current.get(claim.id)) for claim in members), "",
        "[How good the criteria are](audits.md)", "", "[All topics](README.md)",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def noticed(claim: Claim, audit: AuditRecord) -> set[str]:
    """The criteria of a claim that have noticed a flaw in its audit."""
    flaws = [change for change in audit.result.changes if change.kind == "flaw"]
    found = {response.criterion for flaw in flaws for response in flaw.responses if response.status in GOOD_STATUS}
    return found & {criterion.id for criterion in claim.criteria}


def unable_to_fail(claims: Iterable[Claim], audits: Mapping[str, AuditRecord]) -> list[str]:
    """The criteria of audited claims that have noticed no flaw, each as `claim: criterion`."""
    return [
        f"{claim.id}: {criterion.id}"
        for claim in claims
        if _is_current(claim, audits.get(claim.id))
        for criterion in claim.criteria
        if criterion.id not in noticed(claim, audits[claim.id])
    ]


def pairs(claim: Claim) -> Counter[str]:
    """How many pairs of a criterion and a control are of each kind."""
    found: Counter[str] = Counter()
    for _, item in differences(claim):
        several = SEVERAL if item.control in claim.controls else UNEXPLAINED
        found[FORMULA if item.wrong_formula else several if len(item.settings) > 1 else ONE] += 1
    return found


def constant_controls(item: Judged) -> bool:
    """Whether each control of a criterion has several runs and one single value in all of them."""
    values = [check.numbers for check in item.fails_in]
    return bool(values) and all(len(found) > 1 and min(found) == max(found) for found in values)


def _is_current(claim: Claim, audit: AuditRecord | None) -> bool:
    """Whether a claim has an audit of the settings, thresholds and flaws that it has now."""
    return audit is not None and audit.claim_hash == claim_hash(claim)


def _covered(claims: Sequence[Claim]) -> str:
    """How many claims cover the whole statement, a part and a special case."""
    found = Counter(claim.covers.what if claim.covers else UNKNOWN for claim in claims)
    words = {"whole": "the whole statement of the source", "part": "a part of it", "special case": "a special case"}
    parts = [f"{found[what]} {'test' if found[what] != 1 else 'tests'} {said}" for what, said in words.items()]
    rest = f"; {found[UNKNOWN]} do not say how much they test" if found[UNKNOWN] else ""
    return f"Of {len(claims)} claims, {', '.join(parts[:-1])} and {parts[-1]}{rest}."


def _able_to_fail(claims: Sequence[Claim], audits: Mapping[str, AuditRecord]) -> str:
    """How many criteria have noticed a flaw, of how many, and which have not."""
    audited = [claim for claim in claims if claim.id in audits]
    count = sum(len(claim.criteria) for claim in audited)
    without = unable_to_fail(audited, audits)
    counted = f"{count - len(without)} of the {count} criteria of {len(audited)} audited claims have noticed a flaw"
    named = f" Without one: {', '.join(without)}." if without else ""
    left = f" The audits of {len(claims) - len(audited)} claims are not up to date." * (len(audited) < len(claims))
    return f"{counted}.{named}{left}"


def _pairs(claims: Sequence[Claim]) -> str:
    """How many pairs of a criterion and a control there are of each kind."""
    found = sum((pairs(claim) for claim in claims), Counter[str]())
    unexplained = f", {found[UNEXPLAINED]} in several without a sentence" if found[UNEXPLAINED] else ""
    return (
        f"Of {found.total()} pairs of a criterion and a control, {found[ONE]} differ from the nearest arm that must "
        f"hold in one setting, {found[SEVERAL]} in several settings with a sentence that says why{unexplained}, and "
        f"{found[FORMULA]} are wrong formulas."
    )


def _row(claim: Claim, verdict: Verdict | None, audit: AuditRecord | None) -> str:
    """One claim."""
    count = pairs(claim)
    controls = f"{count[ONE]} / {count[SEVERAL]} / {count[FORMULA]}"
    controls += f" ({count[UNEXPLAINED]} in several settings without a sentence)" if count[UNEXPLAINED] else ""
    total = len(claim.criteria)
    cells = [
        claim.covers.what if claim.covers else UNKNOWN,
        f"[{claim.id}]({claim.id}.yaml)",
        text(in_terminal(claim.independent)) if claim.independent else UNKNOWN,
        controls,
        UNKNOWN if verdict is None else _largest(verdict),
        UNKNOWN if verdict is None else _constant(verdict),
        f"{UNKNOWN} of {total}" if audit is None else f"{len(noticed(claim, audit))} of {total}",
    ]
    return f"| {' | '.join(cells)} |"


def _largest(verdict: Verdict) -> str:
    """The largest slack of a claim, and the criterion that has it."""
    known = [(item.slack, item.id) for item in verdict.criteria if item.slack is not None]
    if not known:
        return "none"
    slack, name = max(known)
    return f"{'infinite' if math.isinf(slack) else number(float(f'{slack:.2g}'))} ({code(name)})"


def _constant(verdict: Verdict) -> str:
    """The criteria whose controls are constant."""
    return ", ".join(code(item.id) for item in verdict.criteria if constant_controls(item)) or "none"
