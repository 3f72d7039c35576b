"""From claims to records: finds or computes the cells of each claim, stores them, and judges."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dlnrepro.archive.cell_store import cell_key, read_cell, series_digest, write_cell
from dlnrepro.archive.figure_data import drawings
from dlnrepro.archive.provenance import code_state, processor, source_hash
from dlnrepro.archive.record import ClaimRecord, record_claim
from dlnrepro.archive.report_store import arm_seconds
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.arithmetic import arithmetic
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.device import device_name
from dlnrepro.compute.elsewhere import arithmetic_there
from dlnrepro.compute.plan import Variation, plan
from dlnrepro.compute.pool import compute
from dlnrepro.compute.processes import Computed, Listener, Work
from dlnrepro.errors import Unjudged, UsageError
from dlnrepro.registry.names import comes_with_the_program, load_runner
from dlnrepro.session.faults import logged
from dlnrepro.signals import Ended, Signals
from dlnrepro.verdict.check import Outcome
from dlnrepro.visible import storable


class Watcher(Listener, Protocol):
    """Whoever shows how a run gets on."""

    def begins(self, claims: int, cells: int, seconds: Mapping[tuple[str, str], float]) -> None:
        """So many claims are to be judged, and so many cells to be computed for them.

        `seconds` are those that arms took the last time, by the ids of claim and arm, as far as they are known.
        """

    def cell_ends(self, cell: Cell) -> None:
        """A cell is computed."""

    def claim_ends(self, record: ClaimRecord) -> None:
        """A claim is judged."""


@dataclass(frozen=True)
class Job:
    """One claim to run: its file and the hash of it, the cells it needs, and how it departs from its file."""

    claim: Claim
    path: Path
    claim_hash: str
    cells: tuple[Cell, ...]
    variation: Variation
    command: str


@dataclass(frozen=True)
class Means:
    """How cells are come by.

    Attributes:
        root: the outputs folder, where cells are kept.
        workers: how many processes compute.
        cache: whether stored cells are used again.
        budget: seconds that each cell may take; None for no bound.
        fresh: whether cells are computed in fresh interpreters, for the state of this process is a caller's.
    """

    root: Path
    workers: int = 1
    cache: bool = True
    budget: float | None = None
    fresh: bool = False


def prepare_job(claim: Claim, path: Path, variation: Variation, command: str) -> Job:
    """A claim made ready to run; nothing is trained yet.

    Raises:
        UsageError: the variation cannot be applied to the claim.
    """
    claim_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    return Job(claim, path, claim_hash, tuple(plan(claim, variation)), variation, command)


def run_jobs(
    jobs: Sequence[Job],
    means: Means,
    watcher: Watcher,
    signals: Signals,
    stop: Callable[[ClaimRecord], bool] = lambda _: False,
) -> tuple[list[ClaimRecord], list[Unjudged]]:
    """The records of all jobs that finished, and what could not be judged for a fault of the program.

    A signal ends the run before its time; `signals.code` then says which.

    Args:
        jobs: what to run, in order.
        means: how cells are come by.
        watcher: hears of every step.
        signals: those that have arrived.
        stop: after a record for which this is true, no further job is judged.
    """
    records: list[ClaimRecord] = []
    unjudged: list[Unjudged] = []
    try:
        with closing(_judged(jobs, means, watcher, signals)) as judged:
            for record in judged:
                if isinstance(record, Unjudged):
                    unjudged.append(record)
                    watcher.says(record.text)
                    continue
                records.append(record)
                watcher.claim_ends(record)
                if stop(record):
                    break
    except Ended:
        pass
    except Exception as error:
        unjudged.append(Unjudged(3, None, logged(error, means.root)))
        watcher.says(unjudged[-1].text)
    return records, unjudged


def _judged(jobs: Sequence[Job], means: Means, watcher: Watcher, signals: Signals) -> Generator[ClaimRecord | Unjudged]:
    """The records in the order of the jobs, each as soon as its cells are there."""
    mode = arithmetic_of(means)
    keys = {
        id(cell): cell_key(cell.runner, cell.params, cell.seeds, device_name(cell.device), processor(), mode)
        for job in jobs
        for cell in job.cells
    }
    known: dict[str, Numbers] = {}
    if means.cache:
        for job in jobs:
            for cell in job.cells:
                if keys[id(cell)] not in known and (found := read_cell(means.root, keys[id(cell)], cell)) is not None:
                    known[keys[id(cell)]] = found
    stored = frozenset(known)
    # Claims may share an arm: what has the same key is computed once.
    missing = {keys[id(cell)]: cell for job in jobs for cell in job.cells if keys[id(cell)] not in known}
    stamps = {job.claim.id: job.variation.stamps(job.claim) for job in jobs}
    last = arm_seconds(means.root, stamps)
    places = {(cell.claim, cell.arm) for cell in missing.values()}
    watcher.begins(len(jobs), len(missing), {place: last[place] for place in places if place in last})
    with closing(_computed(list(missing.values()), means, watcher, signals)) as computed:
        for job in jobs:
            mine = {cell.arm: keys[id(cell)] for cell in job.cells}
            while not known.keys() >= set(mine.values()):
                cell, numbers = next(computed)
                known[keys[id(cell)]] = numbers
                if _complete(numbers.outcome):
                    # On a full disk the numbers are still in hand; it is the report that must say so.
                    with suppress(UsageError):
                        write_cell(means.root, keys[id(cell)], cell, numbers)
                watcher.cell_ends(cell)
            try:
                yield _record(job, mine, known, cached=any(key in stored for key in mine.values()))
            except Exception as error:
                line = f"{job.claim.id}: expected to be judged, found {logged(error, means.root)}"
                yield Unjudged(3, storable(str(job.path)), storable(line))


def arithmetic_of(means: Means) -> str:
    """The modes of the math libraries where cells are computed: in this process, or in a fresh interpreter."""
    return arithmetic_there() if means.fresh else arithmetic()


def _computed(cells: Sequence[Cell], means: Means, watcher: Watcher, signals: Signals) -> Computed:
    """The numbers of cells, each as soon as it is there; the runners of other packages are computed twice once."""
    # Those of this program are held by its tests to draw from their generators alone.
    foreign = frozenset(cell.runner for cell in cells if not comes_with_the_program(cell.runner))
    work = Work(means.workers, means.budget, twice=foreign)
    return compute(cells, work, watcher, signals, means.fresh)


def _record(job: Job, keys: Mapping[str, str], known: Mapping[str, Numbers], cached: bool) -> ClaimRecord:
    """The record of a job whose cells are all there."""
    numbers = {arm: known[key] for arm, key in keys.items()}
    complete = {arm: found for arm, found in numbers.items() if _complete(found.outcome)}
    _, dirty = code_state()
    stamps = job.variation.stamps(job.claim) + ["cached"] * cached
    stamps += ["dirty"] if dirty else ["unknown code"] if dirty is None else []
    return record_claim(
        job.claim,
        {arm: found.outcome for arm, found in numbers.items()},
        stamps=stamps,
        params={cell.arm: cell.params for cell in job.cells},
        cells={arm: keys[arm] for arm in complete},
        digests={arm: series_digest(found.series) for arm, found in complete.items()},
        drawings=drawings(job.claim, {arm: found.series for arm, found in numbers.items()}),
        meanings=_meanings(job.claim),
        command=storable(job.command),
        path=storable(str(job.path)),
        claim_hash=job.claim_hash,
        runner_hash=source_hash(job.claim.runner),
    )


def _meanings(claim: Claim) -> dict[str, str]:
    """What the runner says of each measure and series that a claim names; a report must not have to ask it."""
    runner = load_runner(claim.runner)
    named = {bounded.measure for bounded in (*claim.assumptions, *claim.criteria)}
    named |= {name for figure in claim.figures for name in (figure.x, *figure.y, figure.reference) if name}
    known = {**runner.MEASURES, **{name: series.says for name, series in runner.SERIES.items()}}
    return {name: known[name] for name in sorted(named)}


def _complete(outcome: Outcome) -> bool:
    """Whether a cell ran to its end: only then may its numbers be used again."""
    return outcome.fault is None and not outcome.spent
