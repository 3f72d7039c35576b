"""A record in a few plain words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.report.words.digest import (
    allowance,
    arm_words,
    bases_of_report,
    basis_of,
    control_note,
    evidence_of_report,
    failed_controls,
    passing_runs,
    tightest,
)

GOOD, BAD = [1.0, 1.01, 0.99, 1.02], [5.0, 5.1, 4.9, 5.2]
SECOND = (
    "    why: the noise is at most 1e-3\n",
    "    why: the noise is at most 1e-3\n  - {id: small, says: it is small, measure: value, at_most: 1.03,"
    " holds_in: [near], fails_in: [far]}\n",
)


def test_runs_that_may_miss_are_counted_in_words_and_none_is_no_word() -> None:
    assert [allowance(misses) for misses in (0, 1, 2)] == [
        "",
        "; in each arm, 1 run may lie outside",
        "; in each arm, 2 runs may lie outside",
    ]


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


def test_the_criterion_whose_worst_run_uses_most_of_its_tolerance_is_the_tightest(
    record_of: Callable[..., ClaimRecord],
) -> None:
    assert tightest(record_of(SECOND, values={"near": GOOD, "far": BAD})) == (
        "small; its worst run has value 1.02, 0.01 inside the threshold 1.03 (99 % of the threshold)"
    )
    assert tightest(record_of(SECOND, values={"near": [0.91] * 4, "far": BAD})) == (
        "near-one; its worst run has value 0.91, 0.01 inside the threshold 0.9 (uses 90 % of the tolerance)"
    )
    assert tightest(record_of(values={"near": [None] * 4, "far": BAD})) == "none"


def test_a_value_exactly_on_its_threshold_is_a_counted_one_and_leaves_the_tightest_criterion_to_another(
    record_of: Callable[..., ClaimRecord],
) -> None:
    counted = (SECOND[0], SECOND[1].replace("1.03", "1"))
    record = record_of(counted, ("within: 0.1", "within: 0.5"), values={"near": [1.0] * 4, "far": BAD})
    assert tightest(record) == (
        "near-one; its worst run has value 1, 0.5 inside the threshold 1.5; not compared, since exactly on its "
        "threshold: small"
    )
    alone = record_of(("equals: 1.0\n    within: 0.1", "at_most: 1.0"), values={"near": [1.0] * 4, "far": BAD})
    assert tightest(alone) == "near-one; its worst run has value 1, exactly on the threshold 1"


@pytest.mark.parametrize(
    ("far", "words", "note"),
    [
        (BAD, "fails as required", ""),
        (GOOD, "passes too", "4 of 4 runs of this control lie inside: the criterion is uninformative."),
        ([5.0, 5.0, 5.0, 1.0], "passes in part", "1 of 4 runs of this control lie inside: the criterion is "
         "uninformative."),
        ([5.0, 5.0, 5.0, None], "undecided", "A control that is undecided has not failed as required."),
    ],
)  # fmt: skip
def test_a_control_says_whether_it_fails_and_what_it_means_if_not(
    record_of: Callable[..., ClaimRecord], far: list[float | None], words: str, note: str
) -> None:
    (check,) = record_of(values={"near": GOOD, "far": far}).criteria[0].fails_in
    assert arm_words(check, True)[2] == words
    assert control_note(check) == note


def test_what_the_number_of_runs_shows_is_said_of_each_criterion_and_arm_alone(
    record_of: Callable[..., ClaimRecord], report_with: Callable[..., Report]
) -> None:
    share = "at least 47 % of all possible runs would lie inside"
    alone = "This holds for one arm and one criterion at a time, and 4 runs cannot show more."
    good, bad = record_of(), record_of(values={"near": BAD, "far": BAD})
    assert evidence_of_report(report_with(good)) == (
        f"Wherever a criterion must hold, all 4 runs of the arm lie inside. With 95 % confidence, {share}. {alone}"
    )
    assert evidence_of_report(report_with(good, bad)) == (
        f"Where all 4 runs of an arm lie inside, {share}, with 95 % confidence. {alone}"
    )
    assert evidence_of_report(report_with(bad)) is None


def test_the_bases_of_claims_are_counted(
    record_of: Callable[..., ClaimRecord], report_with: Callable[..., Report]
) -> None:
    derived = record_of()
    theorem = replace(derived, claim={**derived.claim, "source": {**derived.claim["source"], "basis": "theorem"}})
    assert bases_of_report(report_with(derived)) is None
    assert basis_of([derived]) == "The criteria of the claim rest on a derivation for this project."
    assert basis_of([derived, derived]) == "All 2 claims rest on a derivation for this project."
    assert bases_of_report(report_with(derived, theorem, derived)) == (
        "Of 3 claims, 1 rests on a theorem that was read and 2 on a derivation for this project."
    )
