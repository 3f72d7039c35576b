"""A whole run: claims made ready, trained, judged, and stored as one report; what the command line and Python share."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dlnrepro.archive.provenance import provenance
from dlnrepro.archive.record import ClaimRecord, Report, compile_report
from dlnrepro.archive.report_store import prepare, write_report
from dlnrepro.claimfile.catalogue import command_name
from dlnrepro.claimfile.document import parse
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.plan import Variation
from dlnrepro.errors import Unjudged, UsageError
from dlnrepro.session.execution import Job, Means, Watcher, arithmetic_of, prepare_job, run_jobs
from dlnrepro.session.faults import logged
from dlnrepro.signals import Signals
from dlnrepro.visible import storable


def prepared(claims: Iterable[tuple[Claim, Path]], variation: Variation) -> list[Job]:
    """Claims that were held against their runners, made ready to run; nothing is trained yet.

    Raises:
        UsageError: the variation cannot be applied to a claim.
    """
    return [prepare_job(claim, path, variation, repeating(path, variation)) for claim, path in claims]


def repeating(path: Path, variation: Variation) -> str:
    """The command line that runs a claim again in the same variation."""
    words = ["dlnrepro", "run", command_name(path)]
    words += [word for key, value in variation.overrides.items() for word in ("-s", f"{key}={_shown(value)}")]
    words += ["--seeds", str(variation.seeds)] if variation.seeds else []
    words += ["--seed-base", str(variation.seed_base)] if variation.seed_base else []
    words += ["--quick"] if variation.quick else []
    words += [] if variation.controls else ["--no-controls"]
    words += ["--device", variation.device] if variation.device != "cpu" else []
    return shlex.join(words)


@dataclass(frozen=True)
class Session:
    """What a whole run leaves.

    Attributes:
        report: of all claims that were judged.
        folder: where it is stored, or None.
        fault: what kept it from being stored, or None.
    """

    report: Report
    folder: Path | None
    fault: Unjudged | None


def carried_out(
    jobs: Sequence[Job],
    means: Means,
    watching: AbstractContextManager[Watcher],
    signals: Signals,
    command: Sequence[str],
    started: datetime,
    stop: Callable[[ClaimRecord], bool] = lambda _: False,
    allow_inconclusive: bool = False,
    unjudged: Sequence[Unjudged] = (),
) -> Session:
    """Compute, judge and store all jobs.

    Args:
        jobs: what to run, all on one device.
        means: how cells are come by.
        watching: hears of every step.
        signals: those that have arrived; one of them ends the run, and what was judged is stored.
        command: the command line, for the record.
        started: when the command began, with all that it had to read and import.
        stop: after a record for which this is true, no further job is judged.
        allow_inconclusive: an inconclusive claim does not change the exit code.
        unjudged: what was selected with the jobs and is no valid claim.

    Raises:
        UsageError: the output folder cannot be written; before anything is trained.
    """
    prepare(means.root)
    with watching as watcher:
        records, faults = run_jobs(jobs, means, watcher, signals, stop)
    origin = provenance([storable(word) for word in command], started, jobs[0].variation.device, arithmetic_of(means))
    report = compile_report(records, origin, signals.code, allow_inconclusive, [*unjudged, *faults])
    try:
        return Session(report, write_report(means.root, report, datetime.now(UTC)), None)
    except UsageError as error:
        # A disk may fill while networks are trained; what came out is still to be shown.
        return Session(report, None, Unjudged(2, None, str(error)))
    except Exception as error:
        return Session(report, None, Unjudged(3, None, f"the report could not be stored: {logged(error, means.root)}"))


def _shown(value: object) -> str:
    """A parameter's value on one line, such that it is read back as it is."""
    plain = isinstance(value, str) and parse(value).value == value
    return str(value) if plain else json.dumps(value, default=str)
