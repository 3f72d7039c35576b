"""`dlnrepro audit`: computes the runs of an audit, from the same store of numbers as `dlnrepro run`.

The runs of an arm are stored in the batches that `dlnrepro run --seed-base` would compute. An audit that is stopped
loses only the pieces that are being computed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from dlnrepro.archive.audits import AuditRecord, claim_hash, write_audit
from dlnrepro.archive.report_store import make_folders
from dlnrepro.compute.arithmetic import versions
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.device import free_memory
from dlnrepro.compute.processes import Computed
from dlnrepro.errors import ClaimError, Unjudged, UsageError
from dlnrepro.registry.meanings import measure_meanings
from dlnrepro.registry.names import comes_with_the_program
from dlnrepro.registry.sources import source_hash
from dlnrepro.session.audit_job import CHANGES_AFTER, AuditJob
from dlnrepro.session.audit_pieces import Piece, of_part, pieces
from dlnrepro.session.execution import RunOptions, StoredNumbers, next_batch, store
from dlnrepro.session.faults import logged
from dlnrepro.session.first_runs import first_runs
from dlnrepro.session.schedule import Watcher, announce_preparation, scheduled
from dlnrepro.signals import Ended, Signals
from dlnrepro.verdict.audit import audited
from dlnrepro.verdict.audit_changes import change_audit, with_criteria
from dlnrepro.verdict.audited import Audited
from dlnrepro.verdict.judge import judge
from dlnrepro.verdict.outcome import Outcome
from dlnrepro.visible import storable


@dataclass(frozen=True)
class _Group:
    """The cells of one part of a job: of its fresh seeds (name None), without change (""), or of a named change."""

    place: int
    name: str | None
    cells: tuple[Cell, ...]


class AuditWatcher(Watcher, Protocol):
    """An object that shows the progress of audits."""

    def tells(self, text: str) -> None:
        """Show a line about the progress, which a quiet watcher leaves out."""


def audit_and_store(
    jobs: Sequence[AuditJob],
    options: RunOptions,
    watching: AbstractContextManager[AuditWatcher],
    signals: Signals,
    done: Callable[[AuditRecord], None] = lambda _: None,
) -> tuple[list[AuditRecord], list[Unjudged]]:
    """The records of all audits that came to their end, in the order of the jobs, and the errors of this program.

    Each record is stored as soon as its audit ends. A signal ends the loop early; `signals.code` says which signal.

    Args:
        jobs: what to audit.
        options: where and how runs are computed.
        watching: is informed of every step.
        signals: the signals that have arrived.
        done: called with each record when it is stored.

    Raises:
        UsageError: the output folder cannot be written. This is checked before anything is trained.
        ClaimError: no claim names only measures that its function returns.
    """
    make_folders(options.root)
    records: dict[str, AuditRecord] = {}
    unjudged: list[Unjudged] = []
    with watching as watcher:
        try:
            seen = first_runs(jobs, options, watcher, signals)
            unjudged += seen.unjudged(len(jobs))
            passed = {place for place, found in seen.found.items() if found.passed}
            jobs = [replace(job, passed=place in passed) for place, job in enumerate(jobs) if place not in seen.faults]
            with closing(_audits(jobs, options, watcher, signals)) as audits:
                for job, result in audits:
                    if isinstance(result, Unjudged):
                        unjudged.append(result)
                        watcher.says(result.text)
                        continue
                    records[job.claim.id] = record = _record(job, result)
                    try:
                        write_audit(options.root, record)
                        done(record)
                    except UsageError as error:
                        unjudged.append(Unjudged(2, None, str(error)))
                    watcher.tells(f"[{len(records)}/{len(jobs)}] {job.claim.id}: {record.outcome}")
        except Ended:
            pass
        except ClaimError:
            raise
        except Exception as error:
            unjudged.append(Unjudged(3, None, logged(error, options.root)))
            watcher.says(unjudged[-1].text)
    return [records[job.claim.id] for job in jobs if job.claim.id in records], unjudged


def _record(job: AuditJob, result: Audited) -> AuditRecord:
    """The record of an audit."""
    tests = (*job.claim.assumptions, *job.claim.criteria)
    measures = {name for item in tests for name in item.named}
    meanings = measure_meanings(job.claim.located_runner)
    return AuditRecord(
        schema=1,
        id=job.claim.id,
        title=job.claim.title,
        path=storable(str(job.path)),
        claim_hash=claim_hash(job.claim),
        runner_hash=source_hash(job.claim.located_runner),
        versions=versions(),
        runs=job.runs,
        batch=job.claim.seeds,
        seed_base=job.seed_base,
        changes_from=job.seed_base + CHANGES_AFTER,
        meanings={name: text for name, text in meanings.items() if name in measures},
        result=result,
        covers=job.claim.covers,
    )


def _audits(
    jobs: Sequence[AuditJob], options: RunOptions, watcher: Watcher, signals: Signals
) -> Generator[tuple[AuditJob, Audited | Unjudged]]:
    """The result of each audit, as soon as all its runs have been computed."""
    work = _Work(jobs, options, watcher, signals)
    groups = work.groups()
    outcomes: list[dict[str | None, dict[str, Outcome]]] = [{} for _ in jobs]
    wanted = [sum(group.place == place for group in groups) for place in range(len(jobs))]
    found = scheduled(
        [group.cells for group in groups],
        work.compute,
        _ForClaims(watcher, len(jobs)),
        {},
        work.stored,
        further=lambda index, numbers: _further(jobs[groups[index].place], groups[index], numbers),
    )
    with closing(found):
        for index, numbers in found:
            group = groups[index]
            outcomes[group.place][group.name] = {arm: left.outcome for arm, left in numbers.items()}
            if len(outcomes[group.place]) == wanted[group.place]:
                yield jobs[group.place], _result(jobs[group.place], outcomes[group.place], options.root)
                outcomes[group.place].clear()


def _result(job: AuditJob, outcomes: Mapping[str | None, Mapping[str, Outcome]], root: Path) -> Audited | Unjudged:
    """The result of an audit from the numbers of all its parts, or the error of the program that prevents it."""
    try:
        changes = [change_audit(job.claim, name, outcomes.get(name, {}), outcomes.get("", {})) for name in job.changes]
        return audited(job.claim, outcomes[None], changes)
    except Exception as error:
        line = f"{job.claim.id}: could not be audited, because of {logged(error, root)}"
        return Unjudged(3, storable(str(job.path)), storable(line))


def _further(job: AuditJob, group: _Group, numbers: Mapping[str, Numbers]) -> list[Cell]:
    """The next batch of runs for each arm in which a change is still in doubt."""
    if not group.name:
        return []
    flawed = job.claim.audit.flaws.get(group.name)
    tested = job.claim if flawed is None else with_criteria(job.claim, flawed.breaks)
    outcomes = {arm: found.outcome for arm, found in numbers.items()}
    first = {cell.arm: cell for cell in job.changes[group.name]}
    params = {arm: cell.params for arm, cell in first.items()}
    try:
        in_doubt = judge(tested, outcomes, controls=False, last=False, params=params).in_doubt
    except Exception:
        return []  # the result is made next, by the same judgement, and says what is wrong
    more = [next_batch(first[arm], outcomes[arm].seeds) for arm in in_doubt if arm in first]
    return [cell for cell in more if cell is not None]


class _Work:
    """Finds stored batches, computes pieces, and stores their batches; keeps no series in memory."""

    def __init__(self, jobs: Sequence[AuditJob], options: RunOptions, watcher: Watcher, signals: Signals) -> None:
        self._jobs, self._options, self._watcher, self._signals = jobs, options, watcher, signals
        announce_preparation(watcher)
        self._read = StoredNumbers(options)
        self._found: dict[str, Numbers] = {}
        self._pieces: dict[str, Piece] = {}
        # The tests of this program check that its own runners draw from their generators alone.
        self._foreign = {
            job.claim.located_runner for job in jobs if not comes_with_the_program(job.claim.runner) and not job.passed
        }

    def groups(self) -> list[_Group]:
        """The groups of all jobs; the stored batches of fresh seeds are read, and the missing ones are joined."""
        room = free_memory("cpu") / 4
        found = []
        for place, job in enumerate(self._jobs):
            of_arms = [pieces(of_arm, lambda cell: self.stored(cell) is not None, room) for of_arm in job.batches()]
            self._pieces |= {piece.cell.key: piece for of_arm in of_arms for piece in of_arm if len(piece.parts) > 1}
            found.append(_Group(place, None, tuple(piece.cell for of_arm in of_arms for piece in of_arm)))
            if job.unchanged:
                found.append(_Group(place, "", job.unchanged))
            found += [_Group(place, name, cells) for name, cells in job.changes.items() if cells]
        return found

    def stored(self, cell: Cell) -> Numbers | None:
        """The stored numbers of a cell without its series, or None."""
        if cell.key not in self._found:
            numbers = self._read(cell)
            if numbers is None:
                return None
            self._found[cell.key] = replace(numbers, series={})
        return self._found[cell.key]

    def compute(self, cells: Sequence[Cell]) -> Computed:
        """The numbers of cells without their series, as soon as they are computed and stored."""
        options = self._options
        computed = options.executor.compute(cells, self._watcher, self._signals, options.budget, self._foreign)
        more: Sequence[Cell] | None = None
        with closing(computed), suppress(StopIteration):
            while True:
                cell, numbers = computed.send(more)
                piece = self._pieces.get(cell.key)
                for part in piece.parts if piece is not None else (cell,):
                    store(options.root, part, of_part(cell, part, numbers))
                more = yield cell, replace(numbers, series={})


class _ForClaims:
    """A watcher that hears of claims where the loop has parts of claims."""

    def __init__(self, watcher: Watcher, claims: int) -> None:
        self._watcher, self._claims = watcher, claims

    def begins(self, claims: int, cells: int, seconds: Mapping[str, float], stored: int) -> None:  # noqa: ARG002  the watchers' signature
        """Pass on what is ahead."""
        self._watcher.begins(self._claims, cells, seconds, stored)

    def goes_on(self, cells: Sequence[Cell]) -> None:
        """Pass on which cells are added."""
        self._watcher.goes_on(cells)

    def cell_ends(self, cell: Cell) -> None:
        """Pass on that a cell is computed."""
        self._watcher.cell_ends(cell)

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Pass on the fraction of a cell that is computed."""
        self._watcher.moves(cell, fraction, note)

    def waits(self) -> None:
        """Pass on that cells are being computed."""
        self._watcher.waits()

    def says(self, text: str) -> None:
        """Pass on a line."""
        self._watcher.says(text)

    def claim_ends(self, record: Any) -> None:
        """Never called: an audit makes no records of claims."""
