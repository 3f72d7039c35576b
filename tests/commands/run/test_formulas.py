"""`dlnrepro` on claims whose settings and hypotheses are formulas: what is run, what is shown, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def record(command: Command, path: Path, *words: object) -> tuple[int, dict[str, Any]]:
    """The exit code of a run, and the record of its claim."""
    code, out, _ = command("run", path, "--json", *words)
    return code, json.loads(out)["claims"][0]


OF_CONSTANTS = """\
schema: 1
title: The loss of one layer falls at the rate of the gradient flow
statement: Gradient flow of one layer on white inputs has the loss R(0) exp(-2 t).
source: {kind: own}
runner: linear_network
seeds: 2
setup:
  constants: {rate: 2, end: 4 / constants.rate}
  depth: 1
  width: 2
  strengths: [1.5, 0.5]
  start: gaussian
  method: flow
  time: constants.end
  points: 9
measures:
  rate: {says: the rate of the loss over its formula, slope: [-log(loss), time], ratio_to: constants.rate}
arms:
  flow: {}
  other-rate: {constants: {rate: 3}}
  other-formula: {constants: {rate: 3, end: 2}}
  other-layers: {depth: 2}
criteria:
  - id: rate
    says: The rate is that of the formula.
    measure: rate
    above: 1 - 0.001 / constants.rate
    below: 1 + 0.001 / constants.rate
    holds_in: flow
    fails_in: [other-rate, other-formula, other-layers]
