"""`dlnrepro run`, through the real entry point: what is printed, verdicts, and exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def test_a_claim_that_holds_is_reproduced_with_its_numbers(command: Command, write_claim: Write) -> None:
    code, out, _ = command("run", write_claim())
    assert code == 0
    for words in ("✓ reproduced", "16/16", "control far", "100 % (79–100)", "dlnrepro run", "value = 1 ± 0.1"):
        assert words in out
    assert max(len(line) for line in out.splitlines() if "/" not in line) <= 80
    assert "\x1b" not in out


def test_the_whole_report_of_the_toy_claim_reads_as_it_should(command: Command, write_claim: Write) -> None:
    _, out, err = command("run", write_claim(("seeds: 4", "seeds: 16")).name)
    assert re.fullmatch(
        r"1 claim: 2 arms to compute \(controls included\)\n"
        r"\[1/1\] toy-claim: reproduced \(computing time \d\.\d s\)\n",
        err,
    )
    *page, folder = re.sub(r"\d\.\d s", "0.0 s", out).splitlines()
    assert page == TOY_REPORT.splitlines()
    assert folder.startswith("outputs/reports/20")


TOY_REPORT = """\
toy-claim   ✓ reproduced
  The toy is near one

  verdict
    reproduced: every criterion holds, and every control fails as required
    runs passed: 16 of 16; controls failed as required: 1 of 1
    basis: derived (the criteria rest on a derivation for this project)
    tightest criterion: near-one; its worst run has value 1.001, 0.099 inside
      the threshold 1.1 (uses 1 % of the tolerance)

  statement
    A toy that measures one.

  experiment
    All runs compute in double precision (float64).

  source
    A. Author: Toys. Nowhere 2026, everywhere.

  arms: the settings with a few named changes
    near   the settings as they are
    control far   value 5

  assumptions: a run that does not meet one is left out
    ✓ the noise is small
      required: noise < 0.01 for almost all runs: at least 98 % against at
        most 80 %
      noise: the noise alone, in [0, 1e-3]
      16 of 16 runs inside (95 % interval of the share: 79–100 %); median
        0.0005668, from 3.411e-5 to 0.0009701

  criteria, each with its negative controls, which must fail
    The thresholds are fixed in the claim file before the program runs.

    ✓ near-one   the value is one
      required: value = 1 ± 0.1 for almost all runs: at least 98 % against at
        most 80 %
      value: the value, up to noise
                                  share as
                      runs        required         smallest
      arm           inside (95 % interval) median  … largest
      ✓ near         16/16  100 % (79–100)  1.001  1 … 1.001
      ✓ control far   0/16  100 % (79–100)  5.001  5 … 5.001
      distance between the worst run (1.001) and the nearest control run (5,
        far): 3.999
      slack 103.1: the threshold is 103.1 times as far out as the worst run
      threshold: the noise is at most 1e-3

  figure: Height
    vertical: height, median over runs, from 1.001 to 50.01 (linear); the
      value at each step
    horizontal: step from 0 to 9 (linear); 0 .. 9
    near ▁▁▁▁▂▂▂▂▂▂ 1.001 → 10.01
    far  ▂▂▃▄▄▅▆▇▇█ 5.001 → 50.01
    values in the arm near (median over runs):
    step        0      2      4      7      9
    height  1.001  3.002  5.003  8.005  10.01

  to repeat this
    dlnrepro run toy-claim.yaml

                         runs controls computing
verdict      claim     passed   failed      time
✓ reproduced toy-claim  16/16      1/1     0.0 s
  tightest criterion: near-one; its worst run has value 1.001, 0.099 inside
    the threshold 1.1 (uses 1 % of the tolerance)

run: one seed of one arm; it passes if all that must hold in this arm holds
arm: the settings with a few named changes; all arms use the same seeds
control: an arm that must fail, because it breaks one hypothesis; it counts
  once per criterion, and 4/4 is good
almost all runs: a criterion is tested for at least 98 % against at most 80 %
  of all possible runs; 16 runs that all lie inside decide, and in doubt further
  runs are made, up to 256 per arm
share as required: the part of the counted runs that lie inside (in a control:
  outside), in percent; in parentheses is its exact 95 % confidence interval,
  for one arm and one criterion, as for a fixed number of runs
tightest criterion: its worst run (nearest to its threshold, or furthest
  outside) leaves the least room, relative to half the interval or to a single
  threshold
computing time: the times of all arms added, those of cached arms too

1 reproduced; computing time 0.0 s; the whole invocation took 0.0 s
chance of a wrong verdict: 3 tests are made of almost all runs, with 16 to 256
  runs per arm; a test is one criterion or assumption in one arm or control. If
  98 % or more of all possible runs are as required in each of them, the chance
  that any of them ends broken or undecided is at most 3 × 0.0021 % = 0.0063 %.
  If 80 % or less are, a test still passes with a chance of at most 3.2 %. With
  95 % confidence, 16 runs that all are as required leave a share above 79 %
  possible.
