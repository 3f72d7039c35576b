"""How a run departs from the claim file, in one normal form and under one name."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlnrepro.claimfile.document import parse
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.reach import arm_values
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.variation import Variation, overrides_behind

KEPT = ("far: {value: 5.0}", "far: {value: 5.0}\n  wide: {value: 6.0, bytes: 7}")
USED = ("fails_in: [far]", "fails_in: [far, wide]")


@pytest.fixture
def claim(write_claim: Callable[..., Path]) -> Claim:
    """The toy claim with a second control, which sets two parameters itself."""
    return read_claim(write_claim(KEPT, USED))


def test_the_unmodified_variation_has_an_empty_name() -> None:
    assert (Variation().options, Variation().name) == ([], "")


def test_the_options_ask_for_the_variation() -> None:
    found = Variation(3, 7, {"value": 1.5, "near.behaviour": "first-late", "text": "1"}, True, False, "cuda")
    assert (
        found.name
        == shlex.join(found.options)
        == (
            "-s value=1.5 -s near.behaviour=first-late -s 'text=\"1\"' --seeds 3 --seed-base 7 --quick --no-controls "
            "--device cuda"
        )
    )
    values = [
        word.split("=", 1)[1] for option, word in zip(found.options, found.options[1:], strict=False) if option == "-s"
    ]
    assert [parse(value).value for value in values] == [1.5, "first-late", "1"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (Variation(seeds=4), "--seeds 4"),
        (Variation(seeds=4, quick=True), "--seeds 4 --quick"),
        (Variation(seeds=2, quick=True), "--quick"),
        (Variation(overrides={"value": 1}), ""),
        (Variation(overrides={"value": 1.0, "far.value": 5}), ""),
        (Variation(overrides={"value": 3.0}), "-s value=3"),
        (Variation(overrides={"near.value": 3}), "-s value=3"),
        (Variation(overrides={"far.value": 3}), "-s far.value=3"),
        (Variation(overrides={"bytes": 5, "value": 3}), "-s bytes=5 -s value=3"),
        (Variation(overrides={"near.bytes": 5, "far.bytes": 5}), "-s bytes=5"),
        (Variation(overrides={"near.bytes": 5, "far.bytes": 6}), "-s far.bytes=6 -s near.bytes=5"),
        (Variation(overrides={"bytes": 5, "wide.bytes": 5}), "-s bytes=5 -s wide.bytes=5"),
        (Variation(overrides={"far.value": 3}, controls=False), "--no-controls"),
    ],
    ids=str,
)
def test_what_changes_nothing_is_left_out_of_the_normal_form(claim: Claim, given: Variation, name: str) -> None:
    normal = given.of(claim)
    assert normal.name == name
    assert normal.of(claim) == normal
    assert normal.stamps(claim) == given.stamps(claim)


@pytest.mark.parametrize(
    "overrides",
    [{}, {"value": 3}, {"near.value": 3, "wide.value": 2}, {"bytes": 5, "far.bytes": 6, "wide.value": 1}],
    ids=str,
)
@pytest.mark.parametrize("quick", [False, True])
def test_the_overrides_found_for_some_parameters_give_these_parameters(
    claim: Claim, overrides: dict[str, Any], quick: bool
) -> None:
    params = {arm: arm_values(claim, arm, overrides, quick) for arm in claim.used_arms}
    found = overrides_behind(claim, params, quick)
    assert {arm: arm_values(claim, arm, found, quick) for arm in claim.used_arms} == params
