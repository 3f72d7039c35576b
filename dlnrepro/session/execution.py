"""From claims to records: this module finds or computes the cells of each claim, stores them, and judges the claim."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from dlnrepro.archive.cell_store import cell_key, key_on, read_cell, series_digest, write_cell
from dlnrepro.archive.figure_data import drawings
from dlnrepro.archive.last_results import arm_seconds
from dlnrepro.archive.provenance import code_state, source_hash
from dlnrepro.archive.record import ClaimRecord, record_claim
from dlnrepro.claimfile.declared import whole_settings
from dlnrepro.claimfile.parameters import Derived, resolved, validated
from dlnrepro.claimfile.reach import arm_values
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.arithmetic import Environment
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.parts import batches, following, with_seeds
from dlnrepro.compute.plan import plan
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import Unjudged, UsageError
from dlnrepro.registry.functions.docstring import in_words
from dlnrepro.registry.functions.reference import is_function
from dlnrepro.registry.names import comes_with_the_program, load_runner
from dlnrepro.runner import declared
from dlnrepro.session.faults import logged
from dlnrepro.session.schedule import Watcher, scheduled
from dlnrepro.signals import Ended, Signals
from dlnrepro.verdict.equal_runs import equal_arms
from dlnrepro.verdict.judge import judge
from dlnrepro.verdict.outcome import LARGEST_SEED, Outcome
from dlnrepro.verdict.rule import MOST_RUNS
from dlnrepro.visible import storable

if TYPE_CHECKING:
    # This module imports torch, which a run of stored numbers does not need.
    from dlnrepro.compute.executor import Executor


@dataclass(frozen=True)
class Known:
    """What the record of a claim takes from its runner.

    Attributes:
        meanings: the definition of each measure and series that the claim names.
        formulas: arm -> the settings that are formulas, with their values.
    """

    meanings: Mapping[str, str]
    formulas: Mapping[str, Mapping[str, Derived]]


@dataclass(frozen=True)
class Job:
    """One claim to run: its file with its hash, its variation, and the cells with the first runs of each arm.

    Attributes:
        known: what its record takes from the runner, if that is known already; otherwise the runner is asked.
        passed: whether its runner, a function, gave the same numbers twice in its first run.
        fault: why none of its arms can be computed, or None.
    """

    claim: Claim
    path: Path
    claim_hash: str
    cells: tuple[Cell, ...]
    variation: Variation
    command: str
    known: Known | None = None
    passed: bool = False
    fault: str | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """The claim's id and the name of its variation."""
        return self.claim.id, self.variation.of(self.claim).name


@dataclass(frozen=True)
class RunOptions:
    """How arms are computed.

    Attributes:
        root: the folder for results.
        executor: the object that computes cells.
        cache: whether stored numbers are used, so that an arm is not computed again.
        budget: the time limit of each arm in seconds; None for no limit.
    """

    root: Path
    executor: Executor
    cache: bool = True
    budget: float | None = None


def job_of(
    claim: Claim,
    path: Path,
    variation: Variation,
    command: str,
    cells: Sequence[Cell] | None = None,
    known: Known | None = None,
) -> Job:
    """The job that runs a variation of a claim; nothing is trained yet.

    Args:
        claim: the claim.
        path: its file.
        variation: the variation.
        command: the command line that runs it again.
        cells: the cells with the first runs of each arm, if they are planned already.
        known: what its record takes from the runner, if that is known already.

    Raises:
        UsageError: the variation cannot be applied to the claim.
    """
    claim_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    planned = tuple(plan(claim, variation) if cells is None else cells)
    return Job(claim, path, claim_hash, planned, variation, command, known)


def known_of(job: Job) -> Known:
    """What the record of a job takes from its runner."""
    return job.known or Known(_meanings(job.claim), {cell.arm: _derived(job, cell.arm) for cell in job.cells})


