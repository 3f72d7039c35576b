"""Verdicts: a row for every rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.check import Outcome
from dlnrepro.claim import Claim
from dlnrepro.loader import load_claim
from dlnrepro.verdict import judge

NAN = math.nan
GOOD, BAD = [1.0, 1.0, 1.0, 1.0], [5.0, 5.0, 5.0, 5.0]


@pytest.fixture
def claim(write_claim: Callable[..., Path]) -> Claim:
    return load_claim(write_claim())


def outcome(value: list[float], noise: list[float] | None = None) -> Outcome:
    """What an arm of four runs left."""
    return Outcome((0, 1, 2, 3), {"value": value, "noise": noise or [0.0] * 4})


@pytest.mark.parametrize(
    ("near", "noise", "far", "word", "because"),
    [
        (GOOD, None, BAD, "reproduced", "every criterion holds, and every control fails as required"),
        ([1, 1, 1, 5.0], None, BAD, "not reproduced", "near-one: in near, 1 of 4 runs have value outside 1 ± 0.1"),
        (BAD, None, GOOD, "not reproduced", "near-one: in near, 4 of 4 runs have value outside 1 ± 0.1"),
        ([1, 1, 1, NAN], None, BAD, "inconclusive", "near-one: undecided in near, 3 of 4 runs inside, 1 undecided"),
        ([1, 1, NAN, 5.0], None, BAD, "not reproduced", "near-one: in near, 1 of 4 runs have value outside 1 ± 0.1"),
        (GOOD, None, GOOD, "inconclusive",
             "near-one: uninformative, since its control does not fail: far, 0 of 4 runs outside"),
        (GOOD, None, [5, 5, 5, 1.0], "inconclusive",
             "near-one: uninformative, since its control does not fail: far, 3 of 4 runs outside"),
        (GOOD, None, [5, 5, 5, NAN], "inconclusive",
         "near-one: its control is undecided: far, 3 of 4 runs outside, 1 undecided"),
        (GOOD, None, [NAN] * 4, "inconclusive",
         "near-one: its control is undecided: far, 0 of 4 runs outside, 4 undecided"),
        (GOOD, None, [math.inf] * 4, "inconclusive",
         "near-one: its control is undecided: far, 0 of 4 runs outside, 4 undecided"),
        (GOOD, [0, 0, 0, 1.0], BAD, "inconclusive",
         "assumption not met: noise < 0.01 in near, 3 of 4 runs inside"),
        (BAD, [0, 0, 0, 1.0], BAD, "inconclusive",
         "assumption not met: noise < 0.01 in near, 3 of 4 runs inside"),
        (GOOD, [0, 0, 0, NAN], BAD, "inconclusive",
         "assumption not met: noise < 0.01 in near, 3 of 4 runs inside, 1 undecided"),
    ],
)  # fmt: skip
def test_each_rule_gives_its_verdict_and_says_why(
    claim: Claim, near: list[float], noise: list[float] | None, far: list[float], word: str, because: str
) -> None:
    verdict = judge(claim, {"near": outcome(near, noise), "far": outcome(far)})
    assert (verdict.word, verdict.because) == (word, because)


def test_an_error_in_any_arm_comes_before_everything(claim: Claim) -> None:
    broken = Outcome((0, 1, 2, 3), {}, fault="RuntimeError: the toy broke")
    for arms in ({"near": outcome(BAD), "far": broken}, {"near": broken, "far": outcome(BAD)}):
        assert judge(claim, arms).word == "error"


def test_a_spent_budget_decides_nothing_and_is_named(claim: Claim) -> None:
    spent = Outcome((0, 1, 2, 3), {}, spent=True)
    verdict = judge(claim, {"near": outcome(GOOD), "far": spent})
    assert verdict.word == "inconclusive"
    assert verdict.because.endswith("4 undecided, for its budget was spent")


def test_an_arm_without_runs_decides_nothing(claim: Claim) -> None:
    assert judge(claim, {"far": outcome(BAD)}).word == "inconclusive"
    assert judge(claim, {"near": outcome(GOOD)}).word == "inconclusive"
    assert judge(claim, {"near": outcome(GOOD)}, controls=False).word == "reproduced"


def test_misses_are_a_share_of_the_claims_runs(write_claim: Callable[..., Path]) -> None:
    claim = load_claim(write_claim(("why: the", "misses: 1\n    why: the")))
    one_out = [1.0, 1.0, 1.0, 5.0]
    assert judge(claim, {"near": outcome(one_out), "far": outcome([5.0, 5.0, 5.0, 1.0])}).word == "reproduced"
    assert judge(claim, {"near": outcome([1.0, 1.0, 5.0, 5.0]), "far": outcome(BAD)}).word == "not reproduced"
    two = {
        "near": Outcome((0, 1), {"value": [1.0, 5.0], "noise": [0.0, 0.0]}),
        "far": Outcome((0, 1), {"value": [5.0, 5.0]}),
    }
    assert judge(claim, two).word == "not reproduced"


def test_a_check_carries_its_counts_range_and_gap(claim: Claim) -> None:
    verdict = judge(claim, {"near": outcome([0.95, 1.0, 1.05, NAN]), "far": outcome([3.0, 4.0, 5.0, 6.0])})
    (item,) = verdict.criteria
    near, far = item.holds_in[0], item.fails_in[0]
    assert (near.inside, near.outside, near.undecided) == (3, 0, 1)
    assert (near.min, near.median, near.max) == (0.95, 1.0, 1.05)
    assert (far.tells, far.inside, far.outside) == (True, 0, 4)
    assert item.gap == pytest.approx((3.0 - 1.1) - (1.05 - 1.1))
    assert item.mark == "undecided"
