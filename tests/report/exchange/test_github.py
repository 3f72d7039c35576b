"""Annotations and the job's summary: read as the job's runner reads them, and nothing outside of a job."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dlnrepro.archive.record import Report
from dlnrepro.report.exchange.github import SUMMARY_BYTES, annotation, announce, report_annotations

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]
ReportOf = Callable[..., Report]


@pytest.fixture
def summary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The surroundings of a job, and the file of its summary."""
    path = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """The level, properties and message of an annotation, as a job's runner splits and decodes them."""
    match = re.fullmatch(r"::(\w+)(?: (.*?))?::(.*)", line)
    assert match is not None, line

    def decoded(text: str) -> str:
        for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            text = text.replace(code, character)
        return text

    pairs = [pair.split("=", 1) for pair in (match[2] or "").split(",") if pair]
    return match[1], {name: decoded(value) for name, value in pairs}, decoded(match[3])


def test_a_broken_claim_is_an_error_at_the_line_of_its_criterion(
    command: Command, write_claim: Write, summary: Path
) -> None:
    code, _, err = command("run", write_claim(), "-s", "near.value=3", "-q")
    level, properties, message = parsed(err.splitlines()[-1])
    assert (code, level) == (1, "error")
    assert properties == {"file": "toy-claim.yaml", "line": "23", "title": "toy-claim: not reproduced"}
    assert message == (
        "near-one: value = 1 ± 0.1 does not hold in near (16 of 16 runs outside). near-one in near: the test of 98 % "
        "against 80 % has decided, so no further runs are made"
    )
    assert summary.read_text().startswith("### dlnrepro: 1 not reproduced\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "level", "key"),
    [
        ([("steady", "diverges")], "warning", "  - id: near-one"),
        ([("below: 1e-2", "below: 1e-9")], "warning", "  - {says: the noise is small"),
        ([("far: {value: 5.0}", "far: {behaviour: raises}")], "error", "  far: {behaviour: raises}"),
        ([("quick:", "expect: not reproduced\nbecause: it is three\nquick:")], "error", "expect: not reproduced"),
    ],
    ids=["undecided", "unmet", "error", "not expected"],
)
def test_an_annotation_stands_at_the_line_that_it_is_about(
    command: Command, write_claim: Write, summary: Path, changes: list[tuple[str, str]], level: str, key: str
) -> None:
    path = write_claim(*changes)
    _, _, err = command("run", path, "-q")
    found, properties, _ = parsed(err.splitlines()[-1])
    assert found == level
    assert path.read_text().splitlines()[int(properties["line"]) - 1].startswith(key)
    assert summary.exists()


def test_standard_output_stays_json(command: Command, write_claim: Write, summary: Path) -> None:
    _, out, err = command("run", write_claim(), "-s", "near.value=3", "--json", "-q")
    assert json.loads(out)["exit_code"] == 1
    assert err.startswith("::error ")
    assert summary.exists()


def test_what_is_as_expected_is_not_annotated(command: Command, write_claim: Write, summary: Path) -> None:
    assert "::" not in command("run", write_claim(), "-q")[2]
    assert "1 reproduced" in summary.read_text()


def test_nothing_happens_outside_of_a_job(
    command: Command, write_claim: Write, summary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert command("run", write_claim(), "-s", "near.value=3", "-q")[2] == ""
    assert not summary.exists()


def test_a_claim_outside_of_the_repository_has_no_line_in_it(
    command: Command, write_claim: Write, summary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (summary.parent / "elsewhere").mkdir()
    monkeypatch.setenv("GITHUB_WORKSPACE", str(summary.parent / "elsewhere"))
    _, properties, _ = parsed(command("run", write_claim(), "-s", "near.value=3", "-q")[2].strip())
    assert properties == {"title": "toy-claim: not reproduced"}


def test_a_summary_that_cannot_be_written_is_said_and_changes_nothing(
    command: Command, write_claim: Write, summary: Path
) -> None:
    summary.mkdir()
    code, _, err = command("run", write_claim(), "-q")
    assert (code, err) == (0, f"{summary}: the job's summary could not be written: is a directory\n")


def test_the_summary_is_added_to_and_keeps_to_its_limit(command: Command, write_claim: Write, summary: Path) -> None:
    summary.write_text("before\n")
    command("run", write_claim(), "-q")
    assert summary.read_text().startswith("before\n### dlnrepro")
    summary.write_bytes(b"x" * (SUMMARY_BYTES - 100))
    assert "the job's summary is full" in command("run", write_claim(), "-q")[2]
    assert summary.stat().st_size == SUMMARY_BYTES - 100


@pytest.mark.parametrize("nasty", ["100 %\r\n::error::x", "a,b:c=d%2C", "%0A%250A::stop-commands::x"])
def test_hostile_words_neither_end_a_command_nor_begin_one(nasty: str) -> None:
    line = annotation("error", nasty, title=nasty, file=nasty, line=3)
    assert "\n" not in line
    assert "\r" not in line
    assert parsed(line) == ("error", {"file": nasty, "line": "3", "title": nasty}, nasty)


def test_a_file_of_hostile_name_is_checked_in_one_line(command: Command, write_claim: Write) -> None:
    bad = write_claim(("seeds: 4\n", "seeds: 0\n"), name="a,b%3A")
    _, properties, message = parsed(command("check", bad, "--format", "github")[1].splitlines()[-1])
    assert properties == {"file": str(bad), "line": "12", "col": "1"}
    assert message == "seeds: expected a number of at least 1, found 0"


def test_the_tenth_annotation_speaks_for_all_that_remain(report_of: ReportOf) -> None:
    broken = report_of("-s", "near.value=3")
    claims = [replace(broken.claims[0], id=f"claim-{n}", path="nowhere.yaml") for n in range(12)]
    lines = report_annotations(replace(broken, claims=claims))
    assert len(lines) == 10
    assert parsed(lines[-1])[2] == "3 more: claim-9, claim-10, claim-11"
    assert len(report_annotations(replace(broken, claims=claims[:10]))) == 10


def test_what_was_not_judged_is_an_error_at_its_place_and_the_signal_a_warning(
    ended: Report, summary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "bad.yaml").touch()
    announce(ended)
    assert report_annotations(ended) == [
        "::error file=claims/bad.yaml,line=6,col=1,title=dlnrepro%3A not judged::"
        "title: expected text, found 3 (1 more error)",
        "::error title=dlnrepro%3A not judged::"
        "claims/two.yaml:1:1: expected a readable file, found: not a regular file",
        "::error title=dlnrepro%3A not judged::a fault of the program",
        "::warning title=dlnrepro::ended by SIGTERM: the claims that are not listed did not finish",
    ]
    assert summary.read_text().startswith("### dlnrepro: 1 reproduced, 3 not judged\n")
