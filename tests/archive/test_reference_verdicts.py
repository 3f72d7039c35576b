"""The verdict by the numbers of a stored reference: used only as long as they are the numbers of the claim."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.archive import reference_verdicts
from dlnrepro.archive.reference_verdicts import reference_verdict, slacks
from dlnrepro.claimfile.loader import read_claim

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.fixture
def outputs(command: Command, write_claim: Write, tmp_path: Path) -> Path:
    """A folder of outputs with the reference of the toy claim."""
    command("run", write_claim(), "--reference", "outputs/reference", "-q")
    return tmp_path / "outputs"


def test_a_claim_is_judged_by_its_reference_with_its_own_criteria(outputs: Path, write_claim: Write) -> None:
    found = reference_verdict(outputs, read_claim(write_claim()))
    assert found is not None
    assert (found.word, len(found.criteria[0].holds_in[0].seeds)) == ("reproduced", 16)
    strict = read_claim(write_claim(("within: 0.1", "within: 1e-9")))
    judged = reference_verdict(outputs, strict)
    assert judged is not None
    assert judged.criteria[0].broken
    factors = slacks(outputs, strict)
    assert factors.keys() == {"near-one"}
    assert factors["near-one"] is not None
    assert factors["near-one"] < 1


def test_numbers_of_other_settings_other_code_or_fewer_runs_are_not_used(
    outputs: Path, write_claim: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for change in (
        ("bytes: 1000", "bytes: 1001"),
        ("far: {value: 5.0}", "far: {value: 6.0}"),
        ("seeds: 4\nsetup", "seeds: 17\nsetup"),
    ):
        claim = read_claim(write_claim(change))
        assert reference_verdict(outputs, claim) is None
        assert slacks(outputs, claim) == {}
    monkeypatch.setattr(reference_verdicts, "source_hash", lambda _: "other code")
    assert reference_verdict(outputs, read_claim(write_claim())) is None


def test_without_a_reference_or_with_a_damaged_one_there_is_no_verdict(outputs: Path, write_claim: Write) -> None:
    claim = read_claim(write_claim())
    assert reference_verdict(outputs / "elsewhere", claim) is None
    (outputs / "reference" / "toy-claim.json").write_text("{}")
    assert reference_verdict(outputs, claim) is None
