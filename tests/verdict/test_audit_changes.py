"""Changes of an audit: two routes that disagree have noticed a flaw, and every other error shows nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.loader import read_claim
from dlnrepro.verdict.audit_changes import change_audit
from dlnrepro.verdict.outcome import Outcome

FLAW = "audit: {flaws: {other: {says: The value is 3., settings: {value: 3}, breaks: near-one}}}\n"
HARMLESS = "audit: {harmless: {other: {value: 1.01}}}\n"


@pytest.mark.parametrize(
    ("section", "fault", "status", "kept"),
    [
        (FLAW, "Disagreement: two routes differ (toy.py:3)", "noticed", None),
        (FLAW, "ValueError: no number (toy.py:3)", "error", "arm near: ValueError: no number (toy.py:3)"),
        (HARMLESS, "Disagreement: two routes differ", "error", "arm near: Disagreement: two routes differ"),
    ],
)
def test_a_disagreement_notices_a_flaw_and_no_other_error_does(
    write_claim: Callable[..., Path], section: str, fault: str, status: str, kept: str | None
) -> None:
    claim = read_claim(write_claim(("schema: 1\n", f"schema: 1\n{section}")))
    seeds = tuple(range(4))
    unchanged = {"near": Outcome(seeds, {"value": [1.0] * 4, "noise": [1e-4] * 4})}

    found = change_audit(claim, "other", {"near": Outcome(seeds, {}, fault)}, unchanged)

    assert {response.status for response in found.responses} == {status}
    assert found.fault == kept
