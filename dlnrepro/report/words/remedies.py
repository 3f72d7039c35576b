"""What follows from a claim that is not reproduced or inconclusive: counterexamples, and what can still be done."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dlnrepro.report.words.numbers import number, percent
from dlnrepro.verdict.bounds import intervals
from dlnrepro.verdict.check import Check
from dlnrepro.verdict.judge import Judged, passes, requirement
from dlnrepro.verdict.rule import BAD, GOOD, MOST_RUNS, MOST_UNDECIDED

if TYPE_CHECKING:
    # Only for annotations: `dlnrepro show` has no report, and this import takes a third of its time.
    from dlnrepro.archive.record import ClaimRecord

_NO_NUMBER = (
    "a run has no number if it diverges or if an event never happens, so measure at an earlier step (`to`), take a"
    " threshold nearer the limit, or a measure that is finite in such runs too"
)
"""Why runs have no numbers, and what a claim can measure in their place."""


@dataclass(frozen=True)
class Counterexample:
    """A run that refutes a criterion for every run.

    Attributes:
        says: the arm, the seed and the measured value, in a sentence.
        command: the command that shows this run alone.
    """

    says: str
    command: str


def counterexamples(record: ClaimRecord) -> list[Counterexample]:
    """A run that refutes a criterion, or an assumption, for each one that speaks of every run and is broken."""
    found = []
    for item in (*record.assumptions, *record.criteria):
        check = next((check for check in item.holds_in if check.counterexample is not None), None)
        if check is not None and check.counterexample is not None:
            place = check.seeds.index(check.counterexample)
            value = number(check.values[place])
            own = intervals(item.interval, check.thresholds, len(check.seeds))[place] if check.thresholds else None
            value += f" (required of this run: {requirement(item.measure, own.text)})" if own is not None else ""
            says = f"counterexample to {item.id}: in {check.arm}, the run with seed {check.counterexample} has"
            command = _command(record, check.counterexample)
            found.append(Counterexample(f"{says} {item.measure} {value}; this command shows it alone:", command))
    return found


def remedies(record: ClaimRecord) -> list[str]:
    """What can still be done about each arm that is not as required, or why nothing can; arms alike stand together."""
    arms: dict[tuple[str, str], list[str]] = {}
    for item in (*record.assumptions, *record.criteria):
        for check in (*item.holds_in, *item.fails_in):
            if not check.holds and check.seeds:
                arms.setdefault((item.id, _remedy(record, item, check)), []).append(check.arm)
    return [f"{name} in {', '.join(found)}: {says}" for (name, says), found in arms.items()]


def _command(record: ClaimRecord, seed: int) -> str:
    """The command that computes one run of each arm of a claim."""
    try:
        words = shlex.split(record.command)[:3]
    except ValueError:  # a record from elsewhere may have any text
        words = ["dlnrepro", "run", record.id]
    return shlex.join([*words, *replace(record.variation, seeds=1, seed_base=seed).options])


def _remedy(record: ClaimRecord, item: Judged, check: Check) -> str:
    """What can still be done about an arm that is not as required, or why nothing can."""
    outcome = record.outcomes.get(check.arm)
    if outcome is not None and outcome.fault:
        return "the arm has no numbers because of its error"
    if check.broken and item.runs == "every" and not check.control:
        return "one run outside refutes a criterion for every run, so more runs cannot change this"
    if check.broken:
        control = "the control does not fail as required: " if check.control else ""
        return f"{control}the test of {percent(GOOD)} against {percent(BAD)} has decided, so no further runs are made"
    return "; ".join(_undecided(record, check, outcome is not None and outcome.spent))


def _undecided(record: ClaimRecord, check: Check, spent: bool) -> Iterator[str]:
    """Why an arm is undecided, and what would help."""
    runs = check.counted + check.undecided
    if not runs:
        yield "all runs are left out"
    elif check.undecided > MOST_UNDECIDED * runs:
        none = "no number or no threshold" if check.thresholds else "no number"
        yield f"{check.undecided} of {runs} runs have {none}, and more than {percent(MOST_UNDECIDED)} decide nothing"
        if not spent:
            yield _NO_NUMBER
    elif passes(check):
        yield "the control passes in every run"
    else:
        yield f"its runs decide neither for {percent(GOOD)} nor for {percent(BAD)}"
    if spent:
        yield "the time budget was spent, and a larger --budget allows more runs"
    elif record.variation.seeds is not None:
        yield "--seeds fixed the number of runs; without it, further runs are made"
    elif record.variation.quick:
        yield "the quick profile fixes the number of runs; without --quick, further runs are made"
    elif _of_one_run(record):
        yield "the claim asks for one run of each arm and speaks of every run, so no further runs are made"
    elif runs >= MOST_RUNS:
        yield f"the largest number of runs, {MOST_RUNS}, is reached"
    elif 2 * check.undecided > runs:
        yield "more runs cannot change this"
    elif any(assumption.broken for assumption in record.assumptions):
        yield "no further runs were made, because an assumption does not hold"
    else:
        yield "a new run of the claim makes further runs (with a larger --budget, if there was one)"


def _of_one_run(record: ClaimRecord) -> bool:
    """Whether one run of each arm decides a claim, as one about checkpoints, for which nothing is drawn."""
    return record.claim.get("seeds") == 1 and all(
        item.runs == "every" for item in (*record.assumptions, *record.criteria)
    )
