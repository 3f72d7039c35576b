"""`dlnrepro audit`: computes the runs of an audit, from the same store of numbers as `dlnrepro run`.

The runs of an arm are stored in the batches that `dlnrepro run --seed-base` would compute. On the processor a run does
not depend on the other runs of its tensor, so the missing runs are trained in larger pieces, which take less time, and
are then stored batch by batch. An audit that is stopped loses only the pieces that are being computed.

Changes are tried with other seeds than the shares: by the sequential rule, beginning with one batch of each arm.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from dlnrepro.archive.audits import AuditRecord, claim_hash, write_audit
from dlnrepro.archive.report_store import arm_seconds, make_folders
from dlnrepro.claimfile.loader import needed_memory
from dlnrepro.claimfile.reach import arm_values
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.arithmetic import versions
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.device import free_memory
from dlnrepro.compute.parts import batches
from dlnrepro.compute.plan import plan
from dlnrepro.compute.processes import Computed
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import Unjudged, UsageError
from dlnrepro.registry.meanings import measure_meanings
from dlnrepro.registry.names import comes_with_the_program, load_runner
from dlnrepro.registry.sources import source_hash
from dlnrepro.session.execution import RunOptions, StoredNumbers, next_batch, store
from dlnrepro.session.faults import logged
from dlnrepro.session.schedule import Watcher, scheduled
from dlnrepro.signals import Ended, Signals
from dlnrepro.verdict.audit import Audited, audited, change_audit, with_criteria
from dlnrepro.verdict.judge import judge
from dlnrepro.verdict.outcome import LARGEST_SEED, Outcome
from dlnrepro.visible import storable

USUAL_RUNS = 256
USUAL_SEED_BASE = 10_000

CHANGES_AFTER = 10_000
"""The first seed under changes is so much larger than the first seed of the audit."""

PIECE = 128
"""The most runs that are trained as one tensor: with more, little time is saved, and an interruption loses more."""


@dataclass(frozen=True)
class AuditJob:
    """The audit of one claim, ready to run.

    Attributes:
        runs: how many runs each arm has on fresh seeds.
        seed_base: the first of these seeds.
        arms: the first batch of each arm on fresh seeds.
        unchanged: one batch of each arm that a change reaches, without the change, on the seeds of the changes.
        changes: the name of each change -> the first batch of each arm that it reaches.
    """

    claim: Claim
    path: Path
    runs: int
    seed_base: int
    arms: tuple[Cell, ...]
    unchanged: tuple[Cell, ...]
    changes: Mapping[str, tuple[Cell, ...]]

    def batches(self) -> list[list[Cell]]:
        """The batches of each arm on fresh seeds."""
        seeds = range(self.seed_base, self.seed_base + self.runs)
        return [batches(cell, seeds) for cell in self.arms]


def audit_job(claim: Claim, path: Path, runs: int = USUAL_RUNS, seed_base: int = USUAL_SEED_BASE) -> AuditJob:
    """The audit of a checked claim; nothing is trained yet.

    Raises:
        UsageError: the seeds are too large, or an arm needs more memory than is free.
    """
    if (largest := seed_base + max(CHANGES_AFTER + USUAL_RUNS, runs)) > LARGEST_SEED:
        most = LARGEST_SEED - (largest - seed_base)
        raise UsageError(f"--seed-base: expected at most {most}, found {seed_base}")
    first = {cell.arm: _at_most(cell, runs) for cell in plan(claim, Variation(seed_base=seed_base))}
    changes = {name: tuple(_changed(claim, name, first, seed_base + CHANGES_AFTER)) for name in _names(claim)}
    reached = {cell.arm for cells in changes.values() for cell in cells}
    unchanged = [_from(first[arm], seed_base + CHANGES_AFTER) for arm in claim.used_arms if arm in reached]
    return AuditJob(claim, path, runs, seed_base, tuple(first.values()), tuple(unchanged), changes)


def _names(claim: Claim) -> list[str]:
    """The names of all changes of a claim's audit."""
    return [*claim.audit.harmless, *claim.audit.flaws]


