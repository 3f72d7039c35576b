"""What `dlnrepro run -n` shows: the arms that would be computed, their changes of the setup, and their last times.

The number of runs depends on the runs themselves, so the expected and the largest number are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlnrepro.claimfile.gathering import Selection
from dlnrepro.claimfile.parameters import with_values
from dlnrepro.claimfile.reach import origins, unreached
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.cell import Cell
from dlnrepro.session.execution import Job
from dlnrepro.settings.numerals import setting
from dlnrepro.verdict.operating import expected_runs
from dlnrepro.verdict.outcome import BATCH
from dlnrepro.verdict.rule import MOST_RUNS
from dlnrepro.visible import on_one_line, show, show_json

SHARE = 0.995
"""The share of passing runs for which the expected number of runs is given."""

ORIGINS = {"arm": "", "quick": " (quick)", "-s": " (-s)"}


@dataclass(frozen=True)
class Arm:
    """One arm of a dry run.

    Attributes:
        runs: the number of runs that are made first.
        expected: the mean number of runs if 99.5 % of all runs pass; a fixed number of runs is just that number.
        most: the largest number of runs.
        changes: parameter -> its value or formula, and whether the arm, the quick profile or `-s` set it.
        params: every parameter with its value.
        memory: the bytes that the arm needs, as its runner estimates them.
        stored: whether the numbers of the arm are stored, so that they are not computed again.
        seconds: how long the arm took when it was last computed; None if it was never computed.
    """

    name: str
    runs: int
    expected: float
    most: int
    changes: dict[str, tuple[Any, str]]
    params: Mapping[str, Any]
    memory: int
    stored: bool
    seconds: float | None


def dry_run(jobs: Sequence[Job], selection: Selection[Claim], outputs: Path, cache: bool, as_json: bool) -> int:
    """Show what would be computed, and return the exit code, which is 2 if a selected file is not a valid claim."""
    arms = [_arms(job, outputs, cache) for job in jobs]
    if as_json:
        claims = [_fields(job, found) for job, found in zip(jobs, arms, strict=True)]
        left = [
            {"path": item.path, "line": item.line, "column": item.column, "text": item.text}
            for item in selection.unjudged
        ]
        show_json({"claims": claims, "unjudged": left})
    else:
        for job, found in zip(jobs, arms, strict=True):
            for line in _lines(job, found):
                show(on_one_line(line))
    return 2 if selection.faults else 0


def notes(jobs: Sequence[Job]) -> list[str]:
    """A line for each override that does not reach every arm of a claim, or that changes no arm."""
    return [
        line
        for job in jobs
        for line in unreached(job.claim, job.variation.overrides, [cell.arm for cell in job.cells], job.variation.quick)
    ]


def _arms(job: Job, outputs: Path, cache: bool) -> list[Arm]:
    """The arms of a claim as they would be computed."""
    from dlnrepro.archive.last_results import arm_seconds

    last = arm_seconds(outputs, [job.identity]).get(job.identity, {})
    arms = []
    for cell in job.cells:
        seconds = stored_seconds(cell, outputs) if cache else None
        stored = seconds is not None
        if seconds is None:
            seconds = last.get(cell.arm)
        changes = origins(job.claim, cell.arm, job.variation.overrides, job.variation.quick)
        arms.append(Arm(cell.arm, *_runs(job, cell), changes, cell.params, cell.memory, stored, seconds))
    return arms


def _runs(job: Job, cell: Cell) -> tuple[int, float, int]:
    """The number of runs of an arm that are made first, their expected number, and the largest number."""
    first = len(cell.seeds)
    if job.variation.fixed or not job.claim.draws or first >= MOST_RUNS:
        return first, float(first), first
    claim, arm = job.claim, cell.arm
    tests = sum(item.runs == "almost all" and arm in item.holds_in for item in (*claim.assumptions, *claim.criteria))
    tests += sum(arm in item.fails_in for item in claim.criteria) if job.variation.controls else 0
    if not tests:
        return first, float(first), first
    return first, expected_runs([SHARE] * tests, max(first, BATCH)), MOST_RUNS


def stored_seconds(cell: Cell, outputs: Path) -> float | None:
    """How long a stored arm took to compute; None if it is not stored."""
    from dlnrepro.archive.cell_store import key_on, read_cell
    from dlnrepro.session.late_processes import LateProcesses

    (environment,) = LateProcesses().environments(cell.device)
    numbers = read_cell(outputs, key_on(cell, environment), cell)
    return None if numbers is None else numbers.outcome.seconds


def _lines(job: Job, arms: Sequence[Arm]) -> list[str]:
    """The lines for a claim: one for the claim and one for each arm."""
    from dlnrepro.report.words.numbers import duration

    stored, seconds = sum(arm.stored for arm in arms), [arm.seconds for arm in arms if not arm.stored]
    known = [value for value in seconds if value is not None]
    cost = f"; the other arms took {duration(sum(known))} last time" if known and len(known) == len(seconds) else ""
    head = f"{job.claim.id}: {len(arms)} arms with {arms[0].runs} runs each, runner {job.claim.runner}"
    head += "" if job.variation.fixed else f"; {_in_all(arms)}"
    lines = [f"{head}; {stored} of {len(arms)} arms are stored{cost}"]
    for arm in arms:
        what = ", ".join(_change(arm, key) for key in arm.changes)
        state = "stored, " if arm.stored else ""
        state += "not computed yet" if arm.seconds is None else f"took {duration(arm.seconds)}"
        memory = f"about {arm.memory / 1e6:,.0f} MB of memory" if arm.memory else "memory is measured in the first run"
        lines.append(f"  {arm.name}: {what or 'the settings as they are'} ({memory}; {state})")
    return lines


def _change(arm: Arm, key: str) -> str:
    """A change of an arm; the value of a formula follows it."""
    written, origin = arm.changes[key]
    return f"{key}={setting(with_values(written, arm.params.get(key)))}{ORIGINS[origin]}"


def _change_fields(arm: Arm, key: str) -> dict[str, Any]:
    """The same facts for programs: the value, its formula if it has one, and what set it."""
    written, origin = arm.changes[key]
    value = arm.params.get(key, written)
    formula = {"formula": written} if with_values(written, value) != written else {}
    return {"value": value, **formula, "by": origin}


def _in_all(arms: Sequence[Arm]) -> str:
    """How many runs all arms together are expected to need, and how many they may need."""
    expected, most = sum(arm.expected for arm in arms), sum(arm.most for arm in arms)
    if expected == most:
        return f"{most} runs in all"
    return f"about {expected:.0f} runs in all if {100 * SHARE:g} % of all draws pass, and at most {most}"


def _fields(job: Job, arms: Sequence[Arm]) -> dict[str, Any]:
    """The same facts about a claim, for programs."""
    return {
        "id": job.claim.id,
        "path": str(job.path),
        "runner": job.claim.runner,
        "seeds": list(job.cells[0].seeds),
        "variation": job.identity[1],
        "stamps": job.variation.stamps(job.claim),
        "command": job.command,
        "expected_runs": sum(arm.expected for arm in arms),
        "expected_at_share": SHARE,
        "most_runs": sum(arm.most for arm in arms),
        "arms": [
            {
                "arm": arm.name,
                "runs": arm.runs,
                "expected_runs": arm.expected,
                "most_runs": arm.most,
                "changes": {key: _change_fields(arm, key) for key in arm.changes},
                "memory_bytes": arm.memory,
                "stored": arm.stored,
                "last_seconds": arm.seconds,
            }
            for arm in arms
        ],
    }
