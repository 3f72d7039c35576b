"""`dlnrepro audit` through its real entry point: what it names, what it stores, every format, and the exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dlnrepro
from tests.commands.test_endings import PROGRAM

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]

END = "quick: {seeds: 2, setup: {}}\n"
GOOD = """audit:
  harmless:
    slower: {seconds: 0.001}
  flaws:
    offset: {says: The value is too large by 0.2., plant: offset, breaks: [near-one]}
    sign: {says: The sign is wrong., plant: sign, breaks: [near-one]}
"""


@pytest.fixture
def write(write_chancy: Write) -> Write:
    """Write a claim with an audit section; its arms have the given changes of the settings."""
    return lambda audit=GOOD, **arms: write_chancy((END, END + audit), **arms)


@pytest.fixture
def audit(command: Command) -> Callable[..., Any]:
    """Audit a claim with 64 runs of each arm, and give its record."""

    def audit(path: Path, *words: Any, code: int = 0) -> Any:
        found, out, err = command("audit", path, "-q", "--runs", "64", "-j", "1", "--json", *words)
        assert found == code, err
        return json.loads(out)[0]

    return audit


def test_a_good_claim_passes_its_audit_and_every_part_has_its_numbers(audit: Callable[..., Any], write: Write) -> None:
    record = audit(write())
    assert record["result"]["verdict"] == "reproduced"
    assert record["result"]["findings"] == []
    noise, near_one = record["result"]["criteria"]
    assert (noise["assumption"], near_one["assumption"]) == (True, False)
    (near,) = near_one["arms"]
    assert (near["runs"], near["passing"], near["counted"], near["share"]) == (64, 64, 64, 1.0)
    assert near["share_low"] == pytest.approx(0.025 ** (1 / 64))
    assert near_one["resolution"]["larger"] == pytest.approx(1.1)
    statuses = {change["name"]: change["responses"][-1]["status"] for change in record["result"]["changes"]}
    assert statuses == {"slower": "holds", "offset": "noticed", "sign": "noticed"}


def test_the_share_of_passing_runs_is_that_of_the_runner(audit: Callable[..., Any], write: Write) -> None:
    failing = [10_003, 10_020, 10_021]
    record = audit(write(near=f"failing: {failing}"))
    (near,) = record["result"]["criteria"][1]["arms"]
    assert (near["passing"], near["counted"]) == (61, 64)
    assert near["share_low"] < 61 / 64 < near["share_high"]


@pytest.mark.parametrize(
    ("section", "finding"),
    [
        (
            "flaws: {factor: {says: x, plant: factor, breaks: [near-one]}}",
            "the flaw factor is not noticed: it does not break near-one",
        ),
        (
            "flaws: {none: {says: x, settings: {near.failing: [5]}, breaks: [near-one]}}",
            "the flaw none has no effect: it changes no number of near-one",
        ),
        (
            "flaws: {nan: {says: x, settings: {near.missing: [SEEDS]}, breaks: [near-one]}}",
            "the flaw nan is not noticed: near-one is undecided, because too few runs have a number",
        ),
        ("harmless: {slower: {seconds: 0.001}}", "no flaw is declared that near-one must notice"),
        (
            "harmless: {unlucky: {near.share: 0.5}}\n  flaws: {sign: {says: x, plant: sign, breaks: [near-one]}}",
            "the harmless change unlucky breaks near-one",
        ),
    ],
)
def test_what_is_not_as_it_should_be_is_named_with_exit_code_4(
    audit: Callable[..., Any], write: Write, section: str, finding: str
) -> None:
    seeds = ", ".join(str(seed) for seed in range(20_000, 20_256))
    record = audit(write("audit:\n  " + section.replace("SEEDS", seeds) + "\n"), code=4)
    assert record["result"]["findings"] == [finding]


def test_a_verdict_that_differs_on_fresh_seeds_is_named(audit: Callable[..., Any], write: Write) -> None:
    record = audit(write(near="failing: [" + ", ".join(map(str, range(10_000, 10_064))) + "]"), code=4)
    (finding, *_) = record["result"]["findings"]
    assert finding == (
        "on fresh seeds the claim is not reproduced: near-one: value = 1 ± 0.1 does not hold in near "
        "(64 of 64 runs outside)"
    )


def test_an_error_in_an_arm_is_exit_code_3(command: Command, write: Write) -> None:
    code, out, _ = command("audit", write(near="breaks_at: 10040"), "-q", "--runs", "64", "-j", "1")
    assert code == 3
    assert "the runner broke at seed 10040" in " ".join(out.split())


def test_run_and_audit_share_their_numbers(command: Command, audit: Callable[..., Any], write: Write) -> None:
    path = write()
    audit(path)
    code, out, _ = command("run", path, "-q", "--seed-base", "10000", "--json")
    (claim,) = json.loads(out)["claims"]
    assert (code, "cached" in claim["stamps"]) == (0, True)
    _, out, _ = command("audit", path, "--runs", "64", "-n")
    assert out.splitlines() == [
        "chancy-claim: 2 arms with 64 runs each, 0 of these runs are not stored; 3 changes, for which 0 batches of "
        "runs are not stored",
        "  slower: near",
        "  offset: near",
        "  sign: near",
    ]
    code, out, _ = command("audit", path, "--runs", "96", "-n", "--json")
    (cost,) = json.loads(out)
    assert (code, cost["runs"], cost["batches"]) == (0, 64, 0)


def test_an_audit_that_is_stopped_goes_on_where_it_stopped(command: Command, write: Write, tmp_path: Path) -> None:
    path = write("", near="seconds: 0.3", far="value: 11.0, seconds: 60.0")
    environment = {**os.environ, "PYTHONPATH": str(Path(dlnrepro.__file__).parents[1])}
    words = ["audit", path, "--runs", "256", "-j", "1"]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, words)],
        cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    cells = tmp_path / "outputs" / "cells"
    until = time.monotonic() + 120
    while len(list(cells.glob("*.npz"))) < 16:
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert err.splitlines()[-1] == "ended by SIGTERM: the same command goes on where this audit stopped"
    # The first arm is stored in the batches of `dlnrepro run`, and the second one was running.
    assert len(list(cells.glob("*.npz"))) == 16
    assert "256 of these runs are not stored" in command("audit", path, "--runs", "256", "-n")[1]


def test_the_terminal_says_how_the_verdict_could_be_wrong(command: Command, write: Write) -> None:
    code, out, err = command("audit", write(), "--runs", "64", "-j", "1")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "chancy-claim   ✓ passes its audit"
    assert "  How could this verdict be wrong?" in lines
    assert "    ✓ offset   The value is too large by 0.2; planted: offset" in lines
    assert max(map(len, lines)) <= 80
    assert "[1/1] chancy-claim: passes its audit" in err.splitlines()


def test_each_format_has_the_findings(command: Command, write: Write, tmp_path: Path) -> None:
    path = write("audit:\n  flaws: {factor: {says: x, plant: factor, breaks: [near-one]}}\n")
    names = [f"audit{suffix}" for suffix in (".html", ".md", ".json")]
    files = [word for name in names for word in ("-o", name)]
    assert command("audit", path, "-q", "--runs", "64", "-j", "1", *files)[0] == 4
    for name in names:
        assert "is not noticed" in (tmp_path / name).read_text(encoding="utf-8"), name
    (page,) = tmp_path.glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert text.count("<svg") == 2


def test_each_format_says_how_much_of_the_source_is_tested(
    command: Command, write_chancy: Write, tmp_path: Path
) -> None:
    covers = "covers: {what: special case, says: Only one depth is tested.}\n"
    path = write_chancy((END, END + covers))
    names = [f"audit{suffix}" for suffix in (".html", ".md", ".json")]
    files = [word for name in names for word in ("-o", name)]
    words = "a special case of the source's statement is tested: Only one depth is tested."
    out = command("audit", path, "--runs", "16", "-j", "1", "--reference", "table", *files)[1]
    assert f"covers: {words}" in " ".join(out.split())
    assert words in (tmp_path / "audit.html").read_text(encoding="utf-8").replace("&#39;", "'")
    assert f"Covers: {words}" in (tmp_path / "audit.md").read_text(encoding="utf-8")
    (record,) = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
    assert record["covers"] == {"what": "special case", "says": "Only one depth is tested."}
    summary = json.loads((tmp_path / "table" / "chancy-claim.json").read_text(encoding="utf-8"))
    assert "covers" not in summary  # a text of the claim, which may change without a new audit


def test_a_table_of_audits_is_small_and_only_claims_that_have_changed_are_audited(
    command: Command, write: Write, tmp_path: Path
) -> None:
    path = write()
    words = ("audit", path, "-q", "--runs", "64", "-j", "1", "--reference", "table")
    code, _, err = command(*words)
    assert code == 0
    assert err.splitlines() == ["chancy-claim: it has no audit yet", "table/chancy-claim.json: written"]
    stored = tmp_path / "table" / "chancy-claim.json"
    before = stored.read_bytes()
    assert len(before) < 8_000
    assert "values" not in before.decode()
    path.write_text(path.read_text(encoding="utf-8").replace("the value is one", "it is one"), encoding="utf-8")
    assert command(*words)[2] == ""  # a sentence is no reason
    path.write_text(path.read_text(encoding="utf-8").replace("within: 0.1", "within: 0.11"), encoding="utf-8")
    code, _, err = command(*words)
    assert err.splitlines()[0] == "chancy-claim: its settings, thresholds or changes have changed"
    assert stored.read_bytes() != before


def test_changed_sources_that_give_the_same_numbers_are_no_reason_for_a_new_audit(
    command: Command, write: Write, tmp_path: Path
) -> None:
    path = write()
    words = ("audit", path, "-q", "--runs", "64", "-j", "1", "--reference", "audits")
    assert command("run", path, "-q", "-j", "1", "--reference", "reference")[0] == 0
    assert command(*words)[0] == 0
    stored = tmp_path / "audits" / "chancy-claim.json"
    record = json.loads(stored.read_text(encoding="utf-8"))
    stored.write_text(json.dumps(record | {"runner_hash": "0" * 64}), encoding="utf-8")
    assert command(*words)[2] == ""
    stored.write_text(json.dumps(record | {"runner_hash": "0" * 64, "numbers": "1" * 64}), encoding="utf-8")
    assert "its runner, or a module that the runner uses, has changed" in command(*words)[2]


def test_show_and_the_page_of_a_report_answer_from_the_stored_audit(
    command: Command, write: Write, tmp_path: Path
) -> None:
    path = write()
    command("run", path, "-q", "-j", "1", "-o", "before.html")
    question = "How could this verdict be wrong?"
    assert question not in (tmp_path / "before.html").read_text(encoding="utf-8")
    assert question not in command("show", "-v", path)[1]
    command("audit", path, "-q", "--runs", "64", "-j", "1")
    assert question in command("show", "-v", path)[1]
    command("report", "-q", "-o", "after.html")
    assert question in (tmp_path / "after.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--runs", "3"], "expected a whole number from 16 to 100000, found '3'"),
        (["-o", "audit.xml"], "-o audit.xml: expected a file ending in .html, .md, .json, found '.xml'"),
        (["--seed-base", "9223372036854775807"], "--seed-base: expected at most 9223372036854765551"),
    ],
)
def test_bad_input_is_one_line(command: Command, write: Write, words: list[str], line: str) -> None:
    code, out, err = command("audit", write(), *words)
    assert (code, out) == (2, "")
    assert line in err
    assert len(err.splitlines()) == 1


def test_a_damaged_table_is_one_line_per_file(command: Command, write: Write, tmp_path: Path) -> None:
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "other.json").write_text("{}", encoding="utf-8")
    code, _, err = command("audit", write(), "--reference", "table")
    assert code == 2
    assert err == "table/other.json: expected the JSON text of an audit, version 1, found something else\n"