def _at_most(cell: Cell, runs: int) -> Cell:
    """A cell with no more than some of its runs."""
    kept = cell.seeds[:runs]
    return replace(cell, seeds=kept, memory=cell.memory * len(kept) // len(cell.seeds))


def _from(cell: Cell, seed: int) -> Cell:
    """A cell with as many other seeds."""
    return replace(cell, seeds=tuple(range(seed, seed + len(cell.seeds))))


def _changed(claim: Claim, name: str, first: Mapping[str, Cell], seed: int) -> Iterator[Cell]:
    """The first batch of each arm that a change reaches."""
    params = load_runner(claim.runner).Params
    flawed = claim.audit.flaws.get(name)
    settings: Mapping[str, Any] = claim.audit.harmless[name] if flawed is None else flawed.settings
    plant = (flawed.plant or "") if flawed is not None else ""
    tested = claim if flawed is None else with_criteria(claim, flawed.breaks)
    arms = claim.tested_arms if flawed is None else [arm for item in tested.criteria for arm in item.holds_in]
    for arm in [arm for arm in claim.used_arms if arm in arms]:
        values = arm_values(claim, arm, settings, quick=False)
        if not plant and values == first[arm].params:
            continue
        runs = len(first[arm].seeds)
        memory = needed_memory(claim.runner, params.model_validate(values), runs)
        # The name of the claim is only shown; with the name of the change a reader knows what is being computed.
        called = f"{claim.id} ({name})"
        yield replace(_from(first[arm], seed), claim=called, params=values, memory=memory, flaw=plant)


@dataclass(frozen=True)
class Piece:
    """Some batches of an arm that are trained as one tensor, or one batch whose numbers are stored."""

    cell: Cell
    parts: tuple[Cell, ...]


def pieces(of_arm: Sequence[Cell], stored: Callable[[Cell], bool], room: float) -> list[Piece]:
    """The batches of an arm in the order of their seeds; missing batches that follow each other are joined.

    Args:
        of_arm: the batches.
        stored: whether the numbers of a batch are stored.
        room: the bytes that one piece may need.
    """
    found: list[list[Cell]] = []
    joins = False
    for batch in of_arm:
        have = stored(batch)
        if joins and not have and _fits([*found[-1], batch], room):
            found[-1].append(batch)
        else:
            found.append([batch])
        joins = not have and batch.device == "cpu"
    return [Piece(_joined(parts), tuple(parts)) for parts in found]


def _joined(parts: Sequence[Cell]) -> Cell:
    """The cell of several batches that follow each other."""
    seeds = tuple(chain.from_iterable(part.seeds for part in parts))
    return replace(parts[0], seeds=seeds, memory=sum(part.memory for part in parts))


def _fits(parts: Sequence[Cell], room: float) -> bool:
    """Whether batches can be trained as one tensor."""
    return sum(len(part.seeds) for part in parts) <= PIECE and sum(part.memory for part in parts) <= room


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
    """
    make_folders(options.root)
    records: dict[str, AuditRecord] = {}
    unjudged: list[Unjudged] = []
    with watching as watcher:
        try:
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
        except Exception as error:
            unjudged.append(Unjudged(3, None, logged(error, options.root)))
            watcher.says(unjudged[-1].text)
    return [records[job.claim.id] for job in jobs if job.claim.id in records], unjudged


def _record(job: AuditJob, result: Audited) -> AuditRecord:
    """The record of an audit."""
    measures = {bounded.measure for bounded in (*job.claim.assumptions, *job.claim.criteria)}
    meanings = measure_meanings(job.claim.runner)
    return AuditRecord(
        schema=1,
        id=job.claim.id,
        title=job.claim.title,
        path=storable(str(job.path)),
        claim_hash=claim_hash(job.claim),
        runner_hash=source_hash(job.claim.runner),
        versions=versions(),
        runs=job.runs,
        batch=job.claim.seeds,
        seed_base=job.seed_base,
        changes_from=job.seed_base + CHANGES_AFTER,
        meanings={name: text for name, text in meanings.items() if name in measures},
        result=result,
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
    try:
        in_doubt = judge(tested, outcomes, controls=False, last=False).in_doubt
    except Exception:
        return []  # the result is made next, by the same judgement, and says what is wrong
    first = {cell.arm: cell for cell in job.changes[group.name]}
    more = [next_batch(first[arm], outcomes[arm].seeds) for arm in in_doubt if arm in first]
    return [cell for cell in more if cell is not None]


@dataclass(frozen=True)
class Cost:
    """What an audit would compute.

    Attributes:
        arms: the number of arms on fresh seeds.
        runs: the runs on fresh seeds that are not stored.
        changes: the name of each change -> the arms that it reaches.
        batches: how many first batches of an arm, with and without changes, are not stored.
        seconds: how long all of this would take at most, by the last times of the arms; None if they are not known.
    """

    id: str
    arms: int
    runs_each: int
    runs: int
    changes: dict[str, list[str]]
    batches: int
    seconds: float | None

    @property
    def lines(self) -> list[str]:
        """The cost in one line, and a line for each change."""
        runs = f"{self.arms} arms with {self.runs_each} runs each, {self.runs:,} of these runs are not stored"
        changes = f"{len(self.changes)} changes, for which {self.batches} batches of runs are not stored"
        time = "" if not self.seconds else f"; all this takes at most about {self.seconds:,.0f} s of computing time"
        reached = [f"  {name}: {', '.join(arms) or 'changes no arm'}" for name, arms in self.changes.items()]
        return [f"{self.id}: {runs}; {changes}{time}", *reached]


def costs(job: AuditJob, options: RunOptions) -> Cost:
    """What an audit would compute; nothing is computed."""
    stored = StoredNumbers(options)
    missing = [cell for of_arm in job.batches() for cell in of_arm if stored(cell) is None]
    changed = [cell for cells in (job.unchanged, *job.changes.values()) for cell in cells if stored(cell) is None]
    last = arm_seconds(options.root, [(job.claim.id, "")]).get((job.claim.id, ""), {})
    known = all(cell.arm in last for cell in (*missing, *changed))
    seconds = (
        sum(last[cell.arm] * len(cell.seeds) / job.claim.seeds for cell in (*missing, *changed)) if known else None
    )
    runs = sum(len(cell.seeds) for cell in missing)
    reached = {name: [cell.arm for cell in cells] for name, cells in job.changes.items()}
    return Cost(job.claim.id, len(job.arms), job.runs, runs, reached, len(changed), seconds)


class _Work:
    """Finds stored batches, computes pieces, and stores their batches; keeps no series in memory."""

    def __init__(self, jobs: Sequence[AuditJob], options: RunOptions, watcher: Watcher, signals: Signals) -> None:
        self._jobs, self._options, self._watcher, self._signals = jobs, options, watcher, signals
        self._read = StoredNumbers(options)
        self._found: dict[str, Numbers] = {}
        self._pieces: dict[str, Piece] = {}
        # The tests of this program check that its own runners draw from their generators alone.
        self._foreign = {job.claim.runner for job in jobs if not comes_with_the_program(job.claim.runner)}

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
                    store(options.root, part, _of_part(cell, part, numbers))
                more = yield cell, replace(numbers, series={})


def _of_part(whole: Cell, part: Cell, numbers: Numbers) -> Numbers:
    """The numbers of some of a cell's runs."""
    if part.seeds == whole.seeds or not numbers.outcome.measures:
        return replace(numbers, outcome=replace(numbers.outcome, seeds=part.seeds))
    start = whole.seeds.index(part.seeds[0])
    rows = slice(start, start + len(part.seeds))
    share = len(part.seeds) / len(whole.seeds)
    measures = {name: values[rows] for name, values in numbers.outcome.measures.items()}
    outcome = replace(numbers.outcome, seeds=part.seeds, measures=measures, seconds=numbers.outcome.seconds * share)
    return replace(numbers, outcome=outcome, series={name: rows_of[rows] for name, rows_of in numbers.series.items()})


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
