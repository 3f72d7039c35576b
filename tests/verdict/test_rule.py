"""The sequential rule: where it decides, held against the arithmetic of the test itself."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlnrepro.verdict.outcome import BATCH
from dlnrepro.verdict.rule import BROKEN_FROM, HOLDS_FROM, MOST_RUNS, Decision, almost_all, every, evidence

SIDES = [
    (16, 0, 5),
    (32, 1, 7),
    (48, 2, 8),
    (64, 3, 9),
    (80, 5, 11),
    (96, 6, 12),
    (112, 7, 13),
    (128, 9, 15),
    (144, 10, 16),
    (160, 11, 17),
    (176, 12, 18),
    (192, 14, 20),
    (208, 15, 21),
    (224, 16, 22),
    (240, 18, 24),
    (256, 19, 25),
]
"""The number of runs, the most failing runs with which a criterion holds, and the fewest that break it."""


def odds(passing: int, failing: int) -> Fraction:
    """The exact likelihood ratio of a share of 0.98 to a share of 0.80."""
    return Fraction(98, 80) ** passing * Fraction(2, 20) ** failing


@pytest.mark.parametrize("runs", range(16, 257, 16))
def test_the_rule_decides_as_the_exact_likelihood_ratio_does(runs: int) -> None:
    for failing in range(runs + 1):
        ratio = odds(runs - failing, failing)
        expected: Decision = "open" if runs < MOST_RUNS else "undecided"
        if ratio >= Fraction(9999, 10000) / Fraction(4, 100):
            expected = "holds"
        elif ratio <= Fraction(1, 10000) / Fraction(96, 100):
            expected = "broken"
        assert almost_all(runs - failing, failing, 0, last=False) == expected


@pytest.mark.parametrize(("runs", "most", "fewest"), SIDES)
def test_a_criterion_holds_up_to_one_number_of_failing_runs_and_is_broken_from_another(
    runs: int, most: int, fewest: int
) -> None:
    decided = [almost_all(runs - failing, failing, 0, last=True) for failing in range(runs + 1)]
    assert decided[: most + 1] == ["holds"] * (most + 1)
    assert decided[most + 1 : fewest] == ["undecided"] * (fewest - most - 1)
    assert decided[fewest:] == ["broken"] * (runs + 1 - fewest)


def test_the_limits_are_those_of_the_design() -> None:
    assert (round(HOLDS_FROM, 3), round(BROKEN_FROM, 3), BATCH, MOST_RUNS) == (3.219, -9.170, 16, 256)
    assert evidence(16, 0) == pytest.approx(16 * math.log(0.98 / 0.8))
    assert evidence(0, 1) == pytest.approx(math.log(0.02 / 0.2))


def test_sixteen_passing_runs_decide_at_once_and_fifteen_do_not() -> None:
    assert almost_all(16, 0, 0, last=False) == "holds"
    assert almost_all(15, 0, 0, last=False) == "open"
    assert almost_all(15, 0, 1, last=False) == "open"


def test_fewer_than_sixteen_runs_decide_only_if_no_more_are_made_and_none_fails() -> None:
    assert [almost_all(runs, 0, 0, last=True) for runs in (0, 1, 15)] == ["undecided", "holds", "holds"]
    assert almost_all(14, 1, 0, last=True) == "undecided"
    assert almost_all(0, 3, 0, last=True) == "undecided"
    assert almost_all(0, 4, 0, last=False) == "broken"


@pytest.mark.parametrize(
    ("passing", "undecided", "last", "decision"),
    [
        (64, 16, False, "holds"),  # exactly a fifth
        (63, 17, False, "open"),
        (63, 17, True, "undecided"),
        (8, 8, False, "open"),  # half of the runs: more might still decide
        (7, 9, False, "undecided"),
        (200, 56, False, "undecided"),  # more than a fifth of the largest number of runs
        (0, 16, False, "undecided"),
    ],
)
def test_more_than_a_fifth_of_runs_without_a_number_decide_nothing(
    passing: int, undecided: int, last: bool, decision: Decision
) -> None:
    assert almost_all(passing, 0, undecided, last) == decision


@given(passing=st.integers(0, 256), failing=st.integers(0, 256), undecided=st.integers(0, 256), last=st.booleans())
def test_nothing_is_open_at_the_end_and_a_further_passing_run_never_speaks_against(
    passing: int, failing: int, undecided: int, last: bool
) -> None:
    now = almost_all(passing, failing, undecided, last)
    if last or passing + failing + undecided >= MOST_RUNS:
        assert now != "open"
    if now == "holds" and passing + failing + undecided + 1 != BATCH:
        assert almost_all(passing + 1, failing, undecided, last) == "holds"
    if now == "broken":
        assert almost_all(passing, failing + 1, undecided, last) == "broken"


def test_one_failing_run_refutes_a_criterion_for_every_draw() -> None:
    assert every(255, 1, 0) == "broken"
    assert every(0, 1, 255) == "broken"
    assert (every(1, 0, 0), every(16, 0, 4), every(15, 0, 4), every(0, 0, 0)) == (
        "holds",
        "holds",
        "undecided",
        "undecided",
    )


@pytest.mark.parametrize("share", [0.98, 0.99, 1.0])
def test_the_evidence_against_a_good_share_is_rare_by_villes_inequality(share: float) -> None:
    # The expected likelihood ratio of 0.80 to the share that is true does not grow: it is a supermartingale.
    step = share * math.exp(-evidence(1, 0)) + (1 - share) * math.exp(-evidence(0, 1))
    assert step <= 1 + 1e-12
    assert math.exp(BROKEN_FROM) <= 1.05e-4


@pytest.mark.parametrize("share", [0.80, 0.7, 0.0])
def test_the_evidence_for_a_bad_share_is_rare_by_villes_inequality(share: float) -> None:
    step = share * math.exp(evidence(1, 0)) + (1 - share) * math.exp(evidence(0, 1))
    assert step <= 1 + 1e-12
    assert math.exp(-HOLDS_FROM) <= 0.0401
