"""Settings that are formulas: resolved by the types of the runner's parameters, or by their text alone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.parameters import (
    Derived,
    numbers,
    parameter_faults,
    resolved,
    resolved_by_text,
    settled,
    validated,
    with_values,
)
from dlnrepro.claimfile.reach import arm_values


class Inner(BaseModel, extra="forbid", strict=True):
    """A group of settings."""

    scale: float
    kind: str = "plain"


class Params(BaseModel, extra="forbid", strict=True, allow_inf_nan=False):
    """Settings of every kind."""

    depth: int = 3
    rate: float | None = None
    size: Annotated[float, Field(gt=0, le=10)] = 1.0
    law: Literal["same"] | int = "same"
    name: str = "plain"
    either: str | float = "plain"
    values: list[float] = []
    pair: tuple[int, float] = Field(default=(1, 1.0), strict=False)
    inner: Inner | None = None
    table: dict[str, float] = {}
    flag: bool = False


def values_of(**values: Any) -> dict[str, Any]:
    """The settings after the formulas are resolved, if there is no fault."""
    found = resolved(Params, values)
    assert found.faults == []
    assert validated(Params, values) == Params.model_validate(found.values)
    return found.values


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"size": "1 / 4"}, {"size": 0.25}),
        ({"size": "2 * depth", "depth": 4}, {"size": 8.0, "depth": 4}),
        ({"size": "2 * depth"}, {"size": 6.0}),
        ({"depth": "size * 2", "size": 2.0}, {"depth": 4, "size": 2.0}),
        ({"rate": "size"}, {"rate": 1.0}),
        ({"values": [1.0, "size / 2", 3.0]}, {"values": [1.0, 0.5, 3.0]}),
        ({"pair": ["depth + 1", "depth / 2"]}, {"pair": [4, 1.5]}),
        ({"inner": {"scale": "1 / depth", "kind": "1 / depth"}}, {"inner": {"scale": 1 / 3, "kind": "1 / depth"}}),
        ({"size": "inner.scale * 2", "inner": {"scale": 2.0}}, {"size": 4.0, "inner": {"scale": 2.0}}),
        ({"table": {"a": "size + 1", "b": "table.a * 2"}}, {"table": {"a": 2.0, "b": 4.0}}),
        ({"size": "rate + 1", "rate": "depth * 2", "depth": "1 + 1"}, {"size": 5.0, "rate": 4.0, "depth": 2}),
        ({"size": "values[2]", "values": ["1 + 1", "size_ * 0 + 3"]}, None),
        ({"name": "depth / 2", "either": "depth / 2", "law": "same"}, {}),
    ],
)
def test_a_text_is_a_formula_where_the_runner_takes_a_number_and_no_text(
    given: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    if expected is None:
        assert [place for place, _ in resolved(Params, given).faults] == [("values", 1)]
        return
    found = values_of(**given)
    assert found == {**given, **expected}
    assert {key: type(value) for key, value in found.items()} == {
        key: type({**given, **expected}[key]) for key in found
    }


@pytest.mark.parametrize(
    ("given", "place", "words"),
    [
        ({"size": "1 / deph"}, ("size",), "found 'deph'; did you mean 'depth'?"),
        ({"size": "1 / name"}, ("size",), "expected one of depth, values, pair, found 'name'"),
        (
            {"size": "1 / name", "name": "x"},
            ("size",),
            "expected a number or a list of numbers, found 'name', which is 'x'",
        ),
        (
            {"size": "1 / flag", "flag": True},
            ("size",),
            "expected a number or a list of numbers, found 'flag', which is",
        ),
        (
            {"size": "pair", "pair": [1, 2.0]},
            ("size",),
            "expected a number, found the list 'pair'; did you mean 'pair[1]'?",
        ),
        ({"size": "size + 1"}, ("size",), "expected a formula that does not need itself, found size needs size"),
        (
            {"size": "1 / (depth - 3)"},
            ("size",),
            "expected a formula with a finite value, found '1 / (depth - 3)' without",
        ),
        ({"size": "20 * depth"}, ("size",), "expected a number of at most 10, found 60.0, the value of '20 * depth'"),
        ({"depth": "1 / 2"}, ("depth",), "expected a whole number, found 0.5, the value of '1 / 2'"),
        ({"values": [1.0, "1 +"]}, ("values", 1), "expected a formula such as '0.8 * depth', found '1 +'"),
        ({"flag": "1 > 2"}, ("flag",), "expected true or false, found '1 > 2'"),
        ({"depth": "three"}, ("depth",), "expected a whole number, found 'three'"),
        ({"law": "depth - 1"}, ("law",), "found 'depth - 1'"),
    ],
)
def test_a_formula_that_does_not_fit_is_one_fault_at_its_place(
    given: dict[str, Any], place: tuple[Any, ...], words: str
) -> None:
    found = [(where, fault.wording) for where, fault in parameter_faults(Params, given)]
    mine = [text for where, text in found if where[: len(place)] == place]
    assert mine, found
    assert words in mine[0]


def test_a_formula_that_needs_one_with_a_fault_has_no_fault_of_its_own() -> None:
    found = parameter_faults(Params, {"size": "2 * rate", "rate": "1 / dept", "depth": 2})
    assert [place for place, _ in found if place != ("values",)] == [("rate",)]


def test_formulas_in_a_circle_are_each_a_fault_and_no_other_formula_is() -> None:
    given = {"size": "rate + 1", "rate": "values[1]", "values": ["size * 2"], "depth": "size * 1"}
    faults = dict(resolved(Params, given).faults)
    assert faults.keys() == {("size",), ("rate",), ("values", 0)}
    assert {fault.found for fault in faults.values()} == {"size needs rate needs values[0] needs size"}


def test_the_formulas_are_known_with_their_values() -> None:
    found = resolved(Params, {"size": "1 / 4", "inner": {"scale": "size * 2"}, "name": "1 / 4"})
    assert found.derived == {"size": Derived("1 / 4", 0.25), "inner.scale": Derived("size * 2", 0.5)}


def test_settings_without_formulas_stay_exactly_as_they_are() -> None:
    for path in sorted(packaged_folder().glob("*.yaml")):
        claim = read_claim(path)
        for arm in claim.used_arms:
            values = arm_values(claim, arm, {}, quick=False)
            assert settled(values) == values
            assert resolved_by_text(values).derived == {}


def test_by_text_alone_a_formula_is_what_can_be_computed_from_the_settings() -> None:
    given = {
        "a": 2,
        "b": "a / 4",
        "c": "cross-entropy",
        "d": "same",
        "e": [1, "b + 1"],
        "f": {"g": "a * 3"},
        "h": "x y",
    }
    assert settled(given) == {**given, "b": 0.5, "e": [1, 1.5], "f": {"g": 6.0}}
    assert numbers(settled(given)) == {"a": 2, "b": 0.5, "e": [1, 1.5], "f.g": 6.0}


def test_a_setting_is_written_with_the_value_after_each_formula() -> None:
    written = {"a": "1 / 3", "b": [1, "a * 3"], "c": "plain", "d": 2}
    assert with_values(written, {"a": 1 / 3, "b": [1, 1.0], "c": "plain", "d": 2}) == {
        "a": "1 / 3 = 0.333333",
        "b": [1, "a * 3 = 1"],
        "c": "plain",
        "d": 2,
    }
