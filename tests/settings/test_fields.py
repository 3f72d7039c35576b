"""The rules of fields: what each admits, and how it refuses the rest."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from dlnrepro.settings.fields import (
    FALLING,
    FROM_LIST,
    NOT_RISING,
    ORDERED,
    RISING,
    SPREAD,
    Same,
    Window,
    same_or_number,
    same_or_whole,
)

NUMBERS = tuple[float, ...]
PAIR = tuple[float, float]


@pytest.mark.parametrize(
    ("kind", "admitted", "refused", "says"),
    [
        (Annotated[NUMBERS, FROM_LIST, FALLING], [3, 2, 1], [2, 2], "expected values that fall strictly, found [2, 2]"),
        (Annotated[NUMBERS, FROM_LIST, RISING], [1, 2, 3], [2, 2], "expected values that rise strictly, found [2, 2]"),
        (Annotated[NUMBERS, FROM_LIST, NOT_RISING], [2, 2], [1, 2], "expected values that do not rise, found [1, 2]"),
        (Annotated[PAIR, FROM_LIST, ORDERED], [2, 2], [2, 1], "expected a range [low, high], found [2, 1]"),
        (
            Annotated[PAIR, FROM_LIST, SPREAD],
            [1, 2],
            [2, 2],
            "expected a range [low, high] with low below high, found [2, 2]",
        ),
        (
            Window,
            [0.5, 2],
            [2, 2],
            "expected a range [low, high] with low below high, found [2, 2]",
        ),
        (
            Annotated[Same | int, same_or_whole(2, 8)],
            "same",
            1,
            "expected `same` or a whole number from 2 to 8, found 1",
        ),
        (
            Annotated[Same | float, same_or_number(0, 1)],
            0.5,
            "smae",
            "expected `same` or a number from 0 to 1, found 'smae'",
        ),
    ],
    ids=["falling", "rising", "not rising", "ordered", "spread", "window", "same or whole", "same or number"],
)
def test_a_rule_admits_and_refuses(kind: Any, admitted: Any, refused: Any, says: str) -> None:
    adapter = TypeAdapter(kind)
    found = adapter.validate_python(admitted, strict=False)
    assert found == (tuple(admitted) if isinstance(admitted, list) else admitted)
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(refused, strict=False)
    assert [fault["msg"] for fault in caught.value.errors()] == [says]


RANGE = "expected a range [low, high] with low below high, found "


@pytest.mark.parametrize(
    ("value", "found"),
    [([1.0], "[1]"), ([1, 2, 3], "[1, 2, 3]"), ([], "[]"), (5, "5"), ("a", "'a'"), (None, "nothing")],
    ids=["one number", "three numbers", "no number", "a number", "a word", "nothing"],
)
def test_what_is_not_a_list_of_two_is_refused_as_a_range_in_one_line(value: Any, found: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Window).validate_python(value)
    assert [(fault["loc"], fault["msg"]) for fault in caught.value.errors()] == [((), f"{RANGE}{found}")]


def test_an_entry_of_a_range_has_its_own_fault() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Window).validate_python(["a", -1])
    assert [fault["loc"] for fault in caught.value.errors()] == [(0,), (1,)]


@pytest.mark.parametrize(
    ("value", "context"),
    [
        ("smae", {"found": "'smae'", "suggestion": "same"}),
        ("SAME", {"found": "'SAME'", "suggestion": "same"}),
        ("deep", {"found": "'deep'"}),
        (2.0, {"found": "2.0"}),
        (None, {"found": "nothing"}),
    ],
    ids=["misspelt", "in capitals", "another word", "not a whole number", "nothing"],
)
def test_a_misspelt_same_has_a_suggestion_and_every_value_its_own_text(value: Any, context: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Annotated[Same | int, same_or_whole(2, 8)]).validate_python(value)
    expected = {"expected": "`same` or a whole number from 2 to 8"}
    assert [fault["ctx"] for fault in caught.value.errors()] == [expected | context]
