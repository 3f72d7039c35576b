"""Placeholders: a value that the runner admits for every parameter, whatever its kind and range."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from dlnrepro.claimfile.parameters import parameter_faults
from dlnrepro.claimfile.scaffold.placeholders import another, placeholders
from dlnrepro.registry.names import load_runner, runner_names
from dlnrepro.settings.base import Contradiction, Settings
from dlnrepro.settings.fields import RISING, LawDepth, Window


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


class Ruled(Settings):
    """Parameters that fit one another only in part of their ranges."""

    depth: int = Field(ge=1, le=8)
    law_depth: LawDepth
    window: Window
    levels: Annotated[tuple[float, ...], Field(strict=False, min_length=3), RISING]
    steps: int = Field(ge=1)
    method: Literal["flow", "descent"]

    def contradictions(self) -> Iterable[Contradiction]:
        """A depth without a law, a window after the last step, and a flow."""
        if self.law_depth == "same" and self.depth < 3:
            yield Contradiction("law_depth", "a number for two layers or fewer")
        if self.steps < 10 * self.window[1]:
            yield Contradiction("steps", "ten steps in the unit of the window")
        if self.method == "flow":
            yield Contradiction("method", "descent")


def test_placeholders_keep_rules_and_fit_one_another_and_formulas_stay_right() -> None:
    setup = placeholders(Ruled)

    assert parameter_faults(Ruled, setup) == []
    assert setup["law_depth"] == "same"
    assert setup["depth"] == 3


class Hopeless(Settings):
    """A parameter that no value suits."""

    depth: int = Field(ge=1, le=8)

    def contradictions(self) -> Iterable[Contradiction]:
        """Every depth."""
        yield Contradiction("depth", "another depth")


def test_where_no_values_fit_the_placeholders_lie_in_their_ranges() -> None:
    setup = placeholders(Hopeless)

    assert [(place, fault.wording) for place, fault in parameter_faults(Hopeless, setup)] == [
        (("depth",), "expected another depth, found 2")
    ]


@pytest.mark.parametrize("runner", runner_names())
def test_the_placeholders_of_every_runner_here_are_parameters_of_it(runner: str) -> None:
    params = load_runner(runner).Params

    assert parameter_faults(params, placeholders(params)) == []
