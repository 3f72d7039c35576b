"""Placeholders: a value that the runner admits for every parameter, whatever its kind and range."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from dlnrepro.claimfile.messages import parameter_faults
from dlnrepro.claimfile.placeholders import another, placeholders


class Colour(Enum):
    """Two colours."""

    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    """A model inside of another."""

    rate: Annotated[float, Field(gt=0, lt=0.5)]


class Params(BaseModel, extra="forbid"):
    """One parameter of each kind."""

    depth: int = Field(ge=2, le=8)
    even: int = Field(ge=3, multiple_of=2)
    share: float = Field(gt=0, lt=1)
    negative: float = Field(lt=-2)
    large: float = Field(ge=1e6)
    between: int = Field(gt=10, lt=12)
    rule: Literal["flow", "descent"]
    colour: Colour
    balanced: bool
    note: str
    maybe: float | None
    strengths: list[Annotated[float, Field(ge=2)]] = Field(min_length=3)
    pair: tuple[int, float]
    inner: Inner


@pytest.mark.parametrize("name", list(Params.model_fields))
def test_a_placeholder_lies_inside_the_range_of_its_parameter(name: str) -> None:
    errors = parameter_faults(Params, placeholders(Params))
    assert [fault for place, fault in errors if place[0] == name] == []


def test_a_control_changes_one_parameter_to_a_value_that_is_admitted() -> None:
    setup = placeholders(Params)
    change = another(Params, setup)
    assert list(change) == ["depth"]
    assert parameter_faults(Params, {**setup, **change}) == []
    assert change["depth"] != setup["depth"]


class Bare(BaseModel):
    """A parameter that no number is."""

    name: str


def test_where_no_number_can_be_changed_there_is_no_change() -> None:
    assert another(Bare, {"name": "x"}) == {}
