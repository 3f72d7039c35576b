"""The share of an arm in words: rounded outwards, with what decides it and why there are further runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.compute.variation import Variation
from dlnrepro.report.words.shares import (
    decision_words,
    further_runs,
    quantifier_words,
    share_words,
    uncounted_words,
)
from dlnrepro.verdict.check import Check

Make = Callable[..., ClaimRecord]
SIXTEEN = (("seeds: 4", "seeds: 16"),)


def near(record: ClaimRecord) -> Check:
    """The arm in which the toy's criterion must hold."""
    return record.criteria[0].holds_in[0]


def test_a_criterion_says_in_which_runs_it_must_hold() -> None:
    assert quantifier_words("every") == " in every run"
    assert quantifier_words("almost all") == " for almost all runs: at least 98 % against at most 80 %"


@pytest.mark.parametrize(
    ("inside", "outside", "words"),
    [
        (16, 0, "100 % (79–100)"),
        (31, 1, "97 % (83–100)"),
        (255, 1, "99.6 % (97–100)"),
        (1, 255, "0.391 % (0–3)"),
        (0, 4, "0 % (0–61)"),
        (0, 0, "none"),
    ],
)
def test_a_share_has_its_exact_interval_and_is_never_rounded_to_all_or_none(
    record_of: Make, inside: int, outside: int, words: str
) -> None:
    values: list[float | None] = [*[1.0] * inside, *[3.0] * outside, *[None] * (inside + outside == 0)]
    assert share_words(near(record_of(values={"near": values, "far": [5.0]}))) == words


def test_an_arm_that_was_not_run_has_no_share(record_of: Make) -> None:
    check = replace(near(record_of()), seeds=(), values=())
    assert (share_words(check), decision_words(check)) == ("not run", "not run")


@pytest.mark.parametrize(
    ("values", "decision", "uncounted"),
    [
        ([1.0] * 16, "holds", ""),
        ([3.0] * 16, "broken", ""),
        ([1.0] * 15 + [3.0], "undecided", ""),
        ([1.0] * 15 + [None], "undecided", "1 undecided"),
        ([1.0] * 30 + [None] * 2, "holds", "2 undecided"),
    ],
)
def test_the_decision_on_an_arm_is_one_word_and_runs_that_do_not_count_are_named(
    record_of: Make, values: list[float | None], decision: str, uncounted: str
) -> None:
    check = near(record_of(values={"near": values, "far": [5.0] * 16}))
    assert (decision_words(check), uncounted_words(check)) == (decision, uncounted)


def test_runs_that_are_left_out_are_named(record_of: Make) -> None:
    assumed = ("measure: noise, below: 1e-2", "measure: value, below: 1.05")
    check = near(record_of(assumed, values={"near": [1.0] * 30 + [1.09, None], "far": [5.0] * 16}))
    assert uncounted_words(check) == "2 left out"


def test_an_arm_with_further_runs_says_why(record_of: Make) -> None:
    values = {"near": [3.0, *[1.0] * 31], "far": [5.0] * 16}
    record = record_of(*SIXTEEN, values=values)
    assert further_runs(record) == ["near: 32 runs, because after 16 the share was in doubt (near-one)"]
    longer = record_of(*SIXTEEN, values={"near": [3.0, 3.0, *[1.0] * 46], "far": [5.0, 5.0, *[None] * 5, *[5.0] * 25]})
    assert further_runs(longer) == [
        "near: 48 runs, because after 32 the share was in doubt (near-one)",
        "far: 32 runs, because after 16 the share was in doubt (near-one)",
    ]
    assert further_runs(record_of(*SIXTEEN, values={"near": [1.0] * 16, "far": [5.0] * 16})) == []
    assert further_runs(replace(record, variation=Variation(seeds=32))) == []
