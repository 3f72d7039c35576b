"""The rules of `dlnrepro check --strict`: each has a name, and its faults stand at their line and key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.policy import RULES, load_strictly
from dlnrepro.errors import ClaimError

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]

SIXTEEN = ("seeds: 4\nsetup", "seeds: 16\nsetup")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("    why: the noise is at most 1e-3\n", ""),
         "23:5: criteria[0].why: expected the reason of the threshold, found none (rule reason)"),
        (("fails_in: [far]", "fails_in: []\n    because: the toy cannot fail"),
         "29:5: criteria[0].fails_in: expected at least one control, found none (rule control)"),
        (("far: {value: 5.0}", "far: {value: 1}"),
         "29:5: criteria[0].fails_in: expected a control with other parameters than the arm 'near', found 'far' with "
         "the same (rule other-control)"),
        (("seeds: 16\nsetup", "seeds: 15\nsetup"),
         "12:1: seeds: expected at least 16 runs for each arm, found 15 (rule runs)"),
        (("quick: {seeds: 2", "quick: {seeds: 16"),
         "33:9: quick.seeds: expected fewer runs than the 16 of the claim, found 16 (rule quick)"),
    ],
    ids=["reason", "control", "other-control", "runs", "quick"],
)  # fmt: skip
def test_each_rule_has_a_fault_at_its_line_and_key_and_breaks_no_valid_claim(
    write_claim: Write, change: tuple[str, str], line: str
) -> None:
    path = write_claim(SIXTEEN, change)
    assert load_claim(path).id == "toy-claim"
    with pytest.raises(ClaimError) as error:
        load_strictly(path)
    assert str(error.value).replace(f"{path}:", "") == line


def test_a_claim_that_keeps_to_all_rules_is_loaded(write_claim: Write) -> None:
    assert load_strictly(write_claim(SIXTEEN)) == load_claim(write_claim(SIXTEEN))


def test_check_reports_policy_only_if_it_is_asked_to_and_together_with_other_faults(
    command: Command, write_claim: Write
) -> None:
    path = write_claim(("    why: the noise is at most 1e-3\n", ""))
    assert command("check", path) == (0, "1 claim file is valid\n", "")
    code, out, err = command("check", path, "--strict")
    assert (code, out) == (2, "")
    assert err.replace(f"{path}:", "").splitlines() == [
        "12:1: seeds: expected at least 16 runs for each arm, found 4 (rule runs)",
        "23:5: criteria[0].why: expected the reason of the threshold, found none (rule reason)",
    ]
    write_claim(("    why: the noise is at most 1e-3\n", ""), ("value: 1\n", "value: one\n"))
    _, out, _ = command("check", path, "--strict", "--json")
    assert [(fault["key"], fault["rule"]) for fault in json.loads(out)["faults"]] == [
        ("seeds", "runs"), ("setup.value", None), ("criteria[0].why", "reason"),
    ]  # fmt: skip
    write_claim(SIXTEEN)
    assert command("check", path, "--strict") == (0, "1 claim file is valid, and all rules are kept\n", "")


def test_the_help_lists_every_rule(command: Command) -> None:
    shown = " ".join(command("check", "--help")[1].split())
    for rule in RULES:
        assert f"{rule.name} {rule.says}" in shown


def test_a_file_that_is_no_claim_has_its_faults_and_no_others(command: Command, write_claim: Write) -> None:
    path = write_claim(("seeds: 4\nsetup", "seeds: four\nsetup"))
    assert command("check", path, "--strict")[2] == f"{path}:12:1: seeds: expected a whole number, found 'four'\n"
