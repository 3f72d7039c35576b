"""`dlnrepro run`, through the real entry point: verdicts, exit codes, and one clear line for every bad input."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
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


def test_last_failed_runs_only_what_was_not_as_expected(command: Command, write_claim: Write, tmp_path: Path) -> None:
    write_claim(("value: 1\n", "value: 3\n"), name="a-broken")
    write_claim(name="b-whole")
    command("run", tmp_path, "-q")
    _, out, _ = command("run", tmp_path, "--last-failed", "--json")
    assert [claim["id"] for claim in json.loads(out)["claims"]] == ["a-broken"]
    assert command("run", tmp_path, "--last-failed", "--quick")[::2] == (5, "nothing selected\n")


def test_a_dry_run_trains_and_writes_nothing(command: Command, write_claim: Write, tmp_path: Path) -> None:
    code, out, _ = command("run", write_claim(("steady", "raises")), "-n")
    assert code == 0
    assert "toy-claim: 2 arms of 4 runs, runner toy" in out
    assert not (tmp_path / "outputs").exists()


def test_a_report_goes_to_a_file_by_its_suffix(command: Command, write_claim: Write, tmp_path: Path) -> None:
    assert command("run", write_claim(), "-o", "out.json", "-q")[0] == 0
    report = json.loads((tmp_path / "out.json").read_bytes())
    assert report["counts"] == {"reproduced": 1, "not reproduced": 0, "inconclusive": 0, "error": 0}
    check = report["claims"][0]["criteria"][0]["holds_in"][0]
    assert (check["inside"], check["outside"], check["undecided"], len(check["values"])) == (4, 0, 0, 4)
    assert {"commit", "dirty", "versions", "command", "peak_memory_bytes"} <= report["provenance"].keys()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nothing.yaml"], "nothing.yaml:1:1: expected a readable file, found: no such file or directory"),
        (["nothing"], "nothing: expected a claim file or the id of a claim, found neither"),
        (["CLAIM", "-s", "valu=1"], "-s valu: toy-claim: expected one of value, behaviour, bytes, found 'valu'; "
         "did you mean 'value'?"),
        (["CLAIM", "-s", "value=one"], "-s value: toy-claim: expected a number, found 'one'"),
        (["CLAIM", "-s", "value=.inf"], "-s value=.inf: expected a finite number, found .inf"),
        (["CLAIM", "-s", "value"], "-s value: expected KEY=VALUE, such as -s depth=4"),
        (["CLAIM", "-s", "value=1", "-s", "value=2"], "-s value=2: expected each parameter once, found 'value' again"),
        (["CLAIM", "-s", "bytes=10000000000000"], "toy-claim: arm near: expected a setting that fits in memory"),
        (["CLAIM", "--seeds", "0"], "dlnrepro run: Invalid value for '--seeds': expected a whole number from 1 to "
         "100000, found '0'"),
        (["CLAIM", "--seeds", "1_0"], "dlnrepro run: Invalid value for '--seeds': expected a whole number from 1 to "),
        (["CLAIM", "--seed-base", "-1"], "dlnrepro run: Invalid value for '--seed-base': expected a whole number from "
         "0 to 9223372036854775807, found '-1'"),
        (["CLAIM", "--seed-base", str(2**63 - 2)], "--seed-base: expected at most 9223372036854775804, found"),
        (["CLAIM", "--budget", "0"], "dlnrepro run: Invalid value for '--budget': expected a time above 0, such as "),
        (["CLAIM", "--zzz"], "dlnrepro run: No such option '--zzz'. (see dlnrepro run --help)"),
        (["CLAIM", "-k", "("], "-k: expected a word at the end of '(', found nothing"),
        (["CLAIM", "-o", "out.pdf"], "-o out.pdf: expected a file ending in .html, .json, .md, .xml, found '.pdf'"),
        (["CLAIM", "-o", "no/such/out.json"], "-o no/such/out.json: expected a file in a folder that can be written"),
        (["CLAIM", "--budget", "nan"], "dlnrepro run: Invalid value for '--budget': expected a time above 0, such as "),
        (["CLAIM", "--budget", "1e999"], "dlnrepro run: Invalid value for '--budget': expected a time above 0, "),
        (["CLAIM", "--budget", "inf"], "dlnrepro run: Invalid value for '--budget': expected a time above 0, such as "),
        (["CLAIM", "--budget", "5 m"], "dlnrepro run: Invalid value for '--budget': expected a time above 0, such as "),
        (["CLAIM", "-j", "0"], "dlnrepro run: Invalid value for '-j' / '--workers'"),
        (["CLAIM", "-j", "all"], "dlnrepro run: Invalid value for '-j' / '--workers'"),
        (["CLAIM", "-s", "value="], "-s value=: expected a value behind the sign, such as -s value=4, found none"),
        (["CLAIM", "-s", "value=#"], "-s value=#: expected a value behind the sign, such as -s value=4, found none"),
        (["CLAIM", "-s", "value=[1\n"], "-s value=[1\\n: expected YAML, found: "),
        (["CLAIM", "-k", '""'], "-k: expected a word, found '\"\"' in '\"\"'"),
        (["CLAIM", "-k", "(toy"], "-k: expected ')' in '(toy', found nothing"),
        (["CLAIM", "-m", "toy,"], "-m: expected a word at the end of 'toy,', found nothing"),
        (["CLAIM", "--outputs", ""], "dlnrepro run: Invalid value for '--outputs': expected the name of a folder, "),
        ([""], "'': expected a claim file, a folder or the id of a claim, found no name"),
        (["y" * 5000 + ".yaml"], "y" * 997 + "...:1:1: expected a readable file, found: file name too long"),
        (["CLAIM", "-s", "=3"], "-s =3: expected KEY=VALUE, such as -s depth=4, or ARM.KEY=VALUE"),
        (["CLAIM", "-s", ".value=3"], "-s .value=3: expected KEY=VALUE, such as -s depth=4, or ARM.KEY=VALUE"),
        (["CLAIM", "-s", "value=\udcff"], "-s value=\\xff: expected text, found half a character"),
        (["CLAIM", "-k", "(" * 200 + "toy" + ")" * 200], "-k: expected at most 50 brackets and 'not' inside"),
        (["x" * 300], "x" * 57 + "...: expected a claim file or the id of a claim, found neither"),
        (["CLAIM", "--outputs", "report.json"], "--outputs report.json: expected a folder, found the name of a report; "
         "-o report.json writes a report"),
        (["CLAIM", "-o", "/tmp"], "-o /tmp: expected a file ending in .html, .json, .md, .xml, found a folder; "
         "--outputs /tmp names the folder"),
        (["CLAIM", "--outputs", "/dev/null/x"], "--outputs /dev/null/x: expected a folder that can be written, found:"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line_and_nothing_is_written(
    command: Command, write_claim: Write, tmp_path: Path, words: list[str], line: str
) -> None:
    path = write_claim()
    before = sorted(tmp_path.rglob("*"))
    code, out, err = command("run", *[str(path) if word == "CLAIM" else word for word in words])
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["nothing", "CLAIM", "nowhere"], ["nothing: expected a claim file or", "nowhere: expected a claim file or"]),
        (["CLAIM", "-s", "value", "-s", "bytes=", "-s", "value=.nan"],
         ["-s value: expected KEY=VALUE", "-s bytes=: expected a value", "-s value=.nan: expected a finite number"]),
        (["CLAIM", "-s", "valu=1", "-s", "nar.value=1", "-s", "near.bytes=x"],
         ["-s valu: toy-claim: expected one of value", "-s nar.value: toy-claim: expected one of near, far before the",
          "-s near.bytes: toy-claim: expected a whole number, found 'x'"]),
    ],
)  # fmt: skip
def test_of_several_wrong_words_each_has_its_line(
    command: Command, write_claim: Write, words: list[str], lines: list[str]
) -> None:
    path = write_claim()
    code, out, err = command("run", *[str(path) if word == "CLAIM" else word for word in words])
    assert (code, out) == (2, "")
    assert all(line.startswith(start) for line, start in zip(err.splitlines(), lines, strict=True))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "1:1: expected a claim, found an empty file"),
        (b"title: [", "1:9: expected YAML, found: did not find expected node content"),
        (b"title: a\nseeds: \x07", "2:8: expected text, found the control character U+0007"),
        (b"title: \xc3\xa9\n\xc3\xa9 \xff", "2:3: expected UTF-8 text, found the byte 0xff"),
        (b"title: a \xe2\x80\xa8 b\nseeds: [", "2:9: expected YAML, found: did not find expected node content"),
        (b"title: caf\xe9", "1:11: expected UTF-8 text, found the byte 0xe9"),
        (b"\x89PNG\r\n\x1a\n", "1:1: expected UTF-8 text, found the byte 0x89"),
        (b"- a\n- b\n", "1:1: expected a mapping of keys, found ['a', 'b']"),
        (b" " * 100_000_000, "1:1: expected a claim of at most 1,000,000 bytes, found 100,000,000 bytes"),
        (b"[" * 100_000, "1:14: expected at most 12 levels of nesting, found more of them"),
    ],
    ids=[
        "empty",
        "no YAML",
        "control",
        "not UTF-8 below",
        "separator",
        "not UTF-8",
        "binary",
        "no mapping",
        "100 MB",
        "deep",
    ],
)
def test_a_file_that_is_no_claim_is_one_clear_line_and_nothing_is_written(
    command: Command, tmp_path: Path, content: bytes, line: str
) -> None:
    path = tmp_path / "claim.yaml"
    path.write_bytes(content)
    assert command("run", path) == (2, "", f"{path}:{line}\n")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "value: 1\n",
            "value: !!python/object/apply:os.system ['touch pwned']\n",
            "a plain value without a tag",
        ),
        ("value: 1\n", "value: &a 1\n", "found the anchor '&a'"),
        ("fails_in: [far]", "fails_in: []", "fails_in: expected a control, or a 'because'"),
        ("within: 0.1", "within: 0.1\n    above: 3", "expected 'equals' together with 'within' and no other bound"),
    ],
)
def test_a_claim_that_tricks_or_proves_nothing_is_refused(
    command: Command, write_claim: Write, tmp_path: Path, old: str, new: str, words: str
) -> None:
    path = write_claim((old, new))
    code, out, err = command("run", path)
    assert (code, out) == (2, "")
    assert words in err
    assert list(tmp_path.iterdir()) == [path]


def test_every_fault_of_a_claim_file_is_a_line_and_nothing_is_run(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    path = write_claim(("measure: value", "measure: valu"), ("value: 1\n", "value: one\n"))
    code, out, err = command("run", path)
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"{path}:14:3: setup.value: expected a number, found 'one'",
        f"{path}:25:5: criteria[0].measure: expected one of value, noise, found 'valu'; did you mean 'value'?",
    ]
    assert not (tmp_path / "outputs").exists()


def test_nothing_selected_has_its_own_code(command: Command, write_claim: Write) -> None:
    assert command("run", write_claim(), "-k", "margin")[::2] == (5, "nothing selected\n")


def test_stored_arms_are_used_again_and_stamped(command: Command, write_claim: Write) -> None:
    first = json.loads(command("run", write_claim(), "--json")[1])["claims"][0]
    again = json.loads(command("run", write_claim(), "--json")[1])["claims"][0]
    assert (first["stamps"], again["stamps"]) == ([], ["cached"])
    assert first["outcomes"] == again["outcomes"]
    again = json.loads(command("run", write_claim(), "--json", "--no-cache")[1])["claims"][0]
    assert again["stamps"] == []
    part = write_claim(("far: {value: 5.0}", "far: {value: 6.0}"))
    assert "1 arm to compute" in command("run", part)[2]


def test_what_failed_or_was_stopped_is_never_stored(command: Command, write_claim: Write, tmp_path: Path) -> None:
    command("run", write_claim(), "-s", "behaviour=raises", "-q")
    command("run", write_claim(), "-s", "behaviour=slow", "--budget", "0.1", "-q")
    assert list((tmp_path / "outputs" / "cells").iterdir()) == []


def test_two_claims_that_share_arms_compute_them_once(command: Command, write_claim: Write, tmp_path: Path) -> None:
    write_claim(name="a-claim")
    write_claim(name="b-claim")
    code, out, err = command("run", tmp_path, "--json")
    assert code == 0
    assert "2 claims, 2 arms to compute" in err
    first, second = json.loads(out)["claims"]
    assert first["outcomes"] == second["outcomes"]
    assert second["stamps"] == []


@pytest.mark.parametrize("workers", [2, 5])
def test_workers_give_the_same_bits_as_one_process(command: Command, write_claim: Write, workers: int) -> None:
    alone = json.loads(command("run", write_claim(), "--json", "--no-cache", "-j", 1)[1])
    shared = json.loads(command("run", write_claim(), "--json", "--no-cache", "-j", workers)[1])
    one, other = alone["claims"][0], shared["claims"][0]
    assert one["criteria"] == other["criteria"]
    assert one["drawings"] == other["drawings"]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.slow
def test_an_interrupt_saves_and_reports_what_is_finished(write_claim: Write, tmp_path: Path, workers: int) -> None:
    write_claim(name="a-quick")
    write_claim(("steady", "slow"), name="b-slow")
    code = (
        "import signal, sys, dlnrepro.runners\n"
        # A shell that runs the tests in the background ignores interrupts, and a child would inherit that.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"dlnrepro.runners.__path__.append({str(Path(__file__).parent.parent / 'toys')!r})\n"
        f"sys.argv = ['dlnrepro', 'run', '.', '-j', '{workers}']\n"
        "from dlnrepro.cli import main\n"
        "main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        for line in process.stderr:
            if "a-quick: reproduced" in line:
                break
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGINT)
        out = process.stdout.read()
        assert process.wait(20) == 130
    assert "✓ reproduced a-quick" in out
    assert "ended by SIGINT: claims not listed did not finish" in out
    report = json.loads((tmp_path / "outputs" / "latest" / "report.json").read_bytes())
    assert [claim["id"] for claim in report["claims"]] == ["a-quick"]
    assert report["exit_code"] == 130


def test_what_was_found_is_shown_though_its_figures_cannot_be_written(
    command: Command, write_claim: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_claim()
    (tmp_path / "file").write_text("")
    # As on a file system that says too late that nothing can be made in it.
    monkeypatch.setattr("dlnrepro.report.delivery.check_files", lambda *_: None)
    code, out, err = command("run", path, "-q", "--figures", "file/pictures")
    assert code == 2
    assert "✓ reproduced toy-claim" in out
    assert err == "--figures file/pictures: expected a folder that can be made, found: not a directory\n"


def test_options_have_the_names_of_the_python_interface_and_keep_their_older_ones(
    command: Command, write_claim: Write
) -> None:
    new = ["--words", "toy", "--tags", "small", "--settings", "value=1.01", "--workers", "1", "--write", "new.json"]
    old = ["-k", "toy", "-m", "small", "--set", "value=1.01", "--jobs", "auto", "--output", "old.json"]
    found = []
    for words in ([*new, "--budget", "5m"], [*old, "--budget", "300"]):
        assert command("run", write_claim(), "-q", "--no-cache", *words)[0] == 0
        found.append(json.loads(Path(words[words.index("--budget") - 1]).read_bytes())["claims"][0]["criteria"])
    assert found[0] == found[1]
    shown = command("run", "--help")[1]
    assert all(name in shown for name in ("--words", "--settings", "--workers", "--write", "--lf"))
    assert not any(re.search(rf"{name}[ ,]", shown) for name in ("--set", "--jobs", "--output"))


def test_an_override_that_does_not_reach_every_arm_says_so(command: Command, write_claim: Write) -> None:
    code, _, err = command("run", write_claim(), "-q", "-s", "value=1.01")
    assert code == 0
    assert err == (
        "-s value=1.01: toy-claim: reaches 1 of 2 arms, but not the arms that set value themselves: far (5.0) "
        "(-s ARM.value=... reaches one arm)\n"
    )


def test_a_setting_of_one_arm_is_run_and_repeated(command: Command, write_claim: Write) -> None:
    path = write_claim()
    code, out, err = command("run", path, "--json", "-q", "-s", "far.value=1")
    (claim,) = json.loads(out)["claims"]
    assert (code, err, claim["stamps"], claim["params"]["far"]["value"]) == (4, "", ["modified"], 1)
    again = claim["command"].split()[2:]
    assert json.loads(command("run", *again, "--json")[1])["claims"][0]["outcomes"] == claim["outcomes"]
    own = json.loads(command("run", path, "--json", "-s", "far.value=5.0")[1])["claims"][0]
    assert "modified" not in own["stamps"]
