"""The files of a reference: one per claim, which change only where the claim does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dlnrepro.archive.record import Report, from_json
from dlnrepro.archive.references import read_references, remove_reference, write_reference
from dlnrepro.errors import UsageError

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.fixture
def report(command: Command, write_claim: Write) -> Report:
    """A report of the toy claim."""
    return from_json(command("run", write_claim(), "--json", "-q")[1].encode())


def with_seconds(report: Report, factor: float) -> Report:
    """The report of a machine that is slower by a factor."""
    (record,) = report.claims
    outcomes = {arm: replace(left, seconds=factor) for arm, left in record.outcomes.items()}
    return replace(report, claims=[replace(record, outcomes=outcomes)])


def store(folder: Path, report: Report) -> tuple[bool, bool]:
    """Store the claim of a report, and say whether its file was written, and whether its numbers are other ones."""
    before = read_references(folder).get("toy-claim")
    done = write_reference(folder, report.claims[0], report.provenance, before)
    return done.changed, done.moved


def test_a_reference_is_a_report_that_holds_nothing_of_a_single_run(tmp_path: Path, report: Report) -> None:
    (record,) = report.claims
    assert store(
        tmp_path / "new" / "folder", replace(report, claims=[replace(record, stamps=["cached", "dirty"])])
    ) == (
        True,
        False,
    )
    found = json.loads((tmp_path / "new" / "folder" / "toy-claim.json").read_text())
    assert set(found["provenance"]) == {"versions", "processor", "threads", "device", "arithmetic", "platform"}
    assert found["claims"][0]["stamps"] == []
    assert found["claims"][0]["cells"] == record.cells


def test_a_list_of_numbers_is_one_line_and_every_other_entry_a_line_of_its_own(tmp_path: Path, report: Report) -> None:
    store(tmp_path, report)
    lines = (tmp_path / "toy-claim.json").read_text().splitlines()
    assert f'       "seeds": [{",".join(map(str, range(16)))}],' in lines
    assert all(line.count('": ') <= 1 for line in lines if "statement" not in line and "says" not in line)


def test_the_same_numbers_leave_the_file_as_it_is_however_long_they_took(tmp_path: Path, report: Report) -> None:
    store(tmp_path, with_seconds(report, 1.0))
    before = (tmp_path / "toy-claim.json").stat()
    assert store(tmp_path, with_seconds(report, 40.0)) == (False, False)
    assert (tmp_path / "toy-claim.json").stat() == before


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "seconds"), [(1.4, 1.0), (1.6, 1.6), (0.7, 1.0), (0.6, 0.6)])
def test_another_source_changes_the_times_only_if_they_differ_by_more_than_noise(
    tmp_path: Path, report: Report, factor: float, seconds: float
) -> None:
    store(tmp_path, with_seconds(report, 1.0))
    edited = with_seconds(report, factor)
    edited = replace(edited, claims=[replace(edited.claims[0], runner_hash="other")])
    assert store(tmp_path, edited) == (True, False)
    found = json.loads((tmp_path / "toy-claim.json").read_text())["claims"][0]
    assert found["runner_hash"] == "other"
    assert {left["seconds"] for left in found["outcomes"].values()} == {seconds}


def test_other_numbers_are_said_to_be_so(tmp_path: Path, report: Report) -> None:
    store(tmp_path, report)
    (record,) = report.claims
    near = replace(
        record.outcomes["near"], measures={**record.outcomes["near"].measures, "value": [1.0, 1.0, 1.0, 1.01]}
    )
    assert store(tmp_path, replace(report, claims=[replace(record, outcomes={**record.outcomes, "near": near})])) == (
        True,
        True,
    )


def test_every_file_that_is_not_a_report_of_its_claim_is_named(tmp_path: Path, report: Report) -> None:
    store(tmp_path, report)
    (tmp_path / "other.json").write_bytes((tmp_path / "toy-claim.json").read_bytes())
    (tmp_path / "toy-claim.json").unlink()
    empty = json.loads((tmp_path / "other.json").read_text())
    (tmp_path / "package.json").write_text(json.dumps({**empty, "claims": []}))
    with pytest.raises(UsageError) as caught:
        read_references(tmp_path)
    assert caught.value.args == (
        f"{tmp_path / 'other.json'}: expected a report of the claim 'other' alone, found 'toy-claim'",
        f"{tmp_path / 'package.json'}: expected a report of the claim 'package' alone, found no claim",
    )


def test_a_folder_that_is_not_there_holds_no_reference(tmp_path: Path) -> None:
    assert read_references(tmp_path / "none") == {}


def test_a_file_that_cannot_be_removed_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "toy-claim.json").mkdir()
    with pytest.raises(
        UsageError, match=r"toy-claim\.json: expected a file that can be removed, found: is a directory"
    ):
        remove_reference(tmp_path, "toy-claim")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, report: Report) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught:
        write_reference(tmp_path / "file" / "x", report.claims[0], report.provenance, None)
    assert str(caught.value) == f"{tmp_path / 'file' / 'x'}: expected a folder that can be made, found: not a directory"
