"""What a control changes: one hypothesis, several settings, or only the formula that a measure is compared with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.controls import Difference, differences, is_of_formula, kinds, wrong_formulas
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.policy import RULES
from dlnrepro.claimfile.schema import Claim
from dlnrepro.registry.names import load_runner, runner_names

Write = Callable[..., Path]

SETUP = ("  bytes: 1000\n", "  bytes: 1000\n  depth: 2\n  law: own\n  law_depth: same\n")
"""Settings of a formula; a claim file is read without its runner, which does not know them."""


@pytest.fixture
def claim_with(write_claim: Write) -> Callable[..., Claim]:
    """The toy claim with settings of a formula, with other arms, and with a criterion that holds and fails in some."""

    def claim(arms: str, holds_in: str = "near", fails_in: str = "far") -> Claim:
        changes = (
            SETUP,
            ("  near: {}\n  far: {value: 5.0}\n", arms),
            ("holds_in: [near]", f"holds_in: [{holds_in}]"),
            ("fails_in: [far]", f"fails_in: [{fails_in}]"),
        )
        return read_claim(write_claim(*changes))

    return claim


@pytest.mark.parametrize(
    ("far", "settings", "formula"),
    [
        ("{value: 5.0}", ("value",), ()),
        ("{value: 5.0, depth: 3}", ("value", "depth"), ()),
        ("{law_depth: 3}", (), ("law_depth",)),
        ("{law: other, law_depth: 3}", (), ("law", "law_depth")),
        ("{depth: 3, law_depth: 2}", ("depth",), ("law_depth",)),
        ("{value: 1}", (), ()),
    ],
)
def test_a_control_differs_in_settings_and_in_settings_of_the_formula(
    claim_with: Callable[..., Claim], far: str, settings: tuple[str, ...], formula: tuple[str, ...]
) -> None:
    claim = claim_with(f"  near: {{}}\n  far: {far}\n")
    ((criterion, found),) = differences(claim)
    assert found == Difference("far", "near", settings, formula)
    wrong = bool(formula) and not settings
    assert found.wrong_formula == wrong
    assert wrong_formulas(claim, criterion) == ({"far"} if wrong else set())


def test_a_control_is_compared_with_the_nearest_arm_that_must_hold(claim_with: Callable[..., Claim]) -> None:
    arms = "  near: {}\n  deep: {depth: 3}\n  far: {depth: 3, law_depth: 2}\n"
    ((_, found),) = differences(claim_with(arms, holds_in="near, deep"))
    assert found == Difference("far", "deep", (), ("law_depth",))


def test_an_arm_is_a_wrong_formula_if_it_is_one_for_each_of_its_criteria(claim_with: Callable[..., Claim]) -> None:
    arms = "  near: {}\n  blind: {law_depth: 3}\n  far: {value: 5.0}\n"
    assert kinds(claim_with(arms, fails_in="blind, far")) == {"blind": "wrong formula", "far": "control"}


def test_a_criterion_whose_controls_are_all_wrong_formulas_breaks_a_rule(claim_with: Callable[..., Claim]) -> None:
    (rule,) = [rule for rule in RULES if rule.name == "control"]
    arms = "  near: {}\n  blind: {law_depth: 3}\n  other: {law: other}\n  far: {value: 5.0}\n"
    faults = list(rule.faults(claim_with(arms, fails_in="blind, other"), {}))
    assert [(place, fault.wording) for place, fault in faults] == [
        (("criteria", 0, "fails_in"), "expected a control that breaks a hypothesis, found only wrong formulas: blind, "
                                      "other")
    ]  # fmt: skip
    assert list(rule.faults(claim_with(arms, fails_in="blind, other, far"), {})) == []


def test_settings_of_the_formula_do_not_count_as_further_settings(claim_with: Callable[..., Claim]) -> None:
    (rule,) = [rule for rule in RULES if rule.name == "hypothesis"]
    assert list(rule.faults(claim_with("  near: {}\n  far: {value: 5.0, law_depth: 3, law: other}\n"), {})) == []


@pytest.mark.parametrize(
    ("far", "settings"),
    [
        ("{constants: {rate: 3, goal: 1.0}}", ()),
        ("{constants: {rate: 2, goal: 5.0}}", ("value",)),
        ("{constants: {rate: 3, goal: 1.0}, value: 5.0}", ("value",)),
    ],
)
def test_a_control_of_other_constants_is_a_wrong_formula_unless_they_change_a_setting(
    write_claim: Write, far: str, settings: tuple[str, ...]
) -> None:
    claim = read_claim(
        write_claim(
            ("  value: 1\n", "  value: constants.goal\n  constants: {rate: 2, goal: 1.0}\n"),
            ("  far: {value: 5.0}\n", f"  far: {far}\n"),
        )
    )
    ((_, found),) = differences(claim)
    assert found == Difference("far", "near", settings, ("constants",))
    assert found.wrong_formula == (not settings)


def test_only_settings_named_law_and_constants_belong_to_the_formula() -> None:
    settings = ("law", "law_depth", "constants", "lawn", "flaw", "depth")
    assert [key for key in settings if is_of_formula(key)] == ["law", "law_depth", "constants"]


@pytest.mark.parametrize("name", runner_names())
def test_the_description_of_a_setting_named_law_says_to_what_formula_or_problem_it_belongs(name: str) -> None:
    for key, field in load_runner(name).Params.model_fields.items():
        if is_of_formula(key):
            words = ("formula", "law of decay", "convex problem", "predicts")
            assert any(word in str(field.description) for word in words), f"{name}: {key}: {field.description}"
