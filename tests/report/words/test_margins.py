"""How near a worst run comes to its bound, and how far the nearest control run is, as it can be recomputed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.report.words.margins import difference, distance_words, margin_words

FAR = [50.0] * 4
NEAR = "    equals: 1.0\n    within: 0.1\n"


@pytest.mark.parametrize(
    ("bounds", "worst", "words"),
    [
        ("equals: 1\n    within: 0.01", 1.0042, "1.004, 0.006 inside the threshold 1.01 (uses 40 % of the tolerance)"),
        (
            "equals: 1\n    within: 0.01",
            0.9958,
            "0.9958, 0.0058 inside the threshold 0.99 (uses 42 % of the tolerance)",
        ),
        ("equals: 1\n    within: 0.01", 1.0301, "1.03, 0.02 outside the threshold 1.01"),
        ("equals: 1\n    within: 0.01", 1.00999, "1.01, 1e-5 inside the threshold 1.01 (uses 99.9 % of the tolerance)"),
        ("equals: 0\n    within: 0.5", 0.0, "0, 0.5 inside the threshold 0.5"),
        ("at_least: 0.1\n    at_most: 0.5", 0.12, "0.12, 0.02 inside the threshold 0.1 (uses 90 % of the tolerance)"),
        ("at_most: 1e-6", 4e-10, "4e-10, 9.996e-7 inside the threshold 1e-6 (less than 1 % of the threshold)"),
        ("at_most: 0.5", 0.25, "0.25, 0.25 inside the threshold 0.5 (50 % of the threshold)"),
        ("at_most: 0.5", -2.0, "-2, 2.5 inside the threshold 0.5"),
        ("at_most: 1.000001", 1.487, "1.487, 0.487 outside the threshold 1.000001"),
        ("at_most: 0", -0.25, "-0.25, 0.25 inside the threshold 0"),
        ("at_most: 0", 0.0, "0, exactly on the threshold 0"),
        ("at_most: -2", -4.0, "-4, 2 inside the threshold -2 (2 times the threshold)"),
        ("at_least: 1", 1.0, "1, exactly on the threshold 1"),
        ("at_least: 1", 4.0, "4, 3 inside the threshold 1 (4 times the threshold)"),
        ("at_least: 0.95", 0.9879, "0.9879, 0.0379 inside the threshold 0.95 (1.04 times the threshold)"),
        ("at_least: 9.99e11", 1e12, "1e12, 1e9 inside the threshold 9.99e11 (1.001 times the threshold)"),
        ("at_least: 1", 1 + 1e-9, "1, 1e-9 inside the threshold 1 (hardly more than the threshold)"),
        ("at_most: 2.005", 2.0, "2, 0.005 inside the threshold 2.005 (99.75 % of the threshold)"),
        ("at_most: 1", 1 - 1e-9, "1, 1e-9 inside the threshold 1 (more than 99.99 % of the threshold)"),
        ("at_least: 1", 0.25, "0.25, 0.75 outside the threshold 1"),
        ("above: 1", 1.0, "1, exactly on the threshold 1, which does not belong to the interval"),
        ("at_least: -2", -1.5, "-1.5, 0.5 inside the threshold -2 (75 % of the threshold)"),
    ],
)
def test_the_margin_is_the_distance_between_the_printed_value_and_the_threshold(
    record_of: Callable[..., ClaimRecord], bounds: str, worst: float, words: str
) -> None:
    (item,) = record_of((NEAR, f"    {bounds}\n"), values={"near": [worst] * 4, "far": FAR}).criteria
    assert item.worst == worst
    assert margin_words(item) == words


def test_a_run_outside_of_a_criterion_that_holds_is_no_contradiction(record_of: Callable[..., ClaimRecord]) -> None:
    (item,) = record_of(values={"near": [1.0] * 31 + [1.5], "far": FAR}).criteria
    assert margin_words(item) == "1.5, 0.4 outside the threshold 1.1 (almost all runs lie inside)"
    (item,) = record_of(values={"near": [1.0] * 15 + [1.5], "far": FAR}).criteria
    assert margin_words(item) == "1.5, 0.4 outside the threshold 1.1"


@pytest.mark.parametrize(
    ("near", "far", "words"),
    [
        (1.0042, [1.14861, 9.0],
         "distance between the worst run (1.004) and the nearest control run (1.149, far): 0.145"),
        (0.95, [0.7, 1.2], "distance between the worst run (0.95) and the nearest control run (0.7, far): 0.25"),
        (1.05, [1.02, 9.0], "the nearest control run (1.02, far) lies no further outside the interval than the worst "
         "run (1.05), so the two are not separated"),
    ],
)  # fmt: skip
def test_the_distance_follows_from_the_two_values_that_are_printed(
    record_of: Callable[..., ClaimRecord], near: float, far: list[float], words: str
) -> None:
    (item,) = record_of(values={"near": [near] * 4, "far": far * 2}).criteria
    assert distance_words(item) == words


def test_without_numbers_there_is_no_distance(record_of: Callable[..., ClaimRecord]) -> None:
    (item,) = record_of(values={"near": [1.0] * 4, "far": [None] * 4}).criteria
    assert distance_words(item) is None


def test_a_difference_of_numbers_that_are_printed_alike_is_exact() -> None:
    assert difference(1.00001, 1.0, "1") == "1e-5"
    assert difference(0.5, 0.75, "0.75") == "0.25"
    assert difference(1.2345, 1.2346, "1.235") == "0.001"
