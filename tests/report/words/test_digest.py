"""A record in a few plain words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.report.words.digest import (
    arm_words,
    bases_of_report,
    basis_of,
    control_note,
    failed_controls,
    legend,
    passing_runs,
    tightest,
)

GOOD, BAD = [1.0, 1.01, 0.99, 1.02], [5.0, 5.1, 4.9, 5.2]
SECOND = (
    "    why: the noise is at most 1e-3\n",
    "    why: the noise is at most 1e-3\n  - {id: small, says: it is small, measure: value, at_most: 1.03,"
    " holds_in: [near], fails_in: [far]}\n",
)


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
        (BAD, ("control far", "0/4", "100 % (39–100)", "fails as required"), ""),
        (GOOD, ("control far", "4/4", "0 % (0–61)", "passes too"),
         "4 of 4 runs of this control lie inside: the criterion is uninformative."),
        ([5.0, 5.0, 5.0, 1.0], ("control far", "1/4", "75 % (19–100)", "undecided"),
         "A control that is undecided has not failed as required."),
        ([5.0, 5.0, 5.0, None], ("control far (1 undecided)", "0/3", "100 % (29–100)", "undecided"),
         "A control that is undecided has not failed as required."),
    ],
)  # fmt: skip
def test_a_control_says_whether_it_fails_and_what_it_means_if_not(
    record_of: Callable[..., ClaimRecord], far: list[float | None], words: tuple[str, ...], note: str
) -> None:
    (check,) = record_of(values={"near": GOOD, "far": far}).criteria[0].fails_in
    assert arm_words(check)[:4] == words
    assert control_note(check) == note


def test_the_legend_has_the_words_that_a_report_needs(record_of: Callable[..., ClaimRecord]) -> None:
    plain = ["run", "arm", "control", "almost all runs", "share as required", "tightest criterion", "computing time"]
    assert [word for word, _ in legend([record_of()])] == plain
    strict = record_of(("within: 0.1", "within: 0.1\n    runs: every"), values={"near": [None, *GOOD[1:]], "far": BAD})
    used = [*plain[:4], "every run", "share as required", "undecided", *plain[5:]]
    assert [word for word, _ in legend([strict])] == used
    left = record_of(("measure: noise, below: 1e-2", "measure: value, below: 1.005"))
    assert "left out" in [word for word, _ in legend([left])]
    assert [word for word, _ in legend([left], full=False)] == ["run", "control", *plain[5:]]


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
