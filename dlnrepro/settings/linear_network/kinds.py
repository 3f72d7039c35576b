"""Types of fields that several groups of settings of the general runner use."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidatorFunctionWrapHandler, WrapValidator

from dlnrepro.settings.base import Contradiction, refused, written
from dlnrepro.settings.fields import FROM_LIST, ORDERED

LARGEST_WIDTH = 512


def _as_list(value: Any) -> Any:
    """A single number as a list of one; everything else as it is."""
    return [value] if type(value) in (int, float) else value


ONE_OR_MORE = BeforeValidator(_as_list, json_schema_input_type=float | list[float])
"""In `Annotated`: a list of numbers may be written as a single number."""
ONE_OR_MORE_WHOLE = BeforeValidator(_as_list, json_schema_input_type=int | list[int])
"""In `Annotated`: a list of whole numbers may be written as a single one."""


def _as_range(value: Any) -> Any:
    """A single number as the range of this one number."""
    return [value, value] if type(value) in (int, float) else value


def _as_name(value: str) -> str:
    """Refuse a name that a formula cannot have."""
    if not value.isascii() or not value.isidentifier():
        raise refused("a name of letters, digits and _ that does not begin with a digit", f"'{value}'")
    return value


def _number_or_list(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Refuse what is neither a number nor a list of numbers."""
    several = value if isinstance(value, list | tuple) and value else [value]
    if not all(type(one) in (int, float) and math.isfinite(one) for one in several):
        raise refused("a number or a list of numbers", written(value))
    return handler(value)


OneWidth = Annotated[int, Field(ge=1, le=LARGEST_WIDTH)]
FromZero = Annotated[float, Field(ge=0, le=1e6)]
AboveZero = Annotated[float, Field(gt=0, le=1e6)]
AnyNumber = Annotated[float, Field(ge=-1e9, le=1e9)]
Vector = Annotated[tuple[FromZero, ...], FROM_LIST, Field(min_length=1, max_length=LARGEST_WIDTH)]
Row = Annotated[tuple[AnyNumber, ...], FROM_LIST, Field(min_length=1, max_length=LARGEST_WIDTH)]
Constants = Annotated[
    dict[
        Annotated[str, AfterValidator(_as_name)],
        Annotated[float | Annotated[tuple[float, ...], FROM_LIST], WrapValidator(_number_or_list)],
    ],
    Field(max_length=100),
]
"""Numbers and lists of numbers by their names."""
Matrix = Annotated[tuple[Row, ...], FROM_LIST, Field(min_length=1, max_length=LARGEST_WIDTH)]
ScaleRange = Annotated[
    tuple[AboveZero, AboveZero],
    FROM_LIST,
    ORDERED,
    BeforeValidator(_as_range, json_schema_input_type=float | list[float]),
]
"""A number above 0, or a range [low, high] from which each run draws a number log-uniformly."""


def unused(key: str, unless: str) -> Contradiction:
    """The contradiction of a setting that has no meaning for the other settings.

    Args:
        key: the setting.
        unless: when the setting would be used, such as `` `method: adam` ``.
    """
    return Contradiction(key, f"no such key, which is only for {unless}")
