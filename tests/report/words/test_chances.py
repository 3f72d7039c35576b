"""The chance of a wrong verdict: every figure is computed here in another way, by trying the rule on random runs."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from dlnrepro.archive.record import ClaimRecord, compile_report, from_json, to_json
from dlnrepro.compute.variation import Variation
from dlnrepro.report.words.chances import chance_words
from dlnrepro.verdict.chances import chances_of
from dlnrepro.verdict.operating import operation
from dlnrepro.verdict.rule import almost_all

Make = Callable[..., ClaimRecord]
SIXTEEN = (("seeds: 4", "seeds: 16"),)
FULL = {"near": [1.0] * 16, "far": [5.0] * 16}


def test_a_report_says_how_likely_its_verdicts_are_wrong(record_of: Make) -> None:
    assert chance_words([record_of(*SIXTEEN, values=FULL)]) == [
        "3 tests are made of almost all runs, with 16 to 256 runs per arm; a test is one criterion or assumption in "
        "one arm or control. If 98 % or more of all possible runs are as required in each of them, the chance that any "
        "of them ends broken or undecided is at most 3 × 0.0021 % = 0.0063 %. If 80 % or less are, a test still passes "
        "with a chance of at most 3.2 %.",
        "With 95 % confidence, 16 runs that all are as required leave a share above 79 % possible.",
    ]


def test_tests_of_every_run_are_counted_apart_and_their_controls_are_not(record_of: Make) -> None:
    record = record_of(*SIXTEEN, ("within: 0.1", "within: 0.1\n    runs: every"), values=FULL)
    words = chance_words([record, record])
    assert words[0].startswith("4 tests are made of almost all runs")
    assert words[1] == "2 tests are made of every run, and one run outside refutes the criterion."


def test_few_runs_show_little_and_each_number_of_runs_has_its_own_chance(record_of: Make) -> None:
    full, few = record_of(*SIXTEEN, values=FULL), record_of(*SIXTEEN)
    two = replace(few, variation=Variation(seeds=4))
    words = chance_words([full, full, two])
    assert [re.findall(r"with (.*?) per arm", sentence) for sentence in words] == [["16 to 256 runs"], ["4 runs"], []]
    assert (
        "at most 3 × 7.8 % = 23 %. If 80 % or less are, a test still passes with a chance of at most 41 %." in words[1]
    )
    assert words[2] == (
        "With 95 % confidence, 4 runs that all are as required leave a share above 40 % possible (fewer than 16 runs "
        "show little)."
    )
    assert "is not bounded, since 15 × 7.8 % is more than 100 %." in chance_words([two] * 5)[0]


def test_a_report_without_numbers_has_no_chance(record_of: Make) -> None:
    assert chance_words([record_of(values={"near": [], "far": []})]) == []
    assert chance_words([]) == []


@pytest.mark.parametrize(("share", "runs", "passing"), [(0.80, 256, 0.032), (0.80, 4, 0.41), (0.98, 4, 0.922)])
def test_the_chances_are_those_of_random_runs(share: float, runs: int, passing: float) -> None:
    draw, tries = random.Random(5), 4000
    held = 0
    for _ in range(tries):
        done, failing, found = 0, 0, "open"
        while found == "open":
            batch = min(16, runs)
            failing += sum(draw.random() > share for _ in range(batch))
            done += batch
            found = almost_all(done - failing, failing, 0, last=done >= runs)
        held += found == "holds"
    assert held / tries == pytest.approx(passing, abs=4 * (passing * (1 - passing) / tries) ** 0.5)


def test_each_arm_and_control_of_almost_all_runs_is_a_test_and_arms_of_every_run_are_not(record_of: Make) -> None:
    record = record_of(("seeds: 4", "seeds: 16"), values={"near": [1.0] * 16, "far": [5.0] * 16})
    items = (*record.assumptions, *record.criteria)
    arms = sum(len(item.holds_in) for item in items)
    controls = sum(len(item.fails_in) for item in items)
    (almost,) = chances_of([((16, 256), items), ((16, 256), items)])
    assert (almost.first_runs, almost.most_runs, almost.tests) == (16, 256, 2 * (arms + controls))
    (every,) = chances_of([((16, 256), [replace(item, runs="every") for item in items])])
    assert (every.tests, controls > 0) == (controls, True)


def test_the_bound_is_the_number_of_tests_times_the_chance_of_one_and_at_most_one(record_of: Make) -> None:
    record = record_of(values={"near": [1.0] * 4, "far": [5.0] * 4})
    items = (*record.assumptions, *record.criteria)
    (few,) = chances_of([((4, 4), items)])
    assert few.one_good_fails == 1 - operation(0.98, 4, 4).holds
    assert few.any_good_fails == pytest.approx(few.tests * few.one_good_fails)
    assert few.one_bad_passes == pytest.approx(0.8**4)
    (many,) = chances_of([((4, 4), items)] * 100)
    assert many.any_good_fails == 1.0


def test_arms_without_runs_are_no_tests(record_of: Make) -> None:
    record = record_of(values={"near": [], "far": []})
    assert chances_of([((16, 256), (*record.assumptions, *record.criteria))]) == []


def test_a_report_has_the_chances_and_they_are_read_again(record_of: Make) -> None:
    record = record_of(("seeds: 4", "seeds: 16"), values={"near": [1.0] * 16, "far": [5.0] * 16})
    report = compile_report([record], {}, None, False)
    assert [found.tests for found in report.chances] == [3]
    assert from_json(to_json(report)).chances == report.chances
