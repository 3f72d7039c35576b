"""`dlnrepro audit --reference`: which claims of a table of audits must be audited again, and how it is updated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dlnrepro.archive.audits import AuditRecord, out_of_date, read_summaries, remove_summary, write_summary
from dlnrepro.archive.reference_verdicts import FOLDER
from dlnrepro.archive.references import numbers_by
from dlnrepro.errors import Unjudged, UsageError
from dlnrepro.registry.sources import source_hash
from dlnrepro.session.audit_job import AuditJob


@dataclass(frozen=True)
class TableUpkeep:
    """The claims of a table of audits that are out of date, and those that are not.

    Attributes:
        folder: the folder of the table.
        stored: the audits in it, by the ids of their claims.
        due: the claims to audit, each with the reason.
        gone: ids of claims in the table that no longer exist.
    """

    folder: Path
    stored: dict[str, AuditRecord]
    due: list[tuple[AuditJob, str]]
    gone: list[str]

    @property
    def jobs(self) -> list[AuditJob]:
        """The claims to audit."""
        return [job for job, _ in self.due]

    @property
    def reasons(self) -> list[str]:
        """A line for each claim that has to be audited."""
        return [f"{job.claim.id}: {reason}" for job, reason in self.due]

    def with_current(self, jobs: Sequence[AuditJob], records: Sequence[AuditRecord]) -> list[AuditRecord]:
        """The new audits together with those that are up to date, in the order of the jobs."""
        found = {record.id: record for record in records}
        left = {job.claim.id for job, _ in self.due}
        current = {name: record for name, record in self.stored.items() if name not in left}
        known = {**current, **found}
        return [known[job.claim.id] for job in jobs if job.claim.id in known]


def table_upkeep(folder: Path, jobs: Sequence[AuditJob], cache: bool, whole: bool) -> TableUpkeep:
    """The claims that must be audited so that a table of audits is up to date.

    The reference next to the table says whether changed sources still give the same numbers.

    Args:
        folder: the folder of the table; it may be missing.
        jobs: the claims that were selected, ready to run.
        cache: whether stored numbers are used; without them, all claims are audited.
        whole: whether all claims were selected. If so, a claim without a file no longer exists.

    Raises:
        UsageError: with one line per file of the folder that is not an audit.
    """
    stored = read_summaries(folder)
    due = []
    for job in jobs:
        found, sources = stored.get(job.claim.id), source_hash(job.claim.located_runner)
        numbers = numbers_by(folder.parent / FOLDER, job.claim.id, sources)
        reason = out_of_date(found, job.claim, sources, job.runs, job.seed_base, numbers)
        if reason is None and not cache:
            reason = "--no-cache audits every claim again"
        if reason is not None:
            due.append((job, reason))
    selected = {job.claim.id for job in jobs}
    gone = [name for name, record in stored.items() if name not in selected and not Path(record.path).exists()]
    return TableUpkeep(folder, stored, due, gone if whole else [])


def lasting(record: AuditRecord) -> str | None:
    """Why an audit does not belong into a table, or None."""
    return "of an error in an arm" if record.exit_code == 3 else None


def update(care: TableUpkeep, record: AuditRecord) -> str | None:
    """Write the audit of a claim into the table; gives a line about it, or None if nothing has changed.

    Raises:
        UsageError: it cannot be written.
    """
    if (lack := lasting(record)) is not None:
        return f"{care.folder / record.id}.json: not written, because {lack}"
    record = replace(record, numbers=numbers_by(care.folder.parent / FOLDER, record.id, record.runner_hash))
    return f"{care.folder / record.id}.json: written" if write_summary(care.folder, record) else None


def clear_gone(care: TableUpkeep) -> list[Unjudged]:
    """Remove the audits of claims that no longer exist; gives what could not be removed."""
    lost = []
    for name in care.gone:
        try:
            remove_summary(care.folder, name)
        except UsageError as error:
            lost.append(Unjudged(2, None, str(error)))
    return lost
