"""The sentences that only the page has, compared whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dlnrepro.archive.figure_data import Drawing, Line
from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.report.page.notes import basis_of, failing_arms, reduced_report, resolution

Make = Callable[..., ClaimRecord]
With = Callable[..., Report]


def test_every_failing_arm_is_named_with_its_runs(record_of: Make) -> None:
    record = record_of(
        ("near: {}", "near: {}\n  next: {value: 1}\n  last: {value: 1}"),
        ("holds_in: [near]", "holds_in: [near, next, last]"),
        values={"near": [3.0] * 4, "next": [1.0, 1, 1, 3], "last": [1.0] * 4, "far": [5.0] * 4},
    )
    assert failing_arms(record) == [
        "near-one (value 1 ± 0.1) fails in near (4 of 4 runs outside), next (1 of 4 runs outside)"
    ]


def test_one_sentence_of_the_verdict_is_not_said_again(record_of: Make) -> None:
    record = record_of(values={"near": [1.0] * 4, "far": [1.0] * 4})
    assert record.verdict == "inconclusive"
    assert failing_arms(record) == []


def test_undecided_arms_and_passing_controls_are_named_where_both_occur(record_of: Make) -> None:
    record = record_of(values={"near": [1.0, 1, None, 1], "far": [1.0, 5, 5, 5]})
    assert failing_arms(record) == [
        "near-one (value 1 ± 0.1) is undecided in near (1 of 4 runs undecided)",
        "near-one (value 1 ± 0.1) is uninformative, because it does not fail in the control far (1 of 4 runs inside)",
    ]


@pytest.mark.parametrize(
    ("stamps", "sentence"),
    [
        ([[], []], None),
        (
            [["toy"], []],
            "1 of 2 results comes from the quick profile, with 4 instead of 16 runs per arm. It is only a first look.",
        ),
        (
            [["toy"], ["toy"]],
            "All results come from the quick profile, with 4 instead of 16 runs per arm. They are only a first look.",
        ),
        (
            [["toy"]],
            "The result comes from the quick profile, with 4 instead of 16 runs per arm. It is only a first look.",
        ),
    ],
)
def test_a_report_says_how_many_of_its_results_are_reduced(
    record_of: Make, report_with: With, stamps: list[list[str]], sentence: str | None
) -> None:
    records = [record_of(("seeds: 4", "seeds: 16"), stamps=found) for found in stamps]
    assert reduced_report(report_with(*records)) == sentence


def test_the_bases_of_claims_are_counted(record_of: Make) -> None:
    derived = record_of()
    theorem = replace(derived, claim={**derived.claim, "source": {**derived.claim["source"], "basis": "theorem"}})
    assert basis_of([derived]) == "The criteria of the claim rest on a derivation for this project."
    assert basis_of([derived, derived]) == "All 2 claims rest on a derivation for this project."
    assert basis_of([derived, theorem, derived]) == (
        "Of 3 claims, 1 rests on a theorem that was read and 2 on a derivation for this project."
    )


def falling(computed: list[float | None], theory: list[float | None], scale: str = "semilogy") -> Drawing:
    """A figure of one arm with theory's curve."""
    places: list[float | None] = [0.0, 1.0, 2.0]
    line = Line("near", "height", places, computed, computed, computed)
    return Drawing(
        "Height", "step", ["height"], scale, None, None, [line], [Line("near", "law", places, theory, [], [])]
    )


def test_theory_far_below_rounding_errors_is_explained() -> None:
    assert resolution(falling([1.0, 1e-9, 1.2e-14], [1.0, 1e-9, 2e-30])) == (
        "The computed curves level off near 1e-14. Numbers in float64 have rounding errors of about 1e-16 of the "
        "largest number in a sum, so smaller distances cannot be computed. The curves of theory go on, down to 2e-30. "
        "Below that floor, the difference between the curves is rounding and not a disagreement."
    )


@pytest.mark.parametrize(
    "drawing",
    [
        falling([1.0, 1e-9, 1e-14], [1.0, 1e-9, 1e-14]),
        falling([1.0, 1e-3, 1e-6], [1.0, 1e-9, 1e-30]),
        falling([1.0, 1e-9, 1e-14], [1.0, 1e-9, 1e-30], "linear"),
        falling([None, None, None], [1.0, 1e-9, 1e-30]),
    ],
    ids=["theory ends there too", "a true miss", "no logarithms", "no numbers"],
)
def test_no_other_difference_from_theory_is_explained_away(drawing: Drawing) -> None:
    assert resolution(drawing) is None
