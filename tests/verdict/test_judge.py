"""Verdicts: a row for every rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.schema import Claim
from dlnrepro.verdict.distances import distances
from dlnrepro.verdict.judge import judge
from dlnrepro.verdict.outcome import Outcome
from tests.refusal import refusal

NAN = math.nan
GOOD, BAD = [1.0] * 16, [5.0] * 16


@pytest.fixture
def claim(write_claim: Callable[..., Path]) -> Claim:
    return load_claim(write_claim())


def some(count: int, value: float, others: list[float] = GOOD) -> list[float]:
    """Numbers of which the last ones have another value."""
    return others[:-count] + [value] * count


def outcome(value: list[float], noise: list[float] | None = None) -> Outcome:
    """What the runs of an arm left, with quiet noise if none is given."""
    return Outcome(tuple(range(len(value))), {"value": value, "noise": noise or [0.0] * len(value)})


HELD = "every criterion holds, and every control fails as required"
OUTSIDE = "near-one: value = 1 ± 0.1 does not hold in near"
UNDECIDED = "without it, the criteria decide nothing"
ASSUMED = f"the assumption noise < 0.01 is not met in near (5 of 16 runs outside); {UNDECIDED}"


def blind(control: str) -> str:
    """The beginning of the sentence for a control that passes."""
    return f"near-one: its control {control} passes too, so this criterion is uninformative"


def undecided(control: str) -> str:
    """The beginning of the sentence for a control that is undecided."""
    return f"near-one: its control {control} is undecided"


RULES: dict[str, tuple[list[float], list[float] | None, list[float], str, str]] = {
    "a claim is reproduced if every criterion holds and every control fails":
        (GOOD, None, BAD, "reproduced", HELD),
    "one run outside of sixteen decides nothing":
        (some(1, 5.0), None, BAD, "inconclusive",
         "near-one: value = 1 ± 0.1 is undecided in near: 15 of 16 runs lie inside"),
    "four runs outside of sixteen decide nothing":
        (some(4, 5.0), None, BAD, "inconclusive",
         "near-one: value = 1 ± 0.1 is undecided in near: 12 of 16 runs lie inside"),
    "five runs outside of sixteen break a criterion":
        (some(5, 5.0), None, BAD, "not reproduced", f"{OUTSIDE} (5 of 16 runs outside)"),
    "one run outside of thirty-two breaks nothing":
        (some(1, 5.0, GOOD * 2), None, BAD, "reproduced", HELD),
    "a broken criterion counts whatever its control does":
        (BAD, None, GOOD, "not reproduced", f"{OUTSIDE} (16 of 16 runs outside)"),
    "a run without a number is no evidence that a criterion holds":
        (some(1, NAN), None, BAD, "inconclusive",
         "near-one: value = 1 ± 0.1 is undecided in near: 15 of 16 runs lie inside, 1 undecided"),
    "enough runs decide although others are undecided":
        (some(6, NAN, GOOD * 2), None, BAD, "reproduced", HELD),
    "more than a fifth of undecided runs leave a criterion undecided":
        (some(7, NAN, GOOD * 2), None, BAD, "inconclusive",
         "near-one: value = 1 ± 0.1 is undecided in near: 25 of 32 runs lie inside, 7 undecided"),
    "more than a fifth of undecided runs leave a criterion undecided though the others lie outside":
        (some(4, NAN, BAD), None, BAD, "inconclusive",
         "near-one: value = 1 ± 0.1 is undecided in near: 0 of 16 runs lie inside, 4 undecided"),
    "runs outside break a criterion though other runs are undecided":
        ([5.0] * 5 + [1.0] * 8 + [NAN] * 3, None, BAD, "not reproduced",
         f"{OUTSIDE} (5 of 16 runs outside, 3 undecided)"),
    "a control that passes makes a criterion uninformative":
        (GOOD, None, GOOD, "inconclusive", f"{blind('far')}: 0 of 16 runs lie outside"),
    "five passing runs of a control make a criterion uninformative":
        (GOOD, None, some(5, 1.0, BAD), "inconclusive", f"{blind('far')}: 11 of 16 runs lie outside"),
    "one passing run of a control of sixteen decides nothing":
        (GOOD, None, some(1, 1.0, BAD), "inconclusive", f"{undecided('far')}: 15 of 16 runs lie outside"),
    "one passing run of a control of thirty-two matters as little as one run outside":
        (GOOD, None, some(1, 1.0, BAD * 2), "reproduced", HELD),
    "a run without a number is no evidence that a control fails":
        (GOOD, None, some(1, NAN, BAD), "inconclusive",
         f"{undecided('far')}: 15 of 16 runs lie outside, 1 undecided"),
    "a control without any number is undecided and has not failed":
        (GOOD, None, [NAN] * 16, "inconclusive", f"{undecided('far')}: 0 of 16 runs lie outside, 16 undecided"),
    "a control that diverges is undecided and has not failed":
        (GOOD, None, [math.inf] * 16, "inconclusive", f"{undecided('far')}: 0 of 16 runs lie outside, 16 undecided"),
    "an assumption that is not met decides nothing":
        (GOOD, some(5, 1.0, [0.0] * 16), BAD, "inconclusive", ASSUMED),
    "an assumption that is not met comes before a broken criterion":
        (BAD, some(5, 1.0, [0.0] * 16), BAD, "inconclusive", ASSUMED),
    "an assumption that is in doubt decides nothing":
        (GOOD, some(1, 1.0, [0.0] * 16), BAD, "inconclusive",
         f"the assumption noise < 0.01 is undecided in near (1 of 16 runs outside); {UNDECIDED}"),
    "an assumption that is not measured in every run decides nothing":
        (GOOD, some(1, NAN, [0.0] * 16), BAD, "inconclusive",
         f"the assumption noise < 0.01 is undecided in near (0 of 16 runs outside, 1 undecided); {UNDECIDED}"),
    "runs that do not meet an assumption are left out":
        ([1.0] * 31 + [5.0], some(1, 1.0, [0.0] * 32), BAD, "reproduced", HELD),
    "runs in which an assumption is not measured are left out":
        ([5.0] + [1.0] * 31, [NAN] + [0.0] * 31, BAD, "reproduced", HELD),
    "fewer than sixteen runs decide if no run is against it":
        ([1.0] * 3, None, [5.0] * 3, "reproduced", HELD),
    "one run outside of three decides nothing":
        ([1.0, 1.0, 5.0], None, [5.0] * 3, "inconclusive",
         "near-one: value = 1 ± 0.1 is undecided in near: 2 of 3 runs lie inside"),
    "four runs outside of four break a criterion":
        ([5.0] * 4, None, [5.0] * 4, "not reproduced", f"{OUTSIDE} (4 of 4 runs outside)"),
    "three runs outside of three do not break a criterion":
        ([5.0] * 3, None, [5.0] * 3, "inconclusive",
         "near-one: value = 1 ± 0.1 is undecided in near: 0 of 3 runs lie inside"),
}  # fmt: skip
"""Each rule: the values and the noise of the arm, the values of its control, the verdict and its reason."""


@pytest.mark.parametrize(("near", "noise", "far", "word", "because"), RULES.values(), ids=RULES)
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
    assert verdict.because.endswith("4 undecided, because its time budget was spent")


def test_an_arm_without_runs_decides_nothing(claim: Claim) -> None:
    assert judge(claim, {"far": outcome(BAD)}).word == "inconclusive"
    assert judge(claim, {"near": outcome(GOOD)}).word == "inconclusive"
    assert judge(claim, {"near": outcome(GOOD)}, controls=False).word == "reproduced"


def every(write_claim: Callable[..., Path]) -> Claim:
    """The claim, whose criterion speaks of every draw."""
    return load_claim(write_claim(("why: the", "runs: every\n    why: the")))


def test_one_run_outside_refutes_a_criterion_for_every_draw_and_its_seed_is_named(
    write_claim: Callable[..., Path],
) -> None:
    claim = every(write_claim)
    values = [1.0] * 9 + [5.0, 1.0, 7.0] + [1.0] * 20
    verdict = judge(claim, {"near": Outcome(tuple(range(100, 132)), {"value": values, "noise": [0.0] * 32})}, False)
    assert (verdict.word, verdict.because) == (
        "not reproduced",
        f"{OUTSIDE} (2 of 32 runs outside); the run with seed 109 in near is a counterexample",
    )
    assert verdict.criteria[0].holds_in[0].counterexample == 109


def test_a_run_left_out_or_without_a_number_is_no_counterexample(write_claim: Callable[..., Path]) -> None:
    claim = every(write_claim)
    near = outcome([5.0, NAN, *GOOD * 2], [1.0, 0.0, *[0.0] * 32])
    verdict = judge(claim, {"near": near, "far": outcome(BAD)})
    (found,) = verdict.criteria[0].holds_in
    assert (verdict.word, verdict.because) == ("reproduced", HELD)
    assert (found.inside, found.outside, found.undecided, found.left_out) == (32, 0, 1, 1)
    assert found.counterexample is None


def test_a_criterion_for_every_draw_is_undecided_without_numbers(write_claim: Callable[..., Path]) -> None:
    claim = every(write_claim)
    for near in ([NAN] * 16, some(4, NAN)):
        assert judge(claim, {"near": outcome(near), "far": outcome(BAD)}).word == "inconclusive"
    assert judge(claim, {"near": outcome(some(3, NAN)), "far": outcome(BAD)}).word == "reproduced"


def test_a_control_of_a_criterion_for_every_draw_fails_in_almost_all_draws(write_claim: Callable[..., Path]) -> None:
    claim = every(write_claim)
    one_inside = judge(claim, {"near": outcome(GOOD), "far": outcome(some(1, 1.0, BAD * 2))})
    assert one_inside.word == "reproduced"
    assert one_inside.criteria[0].fails_in[0].counterexample is None
    assert judge(claim, {"near": outcome(GOOD), "far": outcome(some(5, 1.0, BAD))}).word == "inconclusive"


def test_an_assumption_for_every_draw_is_not_met_if_one_run_lies_outside(write_claim: Callable[..., Path]) -> None:
    claim = load_claim(write_claim(("below: 1e-2", "below: 1e-2, runs: every")))
    noise = [0.0] * 15 + [1.0]
    verdict = judge(claim, {"near": outcome(GOOD, noise), "far": outcome(BAD)})
    assert (verdict.word, verdict.because) == (
        "inconclusive",
        f"the assumption noise < 0.01 is not met in near (1 of 16 runs outside); {UNDECIDED}",
    )


def in_doubt(claim: Claim, near: Outcome, far: Outcome) -> list[str]:
    """The arms that need further runs."""
    return judge(claim, {"near": near, "far": far}, last=False).in_doubt


def test_further_runs_are_asked_for_in_the_arms_in_doubt_alone(claim: Claim) -> None:
    good, bad = outcome(GOOD), outcome(BAD)
    assert in_doubt(claim, good, bad) == []
    assert in_doubt(claim, outcome(some(1, 5.0)), bad) == ["near"]
    assert in_doubt(claim, good, outcome(some(1, 1.0, BAD))) == ["far"]
    assert in_doubt(claim, outcome(some(1, 5.0)), outcome(some(1, NAN, BAD))) == ["near", "far"]
    assert in_doubt(claim, outcome(some(1, NAN)), bad) == ["near"]
    assert in_doubt(claim, outcome(GOOD, some(1, 1.0, [0.0] * 16)), bad) == ["near"]
    assert in_doubt(claim, outcome(some(5, 5.0)), bad) == []


def test_no_further_runs_are_asked_for_where_they_cannot_change_the_verdict(claim: Claim) -> None:
    doubtful = some(1, 5.0)
    unmet = outcome(doubtful, some(5, 1.0, [0.0] * 16))
    assert in_doubt(claim, unmet, outcome(some(1, 1.0, BAD))) == []
    failed = Outcome(tuple(range(16)), {}, fault="RuntimeError: the toy broke")
    assert in_doubt(claim, outcome(doubtful), failed) == []
    assert in_doubt(claim, outcome([NAN] * 16), outcome(BAD)) == []
    assert in_doubt(claim, outcome(some(22, 5.0, GOOD * 16)), outcome(BAD)) == []
    assert judge(claim, {"near": outcome(some(22, 5.0, GOOD * 16)), "far": outcome(BAD)}).word == "inconclusive"


def test_an_arm_stopped_by_its_budget_keeps_its_runs_and_gets_no_more(claim: Claim) -> None:
    stopped = replace(outcome(some(1, 5.0)), spent=True)
    verdict = judge(claim, {"near": stopped, "far": outcome(BAD)}, last=False)
    assert verdict.in_doubt == []
    assert (verdict.word, verdict.because) == (
        "inconclusive",
        "near-one: value = 1 ± 0.1 is undecided in near: 15 of 16 runs lie inside, because its time budget was spent",
    )
    enough = replace(outcome(GOOD), spent=True)
    assert judge(claim, {"near": enough, "far": outcome(BAD)}).word == "reproduced"


def test_a_few_runs_decide_nothing_if_the_budget_stopped_the_arm(claim: Claim) -> None:
    few = outcome([1.0] * 8)
    assert judge(claim, {"near": few, "far": outcome(BAD)}).word == "reproduced"
    assert judge(claim, {"near": replace(few, spent=True), "far": outcome(BAD)}).word == "inconclusive"


def test_a_run_that_does_not_meet_an_assumption_is_left_out_in_its_arm_alone(manifold: Claim) -> None:
    loud = some(1, 1.0, [0.0] * 32)
    numbers = {
        "near": outcome(some(1, 5.0, GOOD * 2), loud),
        "close": outcome(some(1, 5.0, GOOD * 2), loud),
        "far": outcome(some(1, 1.0, BAD * 2), loud),
        "farther": outcome(BAD),
    }
    verdict = judge(manifold, numbers)
    (one, _) = verdict.criteria
    near, close = one.holds_in
    assert (near.inside, near.outside, near.left_out, near.counted) == (31, 0, 1, 31)
    assert (close.inside, close.outside, close.left_out, close.counted) == (31, 1, 0, 32)
    assert (one.fails_in[0].inside, one.fails_in[0].left_out) == (1, 0)
    (assumed,) = verdict.assumptions[0].holds_in
    assert (assumed.inside, assumed.outside, assumed.left_out) == (31, 1, 0)


@pytest.fixture
def manifold(write_claim: Callable[..., Path]) -> Claim:
    """A claim with two arms that must hold, two controls, two criteria and two assumptions."""
    criterion = (
        "    why: the noise is at most 1e-3\n  - {id: quiet, says: it is quiet, measure: noise, at_most: 0.5,"
        " holds_in: [near, close], fails_in: [], because: nothing is loud}\n"
    )
    assumption = "holds_in: near}\n  - {says: it is small, measure: value, below: 100, holds_in: close}\n"
    return load_claim(
        write_claim(
            ("  near: {}\n", "  near: {}\n  close: {value: 1.01}\n"),
            ("5.0}\n", "5.0}\n  farther: {value: 9.0}\n"),
            (
                "    holds_in: [near]\n    fails_in: [far]\n",
                "    holds_in: [near, close]\n    fails_in: [far, farther]\n",
            ),
            ("holds_in: near}\n", assumption),
            ("    why: the noise is at most 1e-3\n", criterion),
        )
    )


SEVERAL: dict[str, tuple[dict[str, tuple[list[float], list[float] | None]], str, str]] = {
    "all of them hold": ({}, "reproduced", HELD),
    "the second arm breaks a criterion":
        ({"close": (some(5, 5.0), None)}, "not reproduced",
         "near-one: value = 1 ± 0.1 does not hold in close (5 of 16 runs outside)"),
    "the second assumption is undecided":
        ({"close": (some(1, NAN), None)}, "inconclusive",
         f"the assumption value < 100 is undecided in close (0 of 16 runs outside, 1 undecided); {UNDECIDED}"),
    "the second control passes":
        ({"farther": (GOOD, None)}, "inconclusive", f"{blind('farther')}: 0 of 16 runs lie outside"),
    "the second control is undecided":
        ({"farther": ([NAN] * 16, None)}, "inconclusive",
         f"{undecided('farther')}: 0 of 16 runs lie outside, 16 undecided"),
    "the second assumption is broken":
        ({"close": ([200.0] * 16, None)}, "inconclusive",
         f"the assumption value < 100 is not met in close (16 of 16 runs outside); {UNDECIDED}"),
    "the second criterion is broken":
        ({"close": (GOOD, [0.6] * 16)}, "not reproduced",
         "quiet: noise ≤ 0.5 does not hold in close (16 of 16 runs outside)"),
    "the second criterion is undecided":
        ({"close": (GOOD, [NAN] * 16)}, "inconclusive",
         "quiet: noise ≤ 0.5 is undecided in close: 0 of 16 runs lie inside, 16 undecided"),
}  # fmt: skip
"""What differs from arms that hold and controls that fail; the verdict and its reason."""


@pytest.mark.parametrize(("changed", "word", "because"), SEVERAL.values(), ids=SEVERAL)
def test_every_arm_control_criterion_and_assumption_has_a_say(
    manifold: Claim, changed: dict[str, tuple[list[float], list[float] | None]], word: str, because: str
) -> None:
    numbers = {"near": (GOOD, None), "close": (GOOD, None), "far": (BAD, None), "farther": (BAD, None)} | changed
    verdict = judge(manifold, {arm: outcome(*given) for arm, given in numbers.items()})
    assert (verdict.word, verdict.because) == (word, because)


def test_one_arm_breaks_a_criterion_and_one_control_makes_it_blind(manifold: Claim) -> None:
    def marks(**changed: list[float]) -> tuple[bool, bool, bool]:
        numbers = {"near": GOOD, "close": GOOD, "far": BAD, "farther": BAD} | changed
        found = judge(manifold, {arm: outcome(values) for arm, values in numbers.items()}).criteria[0]
        return found.holds, found.broken, found.controls_fail

    assert marks() == (True, False, True)
    assert marks(near=BAD) == marks(close=BAD) == (False, True, True)
    assert marks(near=[NAN] * 16) == marks(close=[NAN] * 16) == (False, False, True)
    assert marks(far=GOOD) == marks(farther=GOOD) == (True, False, False)


def test_the_worst_run_is_that_of_all_arms_and_the_nearest_that_of_all_controls(manifold: Claim) -> None:
    numbers = {
        "near": [1.0, 1.01, 0.99, 1.0],
        "close": [1.0, 1.05, 1.0, 1.0],
        "far": [9.0] * 4,
        "farther": [8.0, 3.0, 8.0, 8.0],
    }
    (item, _) = judge(manifold, {arm: outcome(values) for arm, values in numbers.items()}).criteria
    assert item.worst == 1.05
    assert item.gap == pytest.approx(3.0 - 1.05)


@pytest.mark.parametrize(
    ("near", "far", "gap", "nearest"),
    [
        ([1.0, 1.08], [0.5, 1.2], 1.2 - 1.08, 1.2),
        ([1.0, 0.92], [0.5, 1.2], 1.2 - 0.92, 1.2),
        ([1.0, 0.92], [0.7, 1.2], 0.92 - 0.7, 0.7),
        ([1.0, 1.08], [1.04, 5.0], -(1.08 - 1.04), 1.04),
        ([1.0, 1.5], [0.8, 5.0], -(1.5 - 0.8), 0.8),
        ([1.0, NAN], [NAN, NAN], None, None),
        ([NAN, NAN], [5.0, 5.0], None, None),
    ],
    ids=["same side", "other side", "nearer on the same side", "inside", "less outside", "no control", "no run"],
)
def test_the_gap_is_the_distance_between_the_worst_run_and_the_nearest_control_run(
    claim: Claim, near: list[float], far: list[float], gap: float | None, nearest: float | None
) -> None:
    verdict = judge(claim, {"near": outcome([*near, 1.0, 1.0] if near[0] == 1 else near * 2), "far": outcome(far * 2)})
    (item,) = verdict.criteria
    assert item.gap == (None if gap is None else pytest.approx(gap))
    if item.worst is not None:
        found = distances(item.interval, item.holds_in, item.fails_in).nearest
        assert found is None if nearest is None else found is not None
        assert found is None or (found.arm, found.value) == ("far", nearest)


def test_every_broken_criterion_is_named_with_every_arm_that_breaks_it(manifold: Claim) -> None:
    numbers = {
        "near": outcome(BAD),
        "close": outcome(some(6, 5.0), [0.6] * 8 + [0.0] * 8),
        "far": outcome(BAD),
        "farther": outcome(BAD),
    }
    assert judge(manifold, numbers).because == (
        "near-one: value = 1 ± 0.1 does not hold in near (16 of 16 runs outside), close (6 of 16 runs outside); "
        "quiet: noise ≤ 0.5 does not hold in close (8 of 16 runs outside)"
    )


def test_arms_with_equal_numbers_of_runs_outside_stand_together(manifold: Claim) -> None:
    numbers = {"near": outcome(BAD), "close": outcome(BAD), "far": outcome(BAD), "farther": outcome(BAD)}
    assert judge(manifold, numbers).because == (
        "near-one: value = 1 ± 0.1 does not hold in near, close (16 of 16 runs outside in each)"
    )


def test_every_assumption_that_is_not_met_is_named_and_an_arm_without_runs_says_so(manifold: Claim) -> None:
    numbers = {"near": outcome(GOOD, [1.0] * 16), "far": outcome(BAD), "farther": outcome(BAD)}
    assert judge(manifold, numbers).because == (
        "the assumption noise < 0.01 is not met in near (16 of 16 runs outside); "
        f"the assumption value < 100 is undecided in close (no runs); {UNDECIDED}"
    )


def test_a_check_carries_its_counts_range_and_gap(claim: Claim) -> None:
    verdict = judge(claim, {"near": outcome([0.95, 1.0, 1.05, NAN]), "far": outcome([3.0, 4.0, 5.0, 6.0] * 4)})
    (item,) = verdict.criteria
    near, far = item.holds_in[0], item.fails_in[0]
    assert (near.inside, near.outside, near.undecided) == (3, 0, 1)
    assert (near.min, near.median, near.max) == (0.95, 1.0, 1.05)
    assert (far.holds, far.inside, far.outside) == (True, 0, 16)
    assert item.gap == pytest.approx(3.0 - 0.95)
    assert item.mark == "undecided"


@pytest.mark.parametrize("near", [[], [1.0], [1.0] * 15])
@pytest.mark.parametrize("far", [[], [5.0], [5.0] * 15, BAD])
def test_runs_without_numbers_decide_nothing(claim: Claim, near: list[float], far: list[float]) -> None:
    few = Outcome(tuple(range(16)), {"value": near, "noise": [0.0] * 16})
    control = Outcome(tuple(range(16)), {"value": far})
    assert judge(claim, {"near": few, "far": control}).word == "inconclusive"
    assert judge(claim, {"near": outcome(GOOD), "far": control}).word == (
        "reproduced" if far == BAD else "inconclusive"
    )


def test_a_measure_that_is_missing_decides_nothing(claim: Claim) -> None:
    seeds = tuple(range(16))
    whole = {"near": outcome(GOOD), "far": outcome(BAD)}
    assert judge(claim, whole).word == "reproduced"
    for arm, measures in (("near", {"noise": [0.0] * 16}), ("near", {"value": GOOD}), ("far", {"noise": [0.0] * 16})):
        assert judge(claim, {**whole, arm: Outcome(seeds, measures)}).word == "inconclusive"
    for arm in whole:
        assert judge(claim, {**whole, arm: Outcome((), {})}).word == "inconclusive"


def test_more_numbers_than_seeds_and_a_seed_twice_are_refused(claim: Claim) -> None:
    assert refusal(lambda: judge(claim, {"near": Outcome((0, 1), {"value": [1.0] * 4})})) == (
        "toy-claim: arm near: value: expected one number for each of 2 seeds, found 4"
    )
    assert refusal(lambda: judge(claim, {"near": Outcome((0, 1, 1, 2), {"value": [1.0] * 4})})) == (
        "toy-claim: arm near: seeds: expected each seed once, found 1 again"
    )


made: Any = Outcome
"""An outcome of anything, also of what its types do not admit."""

NUMBERS = "arm near: value: expected numbers or None"
NO_OUTCOMES: dict[str, tuple[Any, str]] = {
    "nothing": (None, "expected a mapping of arms to outcomes, found None"),
    "an arm with nothing": ({"near": None}, "arm near: expected an Outcome, found None"),
    "no measures": (
        {"near": made((0,), None)},
        "arm near: measures: expected a mapping of names to numbers, found None",
    ),
    "a number of seeds": (
        {"near": made(4, {})},
        "arm near: seeds: expected whole numbers, one for each run, found 4",
    ),
    "half a seed": ({"near": made((0.5,), {})}, "arm near: seeds: expected whole numbers, found 0.5"),
    "text for the numbers": ({"near": made((0,), {"value": "1"})}, f"{NUMBERS}, one for each run, found '1'"),
    "text for a number": ({"near": made((0,), {"value": ["1"]})}, f"{NUMBERS}, found '1'"),
    "a truth for a number": ({"near": made((0,), {"value": [True]})}, f"{NUMBERS}, found True"),
    "a complex number": ({"near": made((0,), {"value": [1j]})}, f"{NUMBERS}, found 1j"),
    "a number beyond all floats": (
        {"near": made((0,), {"value": [10**400]})},
        f"{NUMBERS}, found 1{'0' * 56}...",
    ),
}


@pytest.mark.parametrize(("outcomes", "fault"), NO_OUTCOMES.values(), ids=NO_OUTCOMES)
def test_what_is_no_outcome_is_refused_by_name(claim: Claim, outcomes: Any, fault: str) -> None:
    assert refusal(lambda: judge(claim, outcomes)) == f"toy-claim: {fault}"


def test_what_is_no_claim_is_refused() -> None:
    line = "expected a claim, as load_claim gives it, found 'toy-claim'"
    assert refusal(lambda: judge("toy-claim", {})) == line  # type: ignore[arg-type]
