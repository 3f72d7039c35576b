"""A record in a few plain words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.report.words.digest import allowance, failed_controls, passing_runs, tightest

GOOD, BAD = [1.0, 1.01, 0.99, 1.02], [5.0, 5.1, 4.9, 5.2]
SECOND = (
    "    why: the noise is at most 1e-3\n",
    "    why: the noise is at most 1e-3\n  - {id: small, says: it is small, measure: value, at_most: 1.03,"
    " holds_in: [near], fails_in: [far]}\n",
)


def test_runs_that_may_miss_are_counted_in_words_and_none_is_no_word() -> None:
    assert [allowance(misses) for misses in (0, 1, 2)] == ["", ", 1 run may miss", ", 2 runs may miss"]


@pytest.mark.parametrize(
    ("near", "measure", "passing"),
    [
        (GOOD, "noise", 4),
        ([1.0, 1.01, 5.0, 1.02], "noise", 3),
        ([1.0, 1.05, 5.0, None], "noise", 1),
        (GOOD, "value", 2),
    ],
)
def test_a_run_passes_if_it_meets_every_criterion_and_assumption(
    record_of: Callable[..., ClaimRecord], near: list[float | None], measure: str, passing: int
) -> None:
    """The assumption is on a measure below 1e-2, or on the value below 1.005, which the runs of 1.01 and 1.02 fail."""
    assumed = ("measure: noise, below: 1e-2", f"measure: {measure}, below: {1e-2 if measure == 'noise' else 1.005}")
    record = record_of(SECOND, assumed, values={"near": near, "far": BAD})
    assert passing_runs(record) == (passing, 4)


def test_every_control_of_every_criterion_is_counted(record_of: Callable[..., ClaimRecord]) -> None:
    assert failed_controls(record_of(SECOND, values={"near": GOOD, "far": BAD})) == (2, 2)
    assert failed_controls(record_of(SECOND, values={"near": GOOD, "far": [1.05] * 4})) == (1, 2)


def test_the_criterion_that_has_used_up_most_of_its_room_is_the_tightest(record_of: Callable[..., ClaimRecord]) -> None:
    assert tightest(record_of(SECOND, values={"near": GOOD, "far": BAD})) == "small: worst value 1.02, required ≤ 1.03"
    assert (
        tightest(record_of(SECOND, values={"near": [0.91] * 4, "far": BAD}))
        == "near-one: worst value 0.91, required 1 ± 0.1"
    )
