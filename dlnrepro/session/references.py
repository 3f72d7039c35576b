"""`dlnrepro run --reference`: which claims of a reference have to be computed again, and the reference after the run.

The reference of a claim is current if nothing that could change a number, a verdict or a figure of it has changed:
the claim's file, the keys of its arms (the sources of the runner with all that they import, parameters, seeds,
versions, processor, device, modes of the math libraries), and the variation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dlnrepro.archive.cell_store import key_on
from dlnrepro.archive.joining import joined
from dlnrepro.archive.record import ClaimRecord, Report, judged_again, origin
from dlnrepro.archive.references import read_references, reference_path, remove_reference, write_reference
from dlnrepro.archive.staleness import stale
from dlnrepro.compute.arithmetic import Environment
from dlnrepro.errors import Unjudged, UsageError
from dlnrepro.session.execution import Job, RunOptions


@dataclass(frozen=True)
class Upkeep:
    """What has to be done so that a reference is current.

    Attributes:
        folder: of the reference.
        stored: the reports in it, by the ids of their claims.
        due: the claims to compute, with the reason of each.
        current: ids of the claims that were selected and are current.
        gone: ids of claims that are in the reference and exist no more.
    """

    folder: Path
    stored: dict[str, Report]
    due: list[tuple[Job, str]]
    current: list[str]
    gone: list[str]

    @property
    def jobs(self) -> list[Job]:
        """The claims to compute."""
        return [job for job, _ in self.due]

    def unchanged(self, allow_inconclusive: bool, unjudged: Iterable[Unjudged]) -> Report:
        """The references of the claims that are current as one report, judged again."""
        whole = joined([self.stored[name] for name in self.current])
        return judged_again(replace(whole, unjudged=[*whole.unjudged, *unjudged]), allow_inconclusive)

    @property
    def reasons(self) -> list[str]:
        """A line for each claim that has to be computed."""
        return [f"{job.claim.id}: {reason}" for job, reason in self.due]


def upkeep(folder: Path, jobs: Sequence[Job], options: RunOptions, whole: bool) -> Upkeep:
    """What has to be done so that a folder holds the current reference of some claims.

    Args:
        folder: of the reference; it need not be there.
        jobs: the claims that were selected, ready to run.
        options: where and how numbers are computed; without its cache, all claims are due.
        whole: whether all claims of some folders were selected: only then a claim without a file is known to be gone.

    Raises:
        UsageError: with a line for each file of the folder that is no report of one claim, the one that its name says.
    """
    stored = read_references(folder)
    here = {job.variation.device: options.executor.environments(job.variation.device)[0] for job in jobs}
    found = {job.claim.id: _reason(job, stored.get(job.claim.id), here[job.variation.device]) for job in jobs}
    if not options.cache:
        found = {name: reason or "--no-cache computes every claim again" for name, reason in found.items()}
    due = [(job, reason) for job in jobs if (reason := found[job.claim.id]) is not None]
    gone = [name for name, report in stored.items() if name not in found and not Path(report.claims[0].path).exists()]
    current = [name for name, reason in found.items() if reason is None]
    return Upkeep(folder, stored, due, current, gone if whole else [])


def _reason(job: Job, stored: Report | None, here: Environment) -> str | None:
    """Why a claim has to be computed again, or None where its reference is current."""
    if stored is None:
        return "it has no reference yet"
    record = stored.claims[0]
    reasons = ["its file has changed"] if record.claim_hash != job.claim_hash else []
    if job.variation.of(job.claim) != record.variation:
        reasons.append("its reference is of another variation")
    reasons += [words] if (words := stale(record)) is not None else []
    for name in ("processor", "device", "arithmetic"):
        recorded = {getattr(found, name) for found in record.computed_on.values()} - {getattr(here, name)}
        reasons += [f"{name} {value} then, {getattr(here, name)} now" for value in sorted(recorded)]
    keys = {cell.arm: key_on(cell, here) for cell in job.cells}
    if not reasons and keys != record.cells:
        reasons.append("its arms, parameters or seeds have changed")
    return "; ".join(reasons) or None


def updated(care: Upkeep, report: Report) -> tuple[list[str], list[Unjudged]]:
    """Write the references of the claims of a report, and remove those of claims that exist no more.

    The reference of a claim of which an arm failed, or was stopped by its budget, stays as it is.

    Args:
        care: what had to be done.
        report: what came out.

    Returns:
        What was done, one line each, and what could not be written.
    """
    lines: list[str] = []
    lost: list[Unjudged] = []
    written, same, moved, removed = 0, len(care.current), [], []
    for record in report.claims:
        if record.id in care.current:
            continue
        if (lack := _lack(record)) is not None:
            lines.append(f"{reference_path(care.folder, record.id)}: not written, because {lack}")
            continue
        try:
            done = write_reference(care.folder, record, origin(report, record), care.stored.get(record.id))
        except UsageError as error:
            lost.append(Unjudged(2, None, str(error)))
            continue
        written, same = written + done.changed, same + (not done.changed)
        moved += [record.id] if done.moved else []
    for name in care.gone:
        try:
            remove_reference(care.folder, name)
            removed.append(name)
        except UsageError as error:
            lost.append(Unjudged(2, None, str(error)))
    lines.append(f"{care.folder}: {_sum(written, same, moved, removed)}")
    return lines, lost


def _lack(record: ClaimRecord) -> str | None:
    """Why the numbers of a claim are no reference, or None."""
    if failed := [arm for arm, left in record.outcomes.items() if left.fault is not None]:
        return f"of an error in arm {failed[0]}"
    if spent := [arm for arm, left in record.outcomes.items() if left.spent]:
        return f"arm {spent[0]} was stopped by its budget"
    return None


def _sum(written: int, same: int, moved: Iterable[str], removed: Iterable[str]) -> str:
    """What became of a reference, in a line."""
    other = f" (with other numbers: {', '.join(moved)})" if moved else ""
    gone = f", removed {', '.join(removed)}" if removed else ""
    return f"{written} reference{'s' * (written != 1)} written{other}, {same} unchanged{gone}"
