"""Faults of settings: each at its own key, and all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from pydantic import Field, ValidationError

from dlnrepro.settings.base import WORKSPACE, Contradiction, Settings, written
from dlnrepro.settings.fields import Depth, LawDepth, PositiveRange, Strengths, Width, law_value

SOUND: dict[str, Any] = {"depth": 3, "law_depth": "same", "outputs": 3, "strengths": [3, 2.0, 1], "start": [1, 2]}


class Example(Settings):
    """Some settings of a runner."""

    depth: Depth
    law_depth: LawDepth
    outputs: Width
    strengths: Strengths = Field(description="sigma")
    start: PositiveRange = Field(description="range of the start")

    def contradictions(self) -> Iterable[Contradiction]:
        if len(self.strengths) > self.outputs:
            yield Contradiction("strengths", f"at most {self.outputs} values", f"{len(self.strengths)} values")
        if self.start[1] >= self.strengths[-1]:
            yield Contradiction("start", f"a range below {self.strengths[-1]:g}")

    def numbers(self) -> int:
        return 5 * self.outputs


def faults(**changes: Any) -> list[str]:
    """The faults of the example's settings with some changes, as `key: what is wrong`."""
    with pytest.raises(ValidationError) as refused:
        Example.model_validate(SOUND | changes)
    return [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in refused.value.errors()]


def test_a_contradiction_is_reported_at_its_own_key() -> None:
    assert faults(outputs=2, start=[0.1, 0.5]) == ["strengths: expected at most 2 values, found 3 values"]


def test_all_contradictions_are_reported_at_once() -> None:
    assert faults(outputs=2, start=[1.0, 1.5]) == [
        "strengths: expected at most 2 values, found 3 values",
        "start: expected a range below 1, found [1, 1.5]",
    ]


def test_contradictions_are_reported_together_with_faults_of_single_settings() -> None:
    assert faults(outputs=2, start=[2.0, 1.0], depth=9) == [
        "depth: Input should be less than or equal to 8",
        "start: expected a range [low, high], found [2, 1]",
        "strengths: expected at most 2 values, found 3 values",
    ]


def test_a_contradiction_with_a_setting_that_is_missing_is_not_looked_for() -> None:
    given = {key: value for key, value in SOUND.items() if key != "outputs"}
    with pytest.raises(ValidationError) as refused:
        Example.model_validate(given)
    assert [(fault["type"], fault["loc"]) for fault in refused.value.errors()] == [("missing", ("outputs",))]


def test_settings_without_numbers_say_what_is_missing() -> None:
    class Unfinished(Settings):
        """Settings that give no number of numbers."""

    with pytest.raises(NotImplementedError, match=r"^Unfinished has to define numbers\(\), or memory\(runs\) itself$"):
        Unfinished().memory(16)


def test_a_fault_of_the_rule_itself_is_not_hidden() -> None:
    class Broken(Example):
        def contradictions(self) -> Iterable[Contradiction]:
            raise AttributeError("width")

    with pytest.raises(AttributeError, match="width"):
        Broken.model_validate(SOUND)


def test_a_value_that_is_not_a_mapping_is_refused_like_any_other_model() -> None:
    with pytest.raises(ValidationError, match="valid dictionary or instance"):
        Example.model_validate(3)


def test_memory_grows_with_the_runs_by_the_numbers_of_each() -> None:
    settings = Example.model_validate(SOUND | {"start": [0.1, 0.2]})
    assert settings.memory(0) == WORKSPACE
    assert settings.memory(4) - settings.memory(3) == 8 * 15


def test_the_depth_of_the_law_is_the_trained_one_unless_a_number_is_given() -> None:
    assert law_value("same", 5) == 5
    assert law_value(2, 5) == 2
    assert faults(law_depth=9, start=[0.1, 0.2]) == [
        "law_depth: expected `same` or a whole number from 1 to 8, found 9"
    ]
    assert faults(law_depth=True, start=[0.1, 0.2]) == [
        "law_depth: expected `same` or a whole number from 1 to 8, found true"
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-5, "1e-5"),
        ((1.0, 2.5), "[1, 2.5]"),
        (True, "true"),
        ("small", "'small'"),
        (3, "3"),
        (None, "nothing"),
        ({"low": 1}, "a mapping"),
        ("x" * 1000, f"'{'x' * 116}..."),
    ],
    ids=["a number", "a list", "a truth value", "a word", "a whole number", "nothing", "a mapping", "a long word"],
)
def test_a_value_is_written_as_in_a_claim_file(value: object, text: str) -> None:
    assert written(value) == text
