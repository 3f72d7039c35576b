"""Stored numbers that would not come out the same today are named and not used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.archive import provenance

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def test_numbers_of_another_version_are_not_used_unless_asked_for(
    command: Command, write_claim: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("run", write_claim(), "-q")
    then = provenance.versions()
    for module in ("cell_store", "staleness"):
        monkeypatch.setattr(f"dlnrepro.archive.{module}.versions", lambda: {**then, "numpy": "99.1"})
    code, out, _ = command("report")
    assert code == 4
    flat = " ".join(out.split())
    assert f"its numbers are stale (numpy was {then['numpy']} and is now 99.1)" in flat
    assert "labels (how results differ from a complete new run of the claim files): stale" in flat
    assert command("report", "--as-recorded")[0] == 0


def test_numbers_of_changed_source_are_not_used(
    command: Command, write_claim: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("run", write_claim(), "-q")
    for module in ("cell_store", "staleness"):
        monkeypatch.setattr(f"dlnrepro.archive.{module}.source_hash", lambda _: "other")
    code, out, _ = command("report", "-q")
    assert code == 4
    assert "the source of runner 'toy', or of a module that it uses, has changed" in " ".join(out.split())


def test_numbers_of_a_run_during_which_the_source_was_edited_are_not_used(
    command: Command, write_claim: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as edited:
        edited.setattr("dlnrepro.session.execution.source_hash", lambda _: "the source at the end of the run")
        command("run", write_claim(), "-q")
    code, out, _ = command("report", "-q")
    assert code == 4
    assert "the source of runner 'toy', or of a module that it uses, has changed" in " ".join(out.split())


def test_numbers_with_other_seeds_than_their_key_says_are_not_used(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    command("run", write_claim(), "-q", "--seed-base", "5", "-o", "report.json")
    assert command("report", tmp_path / "report.json")[0] == 0
    changed = json.loads((tmp_path / "report.json").read_text())
    changed["claims"][0]["outcomes"]["near"]["seeds"] = [*range(16)]
    (tmp_path / "report.json").write_text(json.dumps(changed))
    code, out, _ = command("report", tmp_path / "report.json")
    assert code == 4
    assert "parameters or seeds do not fit the stored key in near" in " ".join(out.split())


def test_stale_numbers_leave_the_other_labels_in_place(command: Command, write_claim: Write, tmp_path: Path) -> None:
    command("run", write_claim(), "-q", "--no-controls", "-s", "bytes=5", "-o", "report.json")
    text = (tmp_path / "report.json").read_text()
    (tmp_path / "report.json").write_text(text.replace('"bytes": 5', '"bytes": 6'))
    found = json.loads(command("report", tmp_path / "report.json", "--json")[1])["claims"][0]
    assert found["stamps"] == ["modified", "no-controls", "stale"]


def test_numbers_with_other_parameters_than_their_key_says_are_not_used(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    command("run", write_claim(), "-q", "-o", path)
    path.write_text(path.read_text().replace('"value": 5.0', '"value": 6.0'))
    code, out, _ = command("report", path)
    assert code == 4
    assert "parameters or seeds do not fit the stored key in far" in " ".join(out.split())