def run_jobs(
    jobs: Sequence[Job],
    options: RunOptions,
    watcher: Watcher,
    signals: Signals,
    stop: Callable[[ClaimRecord], bool] = lambda _: False,
) -> tuple[list[ClaimRecord], list[Unjudged]]:
    """The records of all finished jobs, and the claims that could not be judged because of an error of the program.

    A signal ends the loop early; `signals.code` then says which signal.

    Args:
        jobs: what to run, in order.
        options: how arms are computed.
        watcher: is informed of every step.
        signals: the signals that have arrived.
        stop: after a record for which this is true, no further job is judged.
    """
    records: dict[int, ClaimRecord] = {}
    unjudged: list[Unjudged] = []
    try:
        with closing(_judged(jobs, options, watcher, signals)) as judged:
            for place, record in judged:
                if isinstance(record, Unjudged):
                    unjudged.append(record)
                    watcher.says(record.text)
                    continue
                records[place] = record
                watcher.claim_ends(record)
                if stop(record):
                    break
    except Ended:
        pass
    except Exception as error:
        unjudged.append(Unjudged(3, None, logged(error, options.root)))
        watcher.says(unjudged[-1].text)
    return [record for _, record in sorted(records.items(), key=itemgetter(0))], unjudged


def _judged(
    jobs: Sequence[Job], options: RunOptions, watcher: Watcher, signals: Signals
) -> Generator[tuple[int, ClaimRecord | Unjudged]]:
    """The index and the record of each job, as soon as the job is decided."""
    # The tests of this program check that its own runners draw from their generators alone.
    foreign = {
        job.claim.located_runner for job in jobs if not comes_with_the_program(job.claim.runner) and not job.passed
    }
    stored = StoredNumbers(options, {key: fault for job in jobs for key, fault in _faults(job).items()})

    def keep(cell: Cell, numbers: Numbers) -> None:
        """Store the numbers; a runner that was checked once is not checked again in a later round."""
        store(options.root, cell, numbers)
        foreign.discard(cell.runner)

    numbers_by_job = scheduled(
        [job.cells for job in jobs],
        lambda cells: options.executor.compute(cells, watcher, signals, options.budget, foreign),
        watcher,
        _last_seconds(jobs, options.root),
        stored,
        keep,
        lambda place, numbers: further_cells(jobs[place], _outcomes(numbers), options.budget),
    )
    with closing(numbers_by_job):
        for place, numbers in numbers_by_job:
            job = jobs[place]
            try:
                final = _whole(job.claim, stopped(job, numbers, options.budget))
                yield place, _record(job, final, cached=not stored.used.isdisjoint(_keys(job, numbers)))
            except Exception as error:
                line = f"{job.claim.id}: could not be judged, because of {logged(error, options.root)}"
                yield place, Unjudged(3, storable(str(job.path)), storable(line))


def _faults(job: Job) -> dict[str, str]:
    """Why the arms of a job cannot be computed: key of a cell -> its fault; nothing if they can."""
    if job.fault is None:
        return {}
    first, *others = job.cells
    again = f"not computed, for the reason that the arm {first.arm} has"
    return {**{cell.key: again for cell in others}, first.key: job.fault}


def _whole(claim: Claim, numbers: Mapping[str, Numbers]) -> Mapping[str, Numbers]:
    """The numbers of a claim's arms; an arm without a measure that the claim names has a fault instead.

    A function may return other numbers in another arm than in the first one.
    """
    named = {name for item in (*claim.assumptions, *claim.criteria) for name in item.named}
    named = {name for name in named if name.partition(".")[0] not in claim.setup}
    found = dict(numbers)
    for arm, of_arm in numbers.items():
        outcome = of_arm.outcome
        if outcome.measures and (missing := sorted(named - outcome.measures.keys())):
            fault = f"expected {', '.join(missing)} from the runner, found only {', '.join(sorted(outcome.measures))}"
            found[arm] = Numbers(replace(outcome, measures={}, fault=fault), {})
    return found


