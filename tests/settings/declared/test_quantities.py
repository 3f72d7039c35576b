"""The names and indices of declared formulas, checked against what a runner can record."""

from __future__ import annotations

from typing import Any

import pytest

from dlnrepro.settings.declared.measures import DeclaredMeasure, DeclaredSeries
from dlnrepro.settings.declared.quantities import Quantity, formula_faults

KNOWN = {
    "step": Quantity("the step"),
    "loss": Quantity("the loss"),
    "s": Quantity("singular values", 1, sizes=(3,)),
    "P": Quantity("the product", 2, sizes=(2, 3)),
    "depth": Quantity("depth", recorded=False),
    "strengths": Quantity("strengths", 1, recorded=False),
}


def faults(measures: dict[str, Any], series: dict[str, Any] | None = None) -> list[tuple[tuple[str, ...], str]]:
    """The faults of some blocks: place and words."""
    declared = {name: DeclaredMeasure.model_validate({"says": "x", **keys}) for name, keys in measures.items()}
    rows = {name: DeclaredSeries.model_validate(of) for name, of in (series or {}).items()}
    return [(place, fault.wording) for place, fault in formula_faults(declared, rows, KNOWN, {"depth": 4})]


@pytest.mark.parametrize(
    "keys",
    [
        {"last": "P[1, 1] + norm(P[1]) + s[-1](t - 1) * loss(first)"},
        {"last": "norm(P - P(first)) / sum(strengths)", "where": "loss < strengths[1]", "from": "depth"},
        {"largest": "max(s) - max(loss, 1)", "ratio_to": "s[1] * m"},
        {"slope": ["log(loss)", "log(step)"], "ratio_to": "depth"},
        {"first_time": "s[1] > depth", "clock": "step"},
        {"value": "m / depth"},
        {"last": "P[-2, depth - 1] + s[m] * strengths[9]"},
        {"last": "max(s * s(t - 1)) + mean(P * strengths[1])"},
    ],
)
def test_formulas_of_what_a_runner_records_have_no_fault(keys: dict[str, Any]) -> None:
    assert faults({"m": {"last": "loss"}, "other": keys}) == []


WORDS = "one of step, loss, s, P, depth, strengths, other"


@pytest.mark.parametrize(
    ("keys", "key", "words"),
    [
        ({"last": "los"}, "last", f"expected {WORDS}, found 'los'; did you mean 'loss'?"),
        ({"last": "loss[1]"}, "last", "expected a list before '[' in 'loss[1]', found a number 'loss'"),
        ({"last": "s[1, 2]"}, "last", "expected a matrix before '[' in 's[1, 2]', found a list 's'"),
        ({"last": "s[4]"}, "last", "expected an index from 1 to 3, or from -3 to -1, in 's[4]', found 4"),
        (
            {"last": "s[depth](t - 1)"},
            "last",
            "expected an index from 1 to 3, or from -3 to -1, in 's[depth]', found 4",
        ),
        ({"last": "P[3, 3]"}, "last", "expected an index from 1 to 2, or from -2 to -1, in 'P[3, 3]', found 3"),
        ({"last": "P[1, 0.5]"}, "last", "expected an index from 1 to 3, or from -3 to -1, in 'P[1, 0.5]', found 0.5"),
        ({"last": "s"}, "last", "expected a formula that is a number, found a list 's'"),
        ({"last": "P[1](t - 1)"}, "last", "expected a formula that is a number, found a list 'P[1](t - 1)'"),
        ({"last": "norm(s - P)"}, "last", "expected two lists or two matrices, found a list and a matrix in 's - P'"),
        ({"last": "norm(loss)"}, "last", "expected a list or a matrix in 'norm(loss)', found a number"),
        ({"last": "max(s, 1)"}, "last", "expected numbers in 'max(s, 1)', found a list"),
        ({"last": "loss", "where": "s < 1"}, "where", "expected a formula that is a number, found a list 's'"),
        (
            {"last": "loss", "from": "loss"},
            "from",
            "expected a number that does not change along a run, found 'loss', which is recorded",
        ),
        (
            {"first_time": "loss < 1", "ratio_to": "loss"},
            "ratio_to",
            "expected a number that does not change along a run, found 'loss', which is recorded",
        ),
        (
            {"value": "loss"},
            "value",
            "expected a number that does not change along a run, found 'loss', which is recorded",
        ),
        ({"limit": "loss", "clock": "depth"}, "clock", "expected one of step, loss, s, P, found 'depth'"),
        ({"value": "other + 1"}, "value", "expected a measure that does not need itself, found 'other'"),
    ],
)
def test_a_formula_that_does_not_fit_is_a_fault_at_its_key(keys: dict[str, Any], key: str, words: str) -> None:
    assert faults({"other": keys}) == [(("measures", "other", key), words)]


def test_measures_that_need_each_other_in_a_circle_are_faults() -> None:
    circle = {"a": {"value": "b"}, "b": {"value": "c"}, "c": {"last": "loss", "ratio_to": "a"}, "d": {"value": "a"}}
    assert faults(circle) == [
        (("measures", "a", "value"), "expected a measure that does not need itself, found 'a'"),
        (("measures", "b", "value"), "expected a measure that does not need itself, found 'b'"),
        (("measures", "c", "ratio_to"), "expected a measure that does not need itself, found 'c'"),
    ]


def test_a_measure_with_the_name_of_a_quantity_is_a_fault_and_so_is_a_series_that_is_no_number() -> None:
    assert faults({"loss": {"last": "step"}}, {"row": "P[1]", "fine": "P[1, 2]"}) == [
        (("measures", "loss"), "expected a name that no quantity or setting has, found 'loss'"),
        (("series", "row"), "expected a formula that is a number, found a list 'P[1]'"),
    ]
