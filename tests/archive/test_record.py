"""Reports: their counts and exit codes, and what stays when they are judged again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from dlnrepro.archive.record import ClaimRecord, Report, compile_report, from_json, judged_again, to_json
from dlnrepro.errors import Unjudged
from dlnrepro.verdict.judge import Word

Run = Callable[..., Report]


@pytest.fixture
def run(command: Callable[..., tuple[int, str, str]], write_claim: Callable[..., Path], tmp_path: Path) -> Run:
    """Run the toy claim with some options and give its report."""

    def report(*words: str) -> Report:
        command("run", write_claim(), "-q", "-o", "out.json", *words)
        return from_json((tmp_path / "out.json").read_bytes())

    return report


def came_out(record: ClaimRecord, verdict: Word, expect: str = "reproduced") -> ClaimRecord:
    """The record with another verdict."""
    return replace(record, verdict=verdict, expect=expect, as_expected=verdict == expect)


FILE, PROGRAM = Unjudged(2, "bad.yaml", "no claim"), Unjudged(3, None, "a fault of the program")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verdicts", "unjudged", "code", "allowing"),
    [
        (["reproduced"], [], 0, 0),
        (["inconclusive", "reproduced"], [], 4, 0),
        (["inconclusive"], [FILE], 2, 2),
        (["reproduced"], [FILE], 2, 2),
        (["error", "inconclusive"], [], 3, 3),
        (["error"], [FILE], 3, 3),
        (["reproduced"], [FILE, PROGRAM], 3, 3),
        ([], [PROGRAM, FILE], 3, 3),
        (["not reproduced"], [], 1, 1),
        (["error", "not reproduced", "inconclusive"], [], 1, 1),
        (["not reproduced", "error"], [PROGRAM, FILE], 1, 1),
    ],
)
def test_the_most_serious_of_what_came_out_is_the_exit_code(
    run: Run, verdicts: list[Word], unjudged: list[Unjudged], code: int, allowing: int
) -> None:
    report = run()
    claims = [came_out(report.claims[0], verdict) for verdict in verdicts]
    for order in (claims, claims[::-1]):
        assert compile_report(order, report.provenance, None, False, unjudged).exit_code == code
        assert compile_report(order, report.provenance, None, True, unjudged).exit_code == allowing


def test_an_expectation_that_is_not_met_is_as_serious_either_way(run: Run) -> None:
    report = run()
    expected = came_out(report.claims[0], "not reproduced", expect="not reproduced")
    surprising = came_out(report.claims[0], "reproduced", expect="not reproduced")
    failed = came_out(report.claims[0], "error", expect="not reproduced")
    assert compile_report([expected], report.provenance, None, False).exit_code == 0
    assert compile_report([], report.provenance, None, False).exit_code == 5
    assert compile_report([failed, surprising], report.provenance, None, False).exit_code == 1
    assert compile_report([failed, expected], report.provenance, None, False).exit_code == 3


def test_every_verdict_is_counted(run: Run) -> None:
    report = run()
    words: list[Word] = ["error", "error", "reproduced", "inconclusive", "error", "not reproduced", "reproduced"]
    found = compile_report([came_out(report.claims[0], word) for word in words], report.provenance, None, False)
    assert found.counts == {"reproduced": 2, "not reproduced": 1, "inconclusive": 1, "error": 3}


@pytest.mark.parametrize("signal", [130, 143])
def test_an_interrupted_report_keeps_its_code_and_what_was_not_judged(run: Run, signal: Literal[130, 143]) -> None:
    report = run()
    stopped = compile_report(report.claims, report.provenance, signal, False, [FILE])
    again = judged_again(from_json(to_json(stopped)))
    assert (again.exit_code, again.interrupted, again.unjudged) == (signal, True, [FILE])
    assert judged_again(replace(stopped, interrupted=False)).exit_code == 2


def test_a_run_without_controls_is_judged_again_without_them(run: Run) -> None:
    report = run("--no-controls")
    assert judged_again(report).claims[0].verdict == report.claims[0].verdict == "reproduced"


def test_a_stored_word_on_what_was_expected_is_not_believed(run: Run) -> None:
    report = run("-s", "value=3")
    record = report.claims[0]
    forged = replace(report, claims=[replace(record, as_expected=True, expect="not reproduced")])
    again = judged_again(forged)
    assert (again.claims[0].as_expected, again.claims[0].expect, again.exit_code) == (False, "reproduced", 1)
