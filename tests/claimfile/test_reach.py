"""What `-s` reaches: every arm that does not set the parameter itself, or the one that is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.reach import arm_values, departures, origins, reach, setters, unreached
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.plan import plan
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import UsageError
from dlnrepro.session.run import repeating
from tests.refusal import refusal

Write = Callable[..., Path]


@pytest.fixture
def claim(write_claim: Write) -> Claim:
    """The toy claim with a quick profile that changes its value."""
    return load_claim(write_claim(("quick: {seeds: 2, setup: {}}", "quick: {seeds: 2, setup: {value: 1.01}}")))


def test_a_parameter_reaches_the_arms_that_leave_it_alone(claim: Claim) -> None:
    (found,) = reach(claim, {"value": 3})
    assert (found.reached, found.kept) == (("near",), {"far": 5.0})
    assert unreached(claim, {"value": 3}, ["near", "far"]) == [
        "-s value=3: toy-claim: applies to 1 of 2 arms, but not to the arms that set value themselves: far (5) "
        "(-s ARM.value=... applies to one arm)"
    ]
    assert unreached(claim, {"bytes": 3, "far.value": 2}, ["near", "far"]) == []
    assert len(unreached(claim, {"value": "x" * 5000}, ["near", "far"])[0]) < 300


def test_an_override_that_changes_nothing_is_said_to_change_nothing(claim: Claim) -> None:
    line = "changes nothing, since every arm that it applies to already has this value"
    assert unreached(claim, {"bytes": 1000}, ["near", "far"]) == [f"-s bytes=1000: toy-claim: {line}"]
    assert unreached(claim, {"far.value": 5.0}, ["near", "far"]) == [f"-s far.value=5: toy-claim: {line}"]
    assert unreached(claim, {"bytes": 1000, "near.value": 1}, ["near"], quick=True) == [
        f"-s bytes=1000: toy-claim: {line}"
    ]


def test_the_arms_that_set_a_parameter_themselves_are_those_that_an_override_does_not_reach(claim: Claim) -> None:
    assert setters(claim) == {"value": ["far"]}
    (found,) = reach(claim, {"value": 3})
    assert list(found.kept) == setters(claim)["value"]


def test_an_arm_that_is_named_is_reached_though_it_sets_the_parameter(claim: Claim) -> None:
    overrides = {"value": 3, "far.value": 7}
    assert arm_values(claim, "near", overrides, quick=True)["value"] == 3
    assert arm_values(claim, "far", overrides, quick=False)["value"] == 7
    assert {cell.arm: cell.params["value"] for cell in plan(claim, Variation(overrides=overrides))} == {
        "near": 3, "far": 7,
    }  # fmt: skip


def test_what_an_arm_differs_in_says_where_it_comes_from(claim: Claim) -> None:
    assert origins(claim, "near", {}, quick=True) == {"value": (1.01, "quick")}
    assert origins(claim, "near", {"bytes": 3}, quick=True) == {"value": (1.01, "quick"), "bytes": (3, "-s")}
    assert origins(claim, "far", {"value": 3}, quick=True) == {"value": (5.0, "arm")}
    assert origins(claim, "far", {"far.value": 3}, quick=False) == {"value": (3, "-s")}
    assert departures(claim, "far", arm_values(claim, "far", {"far.value": 3}, False), False) == {"value": 3}
    assert departures(claim, "near", arm_values(claim, "near", {}, True), True) == {}


@pytest.mark.parametrize(
    ("overrides", "stamps"),
    [
        ({}, []), ({"value": 1}, []), ({"far.value": 5.0}, []),
        ({"value": 1.5}, ["modified"]), ({"near.value": 2}, ["modified"]),
    ],
)  # fmt: skip
def test_only_another_value_modifies_a_result(claim: Claim, overrides: dict[str, object], stamps: list[str]) -> None:
    assert Variation(overrides=overrides).stamps(claim) == stamps
    assert Variation(seeds=4).stamps(claim) == ["fixed-seeds"]
    assert Variation(seeds=2, quick=True).stamps(claim) == ["toy"]
    assert Variation(seeds=4, quick=True).stamps(claim) == ["fixed-seeds", "toy"]


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        ({"nar.value": 1}, "-s nar.value: toy-claim: expected one of near, far before the dot, found 'nar'; "
         "did you mean 'near'?"),
        ({"near.valu": 1}, "-s near.valu: toy-claim: expected one of value, behaviour, bytes, found 'valu'; "
         "did you mean 'value'?"),
        ({"near.value": "one"}, "-s near.value: toy-claim: expected a number, found 'one'"),
        ({"value": 1, "near.value": 2}, "-s value: toy-claim: expected a parameter that at least one arm "
         "does not set itself, found that every arm sets it; -s ARM.value=... applies to one arm"),
    ],
)  # fmt: skip
def test_an_override_that_changes_nothing_is_refused(claim: Claim, overrides: dict[str, object], line: str) -> None:
    with pytest.raises(UsageError) as error:
        plan(claim, Variation(overrides=overrides))
    assert str(error.value) == line


def test_an_arm_that_is_not_run_cannot_be_named(claim: Claim) -> None:
    assert refusal(lambda: plan(claim, Variation(overrides={"far.value": 1}, controls=False))) == (
        "-s far.value: toy-claim: expected an arm that is run, found the control 'far' with --no-controls"
    )


def test_the_command_that_repeats_a_claim_keeps_the_overrides_as_they_were_given() -> None:
    variation = Variation(overrides={"far.value": 7, "behaviour": "steady"})
    assert (
        repeating(Path("toy-claim.yaml"), variation) == "dlnrepro run toy-claim.yaml -s far.value=7 -s behaviour=steady"
    )
