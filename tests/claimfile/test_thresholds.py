"""Thresholds that are formulas: the faults of a claim file, each as a whole line, and what a valid one means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.parameters import numbers
from dlnrepro.compute.plan import plan
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import ClaimError
from tests.refusal import refusal

Write = Callable[..., Path]
BOUND = "at_least: 0.8 * drawn"
NAMES = "strengths, factor, spread, mood, height, drawn"


def faults(path: Path) -> list[str]:
    """The faults of a claim file without its path."""
    with pytest.raises(ClaimError) as error:
        load_claim(path)
    return [str(fault).removeprefix(f"{path}:") for fault in error.value.faults]


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("at_most: 2 * factor", {"at_most": "2 * factor"}),
        ("above: 0\n    below: drawn + 0.1 + len(strengths)", {"above": 0, "below": "drawn + 0.1 + len(strengths)"}),
        ("equals: drawn\n    within: 0.01 * sqrt(spread)", {"equals": "drawn", "within": "0.01 * sqrt(spread)"}),
        ("at_least: 1/2", {"at_least": "1/2"}),
        ("at_least: 1e-3", {"at_least": 1e-3}),
        ("at_least: >\n      strengths[1] / strengths[2]\n      - 1", {"at_least": "strengths[1] / strengths[2] - 1"}),
    ],
)
def test_every_threshold_may_be_a_formula(write_drawn: Write, text: str, bounds: dict[str, float | str]) -> None:
    (criterion,) = load_claim(write_drawn((BOUND, text))).criteria
    assert criterion.bounds == bounds


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "at_most: 2 * drwn",
            f"19:5: criteria[0].at_most: expected one of {NAMES}, found 'drwn'; did you mean 'drawn'?",
        ),
        (
            "at_most: 2 *",
            "19:5: criteria[0].at_most: expected a formula such as '0.8 * depth', found '2 *' (invalid syntax)",
        ),
        (
            "at_most: true",
            "19:5: criteria[0].at_most: expected a number or a formula, found true",
        ),
        (
            "at_most: [1]",
            "19:5: criteria[0].at_most: expected a number or a formula, found [1]",
        ),
        (
            "at_most: 2 ^ drawn",
            "19:5: criteria[0].at_most: expected a formula of numbers, names, + - * / **, brackets, "
            "list[1] and functions, found '^' in '2 ^ drawn'; did you mean '**'?",
        ),
        (
            "at_most: strengths",
            "19:5: criteria[0].at_most: expected a number in the arm 'near', found the list "
            "'strengths'; did you mean 'strengths[1]'?",
        ),
        (
            "at_most: strengths[3]",
            "19:5: criteria[0].at_most: expected a number from 1 to 2, or from -2 to -1, in "
            "'strengths[3]' in the arm 'near', found 3",
        ),
        (
            "at_most: mood",
            "19:5: criteria[0].at_most: expected a number or a list of numbers in the arm 'near', "
            "found 'mood', which is 'calm'",
        ),
        (
            "at_most: 1 / (factor - 1)",
            "19:5: criteria[0].at_most: expected a formula with a finite value in the arm 'near', "
            "found '1 / (factor - 1)' without one",
        ),
        (
            "at_most: 1 / (factor - 0.5)",
            "19:5: criteria[0].at_most: expected a formula with a finite value in the arm 'far', "
            "found '1 / (factor - 0.5)' without one",
        ),
        (
            "at_most: 1 / (spread - 2)",
            "19:5: criteria[0].at_most: expected a formula with a finite value in the arm 'near' "
            "under the harmless change 'wider', found '1 / (spread - 2)' without one",
        ),
        (
            "equals: drawn\n    within: 0 - factor",
            "20:5: criteria[0].within: expected a number of at least 0 in the arm 'near', found -1",
        ),
        (
            "equals: 1\n    within: 0 - factor",
            "20:5: criteria[0].within: expected a number of at least 0 in the arm 'near', found -1",
        ),
        (
            "above: factor\n    below: 0.75",
            "20:5: criteria[0].below: expected an interval with numbers in it in the arm 'near', "
            "found the empty one > 1 and < 0.75",
        ),
        (
            "above: drawn\n    at_least: 0.5",
            "20:5: criteria[0].at_least: expected one lower and one upper bound at most, found above, at_least",
        ),
        (
            "above: 1 / 2\n    below: 1 / 4",
            "20:5: criteria[0].below: expected an interval with numbers in it in the arm 'near', "
            "found the empty one > 0.5 and < 0.25",
        ),
        (
            "equals: drawn",
            "19:5: criteria[0].equals: expected 'equals' together with 'within' and no other bound, found equals",
        ),
        (
            "at_most: drawn\n    theory_allows: 2 * depth",
            f"20:5: criteria[0].theory_allows: expected one of {NAMES}, found 'depth'",
        ),
    ],
)
def test_a_fault_of_a_formula_says_where_and_in_which_arm(write_drawn: Write, text: str, line: str) -> None:
    assert faults(write_drawn((BOUND, text))) == [line]


def test_a_name_that_is_a_parameter_and_a_measure_is_ambiguous(write_claim: Write) -> None:
    path = write_claim(("    equals: 1.0\n    within: 0.1\n", "    at_most: 2 * value\n"))
    assert faults(path) == [
        "26:5: criteria[0].at_most: expected the name of a parameter or of a measure, found 'value', which is both"
    ]


def test_the_quick_profile_is_checked_too(write_drawn: Write) -> None:
    path = write_drawn((BOUND, "at_least: strengths[2] / 8"), ("{seeds: 2}", "{seeds: 2, setup: {strengths: [1]}}"))
    assert faults(path) == [
        "19:5: criteria[0].at_least: expected a number from 1 to 1, or from -1 to -1, in 'strengths[2]' in the arm "
        "'near' of the quick profile, found 2"
    ]


def test_an_override_with_which_a_threshold_has_no_value_is_refused_before_the_run(write_drawn: Write) -> None:
    claim = load_claim(write_drawn((BOUND, "at_least: strengths[2] / 8")))
    line = (
        "drawn-claim: arm {}: the threshold of high: at_least: expected a number from 1 to 1, or from -1 to -1, in "
        "'strengths[2]', found 2"
    )
    assert refusal(lambda: plan(claim, Variation(overrides={"strengths": [3.0]}))) == line.format("near")
    assert [cell.arm for cell in plan(claim, Variation(overrides={"strengths": [3.0, 1.0]}))] == ["near", "far"]


def test_only_numbers_and_lists_of_numbers_have_names() -> None:
    params = {"a": 1, "b": 2.5, "c": True, "d": "same", "e": [1, 2.5], "f": (3,), "g": [], "h": [[1]], "i": None}
    assert numbers(params) == {"a": 1, "b": 2.5, "e": [1, 2.5], "f": (3,), "g": []}
