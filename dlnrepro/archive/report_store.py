"""Reports on disk. Each is written completely or not at all, and is checked against its manifest when it is read.

outputs/cells/                              the numbers of single arms (`dlnrepro.archive.cell_store`)
outputs/reports/<UTC>-<hash8>/report.json   one report, named by the time at which it ended
outputs/reports/<UTC>-<hash8>/verdicts.json its verdicts, for `dlnrepro list`, which needs no numbers
outputs/reports/<UTC>-<hash8>/SHA256SUMS    its manifest
outputs/last/<id>.json                      the last results of a claim (`dlnrepro.archive.last_results`)
outputs/latest                              a link to the newest report's folder

A folder whose `*.json` are all reports is read as one report of all their claims.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dlnrepro.archive.joining import joined
from dlnrepro.archive.last_results import FOLDER as LAST
from dlnrepro.archive.last_results import VERDICTS, LastVerdict, all_results, newest_first, remember
from dlnrepro.archive.manifest import NAME as MANIFEST
from dlnrepro.archive.manifest import check_manifest, write_manifest
from dlnrepro.archive.record import ClaimRecord, Report, from_json, repeated_claims, to_json
from dlnrepro.claimfile.schema import Claim
from dlnrepro.errors import LONGEST_PATH, UsageError
from dlnrepro.files import clear_abandoned, reason, write_whole
from dlnrepro.verdict.outcome import LARGEST_SEED
from dlnrepro.visible import on_one_line


def make_folders(root: Path) -> None:
    """Make the output folders. A root that cannot be written is refused before anything is trained.

    Raises:
        UsageError: the folder cannot be made or written.
    """
    try:
        for folder in (root / "cells", root / "reports"):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        for folder in (*(root / name for name in ("cells", "reports", LAST)), *(root / "reports").glob("*/")):
            clear_abandoned(folder)
    except OSError as error:
        raise UsageError(f"--outputs {root}: expected a folder that can be written, found: {reason(error)}") from None


def write_report(root: Path, report: Report, ended: datetime) -> Path:
    """Store a report in a folder of its own, point `latest` at it, and return the folder.

    Args:
        root: the outputs folder.
        report: the report to store.
        ended: when the computation ended; the names of reports sort in this order.

    Raises:
        UsageError: it cannot be written.
    """
    text = to_json(report)
    name = f"{ended:%Y%m%dT%H%M%S.%fZ}-{hashlib.sha256(text).hexdigest()[:8]}"
    folder = root / "reports" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: expected a folder that can be made, found: {reason(error)}") from None
    write_whole(folder / "report.json", text)
    last = {record.identity: _last(record) for record in report.claims}
    write_whole(folder / VERDICTS, json.dumps(_by_claim(last), indent=1).encode() + b"\n")
    write_manifest(folder)
    _point_at(root, name)
    _remember(root, last)
    return folder


def _by_claim(results: Mapping[tuple[str, str], LastVerdict]) -> dict[str, dict[str, Any]]:
    """The contents of verdicts.json: a claim's id -> the name of a variation -> the result."""
    rows: dict[str, dict[str, Any]] = {}
    for (claim, variation), last in results.items():
        rows.setdefault(claim, {})[variation] = asdict(last)
    return rows


def _point_at(root: Path, name: str) -> None:
    """Point `latest` at a report; on a file system without links, the newest report is the last by name."""
    link, fresh = root / "latest", root / f".latest-{os.getpid()}"
    try:
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("reports") / name)
        fresh.replace(link)
    except OSError:
        # A missing link is better than a link to an older report.
        with suppress(OSError):
            link.unlink(missing_ok=True)


def _remember(root: Path, results: Mapping[tuple[str, str], LastVerdict]) -> None:
    """Store the last results of some claims, and before them the results in reports of an older version."""
    with suppress(UsageError):
        if not (root / LAST).is_dir():
            older = {(claim, name): last for claim, found in all_results(root).items() for name, last in found.items()}
            remember(root, dict(sorted(older.items(), key=lambda entry: entry[1].order)))
        remember(root, results)


def read_report(root: Path, name: str | None) -> Report:
    """A stored report: the newest report, a report named by its folder or its path, or all reports of a folder as one.

    Raises:
        UsageError: there is no report, it cannot be read, or it differs from its manifest.
    """
    path = report_path(root, name)
    return joined(list(read_reports(path).values())) if path.is_dir() else _read(path)


def read_reports(folder: Path) -> dict[str, Report]:
    """The reports in a folder, by the names of their files, in the order of these names.

    Raises:
        UsageError: with one line per file that is not a report, that differs from its manifest, or that contains a
            claim of another file.
    """
    reports: dict[str, Report] = {}
    places: dict[str, Path] = {}
    wrong: list[str] = []
    for path in report_files(folder):
        try:
            reports[path.name] = report = _read(path)
        except UsageError as error:
            wrong.append(str(error))
            continue
        twice = [(record.label, places[record.label]) for record in report.claims if record.label in places]
        wrong += [
            f"{path}: expected each claim once per variation, found '{name}' also in {other}" for name, other in twice
        ]
        places |= {record.label: path for record in report.claims}
    if wrong:
        raise UsageError(*wrong)
    return reports


def report_files(folder: Path) -> list[Path]:
    """The files of a folder that are read as reports, sorted by name: all `*.json` that are not hidden."""
    return sorted(path for path in folder.glob("*.json") if path.is_file() and not path.name.startswith("."))


