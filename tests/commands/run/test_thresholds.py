"""A claim whose threshold is a formula of what each run draws, through the whole command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlnrepro.archive.record import from_json, judged_again, to_json

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]
BOUND = "at_least: 0.8 * drawn"
OF_SETTING = "at_least: 0.4 * strengths[1] / strengths[2]"


def report(folder: Path) -> Any:
    """The report of the last run."""
    return json.loads((folder / "out.json").read_bytes())


def test_each_run_is_judged_by_its_own_threshold_and_every_report_says_so(
    command: Command, write_drawn: Write, tmp_path: Path
) -> None:
    outputs = ["-o", "out.json", "-o", "out.xml", "-o", "out.md", "-o", "out.html"]
    code, _, _ = command("run", write_drawn(), "-q", *outputs)
    assert code == 0
    (claim,) = report(tmp_path)["claims"]
    (criterion,) = claim["criteria"]
    assert criterion["interval"] == {"at_least": "0.8 * drawn"}
    drawn = claim["outcomes"]["near"]["measures"]["drawn"]
    assert criterion["holds_in"][0]["thresholds"] == {"at_least": [pytest.approx(0.8 * value) for value in drawn]}
    assert set(claim["meanings"]) == {"height", "drawn", "curve", "step"}
    values = f"{min(0.8 * value for value in drawn):.4g} to {max(0.8 * value for value in drawn):.4g}"
    words = f"0.8 * drawn ({values})"
    assert words in criterion["interval_text"]
    for form in ("xml", "md", "html"):
        assert words in (tmp_path / f"out.{form}").read_text(encoding="utf-8").replace("\\*", "*"), form
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "The thresholds differ between runs." in page


def test_an_override_moves_the_threshold_and_the_stored_report_is_judged_in_the_same_way(
    command: Command, write_drawn: Write, tmp_path: Path
) -> None:
    path = write_drawn((BOUND, OF_SETTING))
    code, _, _ = command("run", path, "-q", "-o", "out.json", "-s", "strengths=[9, 2]")
    assert code == 1
    stored = from_json((tmp_path / "out.json").read_bytes())
    again = judged_again(stored)
    assert to_json(again) == to_json(stored)
    (record,) = again.claims
    assert record.verdict == "not reproduced"
    assert record.criteria[0].interval_text == "≥ 0.4 * strengths[1] / strengths[2] (1.8)"
    code, out, _ = command("report", tmp_path / "out.json")
    assert code == 1
    assert "strengths[1] / strengths[2] (1.8)" in " ".join(out.split())


def test_show_gives_the_values_that_are_known_before_a_run(command: Command, write_drawn: Write) -> None:
    _, out, _ = command("show", write_drawn((BOUND, OF_SETTING)))
    assert "required: height ≥ 0.4 * strengths[1] / strengths[2] (0.8) for" in " ".join(out.split())
    _, out, _ = command("show", write_drawn())
    flat = " ".join(out.split())
    assert "required: height ≥ 0.8 * drawn (known after each run) for" in flat
    assert "drawn: what the run drew" in flat


def test_check_refuses_a_formula_with_an_unknown_name(command: Command, write_drawn: Write) -> None:
    code, _, err = command("check", write_drawn((BOUND, "at_least: 0.8 * drwn")))
    assert code == 2
    assert err.strip().endswith(
        "19:5: criteria[0].at_least: expected one of strengths, factor, spread, mood, height, drawn, found 'drwn'; did "
        "you mean 'drawn'?"
    )


def test_a_counterexample_says_what_was_required_of_its_run(
    command: Command, write_drawn: Write, tmp_path: Path
) -> None:
    path = write_drawn(("    holds_in: [near]", "    runs: every\n    holds_in: [near]"))
    code, out, _ = command("run", path, "-s", "factor=0.7", "-o", "out.json")
    assert code == 1
    (claim,) = report(tmp_path)["claims"]
    measures = claim["outcomes"]["near"]["measures"]
    height = f"{measures['height'][0]:.4g}"
    assert (
        f"counterexample to high: in near, the run with seed 0 has height {height} (required of this run: height ≥ "
        f"{0.8 * measures['drawn'][0]:.6g});"
    ) in " ".join(out.split())


@pytest.mark.slow
def test_an_audit_compares_runs_relative_to_their_own_thresholds(command: Command, write_drawn: Write) -> None:
    path = write_drawn((BOUND, BOUND + "\n    theory_allows: 0.5 * drawn"))
    code, out, _ = command("audit", path, "--runs", 16)
    flat = " ".join(out.split())
    assert code == 0, out
    assert "runs on a linear scale, each divided by the size of its own threshold:" in flat
    assert "For at_least, every multiple from 1.25 to 0.625 of the threshold of each run would give" in flat
    assert "it is tighter by a factor of 1.6." in flat
    assert "1.25 times its threshold" in flat
