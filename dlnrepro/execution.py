"""From claims to records: runs the cells of each claim, stores them, and judges; stops cleanly when interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dlnrepro.claim import Claim
from dlnrepro.engine import Cell, Numbers, Variation, plan, run_cell
from dlnrepro.provenance import code_state
from dlnrepro.record import ClaimRecord, record_claim, sketched
from dlnrepro.store import cell_key, write_cell
from dlnrepro.verdict import Outcome


class Watcher(Protocol):
    """Whoever shows how a run gets on."""

    def claim_starts(self, claim: Claim, cells: Sequence[Cell]) -> None:
        """A claim begins, with these cells ahead."""

    def cell_starts(self, cell: Cell) -> None:
        """A cell begins."""

    def moves(self, fraction: float, note: str) -> None:
        """The cell has come this far, in [0, 1]."""

    def claim_ends(self, record: ClaimRecord) -> None:
        """A claim is judged."""


@dataclass(frozen=True)
class Job:
    """One claim to run: where it was found, the cells it needs, and how it departs from its file."""

    claim: Claim
    path: Path
    cells: tuple[Cell, ...]
    variation: Variation
    command: str


def prepare_job(claim: Claim, path: Path, variation: Variation, command: str) -> Job:
    """A claim made ready to run; nothing is trained yet.

    Raises:
        UsageError: the variation cannot be applied to the claim.
    """
    return Job(claim, path, tuple(plan(claim, variation)), variation, command)


def run_jobs(
    jobs: Sequence[Job],
    root: Path,
    watcher: Watcher,
    budget: float | None = None,
    stop: Callable[[ClaimRecord], bool] = lambda _: False,
) -> tuple[list[ClaimRecord], bool]:
    """The records of all jobs that finished, and whether the run was interrupted.

    Args:
        jobs: what to run, in order.
        root: the outputs folder.
        watcher: told of every step.
        budget: seconds that each claim may take; None for no bound.
        stop: after a record for which this is true, no further job is run.
    """
    records: list[ClaimRecord] = []
    try:
        for job in jobs:
            record = _run_job(job, root, watcher, budget)
            records.append(record)
            watcher.claim_ends(record)
            if stop(record):
                break
    except KeyboardInterrupt:
        return records, True
    return records, False


def _run_job(job: Job, root: Path, watcher: Watcher, budget: float | None) -> ClaimRecord:
    """The record of one claim."""
    deadline = float("inf") if budget is None else time.monotonic() + budget
    watcher.claim_starts(job.claim, job.cells)
    numbers: dict[str, Numbers] = {}
    keys: dict[str, str] = {}
    for cell in job.cells:
        watcher.cell_starts(cell)
        numbers[cell.arm] = run_cell(cell, watcher.moves, lambda: deadline - time.monotonic())
        if _complete(numbers[cell.arm].outcome):
            keys[cell.arm] = cell_key(cell)
            write_cell(root, keys[cell.arm], numbers[cell.arm])
    _, dirty = code_state()
    return record_claim(
        job.claim,
        {arm: found.outcome for arm, found in numbers.items()},
        stamps=job.variation.stamps(job.claim) + (["dirty"] if dirty else []),
        cells=keys,
        sketch=sketched(job.claim, {arm: found.series for arm, found in numbers.items()}),
        command=job.command,
        path=str(job.path),
    )


def _complete(outcome: Outcome) -> bool:
    """Whether a cell ran to its end: only then may its numbers be used again."""
    return outcome.fault is None and not outcome.spent
