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
    for words in ("✓ reproduced", "4/4", "control far", "≥ 0.47", "dlnrepro run", "value 1 ± 0.1"):
        assert words in out
    assert max(len(line) for line in out.splitlines() if "/" not in line) <= 80
    assert "\x1b" not in out


def test_the_whole_report_of_the_toy_claim_reads_as_it_should(command: Command, write_claim: Write) -> None:
    _, out, err = command("run", write_claim().name)
    assert re.fullmatch(r"1 claim, 2 arms to compute\n\[1/1\] toy-claim: reproduced \(computing time 0\.\d s\)\n", err)
    *page, folder = re.sub(r"\d\.\d s", "0.0 s", out).splitlines()
    assert page == TOY_REPORT.splitlines()
    assert folder.startswith("outputs/reports/20")


TOY_REPORT = """\
toy-claim   ✓ reproduced
  The toy is near one

  A toy that measures one.

  A. Author: Toys. Nowhere 2026, everywhere. Basis: derived.
  every criterion holds, and every control fails as required

  assumptions, measured on every run
    ✓ the noise is small
      noise < 0.01   4/4 runs (share ≥ 0.47), median 0.0004893, 3.411e-5 …
        0.0009701

  criteria, each with its negative controls, which must fail
    ✓ near-one   the value is one
      value 1 ± 0.1
      arm         inside  share median  range
      near           4/4 ≥ 0.47      1  1 … 1.001
      control far    0/4  fails      5  5 … 5.001
      gap from the worst run to the nearest run of a control: 3.999
      threshold: the noise is at most 1e-3

  Height (median over runs)
    near ▁▁▁▁▂▂▂▂▂▂ 1 → 10
    far  ▂▂▃▄▄▅▆▇▇█ 5 → 50
    the numbers of near:
    step    0      2      4      7   9
    height  1  3.001  5.002  8.004  10

  again
    dlnrepro run toy-claim.yaml

verdict      claim     runs controls  time
✓ reproduced toy-claim  4/4      1/1 0.0 s
  near-one: worst value 1.001, required 1 ± 0.1

runs: those that passed, of all runs in the arms where the criteria must hold
controls: those that failed as required, of all negative controls
time: computing time, summed over the arms; cached: an earlier run spent some
below: the tightest criterion, its worst run, and the interval required

1 reproduced · wall-clock time 0.0 s
4 of 4 runs show that at least 0.47 of all runs pass (95 % confidence), no more.
"""


@pytest.mark.parametrize(
    ("words", "code", "verdict"),
    [
        ([], 0, "reproduced"),
        (["-s", "value=3"], 1, "not reproduced"),
        (["-s", "behaviour=raises"], 3, "error"),
        (["-s", "behaviour=disagrees"], 3, "error"),
        (["-s", "behaviour=diverges"], 4, "inconclusive"),
        (["-s", "behaviour=first-diverges"], 4, "inconclusive"),
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


def test_an_expected_failure_is_no_failure_and_an_unexpected_success_is_one(
    command: Command, write_claim: Write
) -> None:
    expected = ("quick:", "expect: not reproduced\nbecause: it is three\nquick:")
    assert command("run", write_claim(("value: 1\n", "value: 3\n"), expected))[0] == 0
    assert command("run", write_claim(expected))[0] == 1


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
