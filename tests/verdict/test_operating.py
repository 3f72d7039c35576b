"""The operating curve of the rule, held against another way to compute it, and against the program itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.compute.plan import plan
from dlnrepro.compute.variation import Variation
from dlnrepro.session.execution import Job, further_cells
from dlnrepro.verdict.judge import judge
from dlnrepro.verdict.operating import chance_of_wrong_rejection, expected_runs, operation
from dlnrepro.verdict.outcome import Outcome

CURVE = [
    (1.0, 1.0, 0.0, 16),
    (0.995, 1.0, 1e-8, 17),
    (0.98, 0.99998, 2e-5, 23),
    (0.95, 0.984, 0.011, 49),
    (0.90, 0.42, 0.52, 94),
    (0.80, 0.032, 0.968, 41),
    (0.5, 2e-5, 0.99998, 17),
]
"""The share of passing runs, the chances that the criterion holds and is broken, and the mean number of runs."""


@pytest.mark.parametrize(("share", "holds", "broken", "runs"), CURVE)
def test_the_operating_curve_has_the_numbers_of_the_documentation(
    share: float, holds: float, broken: float, runs: int
) -> None:
    found = operation(share)
    assert float(f"{found.holds:.5f}") == pytest.approx(holds, rel=0.02, abs=5e-6)
    assert found.broken == pytest.approx(broken, rel=0.1, abs=1e-8)
    assert round(found.runs) == runs
    assert found.holds + found.broken + found.undecided == pytest.approx(1.0, abs=1e-12)
    assert sum(found.ends) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("share", [0.995, 0.98, 0.95, 0.9, 0.8, 0.5])
def test_the_chances_are_those_of_a_chain_of_states(share: float) -> None:
    # The second route: a Markov chain over the number of failing runs, one run at a time, decided by exact integers.
    most, batch = 256, 16
    states = np.zeros(most + 1)
    states[0] = 1.0
    holds = broken = mean = 0.0
    for runs in range(1, most + 1):
        states = np.concatenate(([0.0], states[:-1])) * (1 - share) + states * share
        if runs % batch:
            continue
        for failing in range(runs + 1):
            passing, chance = runs - failing, states[failing]
            above = 4 * 98**passing * 2**failing * 100 >= 9999 * 80**passing * 20**failing
            below = 96 * 100 * 98**passing * 2**failing <= 80**passing * 20**failing
            if above or below or runs == most:
                holds, broken = holds + chance * above, broken + chance * (not above and below)
                mean += runs * chance
                states[failing] = 0.0
    found = operation(share)
    assert (found.holds, found.broken, found.runs) == pytest.approx((holds, broken, mean), rel=1e-9, abs=1e-14)


@pytest.fixture
def job(write_claim: Callable[..., Path]) -> Job:
    """The toy claim with sixteen runs, not yet computed."""
    path = write_claim(("seeds: 4\nsetup", "seeds: 16\nsetup"))
    claim = load_claim(path)
    return Job(claim, path, "", tuple(plan(claim, Variation())), Variation(), "dlnrepro run")


REPEATED = 1000
"""How often an arm is simulated for each share."""

WORDS = {"near": ("reproduced", "not reproduced"), "far": ("reproduced", "inconclusive")}
"""The verdict if the runs of an arm pass, and if they do not; a control passes by lying outside."""


def simulated(job: Job, arm: str, draws: np.random.Generator, share: float) -> tuple[str, str, int]:
    """The verdict, the decision in an arm, and the number of its runs, if each run passes with a probability.

    The program itself decides after every batch whether further runs are needed; the other arm is as it must be.
    """
    passing, failing = (1.0, 5.0) if arm == "near" else (5.0, 1.0)
    outcomes = {name: outcome(value, 16) for name, value in (("near", 1.0), ("far", 5.0))}
    values: list[float] = []
    cells = [cell for cell in job.cells if cell.arm == arm]
    while cells:
        (cell,) = cells
        assert (cell.arm, cell.seeds[0]) == (arm, len(values))
        values += [passing if draw < share else failing for draw in draws.random(len(cell.seeds))]
        outcomes[arm] = Outcome(tuple(range(len(values))), {"value": values, "noise": [0.0] * len(values)})
        cells = further_cells(job, outcomes)
    verdict = judge(job.claim, outcomes)
    (item,) = verdict.criteria
    (check,) = item.holds_in if arm == "near" else item.fails_in
    return verdict.word, check.decision, len(values)


def outcome(value: float, runs: int) -> Outcome:
    """An arm all of whose runs have one value."""
    return Outcome(tuple(range(runs)), {"value": [value] * runs, "noise": [0.0] * runs})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arm", "share"),
    [("near", 0.98), ("near", 0.95), ("near", 0.9), ("near", 0.8), ("near", 0.5), ("far", 0.95), ("far", 0.8)],
)
def test_the_program_decides_as_often_as_computed(job: Job, arm: str, share: float) -> None:
    expected = operation(share)
    draws = np.random.default_rng([REPEATED, round(1000 * share), arm == "far"])
    found = [simulated(job, arm, draws, share) for _ in range(REPEATED)]
    good, bad = WORDS[arm]
    for decision, chance, word in (
        ("holds", expected.holds, good),
        ("broken", expected.broken, bad),
        ("undecided", expected.undecided, "inconclusive"),
    ):
        decided = [given for given in found if given[1] == decision]
        assert {given[0] for given in decided} <= {word}
        error = math.sqrt(chance * (1 - chance) / REPEATED)
        assert abs(len(decided) / REPEATED - chance) <= 4 * error + 1 / REPEATED
    runs = np.array([given[2] for given in found])
    second = sum((16 * (place + 1)) ** 2 * chance for place, chance in enumerate(expected.ends))
    assert abs(runs.mean() - expected.runs) <= 4 * math.sqrt((second - expected.runs**2) / REPEATED)
    for batches in (1, 2, 4, 8):
        chance = sum(expected.ends[:batches])
        error = math.sqrt(chance * (1 - chance) / REPEATED)
        assert abs((runs <= 16 * batches).mean() - chance) <= 4 * error + 1 / REPEATED


def test_a_share_of_one_decides_after_the_first_batch_and_never_wrongly(job: Job) -> None:
    draws = np.random.default_rng(0)
    assert simulated(job, "near", draws, 1.0) == simulated(job, "far", draws, 1.0) == ("reproduced", "holds", 16)
    assert simulated(job, "near", draws, 0.0) == ("not reproduced", "broken", 16)
    assert simulated(job, "far", draws, 0.0) == ("inconclusive", "broken", 16)


def test_several_criteria_need_the_runs_of_the_one_that_is_decided_last() -> None:
    assert expected_runs([]) == 16.0
    assert expected_runs([0.98]) == pytest.approx(operation(0.98).runs)
    draws = np.random.default_rng(3)
    ends = [np.cumsum(operation(share).ends) for share in (0.98, 0.9)]
    last = [16 * (1 + max(int(np.searchsorted(end, draws.random())) for end in ends)) for _ in range(20_000)]
    error = np.std(last) / math.sqrt(len(last))
    assert abs(float(np.mean(last)) - expected_runs([0.98, 0.9])) <= 4 * error


def test_the_chance_of_a_wrong_rejection_adds_up_over_tests() -> None:
    assert chance_of_wrong_rejection(0, 0.98) == 0.0
    assert chance_of_wrong_rejection(400, 0.98) == pytest.approx(400 * (1 - operation(0.98).holds))
    assert chance_of_wrong_rejection(10**6, 0.98) == 1.0
    assert chance_of_wrong_rejection(5, 1.0) == pytest.approx(0.0, abs=1e-12)


def test_other_batches_and_other_largest_numbers_are_computed_as_well() -> None:
    assert operation(0.98, most=16).runs == pytest.approx(16.0)
    one = operation(0.9, 16, 16)
    assert one.holds == pytest.approx(0.9**16)
    assert one.holds + one.broken + one.undecided == pytest.approx(1.0)
    assert operation(1.0, 32).runs == pytest.approx(32.0)