"""


@pytest.mark.parametrize(
    ("words", "code", "verdict"),
    [
        ([], 0, "reproduced"),
        (["-s", "value=3"], 1, "not reproduced"),
        (["-s", "behaviour=raises"], 3, "error"),
        (["-s", "behaviour=disagrees"], 3, "error"),
        (["-s", "behaviour=diverges"], 4, "inconclusive"),
        (["-s", "behaviour=first-diverges"], 0, "reproduced"),
        (["-s", "behaviour=diverges", "--allow-inconclusive"], 0, "inconclusive"),
        (["-s", "behaviour=slow", "--budget", "0.2"], 4, "inconclusive"),
        (["-s", "value=4.9999", "--no-controls"], 1, "not reproduced"),
        (["--quick"], 0, "reproduced"),
        (["--seeds", "6", "--seed-base", "1000"], 0, "reproduced"),
    ],
)
def test_the_exit_code_says_how_it_came_out(
    command: Command, write_claim: Write, words: list[str], code: int, verdict: str
) -> None:
    found, out, _ = command("run", write_claim(), "--json", *words)
    report = json.loads(out)
    assert (found, report["exit_code"], report["claims"][0]["verdict"]) == (code, code, verdict)


def test_the_history_of_a_test_is_shown_only_if_it_is_asked_for(command: Command, write_claim: Write) -> None:
    reason = ("why: the noise is at most 1e-3", 'why: "pilot: it was one"\n    history: it was 0.2 at first')
    path = write_claim(reason)
    command("run", path, "-q")
    short, whole = command("report", "toy-claim")[1], command("report", "-v")[1]
    fixed = "The thresholds are fixed in the claim file before the program runs."
    assert (
        f"{fixed} 1 of 2 was changed after the first runs; `dlnrepro report -v` shows what was changed, and why."
        in " ".join(short.split())
    )
    assert "      threshold from a pilot: it was one\n\n" in short
    assert f"    {fixed}\n" in whole
    assert "      threshold from a pilot: it was one\n      history: it was 0.2 at first\n" in whole


def test_every_arm_in_error_is_named(command: Command, write_claim: Write) -> None:
    code, out, _ = command("run", write_claim(), "-s", "behaviour=raises")
    lines = [line.split(" (")[0] for line in out.splitlines()]
    first = lines.index("    error: arm near: RuntimeError: the toy broke")
    assert (code, lines[first + 1]) == (3, "      arm far: RuntimeError: the toy broke")


def test_an_expected_failure_is_no_failure_and_an_unexpected_success_is_one(
    command: Command, write_claim: Write
) -> None:
    expected = ("quick:", "expect: not reproduced\nbecause: it is three\nquick:")
    code, out, _ = command("run", write_claim(("value: 1\n", "value: 3\n"), expected))
    assert code == 0
    reason = "near-one: value = 1 ± 0.1 does not hold in near (16 of 16 runs outside)"
    whole, short = (" ".join(text.split()) for text in (out, command("report", "-q")[1]))
    assert f"verdict not reproduced, as expected: {reason} runs passed: 0 of 16; " in whole
    assert "why the claim is expected to fail it is three source" in whole
    assert (whole.count(reason), whole.count("it is three")) == (1, 1)
    counts = "1 not reproduced (as expected); computing time "
    summary = f"toy-claim (not reproduced, as expected): {reason} Why this is expected: it is three {counts}"
    assert summary in short
    code, out, _ = command("run", write_claim(expected))
    assert code == 1
    assert "reproduced, though it was expected not to be: every criterion holds, and every control" in " ".join(
        out.split()
    )
    short = command("report", "-q")[1]
    assert "\ntoy-claim is reproduced, though the claim file expects that it is not.\n" in short


def test_a_claim_in_error_does_not_keep_the_others_from_running(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    write_claim(("steady", "raises"), name="a-broken")
    write_claim(name="b-whole")
    code, out, _ = command("run", tmp_path, "-q")
    assert code == 3
    assert "! error      a-broken" in out
    assert "✓ reproduced b-whole" in out
    code, out, _ = command("run", tmp_path, "-q", "-x")
    assert code == 3
    assert "b-whole" not in out


def test_a_draw_that_is_not_found_is_an_error_of_its_arm_in_one_line(command: Command, write_ruled: Write) -> None:
    code, out, err = command("run", write_ruled(), "-s", "far.start=0", "-q")
    assert (code, err) == (3, "")
    assert "\nruled-claim: arm far: expected a start above 0, found none in 2,000 draws\n" in out
    assert "Traceback" not in out
