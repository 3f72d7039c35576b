"""A reference: a folder with one report per claim, <id>.json, which later reports are compared with.

A reference is kept under version control, so a file changes only if its claim changes. Facts that differ in every
report and are not compared are left out: the command line, dates, memory, the commit, and the labels that say where the
numbers come from. Times are rounded. The times in a file are kept if nothing else changes, or if the claim took about
as long as before. The keys of the numbers are kept, since they decide whether the numbers are still valid. A reference
has no manifest, because version control keeps the hash of every file.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from dlnrepro.archive.comparison import same_bits
from dlnrepro.archive.provenance import Provenance
from dlnrepro.archive.record import ClaimRecord, Report, compile_report, from_json, to_json
from dlnrepro.archive.report_store import read_reports
from dlnrepro.errors import UsageError
from dlnrepro.files import clear_abandoned, reason, write_whole

_OF_ONE_RUN = frozenset({"cached", "dirty", "unknown code"})
"""Labels that say where the numbers of one report come from, and not what was run."""

_DIGITS = 2
"""Significant digits of a time."""

_NOISE = 1.5
"""A claim whose time is more than this many times longer, or shorter, has become slower or faster."""


@dataclass(frozen=True)
class Written:
    """How the reference of a claim was updated.

    Attributes:
        changed: whether the file was written; it is not written if its contents stay the same.
        moved: whether there was a reference before, and a number, a series or the verdict has changed.
    """

    changed: bool
    moved: bool


def read_references(folder: Path) -> dict[str, Report]:
    """The reports of a reference, by the ids of their claims; none if the folder does not exist yet.

    Raises:
        UsageError: with one line per file that is not the report of the one claim that its name says.
    """
    reports = read_reports(folder)
    wrong = []
    for name, report in reports.items():
        claim = name.removesuffix(".json")
        if [record.id for record in report.claims] != [claim]:
            found = ", ".join(f"'{record.id}'" for record in report.claims[:3]) or "no claim"
            more = len(report.claims) - 3
            found += f" and {more} more" if more > 0 else ""
            wrong.append(f"{folder / name}: expected a report of the claim '{claim}' alone, found {found}")
    if wrong:
        raise UsageError(*wrong)
    return {name.removesuffix(".json"): report for name, report in reports.items()}


def numbers_digest(record: ClaimRecord) -> str:
    """The SHA-256 of all measures, bit by bit, and of all series of a claim."""
    measures = {arm: [outcome.seeds, dict(outcome.measures)] for arm, outcome in record.outcomes.items()}
    text = json.dumps([measures, dict(record.digests)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def numbers_by(folder: Path, claim: str, runner_hash: str) -> str:
    """The digest of the numbers in a claim's reference, if they were made by these sources; else an empty text."""
    try:
        (record,) = from_json(reference_path(folder, claim).read_bytes()).claims
    except (OSError, ValidationError, ValueError):
        return ""
    return numbers_digest(record) if record.runner_hash == runner_hash else ""


def reference_path(folder: Path, claim: str) -> Path:
    """The file of the reference of a claim, by the claim's id."""
    return folder / f"{claim}.json"


def write_reference(folder: Path, record: ClaimRecord, made: Provenance, before: Report | None) -> Written:
    """Store the reference of a claim, unless the stored one says the same.

    Args:
        folder: the folder of the references; it is made if it does not exist.
        record: the claim with its numbers and its verdict.
        made: the provenance of the record.
        before: the stored reference, or None.

    Raises:
        UsageError: it cannot be written.
    """
    now = from_json(to_json(as_reference(record, made)))
    if before is not None and before.claims[0].outcomes.keys() == record.outcomes.keys():
        timed = _with_times(now, before.claims[0])
        if timed == before:
            return Written(changed=False, moved=False)
        now = timed if _same_times(before.claims[0].seconds, now.claims[0].seconds) else now
    write_with_folder(reference_path(folder, record.id), to_json(now))
    return Written(changed=True, moved=before is not None and _numbers_differ(before.claims[0], now.claims[0]))


def as_reference(record: ClaimRecord, made: Provenance) -> Report:
    """A claim as its reference contains it: without facts that differ in every report, and with rounded times."""
    outcomes = {
        arm: replace(outcome, seconds=float(f"{outcome.seconds:.{_DIGITS}g}"))
        for arm, outcome in record.outcomes.items()
    }
    seconds = sum(outcome.seconds for outcome in outcomes.values())
    lasting = replace(
        record,
        stamps=[stamp for stamp in record.stamps if stamp not in _OF_ONE_RUN],
        outcomes=outcomes,
        seconds=float(f"{seconds:.{_DIGITS}g}"),
    )
    return compile_report([lasting], _lasting(made), None, allow_inconclusive=False)


def _lasting(made: Provenance) -> Provenance:
    """The entries of a provenance that can change a number, and the system."""
    kept = Provenance()
    for name in ("versions", "processor", "threads", "device", "arithmetic", "platform"):
        if name in made:
            kept[name] = made[name]
    return kept


def _same_times(before: float, now: float) -> bool:
    """Whether a claim took as long as before, up to noise."""
    return before <= _NOISE * now and now <= _NOISE * before


def _with_times(report: Report, before: ClaimRecord) -> Report:
    """The report of a claim with the times of an older record, which has the same arms."""
    (record,) = report.claims
    outcomes = {arm: replace(left, seconds=before.outcomes[arm].seconds) for arm, left in record.outcomes.items()}
    return replace(report, claims=[replace(record, outcomes=outcomes, seconds=before.seconds)])


def _numbers_differ(first: ClaimRecord, second: ClaimRecord) -> bool:
    """Whether the verdict or the arms differ, or whether a number or a series is not bitwise identical."""
    arms = first.outcomes.keys()
    return (
        first.verdict != second.verdict
        or arms != second.outcomes.keys()
        or any(not same_bits(first, second, arm) for arm in arms)
    )


def write_with_folder(path: Path, text: bytes) -> None:
    """Write a file of a folder that is kept under version control; the folder is made if it does not exist.

    Raises:
        UsageError: the folder cannot be made, or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path.parent}: expected a folder that can be made, found: {reason(error)}") from None
    clear_abandoned(path.parent)
    write_whole(path, text)


def remove_reference(folder: Path, claim: str) -> None:
    """Remove the reference of a claim.

    Raises:
        UsageError: it cannot be removed.
    """
    path = reference_path(folder, claim)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path}: expected a file that can be removed, found: {reason(error)}") from None
