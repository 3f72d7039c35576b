"""The rules of `dlnrepro check --strict`: each has a name, and its faults stand at their line and key."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.policy import RULES, load_strictly
from dlnrepro.errors import ClaimError

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]

SIXTEEN = ("seeds: 4\nsetup", "seeds: 16\nsetup")
EXPERIMENT = ("source:\n", "experiment: Each run draws its noise.\nsource:\n")
WHY = "    why: the noise is at most 1e-3\n"
DERIVED = (WHY, '    why: "derived: the noise is at most 1e-3"\n')
FLAW = "audit: {flaws: {other: {says: The value is 3., settings: {value: 3}, breaks: near-one}}}\n"
COVERS = "covers: {what: whole, says: The whole statement is tested.}\n"
ROUTE = "independent: The value is read off the settings.\n"
AUDITED = ("setup: {}}\n", f"setup: {{}}}}\n{FLAW}{COVERS}{ROUTE}")
GOOD = (SIXTEEN, EXPERIMENT, DERIVED, AUDITED)
NO_FLAW = "criteria[0].id: expected a flaw in `audit` whose `breaks` names this criterion, found none (rule audit)"
BEGINNING = "that begins with 'theory: ', 'derived: ' or 'pilot: '"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ((DERIVED[1], ""),
         f"24:5: criteria[0].why: expected the reason of the threshold, {BEGINNING}, found none (rule reason)"),
        (("derived: the", "the"),
         f"31:5: criteria[0].why: expected a reason {BEGINNING}, found 'the noise is at most 1e-3' (rule reason)"),
        (("derived: the", "Derived: the"),
         f"31:5: criteria[0].why: expected a reason {BEGINNING}, found 'Derived: the noise is at most 1e-3' "
         "(rule reason)"),
        (("derived: the", "pilot:the"),
         f"31:5: criteria[0].why: expected a reason {BEGINNING}, found 'pilot:the noise is at most 1e-3' "
         "(rule reason)"),
        (("holds_in: near}", "holds_in: near, why: it is small}"),
         f"22:77: assumptions[0].why: expected a reason {BEGINNING}, found 'it is small' (rule reason)"),
        ((EXPERIMENT[1], EXPERIMENT[0]),
         "1:1: experiment: expected how the statement is tested, and what each run draws at random, found none "
         "(rule experiment)"),
        (("fails_in: [far]", "fails_in: []\n    because: the toy cannot fail"),
         "30:5: criteria[0].fails_in: expected at least one control, or a planted flaw in `audit` that breaks it, "
         "found none (rule control)"),
        (("far: {value: 5.0}", "far: {value: 1}"),
         "30:5: criteria[0].fails_in: expected a control with other parameters than the arm 'near', found 'far' with "
         "the same (rule other-control)"),
        (("seeds: 16\nsetup", "seeds: 15\nsetup"),
         "13:1: seeds: expected at least 16 runs for each arm, found 15 (rule runs)"),
        (("quick: {seeds: 2", "quick: {seeds: 16"),
         "34:9: quick.seeds: expected fewer runs than the 16 of the claim, found 16 (rule quick)"),
        ((FLAW, ""), f"24:5: {NO_FLAW}"),
        ((COVERS, ""),
         "1:1: covers: expected how much of the source's statement is tested: {what: whole | part | special case, "
         "says: ...}, found none (rule covers)"),
        ((ROUTE, ""),
         "1:1: independent: expected the route to the decisive number that shares no code with the formula it is held "
         "to, found none (rule independent)"),
        (("far: {value: 5.0}", "far: {value: 5.0, bytes: 999}"),
         "20:3: arms.far: expected the one hypothesis that the control breaks, in `controls`, found none, and far "
         "differs from near in value, bytes (rule hypothesis)"),
    ],
    ids=["no reason", "no kind", "capital", "no blank", "assumption", "experiment", "control", "other-control", "runs",
         "quick", "audit", "covers", "independent", "hypothesis"],
)  # fmt: skip
def test_each_rule_has_a_fault_at_its_line_and_key_and_breaks_no_valid_claim(
    write_claim: Write, change: tuple[str, str], line: str
) -> None:
    path = write_claim(*GOOD, change)
    assert load_claim(path).id == "toy-claim"
    with pytest.raises(ClaimError) as error:
        load_strictly(path)
    assert str(error.value).replace(f"{path}:", "") == line


@pytest.mark.parametrize("why", ['"theory: it is one"', '"pilot: it was one"', ">\n      derived: it\n      is one"])
def test_a_claim_that_keeps_to_all_rules_is_loaded(write_claim: Write, why: str) -> None:
    path = write_claim(*GOOD, (DERIVED[1], f"    why: {why}\n"))
    assert load_strictly(path) == load_claim(path)


def test_check_reports_policy_only_if_it_is_asked_to_and_together_with_other_faults(
    command: Command, write_claim: Write
) -> None:
    path = write_claim((WHY, ""))
    assert command("check", path) == (0, "1 claim file is valid\n", "")
    code, out, err = command("check", path, "--strict")
    assert (code, out) == (2, "")
    assert err.replace(f"{path}:", "").splitlines() == [
        "1:1: covers: expected how much of the source's statement is tested: {what: whole | part | special case, "
        "says: ...}, found none (rule covers)",
        "1:1: independent: expected the route to the decisive number that shares no code with the formula it is held "
        "to, found none (rule independent)",
        "1:1: experiment: expected how the statement is tested, and what each run draws at random, found none "
        "(rule experiment)",
        "12:1: seeds: expected at least 16 runs for each arm, found 4 (rule runs)",
        f"23:5: criteria[0].why: expected the reason of the threshold, {BEGINNING}, found none (rule reason)",
        f"23:5: {NO_FLAW}",
    ]
    write_claim((WHY, ""), ("value: 1\n", "value: one\n"))
    _, out, _ = command("check", path, "--strict", "--json")
    assert [(fault["key"], fault["rule"]) for fault in json.loads(out)["faults"]] == [
        ("covers", "covers"), ("independent", "independent"), ("experiment", "experiment"), ("seeds", "runs"),
        ("setup.value", None), ("criteria[0].why", "reason"), ("criteria[0].id", "audit"),
    ]  # fmt: skip
    write_claim(*GOOD)
    assert command("check", path, "--strict") == (0, "1 claim file is valid, and all rules are kept\n", "")


def test_the_help_lists_every_rule(command: Command) -> None:
    shown = " ".join(command("check", "--help")[1].split())
    for rule in RULES:
        assert f"{rule.name} {rule.says}" in shown


def test_a_file_that_is_not_a_claim_has_only_its_own_faults(command: Command, write_claim: Write) -> None:
    path = write_claim(("seeds: 4\nsetup", "seeds: four\nsetup"))
    assert command("check", path, "--strict")[2] == f"{path}:12:1: seeds: expected a whole number, found 'four'\n"


HYPOTHESIS = ("assumptions:\n", "controls: {far: The value is not one.}\nassumptions:\n")
TWO_SETTINGS = ("far: {value: 5.0}", "far: {value: 5.0, bytes: 999}")


def test_a_control_that_changes_several_settings_may_say_which_hypothesis_it_breaks(write_claim: Write) -> None:
    path = write_claim(*GOOD, TWO_SETTINGS, HYPOTHESIS)
    assert load_strictly(path).controls == {"far": "The value is not one."}


LOOSE = "criteria[0].slack: expected why the threshold is more than 1,000 times as far out as the worst run"
REASON = (DERIVED[1], DERIVED[1] + "    slack: rounding errors are far smaller than the noise\n")


def test_a_loose_threshold_has_a_reason(write_claim: Write) -> None:
    path = write_claim(*GOOD)
    for factor, found in ((1001.0, "no reason for 1.0e+03 times"), (math.inf, "no reason for infinitely often")):
        with pytest.raises(ClaimError) as error:
            load_strictly(path, lambda _, factor=factor: {"near-one": factor})  # type: ignore[misc]
        assert str(error.value).replace(f"{path}:", "") == f"24:5: {LOOSE}, found {found} (rule slack)"
    for slack in (1000.0, 0.0, None):
        assert load_strictly(path, lambda _, slack=slack: {"near-one": slack}).id == "toy-claim"  # type: ignore[misc]
    reasoned = write_claim(*GOOD, REASON)
    assert load_strictly(reasoned, lambda _: {"near-one": 1001.0}).criteria[0].slack is not None


def test_check_takes_the_worst_runs_from_the_reference_as_long_as_its_numbers_are_those_of_the_claim(
    command: Command, write_claim: Write
) -> None:
    loose = ("within: 0.1", "within: 3.5")
    path = write_claim(*GOOD, loose)
    assert command("check", path, "--strict")[0] == 0
    command("run", path, "--reference", "outputs/reference", "-q")
    code, _, err = command("check", path, "--strict")
    assert (code, LOOSE in err, err.count("\n")) == (2, True, 1)
    assert command("check", path, "--strict", "--outputs", "elsewhere")[0] == 0
    # A threshold that is closer is compared with the same numbers, and other settings have other numbers.
    assert command("check", write_claim(*GOOD), "--strict")[0] == 0
    assert command("check", write_claim(*GOOD, loose, REASON), "--strict")[0] == 0
    assert command("check", write_claim(*GOOD, loose, ("bytes: 1000", "bytes: 1001")), "--strict")[0] == 0