def further_cells(job: Job, outcomes: Mapping[str, Outcome], budget: float | None = None) -> list[Cell]:
    """The next batch of runs for each arm of a job that is still in doubt; none if its verdict stands.

    Args:
        job: the job.
        outcomes: the outcomes of its arms so far.
        budget: the seconds that an arm may take; an arm that has used them up gets no further runs.
    """
    return [cell for cell in _wanted(job, outcomes) if not _used_up(outcomes[cell.arm], budget)]


def stopped(job: Job, numbers: Mapping[str, Numbers], budget: float | None) -> Mapping[str, Numbers]:
    """The numbers of a job's arms, where an arm that is in doubt and has used up its budget counts as stopped."""
    outcomes = _outcomes(numbers)
    if not any(_used_up(outcome, budget) for outcome in outcomes.values()):
        return numbers
    left = {cell.arm for cell in _wanted(job, outcomes) if _used_up(outcomes[cell.arm], budget)}
    return {
        arm: replace(found, outcome=replace(found.outcome, spent=True)) if arm in left else found
        for arm, found in numbers.items()
    }


def _wanted(job: Job, outcomes: Mapping[str, Outcome]) -> list[Cell]:
    """The next batch of runs for each arm that is in doubt, whatever its budget; none if the number is fixed."""
    if job.variation.fixed:
        return []
    cells = {cell.arm: cell for cell in job.cells}
    params = {arm: cell.params for arm, cell in cells.items()}
    try:
        in_doubt = judge(job.claim, outcomes, controls=job.variation.controls, last=False, params=params).in_doubt
    except Exception:
        return []  # the record is made next, by the same judgement, and says what is wrong
    more = (next_batch(cells[arm], outcomes[arm].seeds) for arm in in_doubt)
    return [cell for cell in more if cell is not None]


def _outcomes(numbers: Mapping[str, Numbers]) -> dict[str, Outcome]:
    """The outcome of each arm."""
    return {arm: found.outcome for arm, found in numbers.items()}


def _used_up(outcome: Outcome, budget: float | None) -> bool:
    """Whether an arm has taken as long as it may."""
    return budget is not None and outcome.seconds >= budget


def next_batch(cell: Cell, done: Sequence[int]) -> Cell | None:
    """The next batch of an arm's runs after those that are done, or None if there are no more seeds.

    Args:
        cell: the first batch of the arm.
        done: the seeds of all runs so far.
    """
    first = done[-1] + 1
    count = min(following(len(cell.seeds), len(done)), MOST_RUNS - len(done), LARGEST_SEED - first + 1)
    return with_seeds(cell, tuple(range(first, first + count))) if count > 0 else None


class StoredNumbers:
    """The stored numbers that the executor would compute again bitwise identically.

    Attributes:
        used: the keys of the cells whose stored numbers were used.
    """

    def __init__(self, options: RunOptions, faults: Mapping[str, str] | None = None) -> None:
        """Read from the store of some options.

        Args:
            options: where numbers are stored, and whether they are used.
            faults: the key of a cell that cannot be computed -> why.
        """
        self._options = options
        self._faults = faults or {}
        self._environments: dict[str, Sequence[Environment]] = {}
        self._sources: dict[str, str] = {}
        self.used: set[str] = set()

    def __call__(self, cell: Cell) -> Numbers | None:
        """The stored numbers of a cell, or why there are none; None if it must be computed."""
        if (fault := self._faults.get(cell.key)) is not None:
            return Numbers(Outcome(cell.seeds, {}, fault), {})
        if not self._options.cache:
            return None
        if cell.device not in self._environments:
            self._environments[cell.device] = self._options.executor.environments(cell.device)
        for environment in self._environments[cell.device]:
            key = key_from(cell, environment, self._source(cell.runner))
            if (numbers := read_cell(self._options.root, key, cell)) is not None:
                self.used.add(cell.key)
                return numbers
        return None

    def _source(self, runner: str) -> str:
        """The hash of a runner's sources, once; numbers of edited sources are not read, since these contain it too."""
        if runner not in self._sources:
            self._sources[runner] = source_hash(runner)
        return self._sources[runner]


