"""Pydantic's errors as faults: what was expected and found stay apart, and each fault keeps its place."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from dlnrepro.claimfile.document import Place, dotted
from dlnrepro.claimfile.messages import at_its_key, rule, same_as
from dlnrepro.claimfile.parameters import parameter_errors, parameter_faults
from dlnrepro.errors import Fault


def _even(value: int) -> int:
    if value % 2:
        raise rule("an even number", str(value))
    return value


class Params(BaseModel, extra="forbid", strict=True):
    """Parameters with every kind of fault."""

    kind: Literal["flow", "descent"] = "flow"
    even: Annotated[int, AfterValidator(_even)] = 2
    width: int = Field(default=3, ge=1)
    share: float = Field(default=0.5, lt=1)
    widths: list[int] = [1]
    mode: str = "sound"

    @model_validator(mode="after")
    def _sound(self) -> Self:
        """Fail in the way that `mode` says."""
        if self.mode == "plain":
            raise ValueError("width must exceed even")
        if self.mode == "key":
            raise at_its_key(rule("less than even", str(self.width), "width"))
        if self.mode == "suggestion":
            context = {"expected": "a rule", "found": "'rul'", "suggestion": "rule"}
            raise PydanticCustomError("rule", "expected {expected}, found {found}", context)
        if self.mode == "several":
            places = (("widths", 0), ("width",))
            error = rule("another value", "{this}")
            details = [InitErrorDetails(type=error, loc=place, input=1) for place in places]
            raise ValidationError.from_exception_data("Params", details)
        if self.mode == "other rule":
            raise PydanticCustomError("rule", "a rule of somebody else")
        if self.mode == "bug":
            raise KeyError("x")
        return self


@pytest.mark.parametrize(
    ("values", "place", "fault", "wording"),
    [
        ({"even": 3}, ("even",), Fault(expected="an even number", found="3"), "expected an even number, found 3"),
        ({"width": 0}, ("width",), Fault(expected="a number of at least 1", found="0"),
         "expected a number of at least 1, found 0"),
        ({"share": 1e7}, ("share",), Fault(expected="a number below 1", found="1e7"),
         "expected a number below 1, found 1e7"),
        ({"width": 2.0}, ("width",), Fault(expected="a whole number", found="2.0"),
         "expected a whole number, found 2.0"),
        ({"widths": [1, "a"]}, ("widths", 1), Fault(expected="a whole number", found="'a'"),
         "expected a whole number, found 'a'"),
        ({"kind": "flo"}, ("kind",), Fault(expected="one of flow, descent", found="'flo'", suggestion="flow"),
         "expected one of flow, descent, found 'flo'; did you mean 'flow'?"),
        ({"kind": 3}, ("kind",), Fault(expected="one of 'flow' or 'descent'", found="3"),
         "expected one of 'flow' or 'descent', found 3"),
        ({"widht": 1}, ("widht",),
         Fault(expected="one of kind, even, width, share, widths, mode", found="'widht'", suggestion="width"),
         "expected one of kind, even, width, share, widths, mode, found 'widht'; did you mean 'width'?"),
        ({"mode": "plain"}, (), Fault(text="width must exceed even"), "width must exceed even"),
        ({"mode": "key"}, ("width",), Fault(expected="less than even", found="3"), "expected less than even, found 3"),
        ({"mode": "suggestion"}, (), Fault(expected="a rule", found="'rul'", suggestion="rule"),
         "expected a rule, found 'rul'; did you mean 'rule'?"),
        ({"mode": "bug"}, (), Fault(expected="values that Params admits", found="KeyError: 'x'", cited=True),
         "expected values that Params admits, found: KeyError: 'x'"),
    ],
)  # fmt: skip
def test_an_error_is_a_fault_at_its_place(
    values: dict[str, Any], place: tuple[str, ...], fault: Fault, wording: str
) -> None:
    assert parameter_faults(Params, values) == [(place, fault)]
    assert fault.wording == wording


def test_several_contradictions_of_a_whole_model_each_stand_at_their_key() -> None:
    fault = Fault(expected="another value", found="{this}")
    assert parameter_faults(Params, {"mode": "several"}) == [(("widths", 0), fault), (("width",), fault)]


def test_a_rule_of_somebody_else_is_said_in_its_own_words() -> None:
    ((place, fault),) = parameter_faults(Params, {"mode": "other rule"})
    assert (place, fault.expected) == ((), "otherwise: a rule of somebody else")


def test_two_errors_are_the_same_only_if_they_say_the_same_of_the_same_place() -> None:
    def found(**values: Any) -> list[tuple[Any, ...]]:
        return [same_as(detail) for detail in parameter_errors(Params, values)]

    assert found(mode="key") == found(mode="key", even=4)
    assert found(mode="key") != found(mode="key", width=5)
    assert found(width=0) == found(width=0, share=0.1)
    assert found(width=0) != found(width=-1)


def test_a_fault_is_one_line_whatever_it_holds() -> None:
    fault = Fault(path="a\nb.yaml", line=3, column=4, key="c\x1bd", expected="one\nline", found="two\nlines")
    assert str(fault) == "a\\nb.yaml:3:4: c\\x1bd: expected one\\nline, found two\\nlines"
    assert str(Fault(path="x" * 5000, text="and 3 more faults")) == f"{'x' * 997}...:1:1: and 3 more faults"


class Listed(BaseModel, strict=True):
    """Lists of some length."""

    several: Annotated[tuple[Annotated[float, Field(le=100)], ...], Field(strict=False, min_length=2, max_length=6)]


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ([1.0], ["several: expected a list of length 2 or more, found [1.0]"]),
        ([1.0] * 7, ["several: expected a list of length 6 or less, found a list of length 7"]),
        (
            [1.0, 1e9, 1e12],
            [
                "several[1]: expected a number of at most 100, found 1e9",
                "several[2]: expected a number of at most 100, found 1e12",
            ],
        ),
    ],
    ids=["too short", "too long", "long enough with items at fault"],
)
def test_a_list_is_refused_for_its_length_or_for_its_items(values: list[float], lines: list[str]) -> None:
    faults = parameter_faults(Listed, {"several": values})
    assert [f"{dotted(place)}: {fault.wording}" for place, fault in faults] == lines


class Choices(BaseModel, strict=True):
    """Settings with several sets of words, or with words and numbers."""

    method: Literal["flow", "margin-flow"] | Literal["descent", "heavy-ball"] = "descent"
    each: list[Literal["flow"] | Literal["descent"]] = []
    named: dict[str, Literal["flow"] | Literal["descent"] | None] = {}
    law: Literal["same", "other"] | float = "same"


@pytest.mark.parametrize(
    ("values", "place", "words"),
    [
        (
            {"method": "heavy-bal"},
            ("method",),
            "expected one of flow, margin-flow, descent, heavy-ball, found 'heavy-bal'; did you mean 'heavy-ball'?",
        ),
        ({"method": 3}, ("method",), "expected one of flow, margin-flow, descent, heavy-ball, found 3"),
        ({"each": ["flow", "flo"]}, ("each", 1), "expected one of flow, descent, found 'flo'; did you mean 'flow'?"),
        ({"named": {"a": "x"}}, ("named", "a"), "expected one of flow, descent, found 'x'"),
        ({"law": "sam"}, ("law",), "expected one of same, other or a number, found 'sam'; did you mean 'same'?"),
        ({"law": [1]}, ("law",), "expected one of same, other or a number, found [1]"),
    ],
)
def test_a_word_of_several_sets_has_one_fault_with_all_words(values: Any, place: Place, words: str) -> None:
    ((found, fault),) = parameter_faults(Choices, values)
    assert (found, fault.wording) == (place, words)
