"""The sentences that only the page has, compared whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.report.page.notes import failing_arms, reduced_report

Make = Callable[..., ClaimRecord]
With = Callable[..., Report]


def test_every_failing_arm_is_named_with_its_runs(record_of: Make) -> None:
    record = record_of(
        ("near: {}", "near: {}\n  next: {value: 1}\n  last: {value: 1}"),
        ("holds_in: [near]", "holds_in: [near, next, last]"),
        values={"near": [3.0] * 4, "next": [1.0, *[3.0] * 6], "last": [1.0] * 4, "far": [5.0] * 4},
    )
    assert failing_arms(record) == [
        "near-one (value 1 ± 0.1) fails in near (4 of 4 runs outside), next (6 of 7 runs outside)"
    ]


def test_one_sentence_of_the_verdict_is_not_said_again(record_of: Make) -> None:
    record = record_of(values={"near": [1.0] * 4, "far": [1.0] * 4})
    assert record.verdict == "inconclusive"
    assert failing_arms(record) == []


def test_undecided_arms_and_passing_controls_are_named_where_both_occur(record_of: Make) -> None:
    record = record_of(values={"near": [1.0, 1, None, 1], "far": [1.0, 1, 1, 1]})
    assert failing_arms(record) == [
        "near-one (value 1 ± 0.1) is undecided in near (3 of 3 runs inside, 1 undecided)",
        "near-one (value 1 ± 0.1) is uninformative, because it does not fail in the control far (4 of 4 runs inside)",
    ]
    record = record_of(values={"near": [1.0, 1, 1, 3], "far": [1.0, 5, 5, 5]})
    assert failing_arms(record) == [
        "near-one (value 1 ± 0.1) is undecided in near (3 of 4 runs inside)",
        "near-one (value 1 ± 0.1) is undecided in the control far (3 of 4 runs outside)",
    ]


@pytest.mark.parametrize(
    ("stamps", "sentence"),
    [
        ([[], []], None),
        (
            [["toy"], []],
            "1 of 2 results comes from the quick profile, with 4 instead of 16 runs per arm. It is only a first look. "
            "With fewer than 16 runs, a criterion holds if no run fails, which shows little.",
        ),
        (
            [["toy"], ["toy"]],
            "All results come from the quick profile, with 4 instead of 16 runs per arm. They are only a first look. "
            "With fewer than 16 runs, a criterion holds if no run fails, which shows little.",
        ),
        (
            [["toy"]],
            "The result comes from the quick profile, with 4 instead of 16 runs per arm. It is only a first look. "
            "With fewer than 16 runs, a criterion holds if no run fails, which shows little.",
        ),
    ],
)
def test_a_report_says_how_many_of_its_results_are_reduced(
    record_of: Make, report_with: With, stamps: list[list[str]], sentence: str | None
) -> None:
    records = [record_of(("seeds: 4", "seeds: 16"), stamps=found) for found in stamps]
    assert reduced_report(report_with(*records)) == sentence
