"""`dlnrepro run --reference`: which claims of a reference must be computed again, and how the reference is updated.

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
from dlnrepro.compute.cell import Cell
from dlnrepro.errors import Unjudged, UsageError
from dlnrepro.session.execution import Job, RunOptions, further_cells


@dataclass(frozen=True)
class Upkeep:
    """The claims of a reference that are out of date, and those that are not.

    Attributes:
        folder: the folder of the reference.
        stored: the reports in it, by the ids of their claims.
        due: the claims to compute, each with the reason.
        current: ids of the selected claims whose reference is up to date.
        gone: ids of claims in the reference that no longer exist.
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
        """The references that are up to date as one report, judged again."""
        whole = joined([self.stored[name] for name in self.current])
        return judged_again(replace(whole, unjudged=[*whole.unjudged, *unjudged]), allow_inconclusive)

    @property
    def reasons(self) -> list[str]:
        """A line for each claim that has to be computed."""
        return [f"{job.claim.id}: {reason}" for job, reason in self.due]


def upkeep(folder: Path, jobs: Sequence[Job], options: RunOptions, whole: bool) -> Upkeep:
    """The claims that must be computed so that the reference of some claims is up to date.

    Args:
        folder: the folder of the reference; it may be missing.
        jobs: the claims that were selected, ready to run.
        options: where and how numbers are computed; without its cache, all claims are computed.
        whole: whether all claims of some folders were selected. If so, a claim without a file no longer exists.

    Raises:
        UsageError: with one line per file of the folder that is not the report of the one claim that its name says.
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


def _seeds(record: ClaimRecord, cell: Cell) -> tuple[int, ...]:
    """The seeds of an arm's runs: those of the record if they only continue the first runs of the arm."""
    left = record.outcomes.get(cell.arm)
    continued = left is not None and left.seeds[: len(cell.seeds)] == cell.seeds
    return left.seeds if left is not None and continued else cell.seeds


def _reason(job: Job, stored: Report | None, here: Environment) -> str | None:
    """Why a claim has to be computed again, or None if its reference is current."""
    if stored is None:
        return "it has no reference yet"
    record = stored.claims[0]
    reasons = ["its file has changed"] if record.claim_hash != job.claim_hash else []
    if job.variation.of(job.claim) != record.variation:
        reasons.append("its reference is of another variation")
    reasons += [words] if (words := stale(record)) is not None else []
    for name in ("processor", "device", "arithmetic"):
        recorded = {getattr(found, name) for found in record.computed_on.values()} - {getattr(here, name)}
        reasons += [f"{name} was {value} and is now {getattr(here, name)}" for value in sorted(recorded)]
    keys = {cell.arm: key_on(replace(cell, seeds=_seeds(record, cell)), here) for cell in job.cells}
    if not reasons and keys != record.cells:
        reasons.append("its arms, parameters or seeds have changed")
    if not reasons and further_cells(job, record.outcomes):
        reasons.append("further runs are needed for its verdict")
    return "; ".join(reasons) or None


def updated(care: Upkeep, report: Report) -> tuple[list[str], list[Unjudged]]:
    """Write the references of the claims of a report, and remove those of claims that no longer exist.

    If an arm of a claim failed, or was stopped by its budget, the reference of the claim stays as it is.

    Args:
        care: the claims of the reference that were out of date.
        report: the new results.

    Returns:
        One line per reference that was changed, and one per reference that could not be written.
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
    """Why the numbers of a claim cannot be a reference, or None."""
    if failed := [arm for arm, left in record.outcomes.items() if left.fault is not None]:
        return f"of an error in arm {failed[0]}"
    if spent := [arm for arm, left in record.outcomes.items() if left.spent]:
        return f"arm {spent[0]} was stopped by its budget"
    return None


def _sum(written: int, same: int, moved: Iterable[str], removed: Iterable[str]) -> str:
    """How a reference was updated, in one line."""
    other = f" (with changed numbers: {', '.join(moved)})" if moved else ""
    gone = f", removed {', '.join(removed)}" if removed else ""
    return f"{written} reference{'s' * (written != 1)} written{other}, {same} unchanged{gone}"
