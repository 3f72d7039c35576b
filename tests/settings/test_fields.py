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
