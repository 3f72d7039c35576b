"""Reports on disk, each written whole or not at all, and held against its manifest when it is read.

outputs/cells/                              the numbers of single arms (`dlnrepro.cells`)
outputs/reports/<UTC>-<hash8>/report.json   one run of the program
outputs/reports/<UTC>-<hash8>/verdicts.json how its claims came out, for `dlnrepro list`, which needs no numbers
outputs/reports/<UTC>-<hash8>/SHA256SUMS    its manifest
outputs/latest                              a link to the newest report's folder
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from dlnrepro.atomic import clear_abandoned, reason, write_whole
from dlnrepro.claim import Claim
from dlnrepro.errors import UsageError
from dlnrepro.manifest import NAME as MANIFEST
from dlnrepro.manifest import check_manifest, write_manifest
from dlnrepro.record import ClaimRecord, Report, from_json, to_json

VERDICTS = "verdicts.json"


def prepare(root: Path) -> None:
    """Make the output folders, and refuse a root that cannot be written before anything is trained.

    Raises:
        UsageError: the folder cannot be made or written.
    """
    try:
        for folder in (root / "cells", root / "reports"):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
            clear_abandoned(folder)
    except OSError as error:
        raise UsageError(f"--outputs {root}: expected a folder that can be written, found: {reason(error)}") from None


def write_report(root: Path, report: Report, started: datetime) -> Path:
    """Store a report in a folder of its own, point `latest` at it, and return the folder.

    Raises:
        UsageError: it cannot be written.
    """
    text = to_json(report)
    name = f"{started:%Y%m%dT%H%M%SZ}-{hashlib.sha256(text).hexdigest()[:8]}"
    folder = root / "reports" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: expected a folder that can be made, found: {reason(error)}") from None
    write_whole(folder / "report.json", text)
    last = {record.id: asdict(_last(record)) for record in report.claims}
    write_whole(folder / VERDICTS, json.dumps(last, indent=1).encode() + b"\n")
    write_manifest(folder)
    link = root / "latest"
    fresh = root / f".latest-{os.getpid()}"
    # A file system without links still has every report; only the shortcut is missing.
    with suppress(OSError):
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("reports") / name)
        fresh.replace(link)
    return folder


def read_report(root: Path, name: str | None) -> Report:
    """A stored report: the newest one, one named by its folder, or one at a path.

    Raises:
        UsageError: there is none, what is there is no report, or it is not as its manifest says.
    """
    path = report_path(root, name)
    if path.name == "report.json" and (listed := check_manifest(path.parent)) is not None and path.name not in listed:
        raise UsageError(f"{path.parent / MANIFEST}: expected report.json among its files, found it missing")
    try:
        report = from_json(path.read_bytes())
        for index, record in enumerate(report.claims):
            if fault := _fault(record):
                raise UsageError(f"{path}: expected a report, found a fault in claims.{index}.{fault}")
    except ValidationError as error:
        raise UsageError(f"{path}: expected a report, found a fault in {_first(error)}") from None
    except OSError as error:
        raise UsageError(f"{path}: expected a readable report, found: {reason(error)}") from None
    return report


def _fault(record: ClaimRecord) -> str | None:
    """What keeps a record that has the right form from being judged, or None."""
    try:
        claim = Claim.model_validate(record.claim)
    except ValidationError as error:
        return f"claim.{_first(error)}"
    if claim.id != record.id:
        return f"claim.id: expected '{record.id}', found '{claim.id}'"
    for arm, outcome in record.outcomes.items():
        if any(len(values) != len(outcome.seeds) for values in outcome.measures.values()):
            return f"outcomes.{arm}: expected as many numbers as seeds in every measure"
    figures = {(figure.title, figure.x, figure.y, figure.scale) for figure in claim.figures}
    for index, drawing in enumerate(record.drawings):
        if (drawing.title, drawing.x, tuple(drawing.y), drawing.scale) not in figures:
            return f"drawings.{index}: expected one of the figures of the claim"
        for line in (*drawing.lines, *drawing.references):
            # A reference has no range over runs.
            lengths = {len(values) for values in (line.median, line.low, line.high) if values or values is line.median}
            if lengths != {len(line.positions)}:
                return f"drawings.{index}: expected as many values as positions in every line"
    return None


def _first(error: ValidationError) -> str:
    """The first fault that was found, at its place."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    return f"{place}: {first['msg'].lower()}"


def report_path(root: Path, name: str | None) -> Path:
    """Where a stored report is.

    Raises:
        UsageError: there is none.
    """
    if name is None:
        newest = next(newest_first(root), None)
        if newest is None:
            raise UsageError(f"{root}: expected a stored report, found none; 'dlnrepro run' makes one")
        return newest
    candidates = [Path(name), Path(name) / "report.json", root / "reports" / name / "report.json"]
    if name == "latest":
        candidates.append(root / "latest" / "report.json")
    if (found := next((path for path in candidates if path.is_file()), None)) is None:
        places = " or ".join(map(str, candidates))
        raise UsageError(f"{name}: expected a stored report, or a claim that is in one, found none at {places}")
    return found


@dataclass(frozen=True)
class LastVerdict:
    """How a claim came out the last time, and what it cost."""

    verdict: str
    stamps: tuple[str, ...]
    as_expected: bool
    seconds: float


def last_verdicts(root: Path, limit: int = 20) -> dict[str, LastVerdict]:
    """The newest verdict of each claim, by id, among the last stored reports; unreadable ones are passed over."""
    found: dict[str, LastVerdict] = {}
    for _, path in zip(range(limit), newest_first(root), strict=False):
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            for name, last in json.loads(path.with_name(VERDICTS).read_bytes()).items():
                found.setdefault(name, LastVerdict(**{**last, "stamps": tuple(last["stamps"])}))
    return found


def newest_with(root: Path, claim: str) -> Path | None:
    """The newest stored report that holds a claim; None if there is none. Unreadable ones are passed over."""
    for path in newest_first(root):
        with suppress(OSError, ValueError, TypeError):
            if claim in json.loads(path.with_name(VERDICTS).read_bytes()):
                return path
    return None


def _last(record: ClaimRecord) -> LastVerdict:
    """How a claim of a report came out."""
    return LastVerdict(record.verdict, tuple(record.stamps), record.as_expected, record.seconds)


def newest_first(root: Path) -> Iterator[Path]:
    """The stored reports, the newest first."""
    folder = root / "reports"
    names = sorted(os.listdir(folder), reverse=True) if folder.is_dir() else []
    return (path for name in names if (path := folder / name / "report.json").is_file())
