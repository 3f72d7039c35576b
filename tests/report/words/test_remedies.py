"""What follows from a claim that is not reproduced or inconclusive, and the command that shows a counterexample."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dlnrepro.archive.record import ClaimRecord, from_json
from dlnrepro.compute.variation import Variation
from dlnrepro.report.words.remedies import counterexamples, remedies

Make = Callable[..., ClaimRecord]
EVERY = ("equals: 1.0\n    within: 0.1", "at_most: 1.0009\n    runs: every")
BAD = [5.0] * 16
NO_NUMBER = (
    "a run has no number if it diverges or if an event never happens, so measure at an earlier step (`to`), take a"
    " threshold nearer the limit, or a measure that is finite in such runs too"
)


def test_the_command_of_a_counterexample_shows_its_run_alone(
    command: Callable[..., tuple[int, str, str]], write_claim: Callable[..., Path], tmp_path: Path
) -> None:
    words = (write_claim(EVERY).name, "-s", "far.value=4", "--seed-base", "3")
    code, text, _ = command("run", *words)
    (found,) = [line.strip() for line in text.splitlines() if line.startswith("      dlnrepro run")]
    (says,) = [line for line in text.splitlines() if line.startswith("    counterexample to near-one: in near, ")]
    command("report", "-q", "-o", "all.json")
    whole = from_json((tmp_path / "all.json").read_bytes()).claims[0].criteria[0].holds_in[0]
    seed = whole.counterexample
    outside = [
        seed for seed, value in zip(whole.seeds, whole.values, strict=True) if value is not None and value > 1.0009
    ]
    assert (code, seed) == (1, outside[0])
    assert f"the run with seed {seed} has" in says
    assert found == f"dlnrepro run toy-claim.yaml -s far.value=4 --seeds 1 --seed-base {seed}"
    code, _, _ = command(*shlex.split(found)[1:], "-q", "-o", "one.json")
    alone = from_json((tmp_path / "one.json").read_bytes()).claims[0]
    assert (code, alone.verdict, alone.stamps[:2]) == (1, "not reproduced", ["modified", "fixed-seeds"])
    check = alone.criteria[0].holds_in[0]
    assert (check.seeds, check.values) == ((seed,), (whole.values[whole.seeds.index(seed)],))


def test_a_counterexample_has_its_arm_seed_and_value(record_of: Make) -> None:
    record = record_of(EVERY, values={"near": [1.0, 1.0, 1.25, 1.5], "far": BAD})
    (found,) = counterexamples(record)
    assert found.says == (
        "counterexample to near-one: in near, the run with seed 2 has value 1.25; this command shows it alone:"
    )
    assert found.command == "dlnrepro run toy-claim --seeds 1 --seed-base 2"
    broken = replace(record, command="dlnrepro run 'toy", variation=Variation(quick=True, controls=False))
    assert counterexamples(broken)[0].command == (
        "dlnrepro run toy-claim --seeds 1 --seed-base 2 --quick --no-controls"
    )
    assert counterexamples(record_of(values={"near": BAD, "far": BAD})) == []


@pytest.mark.parametrize(
    ("near", "variation", "says"),
    [
        (BAD, {}, "the test of 98 % against 80 % has decided, so no further runs are made"),
        ([1.0] * 12 + [None] * 4, {},
         f"4 of 16 runs have no number, and more than 20 % decide nothing; {NO_NUMBER}; a new run of the claim makes "
         "further runs (with a larger --budget, if there was one)"),
        ([None] * 16, {},
         f"16 of 16 runs have no number, and more than 20 % decide nothing; {NO_NUMBER}; more runs cannot change this"),
        ([1.0] * 15 + [3.0], {"seeds": 16},
         "its runs decide neither for 98 % nor for 80 %; --seeds fixed the number of runs; without it, further runs "
         "are made"),
        ([1.0] * 15 + [3.0], {"quick": True},
         "its runs decide neither for 98 % nor for 80 %; the quick profile fixes the number of runs; without --quick, "
         "further runs are made"),
        ([1.0] * 232 + [3.0] * 24, {},
         "its runs decide neither for 98 % nor for 80 %; the largest number of runs, 256, is reached"),
    ],
    ids=["decided", "undecided runs", "no numbers", "fixed", "quick", "largest number"],
)  # fmt: skip
def test_an_arm_that_is_not_as_required_says_what_can_be_done(
    record_of: Make, near: list[float | None], variation: dict[str, object], says: str
) -> None:
    record = record_of(values={"near": near, "far": BAD}, variation=Variation(**variation))  # type: ignore[arg-type]
    assert remedies(record) == [f"near-one in near: {says}"]


def test_a_criterion_for_every_run_a_spent_budget_a_passing_control_and_an_error_have_their_own_words(
    record_of: Make,
) -> None:
    one = record_of(EVERY, values={"near": [1.0] * 15 + [3.0], "far": BAD})
    assert remedies(one) == [
        "near-one in near: one run outside refutes a criterion for every run, so more runs cannot change this"
    ]
    record = record_of(values={"near": [1.0] * 15 + [3.0], "far": BAD})
    spent = {arm: replace(found, spent=True) for arm, found in record.outcomes.items()}
    assert remedies(replace(record, outcomes=spent)) == [
        "near-one in near: its runs decide neither for 98 % nor for 80 %; the time budget was spent, and a larger "
        "--budget allows more runs"
    ]
    assert remedies(record_of(values={"near": [1.0] * 16, "far": [1.0] * 3})) == [
        "near-one in far: the control passes in every run; a new run of the claim makes further runs (with a larger "
        "--budget, if there was one)"
    ]
    assert remedies(record_of(values={"near": [1.0] * 16, "far": [1.0] * 4})) == [
        "near-one in far: the control does not fail as required: the test of 98 % against 80 % has decided, so no "
        "further runs are made"
    ]
    failed = {arm: replace(found, fault="it broke") for arm, found in record.outcomes.items()}
    assert remedies(replace(record, outcomes=failed)) == [
        "near-one in near: the arm has no numbers because of its error"
    ]
    assert remedies(record_of(values={"near": [1.0] * 16, "far": BAD})) == []
