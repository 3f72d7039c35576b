"""Types of fields: each carries its range, its rule, and a description if it has the same meaning everywhere.

A runner can narrow a range, or give another description, by a `Field(...)` of its own; the rule stays.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from itertools import pairwise
from operator import le, lt
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidatorFunctionWrapHandler, WrapValidator

from dlnrepro.settings.base import refused, written
from dlnrepro.settings.numerals import numeral

Item = TypeVar("Item", bound=float)


def _falling(values: tuple[float, ...]) -> tuple[float, ...]:
    """Refuse values that do not fall strictly."""
    if any(after >= before for before, after in pairwise(values)):
        raise refused("values that fall strictly", written(values))
    return values


def _rising(values: tuple[float, ...]) -> tuple[float, ...]:
    """Refuse values that do not rise strictly."""
    if any(after <= before for before, after in pairwise(values)):
        raise refused("values that rise strictly", written(values))
    return values


def _not_rising(values: tuple[float, ...]) -> tuple[float, ...]:
    """Refuse values that rise."""
    if any(after > before for before, after in pairwise(values)):
        raise refused("values that do not rise", written(values))
    return values


def _range(expected: str, admits: Callable[[float, float], bool]) -> WrapValidator:
    """In `Annotated`: the value is a list of two numbers, and `admits(low, high)` is true."""

    def admitted(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise refused(expected, written(value))
        low, high = checked = handler(value)
        if not admits(low, high):
            raise refused(expected, written(checked))
        return checked

    return WrapValidator(admitted)


def _or_number(expected: str, admits: Callable[[float], bool]) -> BeforeValidator:
    """In `Annotated`: the value may be a single number, which becomes the range of this one number."""

    def admitted(value: Any) -> Any:
        if type(value) not in (int, float):
            return value
        if not admits(value):
            raise refused(expected, written(value))
        return [value, value]

    return BeforeValidator(admitted)


def _near_same(value: Any) -> str | None:
    """`same`, if a value is a misspelling of it."""
    return next(iter(get_close_matches(value.lower(), ["same"])), None) if isinstance(value, str) else None


def same_or_whole(low: int, high: int) -> BeforeValidator:
    """In `Annotated`: the value may be `same`, or a whole number from `low` to `high`."""

    def admitted(value: Any) -> Any:
        if value == "same" or (type(value) is int and low <= value <= high):
            return value
        # Unlike `written`, this keeps apart 2 and 2.0, which is not a whole number.
        found = repr(value) if isinstance(value, float) else written(value)
        raise refused(f"`same` or a whole number from {low} to {high}", found, _near_same(value))

    return BeforeValidator(admitted)


def same_or_number(low: float, high: float) -> BeforeValidator:
    """In `Annotated`: the value may be `same`, or a number from `low` to `high`."""

    def admitted(value: Any) -> Any:
        if value == "same" or (type(value) in (int, float) and low <= value <= high):
            return value
        raise refused(f"`same` or a number from {numeral(low)} to {numeral(high)}", written(value), _near_same(value))

    return BeforeValidator(admitted)


FROM_LIST = Field(strict=False)
"""In `Annotated`: a tuple may be written as a list, as in YAML."""
FALLING = AfterValidator(_falling)
"""In `Annotated`: the values fall strictly."""
RISING = AfterValidator(_rising)
"""In `Annotated`: the values rise strictly."""
NOT_RISING = AfterValidator(_not_rising)
"""In `Annotated`: no value exceeds the one before it."""
ORDERED = _range("a range [low, high]", le)
"""In `Annotated`: a range [low, high], whose ends may be equal."""
SPREAD = _range("a range [low, high] with low below high", lt)
"""In `Annotated`: a range [low, high] with low < high."""

Same = Literal["same"]
"""The value of a formula's parameter that stands for the value with which the network is trained."""


def law_value(value: Item | Same, trained: Item) -> Item:
    """The value that a formula uses: a number of its own, or the value of the network if it is `same`."""
    return trained if value == "same" else value


Positive = Annotated[float, Field(gt=0, le=100)]
Share = Annotated[float, Field(gt=0, lt=1)]
PositiveRange = Annotated[tuple[Positive, Positive], FROM_LIST, ORDERED]
Range = Annotated[tuple[float, float], FROM_LIST, SPREAD]
AboveZero = Annotated[float, Field(gt=0)]
FromZero = Annotated[float, Field(ge=0, le=100)]

DrawnFromZero = Annotated[
    tuple[FromZero, FromZero],
    FROM_LIST,
    ORDERED,
    _or_number("a number of at least 0, or a range [low, high]", lambda value: value >= 0),
]
"""A number of at least 0, or a range [low, high] from which each run draws a number uniformly."""
DrawnAboveZero = Annotated[
    PositiveRange, _or_number("a number above 0, or a range [low, high]", lambda value: value > 0)
]
"""A number above 0, or a range [low, high] from which each run draws a number uniformly."""
Window = Annotated[tuple[AboveZero, AboveZero], FROM_LIST, SPREAD]

Depth = Annotated[int, Field(ge=2, le=8, description="depth L, the number of weight matrices")]
LawDepth = Annotated[
    Same | int,
    same_or_whole(1, 8),
    Field(
        description="depth L used in the theoretical formula: `same` is the value of `depth`; another value is a"
        " deliberately wrong formula, for negative controls"
    ),
]
Width = Annotated[int, Field(ge=1, le=32)]
Strengths = Annotated[tuple[Positive, ...], Field(strict=False, min_length=1, max_length=32), FALLING]
SeveralStrengths = Annotated[
    tuple[Positive, ...],
    Field(
        strict=False,
        min_length=2,
        max_length=32,
        description="sigma_k, the singular values of the target matrix Z: at least two, which fall strictly",
    ),
    FALLING,
]
Jitter = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description="relative spread of the strengths over the runs: each run multiplies each strength by 1 + jitter x,"
        " with x uniform in [-1, 1]",
    ),
]
LayerFactor = Annotated[
    float,
    Field(
        gt=0,
        le=100,
        description="factor by which W_1 is multiplied and W_L divided at initialization; 1 keeps the layers balanced",
    ),
]
InputSpread = Annotated[
    float,
    Field(
        ge=1,
        le=1000,
        description="condition number of the second moment S of the inputs (largest over smallest eigenvalue), with"
        " det S = 1; the value 1 makes the inputs white",
    ),
]
StepSize = Annotated[float, Field(gt=0, le=1, description="step size eta of gradient descent")]
Halvings = Annotated[
    int,
    Field(ge=1, le=8, description="number of finer descents that follow, each at half the step size of the one before"),
]