"""
"""A claim with constants of its own."""


def test_constants_of_a_claim_are_judged_and_are_a_wrong_formula_where_they_change_no_setting(tmp_path: Path) -> None:
    path = tmp_path / "constants.yaml"
    path.write_text(OF_CONSTANTS, encoding="utf-8")
    # In a process of its own: where autograd has been used, as by other tests, its threads forbid it to a fork.
    words = (sys.executable, "-m", "dlnrepro", "run", "./constants.yaml", "--json")
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["claims"][0]
    assert (done.returncode, found["verdict"]) == (0, "reproduced")
    checks = {check["arm"]: check["wrong_formula"] for check in found["criteria"][0]["fails_in"]}
    assert checks == {"other-rate": False, "other-formula": True, "other-layers": False}
    assert found["formulas"]["flow"] == {
        "constants.end": {"formula": "4 / constants.rate", "value": 2.0},
        "time": {"formula": "constants.end", "value": 2.0},
    }


def test_a_setting_follows_from_the_settings_of_its_arm(command: Command, write_recorded: Write) -> None:
    code, found = record(command, write_recorded())
    assert code == 0
    assert found["verdict"] == "reproduced"
    assert {arm: params["step_size"] for arm, params in found["params"].items()} == {
        "near": 0.25,
        "stronger": 1.5 / 8,
        "short": 0.25,
    }
    assert found["params"]["near"]["start"] == {"low": 0.1, "high": 1.1}
    assert found["formulas"]["stronger"] == {
        "step_size": {"formula": "1.5 / (strengths[1] + strengths[2])", "value": 1.5 / 8},
        "start.high": {"formula": "start.low + 1", "value": 1.1},
    }
    assert found["claim"]["setup"]["step_size"] == "1.5 / (strengths[1] + strengths[2])"


def test_the_numbers_are_stored_under_the_value_and_not_under_the_formula(
    command: Command, write_recorded: Write
) -> None:
    _, by_formula = record(command, write_recorded())
    _, by_number = record(
        command,
        write_recorded(
            ("1.5 / (strengths[1] + strengths[2])", "0.25"),
            ("high: start.low + 1", "high: 1.1"),
            ("{strengths: [5, 3]}", "{strengths: [5, 3], step_size: 0.1875}"),
        ),
    )
    assert by_formula["cells"] == by_number["cells"]
    assert by_number["formulas"] == {}
    assert "cached" in by_number["stamps"]


def test_an_override_may_be_a_formula_and_moves_the_settings_that_follow(
    command: Command, write_recorded: Write
) -> None:
    path = write_recorded()
    words = ("-s", "strengths=[8, 2]", "-s", "stronger.step_size=strengths[2] / 10")
    code, found = record(command, path, *words)
    assert code == 0
    assert {arm: params["step_size"] for arm, params in found["params"].items()} == {
        "near": 0.15,
        "stronger": 0.3,
        "short": 0.15,
    }
    assert found["stamps"][:1] == ["modified"]
    _, out, _ = command("run", path, *words)
    assert "step_size 0.15 (claim file: 1.5 / (strengths[1] + strengths[2]) = 0.25) in" in " ".join(out.split())


def test_the_quick_profile_may_hold_formulas(command: Command, write_recorded: Write) -> None:
    quick = ("quick: {seeds: 2}", 'quick: {seeds: 2, setup: {steps: "10 + strengths[2]"}}')
    code, found = record(command, write_recorded(quick), "--quick")
    assert code == 0
    assert {arm: params["steps"] for arm, params in found["params"].items()} == {"near": 12, "stronger": 13, "short": 3}
    assert isinstance(found["params"]["near"]["steps"], int)
    _, out, _ = command("report", "-v")
    assert "steps 12 (claim file: 20)" in " ".join(out.split())


def test_reports_show_a_formula_with_its_values(command: Command, write_recorded: Write, tmp_path: Path) -> None:
    command("run", write_recorded(), "-q")
    line = "step_size = 1.5 / (strengths[1] + strengths[2]): 0.25 in near, short; 0.1875 in stronger"
    for words in (("report", "-v"), ("show", "recorded-claim.yaml")):
        _, out, _ = command(*words)
        flat = " ".join(out.split())
        assert line in flat
        assert "start.high = start.low + 1: 1.1" in flat
    command("report", "-o", "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"<code>{line}</code>" in page
    assert "1.5 / (strengths[1] + strengths[2]) = 0.25" in page


def test_a_dry_run_shows_the_formulas_of_an_arm_with_their_values(command: Command, write_recorded: Write) -> None:
    path = write_recorded()
    code, out, _ = command("run", path, "-n", "-s", "near.step_size=1 / strengths[1]")
    assert code == 0
    assert "  near: step_size=1 / strengths[1] = 0.25 (-s) (about" in out
    _, out, _ = command("run", path, "-n", "--json", "-s", "near.step_size=1 / strengths[1]")
    near = json.loads(out)["claims"][0]["arms"][0]
    assert near["changes"] == {"step_size": {"value": 0.25, "formula": "1 / strengths[1]", "by": "-s"}}


STEP = "step_size: 1.5 / (strengths[1] + strengths[2])"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            STEP,
            "step_size: 2 / strength[1]",
            "9:3: setup.step_size: expected one of strengths, steps, start.low, offset, start.high, found 'strength'; "
            "did you mean 'strengths'?",
        ),
        (
            STEP,
            "step_size: 2 / strengths",
            "9:3: setup.step_size: expected a number, found the list 'strengths'; did you mean 'strengths[1]'?",
        ),
        (
            STEP,
            "step_size: 2 / mood",
            "9:3: setup.step_size: expected a number or a list of numbers, found 'mood', which is 'calm'",
        ),
        (
            STEP,
            "step_size: 1 / (steps - 20)",
            "expected a formula with a finite value, found '1 / (steps - 20)' without",
        ),
        (STEP, "step_size: 2 strengths", "9:3: setup.step_size: expected a formula such as '0.8 * depth', found"),
        (STEP, "step_size: fast", "9:3: setup.step_size: expected a number, found 'fast'"),
        (
            STEP,
            "step_size: steps",
            "9:3: setup.step_size: expected a number of at most 10, found 20.0, the value of 'steps'",
        ),
        (
            "steps: 20",
            "steps: strengths[1] / 3",
            "10:3: setup.steps: expected a whole number, found 1.3333333333333333, the value of 'strengths[1] / 3'",
        ),
        (
            "strengths: [4, 2]",
            "strengths: [4, 2 * step_size]",
            "9:3: setup.step_size: expected a formula that does not need itself, found strengths[1] needs step_size "
            "needs strengths[1]",
        ),
        (
            "short: {steps: 3}",
            'short: {steps: 3, step_size: "1 / step"}',
            "arms.short.step_size: expected one of strengths, steps, start.low, offset, start.high, found 'step'; did "
            "you mean 'steps'?",
        ),
        (
            "{strengths: [5, 3]}",
            "{strengths: [0, 0]}",
            "arms.stronger.step_size: expected a formula with a finite value",
        ),
    ],
)
def test_a_formula_that_does_not_fit_is_a_line_at_its_key(
    command: Command, write_recorded: Write, old: str, new: str, line: str
) -> None:
    code, out, err = command("check", write_recorded((old, new)))
    assert code == 2
    assert line in out + err


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("step_size=2 / strength[1]", "-s step_size: recorded-claim: expected one of strengths, steps"),
        (
            "steps=strengths[1] / 3",
            "expected a whole number, found 1.3333333333333333, the value of 'strengths[1] / 3'",
        ),
        ("strengths=[0, 0]", "step_size: expected a formula with a finite value"),
    ],
)
def test_an_override_that_does_not_fit_is_a_line(command: Command, write_recorded: Write, word: str, line: str) -> None:
    code, out, err = command("run", write_recorded(), "-s", word)
    assert (code, out) == (2, "")
    assert line in err


def test_a_text_is_no_formula_where_the_runner_takes_text(command: Command, write_recorded: Write) -> None:
    _, found = record(command, write_recorded(("mood: calm", "mood: strengths[1] / 2")))
    assert found["params"]["near"]["mood"] == "strengths[1] / 2"
    assert "mood" not in found["formulas"]["near"]


def test_the_settings_of_a_runner_of_the_program_may_be_formulas(command: Command, write_claim: Write) -> None:
    path = write_claim(("value: 1\n", "value: bytes / 1000\n"), ("far: {value: 5.0}", "far: {value: 5 + bytes * 0}"))
    code, found = record(command, path)
    assert code == 0
    assert {arm: params["value"] for arm, params in found["params"].items()} == {"near": 1, "far": 5}


def test_a_hypothesis_of_settings_alone_is_checked_for_all_runs_at_once(
    command: Command, write_recorded: Write
) -> None:
    code, found = record(command, write_recorded(("0 < step_size < 1", "'0.2 < step_size <= 1.1 / strengths[1]'")))
    assert code == 4
    (assumption,) = found["assumptions"]
    assert assumption["measure"] == "step_size"
    assert assumption["interval"] == {"above": 0.2, "at_most": "1.1 / strengths[1]"}
    assert assumption["runs"] == "every"
    assert [(check["arm"], check["inside"], check["outside"]) for check in assumption["holds_in"]] == [
        ("near", 4, 0),
        ("stronger", 0, 4),
    ]
    assert assumption["holds_in"][0]["thresholds"]["at_most"] == [0.275] * 4
    assert found["because"].startswith(
        "the assumption step_size > 0.2 and ≤ 1.1 / strengths[1] (0.22 to 0.275) is not met in stronger"
    )


def test_a_run_that_does_not_meet_a_hypothesis_of_its_own_measures_is_left_out(
    command: Command, write_recorded: Write
) -> None:
    own = (
        "  arrival:\n",
        "  draw: {says: the start that the run draws, value: drawn}\n  arrival:\n",
    )
    holds = ("0 < step_size < 1, holds_in: [near, stronger]", "draw + step_size < 1.2, holds_in: near")
    _, found = record(command, write_recorded(own, holds))
    (assumption,) = found["assumptions"]
    assert (assumption["measure"], assumption["interval"]) == ("draw + step_size", {"below": 1.2})
    assert assumption["runs"] == "almost all"
    (check,) = assumption["holds_in"]
    draws = found["outcomes"]["near"]["measures"]["draw"]
    assert check["values"] == pytest.approx([draw + 0.25 for draw in draws])
    assert check["outside"] == sum(draw + 0.25 >= 1.2 for draw in draws) > 0
    left = {item["arm"]: item["left_out"] for item in found["criteria"][0]["holds_in"]}
    assert left == {"near": check["outside"], "stronger": 0}


@pytest.mark.parametrize(
    ("new", "line"),
    [
        ("holds: 0 < step_size", None),
        ("holds: 2 > step_size * arrival", None),
        (
            "holds: 2 > arival",
            "28:34: assumptions[0].holds: expected one of strengths, step_size, steps, start, mood, start.low, "
            "start.high, rate, arrival, found 'arival'; did you mean 'arrival'?",
        ),
        ("holds: step_size", "expected an inequality such as '1 < depth' or '0 < step_size <= 2', found 'step_size'"),
        ("holds: 1 < step_size < 0", "expected an interval with numbers in it, found the empty one > 1 and < 0"),
        ("holds: 1", "assumptions[0].holds: expected an inequality, found 1"),
        (
            "holds: 0 < step_size, below: 2",
            "holds: expected `holds` alone, or a measure with a threshold, found below too",
        ),
        ("below: 2", "assumptions[0].measure: expected a measure, or `holds` with an inequality, found neither"),
        (
            "holds: strengths < 2",
            "holds: expected a number in the arm 'near', found the list 'strengths'; did you mean 'strengths[1]'?",
        ),
    ],
)
def test_a_hypothesis_that_means_nothing_is_refused(
    command: Command, write_recorded: Write, new: str, line: str | None
) -> None:
    code, out, err = command("check", write_recorded(("holds: 0 < step_size < 1", new)))
    assert code == (0 if line is None else 2)
    assert line is None or line in out + err


def test_a_report_shows_both_sides_of_a_hypothesis(command: Command, write_recorded: Write) -> None:
    command("run", write_recorded(("0 < step_size < 1", "'0.1 < step_size <= 1 / strengths[1]'")), "-q")
    _, out, _ = command("report", "-v")
    flat = " ".join(out.split())
    assert "required: step_size > 0.1 and ≤ 1 / strengths[1] (0.2 to 0.25) in every run" in flat
    assert "32 of 32 runs in 2 arms inside" in flat
    assert "from 0.1875 to 0.25" in flat
