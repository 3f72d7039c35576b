"""`dlnrepro replay` computes a stored report again: the numbers are bitwise identical, or it says what differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from numpy.random import default_rng

from dlnrepro.registry.names import load_runner

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def edited(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The newest report with a change, without a manifest."""
    report = json.loads((tmp_path / "outputs" / "latest" / "report.json").read_text())
    change(report)
    path = tmp_path / "edited.json"
    path.write_text(json.dumps(report))
    return path


def test_a_report_is_computed_again_bitwise_identically_without_its_claim_file(
    command: Command, write_claim: Write
) -> None:
    path = write_claim()
    command("run", path, "-s", "bytes=7", "--seed-base", "5")
    path.unlink()
    code, out, err = command("replay")
    assert (code, err.splitlines()[0]) == (0, "1 claim: 2 arms to compute (controls included)")
    assert out.startswith("= toy-claim reproduced 64 numbers, bitwise identical")
    assert out.endswith("\n\n1 claim compared, no verdict changed, 1 bitwise identical\n")


def test_a_claim_file_that_has_changed_since_a_report_is_named_wherever_its_result_is_shown(
    command: Command, write_claim: Write
) -> None:
    path = write_claim()
    command("run", path, "-q")
    line = "the claim file of toy-claim has changed since this report, which is about the claims as they were"
    label = "(of an earlier version of the claim file)"

    before = [command("report", "-q"), command("replay", "-q"), command("show", path)]
    path.write_text(path.read_text(encoding="utf-8").replace("within: 0.1", "within: 0.2"), encoding="utf-8")
    report, replay, show = command("report", "-q"), command("replay", "-q"), command("show", path)

    assert line not in before[0][2] + before[1][2]
    assert label not in before[2][1]
    assert (report[2], replay[2]) == (f"{line}\n", f"{line}\n")
    assert (report[0], replay[0]) == (0, 0)
    assert label in " ".join(show[1].split())
    command("run", path, "-q")
    assert label not in command("show", path)[1]


def test_numbers_that_differ_are_shown_and_change_nothing_while_the_verdict_stands(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    command("run", write_claim())

    def change(report: dict[str, Any]) -> None:
        report["claims"][0]["outcomes"]["near"]["measures"]["value"][1] = 1.0000001
        for origin in (report["provenance"], report["claims"][0]["computed_on"]["near"]):
            origin["versions"]["torch"] = "0.1"

    code, out, _ = command("replay", edited(tmp_path, change), "-q")
    assert code == 0
    assert "= toy-claim reproduced 1 of 64 numbers differ" in out
    assert "  near, value: 1.0000001 → 1.000" in out
    assert "made with (first and second report): torch 0.1 and " in out


def test_a_verdict_that_changes_has_its_own_code(command: Command, write_claim: Write, tmp_path: Path) -> None:
    command("run", write_claim())

    def change(report: dict[str, Any]) -> None:
        report["claims"][0]["params"]["near"]["value"] = 2.0

    code, out, _ = command("replay", edited(tmp_path, change), "-q")
    assert code == 1
    assert "✗ toy-claim reproduced → not reproduced 16 of 64 numbers differ" in out


def test_an_arm_that_its_budget_stopped_is_not_passed_off_as_the_same(command: Command, write_claim: Write) -> None:
    command("run", write_claim(), "-s", "behaviour=slow", "--budget", "0.1", "-q")
    code, out, _ = command("replay", "-q")
    assert code == 4
    assert "every arm: it was stopped by its budget in the first report" in out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("claim", "gone", "toy-claim: expected the runner 'gone' of the record, found no such runner here\n"),
        ("params", {}, "toy-claim: arm near: expected its parameters in the record, found none\n"),
        (
            "params",
            {"near": {"value": 1.0, "behaviour": "steady", "bytes": 0, "more": 1}},
            "toy-claim: arm near: more: expected one of value, behaviour, bytes, found 'more'"
            " (the runner has changed since the record was made)\n",
        ),
    ],
)
def test_a_record_that_cannot_be_run_again_is_one_line(
    command: Command, write_claim: Write, tmp_path: Path, key: str, value: Any, fault: str
) -> None:
    command("run", write_claim())

    def change(report: dict[str, Any]) -> None:
        if key == "claim":
            report["claims"][0]["claim"]["runner"] = value
        else:
            report["claims"][0][key] = value

    assert command("replay", edited(tmp_path, change))[::2] == (2, fault)


def test_a_record_of_an_older_runner_is_refused_in_one_line_for_each_claim(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    command("run", write_claim(name="first"), write_claim(name="second"))

    def change(report: dict[str, Any]) -> None:
        for claim in report["claims"]:
            claim["params"] = {arm: {"worth": 1.0, "behaviour": "steady"} for arm in claim["params"]}

    code, _, err = command("replay", edited(tmp_path, change), "-q")
    reason = "(and 2 more; the runner has changed since the record was made)"
    refusal = f"arm near: value: expected this key, found nothing {reason}"
    assert (code, err.splitlines()) == (2, [f"first: {refusal}", f"second: {refusal}"])


def test_numbers_that_its_seeds_do_not_determine_fail_and_are_named(
    command: Command, write_claim: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_claim()
    load_runner("toy")
    monkeypatch.setattr(
        "dlnrepro.runners.toy.uniform", lambda *given: torch.tensor(default_rng().random(len(given[3])) / 1e3)
    )
    assert command("run", path, "-q", "-j", "1")[0] == 0
    code, out, err = command("replay", "-q", "-j", "1")
    assert (code, err) == (1, "")
    assert "no verdict changed, 0 bitwise identical" in out
    assert (
        "toy-claim: arms near, far: the numbers differ, although the code, the settings, the seeds and all versions "
        "are those of the record; so the seeds do not determine the numbers of this runner"
    ) in " ".join(out.split())


def test_a_setting_that_would_not_fit_in_memory_is_not_run_again(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    command("run", write_claim(), "-q")

    def change(report: dict[str, Any]) -> None:
        report["claims"][0]["params"]["near"]["bytes"] = 10**400

    code, _, err = command("replay", edited(tmp_path, change))
    assert code == 2
    assert err.startswith("toy-claim: arm near: ")
    assert err.count("\n") == 1
