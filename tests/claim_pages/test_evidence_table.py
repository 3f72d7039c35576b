"""The table of the evidence: it counts controls by what they change, and names criteria that nothing has tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dlnrepro.archive.audits import AuditRecord, claim_hash
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.schema import Claim
from dlnrepro.verdict.audited import Audited, ChangeAudit, Response, Status
from dlnrepro.verdict.judge import judge
from dlnrepro.verdict.outcome import Outcome
from tests.claim_pages import audit_table, evidence_table
from tests.claim_pages.pages import all_claims

ARMS = (
    "  near: {}\n  far: {value: 5.0}\n",
    "  near: {}\n  far: {value: 5.0}\n  wide: {value: 5.0, bytes: 9}\n  blind: {law_depth: 3}\n",
)
LAW = ("  bytes: 1000\n", "  bytes: 1000\n  law_depth: same\n")
FAILS = ("fails_in: [far]", "fails_in: [far, wide, blind]")
COVERS = ("source:\n", "covers: {what: special case, says: Only one value.}\nindependent: The settings.\nsource:\n")


@pytest.fixture
def claim_with(write_claim: Callable[..., Path]) -> Callable[..., Claim]:
    """The toy claim with three kinds of controls."""

    def claim(*changes: tuple[str, str]) -> Claim:
        return read_claim(write_claim(ARMS, LAW, FAILS, *changes))

    return claim


def audit_with(claim: Claim, status: Status) -> AuditRecord:
    """An audit of a claim whose flaw has a status."""
    flaw = ChangeAudit("other", "flaw", "", {}, None, 4, (Response("near-one", status, ()),))
    empty = Audited("reproduced", "", "reproduced", (), (flaw,), None, None, 0.0, (), ())
    return AuditRecord(1, claim.id, "", "", claim_hash(claim), "", {}, 4, 4, 0, 0, {}, empty)


def test_each_pair_of_a_criterion_and_a_control_is_of_one_kind(claim_with: Callable[..., Claim]) -> None:
    assert evidence_table.pairs(claim_with()) == {"one": 1, "unexplained": 1, "formula": 1}
    explained = claim_with(("assumptions:", "controls: {wide: The value is not one.}\nassumptions:"))
    assert evidence_table.pairs(explained) == {"one": 1, "several": 1, "formula": 1}


def test_a_row_says_what_a_claim_covers_and_a_claim_that_does_not_say_is_counted(
    claim_with: Callable[..., Claim],
) -> None:
    silent, claim = claim_with(), claim_with(COVERS)
    page = evidence_table.page([claim, silent], {claim.id: audit_with(claim, "noticed")})
    controls = "1 / 0 / 1 (1 in several settings without a sentence)"
    row = f"| special case | [toy-claim](toy-claim.yaml) | The settings. | {controls} | unknown | unknown | 1 of 1 |"
    assert row in page
    assert "0 test a part of it and 1 tests a special case; 1 do not say how much they test." in page


def test_a_criterion_that_notices_no_flaw_is_named(claim_with: Callable[..., Claim]) -> None:
    claim = claim_with(COVERS)
    for status, unable in (("noticed", []), ("passed", ["toy-claim: near-one"]), ("error", ["toy-claim: near-one"])):
        audits = {claim.id: audit_with(claim, status)}  # type: ignore[arg-type]
        assert evidence_table.unable_to_fail([claim], audits) == unable
        assert f"{1 - len(unable)} of the 1 criteria of 1 audited claims" in evidence_table.page([claim], audits)
    old = {claim.id: replace(audit_with(claim, "passed"), claim_hash="of another claim")}
    assert evidence_table.unable_to_fail([claim], old) == []
    assert "The audits of 1 claims are not up to date." in evidence_table.page([claim], old)


def test_controls_are_constant_if_each_has_one_single_value(claim_with: Callable[..., Claim]) -> None:
    claim = claim_with()

    def constant(far: list[float], wide: list[float], blind: list[float]) -> bool:
        values = {"near": [1.0, 1.01], "far": far, "wide": wide, "blind": blind}
        outcomes = {
            arm: Outcome(tuple(range(len(found))), {"value": found, "noise": [0.0] * len(found)})
            for arm, found in values.items()
        }
        return evidence_table.constant_controls(judge(claim, outcomes).criteria[0])

    assert constant([5.0, 5.0], [0.0, 0.0], [3.0, 3.0])
    assert not constant([5.0, 5.0], [0.0, 0.0], [3.0, 3.1])
    assert not constant([5.0], [0.0, 0.0], [3.0, 3.0])


def test_no_criterion_of_a_claim_of_this_repository_is_unable_to_fail() -> None:
    audits = {record.id: record for record in audit_table.stored()}
    assert evidence_table.unable_to_fail(all_claims(), audits) == []
