"""Thresholds that are formulas: each run is judged by its own one, and a threshold without a value decides nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dlnrepro.claimfile.interval import Interval
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.schema import Claim
from dlnrepro.verdict.bounds import bound_in_runs, intervals, run_thresholds, stated_in_arms, stated_with_values
from dlnrepro.verdict.distances import distances
from dlnrepro.verdict.judge import Verdict, judge
from dlnrepro.verdict.outcome import Outcome

Write = Callable[..., Path]
NAN = math.nan
BOUND = "at_least: 0.8 * drawn"


def outcome(height: Sequence[float | None], drawn: Sequence[float | None]) -> Outcome:
    """The runs of an arm with what they drew."""
    return Outcome(tuple(range(len(height))), {"height": height, "drawn": drawn})


def judged(claim: Claim, near: Outcome, far: Outcome | None = None, **params: dict[str, float]) -> Verdict:
    """The verdict, where the control has heights of half of what it drew."""
    far = far or outcome([0.5] * 16, [1.0] * 16)
    return judge(claim, {"near": near, "far": far}, params=params or None)


def test_each_run_is_held_to_its_own_threshold(write_drawn: Write) -> None:
    claim = load_claim(write_drawn())
    drawn = [float(run + 1) for run in range(16)]
    verdict = judged(claim, outcome(drawn, drawn))
    (item,) = verdict.criteria
    (near,) = item.holds_in
    assert verdict.word == "reproduced"
    assert near.inside == 16
    assert near.thresholds == {"at_least": tuple(pytest.approx(0.8 * value) for value in drawn)}
    # No single number separates these runs from those of the control.
    assert judged(claim, outcome([0.5] * 16, [0.5] * 16)).word == "reproduced"


def test_a_run_below_its_own_threshold_refutes_although_it_lies_above_those_of_others(write_drawn: Write) -> None:
    claim = load_claim(write_drawn(("    holds_in", "    runs: every\n    holds_in")))
    verdict = judged(claim, outcome([1.0] * 15 + [7.0], [1.0] * 15 + [10.0]))
    assert verdict.word == "not reproduced"
    assert verdict.because == (
        "high: height ≥ 0.8 * drawn (0.8 to 8) does not hold in near (1 of 16 runs outside); the run with seed 15 in "
        "near is a counterexample"
    )


@pytest.mark.parametrize(("drawn", "height"), [(NAN, 1.0), (None, 1.0), (math.inf, 1.0), (1.0, NAN)])
def test_a_run_whose_threshold_or_measure_has_no_number_is_undecided(
    write_drawn: Write, drawn: float | None, height: float
) -> None:
    (item,) = judged(load_claim(write_drawn()), outcome([1.0] * 15 + [height], [1.0] * 15 + [drawn])).criteria
    (near,) = item.holds_in
    assert (near.inside, near.outside, near.undecided) == (15, 0, 1)
    assert near.values[-1] is None


def test_a_run_whose_interval_is_empty_is_undecided(write_drawn: Write) -> None:
    claim = load_claim(write_drawn((BOUND, "above: 0.5 * drawn\n    at_most: 2")))
    (item,) = judged(claim, outcome([1.5] * 16, [1.0] * 15 + [4.0])).criteria
    assert (item.holds_in[0].inside, item.holds_in[0].outside, item.holds_in[0].undecided) == (15, 0, 1)


def test_a_threshold_follows_the_parameters_with_which_an_arm_was_run(write_drawn: Write) -> None:
    claim = load_claim(write_drawn((BOUND, "at_least: 0.4 * strengths[1] / strengths[2]")))
    runs = outcome([1.0] * 16, [1.0] * 16)
    assert judged(claim, runs).word == "reproduced"
    assert judged(claim, runs).criteria[0].interval_text == "≥ 0.4 * strengths[1] / strengths[2] (0.8)"
    wider = {"strengths": [8.0, 2.0], "factor": 1.0, "spread": 1.0}
    verdict = judge(claim, {"near": runs, "far": outcome([0.5] * 16, [1.0] * 16)}, params={"near": wider})
    assert verdict.word == "not reproduced"
    assert verdict.criteria[0].interval_text == "≥ 0.4 * strengths[1] / strengths[2] (0.8 to 1.6)"


def test_a_formula_of_an_assumption_leaves_out_the_runs_that_do_not_meet_it(write_drawn: Write) -> None:
    assumed = "assumptions:\n  - {says: it is low, measure: drawn, below: 2 * height, holds_in: near}\ncriteria:"
    claim = load_claim(write_drawn(("criteria:", assumed)))
    (item,) = judged(claim, outcome([1.0] * 31 + [3.0], [1.0] * 31 + [7.0])).criteria
    assert item.holds_in[0].left_out_seeds == (31,)


def test_the_worst_run_and_the_gap_are_relative_to_the_threshold_of_each_run(write_drawn: Write) -> None:
    claim = load_claim(write_drawn())
    (item,) = judged(claim, outcome([2.0] * 15 + [9.0], [1.0] * 15 + [10.0])).criteria
    found = distances(item.interval, item.holds_in, item.fails_in)
    assert found.axis is not None
    assert (found.axis.unit, found.axis.interval.text) == ("threshold", "≥ 1")
    assert item.worst == 9.0  # 12.5 % above its threshold of 8, though the others have smaller values
    assert found.worst is not None
    assert found.worst.place == pytest.approx(9 / 8)
    assert item.gap == pytest.approx(9 / 8 - 0.5 / 0.8)


@pytest.mark.parametrize(
    ("bounds", "unit", "place"),
    [
        ("at_most: 2", "measure", 1.0),
        ("at_most: 2 * strengths[1]", "measure", 1.0),
        ("below: 2 * drawn", "threshold", 1 / 8),
        ("at_least: 0 - drawn", "threshold", 1 / 4),
        ("equals: drawn\n    within: 0.5 * drawn", "tolerance", -1.5),
        ("at_least: drawn - 1", "distance", 2.0),
        ("equals: drawn\n    within: drawn - 1", "distance", 0.0),
    ],
)
def test_runs_are_compared_on_one_axis(write_drawn: Write, bounds: str, unit: str, place: float) -> None:
    claim = load_claim(write_drawn((BOUND, bounds)))
    (item,) = judged(claim, outcome([1.0] * 8, [1.0] * 4 + [4.0] * 4)).criteria
    found = distances(item.interval, item.holds_in, item.fails_in)
    assert found.axis is not None
    assert found.axis.unit == unit
    assert found.arms[-1].place == pytest.approx(place)
    for run in (*found.arms, *found.controls):
        assert found.axis.interval.contains(run.place) == run.interval.contains(run.value)


def test_a_criterion_without_any_threshold_has_no_axis_and_decides_nothing(write_drawn: Write) -> None:
    verdict = judged(load_claim(write_drawn()), outcome([1.0] * 16, [NAN] * 16), outcome([1.0] * 16, [NAN] * 16))
    (item,) = verdict.criteria
    assert verdict.word == "inconclusive"
    assert (item.worst, item.gap) == (None, None)
    assert item.interval_text == "≥ 0.8 * drawn (no value)"
    assert distances(item.interval, item.holds_in, item.fails_in).axis is None


def test_bounds_are_stated_as_they_are_written_with_the_values_they_took() -> None:
    bounds: dict[str, float | str] = {"above": "2 * a", "at_most": 3.0}
    runs = Outcome((0, 1), {"a": [0.5, 1.0]})
    thresholds = run_thresholds(bounds, {}, runs)
    assert thresholds == {"above": (1.0, 2.0), "at_most": (3.0, 3.0)}
    assert stated_with_values(bounds, [thresholds]) == "> 2 * a (1 to 2) and ≤ 3"
    assert stated_in_arms(bounds, [{}]) == "> 2 * a (known after each run) and ≤ 3"
    assert stated_in_arms(bounds, [{"a": 0.5}, {"a": 0.5}]) == "> 2 * a (1) and ≤ 3"
    assert stated_with_values({"equals": "a", "within": 0.1}, [{"equals": (2.0,), "within": (0.1,)}]) == "a (2) ± 0.1"


def test_the_interval_of_a_run_is_that_of_its_thresholds() -> None:
    bounds: dict[str, float | str] = {"above": "a", "below": 2.0}
    thresholds = {"above": (0.0, None, 2.0), "below": (2.0, 2.0, 2.0)}
    assert intervals(bounds, thresholds, 3) == [Interval(0.0, 2.0, True, True, "> 0 and < 2"), None, None]


def test_a_measure_that_some_runs_lack_gives_them_no_threshold() -> None:
    assert bound_in_runs("2 * a", {}, Outcome((0, 1, 2), {"a": [1.0, None]})) == (2.0, None, None)
    assert bound_in_runs("2 * a", {}, Outcome((0, 1), {})) == (None, None)
