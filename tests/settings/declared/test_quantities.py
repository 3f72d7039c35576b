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
TWO = {
    "step": Quantity("the step"),
    "time": Quantity("the time", setting=Quantity("a setting", recorded=False)),
    "overlap": Quantity("the overlap", setting=Quantity("a setting", 1, recorded=False)),
}
"""Names that are those of a recorded quantity and of a setting."""


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
            "expected a number that does not change along a run, found 'loss', which is recorded; a measure with last,"
            " first, largest, smallest or mean is one number",
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


@pytest.mark.parametrize(
    "keys",
    [
        {"value": "time + overlap[1] + overlap[2]"},
        {"last": "overlap * time", "from": "time / 2", "to": "time - overlap[1]", "where": "overlap > time / 8"},
        {"first_time": "overlap > 1", "ratio_to": "time / overlap[2]", "clock": "time"},
        {"slope": ["overlap", "time"], "difference_from": "overlap[1]"},
        {"mean": "overlap", "ratio_to": "time(t) + overlap(last)"},
    ],
)
def test_a_name_of_two_meanings_is_the_setting_in_a_single_number_and_the_quantity_at_points(
    keys: dict[str, Any],
) -> None:
    measures = {"m": DeclaredMeasure.model_validate({"says": "x", **keys})}
    assert [*formula_faults(measures, {"row": DeclaredSeries.model_validate("overlap / time")}, TWO)] == []


def test_a_name_of_two_meanings_is_refused_where_a_reader_cannot_know_which_one_it_has() -> None:
    measure = DeclaredMeasure.model_validate({"says": "x", "mean": "overlap", "ratio_to": "1 + time"})
    ((place, fault),) = formula_faults({"m": measure}, {}, TWO)
    assert place == ("measures", "m", "ratio_to")
    assert fault.wording == (
        "expected time(t), which is recorded, or the name of a measure with 'value: time', which is the setting, found"
        " 'time', which could be both"
    )


def test_a_quantity_that_is_recorded_only_for_other_settings_is_named_as_such() -> None:
    measure = DeclaredMeasure.model_validate({"says": "x", "last": "margin"})
    ((_, fault),) = formula_faults({"m": measure}, {}, TWO, elsewhere={"margin": "two classes"})
    assert fault.wording == (
        "expected a quantity that is recorded here, found 'margin', which is only recorded for two classes"
    )


def test_an_index_that_changes_along_a_run_is_refused() -> None:
    assert faults({"m": {"last": "s[step]"}}) == [
        (
            ("measures", "m", "last"),
            "expected an index that does not change along a run in 's[step]', found 'step', which is recorded",
        )
    ]
