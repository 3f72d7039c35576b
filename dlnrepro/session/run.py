"""One whole invocation: claims are prepared, computed, judged, and stored as one report."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from dlnrepro.archive.provenance import provenance
from dlnrepro.archive.record import ClaimRecord, Report, compile_report
from dlnrepro.archive.report_store import make_folders, write_report
from dlnrepro.claimfile.catalogue import command_name
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import Unjudged, UsageError
from dlnrepro.registry.functions.reference import is_function
from dlnrepro.session.execution import Job, RunOptions, job_of, run_jobs
from dlnrepro.session.faults import logged
from dlnrepro.session.first_runs import first_runs
from dlnrepro.session.schedule import Watcher, announce_preparation
from dlnrepro.signals import Ended, Signals
from dlnrepro.visible import storable


def jobs_of(claims: Iterable[tuple[Claim, Path]], variation: Variation) -> list[Job]:
    """The jobs that run a variation of checked claims; nothing is trained yet.

    Raises:
        UsageError: the variation cannot be applied to a claim.
    """
    return [
        job_of(claim, path, variation, repeating(path, variation, is_function(claim.runner))) for claim, path in claims
    ]


def repeating(path: Path, variation: Variation, by_path: bool = False) -> str:
    """The command line that runs a claim again in the same variation; `by_path` if its path must be given."""
    return shlex.join(["dlnrepro", "run", command_name(path, by_path), *variation.options])


@dataclass(frozen=True)
class Session:
    """The result of one invocation.

    Attributes:
        report: the report of all claims that were judged.
        folder: where it is stored, or None.
        storage_fault: why the report could not be stored, or None.
    """

    report: Report
    folder: Path | None
    storage_fault: Unjudged | None


def run_and_store(
    jobs: Sequence[Job],
    options: RunOptions,
    watching: AbstractContextManager[Watcher],
    signals: Signals,
    command: Sequence[str],
    started: datetime,
    stop: Callable[[ClaimRecord], bool] = lambda _: False,
    allow_inconclusive: bool = False,
    unjudged: Sequence[Unjudged] = (),
    further: Callable[[Sequence[ClaimRecord]], Sequence[Job]] = lambda _: [],
) -> Session:
    """Compute, judge and store all jobs.

    Args:
        jobs: what to run, all on one device.
        options: how arms are computed.
        watching: is informed of every step.
        signals: the signals that have arrived; a signal ends the computation, and the claims that were judged are
            stored.
        command: the command line, for the record.
        started: when the command began, before it read and imported anything.
        stop: after a record for which this is true, no further job is judged.
        allow_inconclusive: an inconclusive claim does not change the exit code.
        unjudged: the selected files that are not valid claims.
        further: gives the jobs to run next, from the records of the last ones; none when all is done.

    Raises:
        UsageError: the output folder cannot be written. This is checked before anything is trained.
        ClaimError: no claim names only measures that its function returns.
    """
    make_folders(options.root)
    with watching as watcher:
        announce_preparation(watcher)
        # Read before any function of a user is imported, because it may change the environment of this process.
        environment = options.executor.environments(jobs[0].variation.device)[0]
        jobs, wrong = _tried(jobs, options, watcher, signals)
        records, faults = run_jobs(jobs, options, watcher, signals, stop)
        last = records
        while not signals.code and (more := further(last)):
            last, wrong_ones = run_jobs(more, options, watcher, signals, stop)
            records, faults = [*records, *last], [*faults, *wrong_ones]
    unjudged = [*unjudged, *wrong]
    origin = provenance([storable(word) for word in command], started, environment)
    report = compile_report(records, origin, signals.code, allow_inconclusive, [*unjudged, *faults])
    try:
        return Session(report, write_report(options.root, report, datetime.now(UTC)), None)
    except UsageError as error:
        # A disk may become full while networks are trained; the results must still be shown.
        return Session(report, None, Unjudged(2, None, str(error)))
    except Exception as error:
        return Session(
            report, None, Unjudged(3, None, f"the report could not be stored: {logged(error, options.root)}")
        )


def _tried(
    jobs: Sequence[Job], options: RunOptions, watcher: Watcher, signals: Signals
) -> tuple[list[Job], list[Unjudged]]:
    """The jobs with what the first runs of their functions have shown, and the claims that do not fit their function.

    Raises:
        ClaimError: no claim fits its function.
    """
    try:
        seen = first_runs(jobs, options, watcher, signals)
    except Ended:
        return list(jobs), []
    wrong = seen.unjudged(len(jobs))
    for fault in (fault for found in seen.faults.values() for fault in found):
        watcher.says(str(fault))
    tried = {place: job for place, job in enumerate(jobs) if place not in seen.faults}
    for place, found in seen.found.items():
        if place in tried:
            cells = [replace(cell, memory=found.memory) for cell in tried[place].cells]
            cells = [cell if cell.one_by_one else replace(cell, memory=cell.memory * len(cell.seeds)) for cell in cells]
            tried[place] = replace(tried[place], cells=tuple(cells), passed=found.passed, fault=found.fault)
    return list(tried.values()), wrong
