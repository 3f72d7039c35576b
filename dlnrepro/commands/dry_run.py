"""What `dlnrepro run -n` shows: the arms that would be computed, their changes of the setup, and their last times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlnrepro.claimfile.gathering import Selection
from dlnrepro.claimfile.reach import origins, unreached
from dlnrepro.compute.cell import Cell
from dlnrepro.session.execution import Job
from dlnrepro.settings.numerals import setting
from dlnrepro.visible import on_one_line, show, show_json

ORIGINS = {"arm": "", "quick": " (quick)", "-s": " (-s)"}


@dataclass(frozen=True)
class Arm:
    """One arm of a dry run.

    Attributes:
        changes: parameter -> its value, and whether the arm, the quick profile or `-s` set it.
        memory: the bytes that the arm needs, as its runner estimates them.
        stored: whether the numbers of the arm are stored, so that they are not computed again.
        seconds: how long the arm took when it was last computed; None if it was never computed.
    """

    name: str
    runs: int
    changes: dict[str, tuple[Any, str]]
    memory: int
    stored: bool
    seconds: float | None


def dry_run(jobs: Sequence[Job], selection: Selection, outputs: Path, cache: bool, as_json: bool) -> int:
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
    from dlnrepro.archive.report_store import arm_seconds

    last = arm_seconds(outputs, [job.identity]).get(job.identity, {})
    arms = []
    for cell in job.cells:
        seconds = _stored(cell, outputs) if cache else None
        stored = seconds is not None
        if seconds is None:
            seconds = last.get(cell.arm)
        changes = origins(job.claim, cell.arm, job.variation.overrides, job.variation.quick)
        arms.append(Arm(cell.arm, len(cell.seeds), changes, cell.memory, stored, seconds))
    return arms


def _stored(cell: Cell, outputs: Path) -> float | None:
    """How long a stored arm took to compute; None if it is not stored."""
    from dlnrepro.archive.cell_store import key_on, read_cell
    from dlnrepro.compute.arithmetic import environment

    numbers = read_cell(outputs, key_on(cell, environment(cell.device)), cell)
    return None if numbers is None else numbers.outcome.seconds


def _lines(job: Job, arms: Sequence[Arm]) -> list[str]:
    """The lines for a claim: one for the claim and one for each arm."""
    from dlnrepro.report.words.numbers import duration

    stored, seconds = sum(arm.stored for arm in arms), [arm.seconds for arm in arms if not arm.stored]
    known = [value for value in seconds if value is not None]
    cost = f"; the other arms took {duration(sum(known))} last time" if known and len(known) == len(seconds) else ""
    head = f"{job.claim.id}: {len(arms)} arms with {arms[0].runs} runs each, runner {job.claim.runner}"
    lines = [f"{head}; {stored} of {len(arms)} arms are stored{cost}"]
    for arm in arms:
        what = ", ".join(f"{key}={setting(value)}{ORIGINS[origin]}" for key, (value, origin) in arm.changes.items())
        state = "stored, " if arm.stored else ""
        state += "not computed yet" if arm.seconds is None else f"took {duration(arm.seconds)}"
        memory = f"about {arm.memory / 1e6:,.0f} MB of memory"
        lines.append(f"  {arm.name}: {what or 'the settings as they are'} ({memory}; {state})")
    return lines


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
        "arms": [
            {
                "arm": arm.name,
                "changes": {key: {"value": value, "by": origin} for key, (value, origin) in arm.changes.items()},
                "memory_bytes": arm.memory,
                "stored": arm.stored,
                "last_seconds": arm.seconds,
            }
            for arm in arms
        ],
    }