def key_from(cell: Cell, environment: Environment, source: str) -> str:
    """The key of the numbers of a cell that an environment computes, given the hash of the runner's sources."""
    return cell_key(cell.runner, cell.params, cell.seeds, environment, source, cell.flaw, cell.contents)


def _keys(job: Job, numbers: Mapping[str, Numbers]) -> set[str]:
    """The keys of all batches of a job's arms."""
    keys = set()
    for cell in job.cells:
        keys |= {batch.key for batch in batches(cell, numbers[cell.arm].outcome.seeds)}
    return keys


def store(root: Path, cell: Cell, numbers: Numbers) -> None:
    """Store the numbers of a completed cell, under the key of the environment that computed them."""
    if numbers.computed_on is not None:
        # On a full disk the numbers are still in memory. If the report cannot be stored either, that is reported.
        with suppress(UsageError):
            write_cell(root, key_on(cell, numbers.computed_on), cell, numbers)


def _last_seconds(jobs: Sequence[Job], root: Path) -> dict[str, float]:
    """The last computing times of the cells of some jobs, by their keys; cells without a known time are left out."""
    last = arm_seconds(root, [job.identity for job in jobs])
    times = [(cell.key, last.get(job.identity, {}).get(cell.arm)) for job in jobs for cell in job.cells]
    return {key: seconds for key, seconds in times if seconds is not None}


def _record(job: Job, numbers: Mapping[str, Numbers], cached: bool) -> ClaimRecord:
    """The record of a job whose cells all have numbers."""
    computed_on = {arm: found.computed_on for arm, found in numbers.items() if found.computed_on is not None}
    whole = [replace(cell, seeds=numbers[cell.arm].outcome.seeds) for cell in job.cells if cell.arm in computed_on]
    source = source_hash(job.claim.located_runner)
    cells = {cell.arm: key_from(cell, computed_on[cell.arm], source) for cell in whole}
    known = known_of(job)
    _, dirty = code_state()
    stamps = job.variation.stamps(job.claim) + ["cached"] * cached
    stamps += ["equal-runs"] * (is_function(job.claim.runner) and bool(equal_arms(_outcomes(numbers))))
    stamps += ["dirty"] if dirty else ["unknown code"] if dirty is None else []
    return record_claim(
        job.claim,
        _outcomes(numbers),
        variation=job.variation,
        stamps=stamps,
        params={cell.arm: cell.params for cell in job.cells},
        cells=cells,
        computed_on=computed_on,
        digests={arm: series_digest(numbers[arm].series) for arm in computed_on},
        drawings=drawings(job.claim, {arm: found.series for arm, found in numbers.items()}),
        meanings=known.meanings,
        command=storable(job.command),
        path=storable(str(job.path)),
        claim_hash=job.claim_hash,
        runner_hash=source,
        formulas=known.formulas,
        files={cell.arm: cell.contents for cell in job.cells},
    )


def _derived(job: Job, arm: str) -> dict[str, Derived]:
    """The settings of an arm that are formulas, with their values."""
    values = arm_values(job.claim, arm, job.variation.overrides, job.variation.quick)
    return resolved(load_runner(job.claim.located_runner).Params, values).derived


def _meanings(claim: Claim) -> dict[str, str]:
    """The runner's descriptions of the measures and series that a claim names, so that a report needs no runner."""
    runner = load_runner(claim.located_runner)
    known = declared(runner, validated(runner.Params, whole_settings(claim, runner.Params)))
    tests = (*claim.assumptions, *claim.criteria)
    named = {name for item in tests for name in item.named}
    named |= {name for figure in claim.figures for name in (figure.x, *figure.y, figure.reference) if name}
    meanings = {**(known.measures or {}), **{name: series.says for name, series in (known.series or {}).items()}}
    if known.measures is None:
        drawn = {name for figure in claim.figures for name in (figure.x, *figure.y, figure.reference) if name}
        meanings |= {**{name: in_words(name) for name in drawn}, **runner.MEASURES}
    return {name: meanings[name] for name in sorted(named) if name in meanings}
