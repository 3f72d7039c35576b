"""Verdicts: a row for every rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.schema import Claim
from dlnrepro.verdict.judge import judge, nearest_control
from dlnrepro.verdict.outcome import Outcome
from tests.refusal import refusal

NAN = math.nan
GOOD, BAD = [1.0, 1.0, 1.0, 1.0], [5.0, 5.0, 5.0, 5.0]


@pytest.fixture
def claim(write_claim: Callable[..., Path]) -> Claim:
    return load_claim(write_claim())


def outcome(value: list[float], noise: list[float] | None = None) -> Outcome:
    """What an arm of four runs left."""
    return Outcome((0, 1, 2, 3), {"value": value, "noise": noise or [0.0] * 4})


HELD = "every criterion holds, and every control fails as required"
OUTSIDE = "near-one: value = 1 ± 0.1 does not hold in near"
UNDECIDED = "without it, the criteria decide nothing"
ASSUMED = f"the assumption noise < 0.01 is not met in near (1 of 4 runs outside); {UNDECIDED}"


def blind(control: str) -> str:
    """The beginning of the sentence for a control that passes."""
    return f"near-one: its control {control} passes too, so this criterion is uninformative"


def undecided(control: str) -> str:
    """The beginning of the sentence for a control that is undecided."""
    return f"near-one: its control {control} is undecided"


RULES: dict[str, tuple[list[float], list[float] | None, list[float], str, str]] = {
    "a claim is reproduced if every criterion holds and every control fails":
        (GOOD, None, BAD, "reproduced", HELD),
    "one run outside breaks a criterion":
        ([1, 1, 1, 5.0], None, BAD, "not reproduced", f"{OUTSIDE} (1 of 4 runs outside)"),
    "a broken criterion counts whatever its control does":
        (BAD, None, GOOD, "not reproduced", f"{OUTSIDE} (4 of 4 runs outside)"),
    "a run without a number leaves a criterion undecided":
        ([1, 1, 1, NAN], None, BAD, "inconclusive",
         "near-one: value = 1 ± 0.1 is undecided in near: 3 of 4 runs lie inside, 1 undecided"),
    "a run outside breaks a criterion though another run is undecided":
        ([1, 1, NAN, 5.0], None, BAD, "not reproduced", f"{OUTSIDE} (1 of 4 runs outside, 1 undecided)"),
    "a control that passes makes a criterion uninformative":
        (GOOD, None, GOOD, "inconclusive", f"{blind('far')}: 0 of 4 runs lie outside"),
    "one passing run of a control makes a criterion uninformative":
        (GOOD, None, [5, 5, 5, 1.0], "inconclusive", f"{blind('far')}: 3 of 4 runs lie outside"),
    "a run without a number leaves a control undecided":
        (GOOD, None, [5, 5, 5, NAN], "inconclusive", f"{undecided('far')}: 3 of 4 runs lie outside, 1 undecided"),
    "a control without any number is undecided and has not failed":
        (GOOD, None, [NAN] * 4, "inconclusive", f"{undecided('far')}: 0 of 4 runs lie outside, 4 undecided"),
    "a control that diverges is undecided and has not failed":
        (GOOD, None, [math.inf] * 4, "inconclusive", f"{undecided('far')}: 0 of 4 runs lie outside, 4 undecided"),
    "an assumption that one run breaks decides nothing":
        (GOOD, [0, 0, 0, 1.0], BAD, "inconclusive", ASSUMED),
    "a broken assumption comes before a broken criterion":
        (BAD, [0, 0, 0, 1.0], BAD, "inconclusive", ASSUMED),
    "an assumption that is not measured in every run decides nothing":
        (GOOD, [0, 0, 0, NAN], BAD, "inconclusive",
         f"the assumption noise < 0.01 is undecided in near (0 of 4 runs outside, 1 undecided); {UNDECIDED}"),
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
        ({"close": ([1, 1, 1, 5.0], None)}, "not reproduced",
         "near-one: value = 1 ± 0.1 does not hold in close (1 of 4 runs outside)"),
    "the second assumption is undecided":
        ({"close": ([1, 1, 1, NAN], None)}, "inconclusive",
         f"the assumption value < 100 is undecided in close (0 of 4 runs outside, 1 undecided); {UNDECIDED}"),
    "the second control passes":
        ({"farther": (GOOD, None)}, "inconclusive", f"{blind('farther')}: 0 of 4 runs lie outside"),
    "the second control is undecided":
        ({"farther": ([NAN] * 4, None)}, "inconclusive",
         f"{undecided('farther')}: 0 of 4 runs lie outside, 4 undecided"),
    "the second assumption is broken":
        ({"close": ([200.0] * 4, None)}, "inconclusive",
         f"the assumption value < 100 is not met in close (4 of 4 runs outside); {UNDECIDED}"),
    "the second criterion is broken":
        ({"close": (GOOD, [0.6] * 4)}, "not reproduced",
         "quiet: noise ≤ 0.5 does not hold in close (4 of 4 runs outside)"),
    "the second criterion is undecided":
        ({"close": (GOOD, [NAN] * 4)}, "inconclusive",
         "quiet: noise ≤ 0.5 is undecided in close: 0 of 4 runs lie inside, 4 undecided"),
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
        return found.holds, found.broken, found.tells

    assert marks() == (True, False, True)
    assert marks(near=BAD) == marks(close=BAD) == (False, True, True)
    assert marks(near=[NAN] * 4) == marks(close=[NAN] * 4) == (False, False, True)
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
        found = nearest_control(claim.criteria[0].interval, item.worst, item.fails_in)
        assert found == (None if nearest is None else ("far", nearest))


def test_every_broken_criterion_is_named_with_every_arm_that_breaks_it(manifold: Claim) -> None:
    numbers = {
        "near": outcome(BAD),
        "close": outcome([1.0, 1.0, 5.0, 1.0], [0.6, 0.0, 0.0, 0.7]),
        "far": outcome(BAD),
        "farther": outcome(BAD),
    }
    assert judge(manifold, numbers).because == (
        "near-one: value = 1 ± 0.1 does not hold in near (4 of 4 runs outside), close (1 of 4 runs outside); "
        "quiet: noise ≤ 0.5 does not hold in close (2 of 4 runs outside)"
    )


def test_arms_with_equal_numbers_of_runs_outside_stand_together(manifold: Claim) -> None:
    numbers = {"near": outcome(BAD), "close": outcome(BAD), "far": outcome(BAD), "farther": outcome(BAD)}
    assert judge(manifold, numbers).because == (
        "near-one: value = 1 ± 0.1 does not hold in near, close (4 of 4 runs outside in each)"
    )


def test_every_assumption_that_is_not_met_is_named_and_an_arm_without_runs_says_so(manifold: Claim) -> None:
    numbers = {"near": outcome(GOOD, [1.0] * 4), "far": outcome(BAD), "farther": outcome(BAD)}
    assert judge(manifold, numbers).because == (
        "the assumption noise < 0.01 is not met in near (4 of 4 runs outside); "
        f"the assumption value < 100 is undecided in close (no runs); {UNDECIDED}"
    )


def test_misses_go_by_the_runs_of_the_largest_arm(write_claim: Callable[..., Path]) -> None:
    claim = load_claim(write_claim(("why: the", "misses: 1\n    why: the")))
    few = Outcome((0, 1), {"value": [5.0, 5.0], "noise": [0.0, 0.0]})
    verdict = judge(claim, {"near": outcome([1.0, 1.0, 1.0, 5.0]), "far": few})
    assert (verdict.word, verdict.criteria[0].misses) == ("reproduced", 1)


def test_a_check_carries_its_counts_range_and_gap(claim: Claim) -> None:
    verdict = judge(claim, {"near": outcome([0.95, 1.0, 1.05, NAN]), "far": outcome([3.0, 4.0, 5.0, 6.0])})
    (item,) = verdict.criteria
    near, far = item.holds_in[0], item.fails_in[0]
    assert (near.inside, near.outside, near.undecided) == (3, 0, 1)
    assert (near.min, near.median, near.max) == (0.95, 1.0, 1.05)
    assert (far.tells, far.inside, far.outside) == (True, 0, 4)
    assert item.gap == pytest.approx(3.0 - 0.95)
    assert item.mark == "undecided"


@pytest.mark.parametrize("near", [[], [1.0], [1.0] * 3])
@pytest.mark.parametrize("far", [[], [5.0], [5.0] * 3, BAD])
def test_runs_without_numbers_decide_nothing(claim: Claim, near: list[float], far: list[float]) -> None:
    noise = [0.0] * 4
    few = Outcome((0, 1, 2, 3), {"value": near, "noise": noise})
    assert judge(claim, {"near": few, "far": outcome(far)}).word == "inconclusive"
    assert judge(claim, {"near": outcome(GOOD), "far": outcome(far)}).word == (
        "reproduced" if far == BAD else "inconclusive"
    )


def test_a_measure_that_is_missing_decides_nothing(claim: Claim) -> None:
    seeds = (0, 1, 2, 3)
    whole = {"near": outcome(GOOD), "far": outcome(BAD)}
    assert judge(claim, whole).word == "reproduced"
    for arm, measures in (("near", {"noise": [0.0] * 4}), ("near", {"value": GOOD}), ("far", {"noise": [0.0] * 4})):
        assert judge(claim, {**whole, arm: Outcome(seeds, measures)}).word == "inconclusive"
    for arm in whole:
        assert judge(claim, {**whole, arm: Outcome((), {})}).word == "inconclusive"


def test_more_numbers_than_seeds_and_a_seed_twice_are_refused(claim: Claim) -> None:
    assert refusal(lambda: judge(claim, {"near": Outcome((0, 1), {"value": GOOD})})) == (
        "toy-claim: arm near: value: expected one number for each of 2 seeds, found 4"
    )
    assert refusal(lambda: judge(claim, {"near": Outcome((0, 1, 1, 2), {"value": GOOD})})) == (
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
