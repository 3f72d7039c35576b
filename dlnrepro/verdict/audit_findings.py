"""What an audit finds that is not as it should be, each in a sentence."""

from __future__ import annotations

from dlnrepro.claimfile.schema import Claim
from dlnrepro.verdict.audited import GOOD_STATUS, ChangeAudit, Status
from dlnrepro.verdict.judge import Word


def fresh_findings(claim: Claim, word: Word, because: str) -> list[str]:
    """What is not as it should be on fresh seeds without any change."""
    return [] if word == claim.expect else [f"on fresh seeds the claim is {word}: {because}"]


def change_findings(change: ChangeAudit) -> list[str]:
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