def _read(path: Path) -> Report:
    """The report in a file.

    Raises:
        UsageError: there is no report, or it differs from its manifest.
    """
    listed = check_manifest(path.parent) if path.name == "report.json" else None
    if listed is not None and path.name not in listed:
        raise UsageError(f"{path.parent / MANIFEST}: expected report.json among its files, found it missing")
    try:
        report = from_json(path.read_bytes())
        if report.interrupted and not 128 < report.exit_code < 256:
            raise UsageError(
                f"{path}: expected the exit code of a signal, as it was interrupted, found {report.exit_code}"
            )
        if repeated := repeated_claims(report):
            raise UsageError(f"{path}: expected each claim once per variation, found '{repeated[0]}' again")
        for index, record in enumerate(report.claims):
            if fault := _fault(record):
                raise UsageError(f"{path}: expected a report, found an error in claims.{index}.{fault}")
    except ValidationError as error:
        raise UsageError(f"{path}: expected a report, found an error in {_first(error)}") from None
    except OSError as error:
        raise UsageError(f"{path}: expected a readable report, found: {reason(error)}") from None
    return report


def _fault(record: ClaimRecord) -> str | None:
    """The reason why a record that has the right form cannot be judged, or None."""
    try:
        claim = Claim.model_validate(record.claim)
    except ValidationError as error:
        return f"claim.{_first(error)}"
    if claim.id != record.id:
        return f"claim.id: expected '{record.id}', found '{claim.id}'"
    return _variation_fault(claim, record) or _outcomes_fault(claim, record) or _drawings_fault(claim, record)


def _variation_fault(claim: Claim, record: ClaimRecord) -> str | None:
    """What is wrong with the variation of a record: it decides how the result is labelled."""
    seeds, base = record.variation.seeds, record.variation.seed_base
    if (seeds is not None and seeds < 1) or not 0 <= base <= LARGEST_SEED:
        return f"variation: expected at least one seed, from 0 to {LARGEST_SEED}"
    if missing := [stamp for stamp in record.variation.stamps(claim) if stamp not in record.stamps]:
        return f"stamps: expected '{missing[0]}', as the variation has it, found none"
    return None


def _outcomes_fault(claim: Claim, record: ClaimRecord) -> str | None:
    """The reason why the outcomes of a record cannot be judged or computed again, or None."""
    wanted = claim.tested_arms if "no-controls" in record.stamps else claim.used_arms
    if missing := [arm for arm in wanted if arm not in record.outcomes]:
        return f"outcomes: expected the arms of the claim, found none for {', '.join(missing)}"
    for key, given in (("outcomes", record.outcomes), ("cells", record.cells), ("digests", record.digests)):
        if strange := [arm for arm in given if arm not in claim.arms]:
            return f"{key}: expected the arms of the claim, found '{strange[0]}'"
    for arm, outcome in record.outcomes.items():
        seeds = outcome.seeds
        if not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 0 or max(seeds) > LARGEST_SEED:
            return f"outcomes.{arm}.seeds: expected different numbers from 0 to {LARGEST_SEED}"
        if any(len(values) != len(seeds) for values in outcome.measures.values()):
            return f"outcomes.{arm}: expected as many numbers as seeds in every measure"
    return None


def _drawings_fault(claim: Claim, record: ClaimRecord) -> str | None:
    """The reason why the data of a record's figures cannot be drawn, or None."""
    figures = {(figure.title, figure.x, figure.y, figure.scale) for figure in claim.figures}
    for index, drawing in enumerate(record.drawings):
        if (drawing.title, drawing.x, tuple(drawing.y), drawing.scale) not in figures:
            return f"drawings.{index}: expected one of the figures of the claim"
        for line in drawing.lines:
            if {len(part) for part in (line.median, line.low, line.high)} != {len(line.positions)}:
                return f"drawings.{index}: expected as many values as positions in every line"
        # A reference has no range over runs.
        for line in drawing.references:
            if len(line.median) != len(line.positions) or line.low or line.high:
                return f"drawings.{index}: expected as many values as positions, and no range, in every reference"
    return None


def _first(error: ValidationError) -> str:
    """The first fault that was found, at its place."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    return on_one_line(f"{place}: {first['msg'].lower()}")


def report_path(root: Path, name: str | None, what: str = "a stored report") -> Path:
    """The path of a stored report: its file, or a folder of reports that are read as one.

    Args:
        root: the outputs folder.
        name: the name of a folder of reports, a path, or `latest`; None means the newest report.
        what: what a name may mean, in the words of the error message.

    Raises:
        UsageError: there is no report.
    """
    link = root / "latest" / "report.json"
    if name is None or (name == "latest" and not Path(name).exists()):
        newest = link if link.is_file() else next(newest_first(root), None)
        if newest is None:
            raise UsageError(f"{root}: expected a stored report, found none; 'dlnrepro run' makes one")
        return newest
    candidates = [Path(name), Path(name) / "report.json", root / "reports" / name / "report.json"]
    # `os.path` finds nothing for a name that is too long; a name of blanks would mean the current folder.
    if name.strip() and (found := next((path for path in candidates if os.path.isfile(path)), None)) is not None:
        return found
    if name.strip() and os.path.isdir(name):
        if report_files(Path(name)):
            return Path(name)
        candidates.insert(2, Path(name) / "*.json")
    if not name.strip():
        raise UsageError(f"'{name}': expected {what}, found no name")
    if len(name) > LONGEST_PATH:
        raise UsageError(f"{name[:LONGEST_PATH]}...: expected {what}, found none")
    raise UsageError(f"{name}: expected {what}, found none at {' or '.join(map(str, candidates))}")


def _last(record: ClaimRecord) -> LastVerdict:
    """The result of a claim of a report, as it is kept for later."""
    return LastVerdict(
        record.verdict,
        tuple(record.stamps),
        record.as_expected,
        record.seconds,
        record.claim_hash,
        arms={arm: outcome.seconds for arm, outcome in record.outcomes.items()},
    )
