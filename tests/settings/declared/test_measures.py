"""Declared measures: what a block of YAML means, and every block that means nothing by its words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from dlnrepro.dynamics.observed.measure import Measure, Window
from dlnrepro.settings.declared.measures import (
    DeclaredMeasure,
    DeclaredSeries,
    Measures,
    computed,
    declaration,
    expressions,
)
from dlnrepro.settings.formula import formula, record_formula, record_inequality


def declared(**keys: Any) -> DeclaredMeasure:
    """A measure with these keys."""
    return DeclaredMeasure.model_validate({"says": "a number in [0, 1]", **keys})


@pytest.mark.parametrize(
    ("keys", "measure"),
    [
        ({"last": "loss"}, Measure("last", (record_formula("loss"),))),
        ({"mean": 2}, Measure("mean", (record_formula("2"),))),
        (
            {"largest": "P[1, 1] +\n P[1,1](t-1)", "over": "last 20 points", "ratio_to": "1 / eta"},
            Measure(
                "largest",
                (record_formula("P[1, 1] + P[1,1](t-1)"),),
                window=Window(points=20),
                reference=record_formula("1 / eta"),
            ),
        ),
        (
            {"slope": ["log(loss)", "step"], "where": "1e-8 < loss < 1e-2", "least_points": 8},
            Measure(
                "slope",
                (record_formula("log(loss)"), record_formula("step")),
                window=Window(where=record_inequality("1e-8 < loss < 1e-2")),
                least_points=8,
            ),
        ),
        (
            {"first_time": "loss < 0.1", "interpolation": "log", "clock": "time", "difference_from": 3},
            Measure(
                "first_time",
                condition=record_inequality("loss < 0.1"),
                reference=record_formula("3"),
                comparison="difference",
                clock="time",
                interpolation="log",
            ),
        ),
        (
            {"first_time": "0 < loss < 0.1"},
            Measure("first_time", condition=record_inequality("0 < loss < 0.1"), interpolation="none"),
        ),
        (
            {"limit": "loss", "approach": "one over time", "from": 10, "to": "steps / 2", "over": "first 1 point"},
            Measure(
                "limit",
                (record_formula("loss"),),
                window=Window(start=formula("10"), end=formula("steps / 2"), points=-1),
                approach="one over time",
            ),
        ),
        (
            {"value": "late / early", "relative_error_from": "2"},
            Measure("value", (formula("late / early"),), reference=formula("2"), comparison="relative error"),
        ),
    ],
)
def test_a_block_means_a_measure(keys: dict[str, Any], measure: Measure) -> None:
    assert declared(**keys).measure == measure


def test_the_normal_form_of_a_block_is_the_block_without_what_was_left_out() -> None:
    found = declared(last=" loss /\n2 ", **{"from": 3})
    assert found.model_dump(mode="json", by_alias=True, exclude_none=True) == {
        "says": "a number in [0, 1]",
        "last": "loss / 2",
        "from": "3",
    }
    assert DeclaredMeasure.model_validate(found.model_dump(by_alias=True)) == found


REDUCERS = "last, first, largest, smallest, mean, median, first_time, slope, limit, value"


@pytest.mark.parametrize(
    ("keys", "place", "words"),
    [
        ({}, (), f"expected one of {REDUCERS}, found none"),
        ({"last": "x", "mean": "x"}, ("mean",), f"expected one of {REDUCERS}, found last, mean"),
        (
            {"last": "x", "ratio_to": 1, "difference_from": 2},
            ("difference_from",),
            "expected one of ratio_to, difference_from, relative_error_from, found ratio_to, difference_from",
        ),
        ({"last": "x +"}, ("last",), "expected a formula such as '0.8 * depth', found 'x +' (invalid syntax)"),
        ({"last": True}, ("last",), "expected a formula, found true"),
        ({"last": [1, 2]}, ("last",), "expected a formula, found [1, 2]"),
        (
            {"first_time": "loss"},
            ("first_time",),
            "expected an inequality such as '1 < depth' or '0 < step_size <= 2', found 'loss'",
        ),
        ({"slope": "log(x)"}, ("slope",), "expected two formulas [y, x], whose slope dy/dx is wanted, found 'log(x)'"),
        (
            {"last": "x", "over": "20 points"},
            ("over",),
            "expected `last 20 points` or `first 20 points`, found '20 points'",
        ),
        (
            {"last": "x", "over": "last 0 points"},
            ("over",),
            "expected `last 20 points` or `first 20 points`, found 'last 0 points'",
        ),
        (
            {"value": "x", "over": "last 2 points"},
            ("over",),
            "expected this key only with a reducer of recorded points, found it with value",
        ),
        ({"last": "x", "least_points": 5}, ("least_points",), "expected this key only with slope, found it with last"),
        ({"last": "x", "clock": "t"}, ("clock",), "expected this key only with first_time, limit, found it with last"),
        *(
            (
                keys,
                (key,),
                "expected a number that does not change along a run, found 'x[1, 1]', which is recorded at many points;"
                " a measure with last, first, largest, smallest or mean is one number",
            )
            for key, keys in (("from", {"last": "x", "from": "x[1, 1]"}), ("value", {"value": "x[1, 1]"}))
        ),
        (
            {"first_time": "0 < x < 1", "interpolation": "linear"},
            ("interpolation",),
            "expected none, since the event has two levels, found linear",
        ),
    ],
)
def test_a_block_that_means_nothing_is_refused_at_its_key(
    keys: dict[str, Any], place: tuple[str, ...], words: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        declared(**keys)
    (error,) = refused.value.errors()
    assert error["loc"] == place
    assert error["msg"] == words


def test_the_parameter_of_a_runner_gives_what_it_computes_and_what_it_declares() -> None:
    measures = TypeAdapter(Measures).validate_python({"end": {"says": "the last loss", "last": "loss"}})
    series = {name: DeclaredSeries.model_validate(of) for name, of in {"loss": "loss", "root": "sqrt(loss)"}.items()}
    assert computed(measures) == {"end": Measure("last", (record_formula("loss"),))}
    assert list(expressions(series)) == ["loss", "root"]
    found = declaration(measures, series, "step", {"loss": "the squared loss"})
    assert found.measures == {"end": "the last loss (last: loss)"}
    assert found.series is not None
    assert [item.says for item in found.series.values()] == ["the squared loss", "sqrt(loss)"]
    assert {item.axis for item in found.series.values()} == {"step"}


def test_the_definition_of_a_measure_has_its_words_and_every_key() -> None:
    keys = {"slope": ["log(x)", "t"], "where": "x > 1", "from": 2, "ratio_to": "2 * d", "least_points": 8}
    assert declared(**keys).definition == (
        "a number in [0, 1] (slope: [log(x), t]; where: x > 1; from: 2; ratio_to: 2 * d; least_points: 8)"
    )
